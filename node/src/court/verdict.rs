//! Having a verdict carried out, and winding a dispute up.

use super::{Court, Obstacle};
use crate::chain::Address;
use joule_sdk::{
    escrow::state::{Dispute, Job as State, Vote},
    instruction::escrow,
    pda,
    staking::state::Claim,
};
use tracing::info;

impl Court {
    pub(super) async fn resolve(&self, address: Address, job: &State, dispute: &Dispute) -> Result<(), Obstacle> {
        let token_program = self.chain.token_program(&job.mint).await?;
        let sent = self.chain.send(&[escrow::resolve(address, job, token_program)]).await;
        match self.chain.chain().find::<Dispute>(&pda::dispute(&address)).await? {
            Some(after) if after.status == dispute.status => sent?,
            Some(after) => info!(job = %address, verdict = after.verdict, "resolved"),
            None => {}
        }
        Ok(())
    }

    /// Closes every vote and punishes who was drawn and never voted, then closes the dispute and pays what is left to the client.
    pub(super) async fn wind_up(&self, address: Address, job: &State, dispute: &Dispute) -> Result<(), Obstacle> {
        let (chain, place) = (self.chain.chain(), pda::dispute(&address));
        let token_program = self.chain.token_program(&job.mint).await?;
        for (vote, state) in chain.votes_in(&place).await? {
            let sent =
                self.chain.send(&[escrow::close_vote(address, job, dispute.panel, vote, &state, token_program)]).await;
            if chain.find::<Vote>(&vote).await?.is_some() {
                sent?;
            }
        }
        let done = dispute.committed.get() | dispute.punished.get();
        for seat in (0..dispute.drawn).filter(|seat| done & (1 << seat) == 0) {
            let claim = pda::seat_claim(&dispute.panel, &dispute.members[seat as usize]);
            // Gone: there is nothing left to be slashed.
            let payer = chain.find::<Claim>(&claim).await?.map_or(self.chain.authority(), |claim| claim.rent_payer);
            let punish = escrow::punish_absent(address, job, dispute, seat, payer, token_program);
            let sent = self.chain.send(&[punish]).await;
            // Somebody else may have; until it is done nobody can close the dispute.
            let is_done = |after: Dispute| after.punished.get() & (1 << seat) != 0;
            if !chain.find::<Dispute>(&place).await?.is_none_or(is_done) {
                sent?;
            }
        }
        for round in 0..=dispute.round {
            self.ballots.forget(&pda::vote(&place, round, &self.chain.authority()));
        }
        let close = escrow::close_dispute(place, dispute);
        let pay = escrow::pay(address, job, token_program);
        if self.chain.send(&[close.clone(), pay]).await.is_err() && chain.find::<Dispute>(&place).await?.is_some() {
            // Somebody cannot be paid yet, which keeps nobody from closing the dispute.
            let sent = self.chain.send(&[close]).await;
            if chain.find::<Dispute>(&place).await?.is_some() {
                sent?;
            }
        }
        info!(job = %address, "dispute wound up");
        Ok(())
    }
}
