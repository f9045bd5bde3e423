//! Drawing a panel, appealing from it, carrying a verdict out, winding a dispute up.

use super::Found;
use crate::{context::Options, failure::Failure, output, token::Token, view::View};
use joule_sdk::{
    escrow::{
        constants::APPEAL_MULTIPLE,
        state::{Dispute, DisputeStatus, Vote},
    },
    instruction::escrow,
    pda,
    staking::state::Claim,
    Pubkey,
};
use serde_json::json;
use std::time::Duration;

/// A slot's time.
const SLOT: Duration = Duration::from_millis(400);

/// Waits for the slot whose hash draws the panel: a few seconds after the challenge.
pub(super) async fn draw(options: &Options, job: &Pubkey) -> Result<(), Failure> {
    let found = Found::by(options, job).await?;
    let (chain, dispute) = (&found.actor.chain, &found.dispute);
    if dispute.status != DisputeStatus::Drawing as u8 {
        return Err(Failure::Refused("no panel is to be drawn: `joule dispute show` says where it stands".into()));
    }
    let bar = output::spinner(format!("waiting for slot {}", dispute.draw_slot.get()));
    while chain.slot().await? <= dispute.draw_slot.get() {
        tokio::time::sleep(SLOT).await;
    }
    let draw = escrow::draw_panel(found.place, dispute);
    let signature = chain.send(&[draw], &[&found.actor.signer]).await?;
    bar.finish_and_clear();
    let after = chain.find::<Dispute>(&found.place).await?;
    let view = View::of(options, []).await;
    if let Some(why) = after.and_then(|after| not_drawn(&after, &view)) {
        return Err(Failure::Refused(why));
    }
    if options.json {
        let (job, signature) = (found.address.to_string(), signature.to_string());
        return output::json(&serde_json::json!({ "job": job, "signature": signature }));
    }
    println!("drew the panel for job {}", found.address);
    Ok(())
}

/// Why nobody is seated after a drawing.
fn not_drawn(after: &Dispute, view: &View) -> Option<String> {
    if after.status != DisputeStatus::Drawing as u8 {
        return None;
    }
    Some(match after.lot == [0; 32] {
        true => "nobody drew while the cluster knew the slot; a later one was chosen: draw again".to_owned(),
        false => format!(
            "the lot fell on somebody whose stake stands behind other disputes, who is waited for: draw again when it is free, \
             or from {} on, when it sits nevertheless; until {} somebody must",
            view.moment(after.patient_until.get() + 1),
            view.moment(after.draw_by.get()),
        ),
    })
}

pub(super) async fn appeal(options: &Options, job: &Pubkey) -> Result<(), Failure> {
    let found = Found::by(options, job).await?;
    let (me, actor) = (found.actor.key(), &found.actor);
    let token = Token::at(options, &actor.chain, found.job.mint).await?;
    let price = found.dispute.deposit.get().saturating_mul(APPEAL_MULTIPLE);
    actor.can_pay(options, &token, price, "the deposit of an appeal").await?;
    let appeal = escrow::appeal(me, token.account_of(&me), found.address, token.program);
    let done = format!("a second panel will look at job {}, for a deposit of {}", found.address, token.show(price));
    let more = token.label(json!({ "deposit": price.to_string() }));
    actor.tell(options, &[appeal], ("job", &found.address), &done, more).await
}

pub(super) async fn resolve(options: &Options, job: &Pubkey) -> Result<(), Failure> {
    let found = Found::by(options, job).await?;
    let token_program = found.actor.chain.token_program_of(&found.job.mint).await?;
    if found.dispute.status != DisputeStatus::Resolved as u8 {
        let resolve = escrow::resolve(found.address, &found.job, token_program);
        return found.send(options, &[resolve], "carried out the verdict about job").await;
    }
    let bar = output::spinner("closing votes");
    found.close_votes().await?;
    found.punish_absent().await?;
    bar.finish_and_clear();
    let close = escrow::close_dispute(found.place, &found.dispute);
    found.send(options, &[close], "wound up the dispute about job").await
}

impl Found {
    async fn close_votes(&self) -> Result<(), Failure> {
        let chain = &self.actor.chain;
        let token_program = chain.token_program_of(&self.job.mint).await?;
        for (address, vote) in chain.votes_in(&self.place).await? {
            let close = escrow::close_vote(self.address, &self.job, self.dispute.panel, address, &vote, token_program);
            let sent = chain.send(&[close], &[&self.actor.signer]).await;
            if chain.find::<Vote>(&address).await?.is_some() {
                sent?;
            }
        }
        Ok(())
    }

    /// Members that were drawn and never voted.
    async fn punish_absent(&self) -> Result<(), Failure> {
        let (chain, d) = (&self.actor.chain, &self.dispute);
        let token_program = chain.token_program_of(&self.job.mint).await?;
        let done = d.committed.get() | d.punished.get();
        for seat in (0..d.drawn).filter(|seat| done & (1 << seat) == 0) {
            let claim = pda::seat_claim(&d.panel, &d.members[usize::from(seat)]);
            // Gone: there is nothing left to be slashed.
            let payer = chain.find::<Claim>(&claim).await?.map_or(self.actor.key(), |claim| claim.rent_payer);
            let punish = escrow::punish_absent(self.address, &self.job, d, seat, payer, token_program);
            let sent = chain.send(&[punish], &[&self.actor.signer]).await;
            let after = chain.find::<Dispute>(&self.place).await?;
            if after.is_some_and(|after| after.punished.get() & (1 << seat) == 0) {
                sent?;
            }
        }
        Ok(())
    }
}
