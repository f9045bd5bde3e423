//! Once a dispute is resolved, each vote is rewarded, let go or slashed, and closed; anyone may see to it.

use crate::{
    constants::LATE,
    error::EscrowError,
    event::VoteClosed,
    groups::*,
    math,
    payout::sign_and_pay,
    state::{Dispute, DisputeStatus, Job, Panel, Verdict, Vote},
    token,
};
use anchor_lang::{address_eq, prelude::*};
use anchor_spl::token_interface::TokenInterface;
use joule_events::emit_event;
use joule_staking::penalty;
use joule_units::{Amount, UnixTime};

/// Nobody needs to sign: vote and dispute say who gets what.
#[event_cpi]
#[derive(Accounts)]
pub struct CloseVote {
    #[account(mut, address = dispute.job @ EscrowError::WrongDispute)]
    pub job: Account<Job>,
    #[account(mut, address = vote.dispute @ EscrowError::WrongDispute)]
    pub dispute: Account<Dispute>,
    #[account(mut, close = vote_payer)]
    pub vote: Account<Vote>,
    /// Where the member sits; left out in a quorum.
    #[account(mut)]
    pub panel: Option<Account<Panel>>,
    #[account(mut, unsafe(dup), address = vote.rent_payer @ EscrowError::WrongRentPayer)]
    pub vote_payer: UncheckedAccount,
    #[account(mut, address = job.vault @ EscrowError::WrongVault)]
    pub vault: UncheckedAccount,
    #[account(mut, unsafe(dup), address = vote.payout @ EscrowError::WrongPayout)]
    pub payout: UncheckedAccount,
    pub backing: Nested<Backing>,
    /// The staking program checks it. A payee may have named it, and then must not keep itself from being slashed.
    #[account(mut, unsafe(dup))]
    pub bond_vault: UncheckedAccount,
    pub token_program: Interface<'static, TokenInterface>,
}

impl CloseVote {
    /// The panel, if the vote is a member's. Only then does its claim stay, for other seats.
    #[inline(always)]
    fn panel(&mut self) -> Result<Option<&mut Account<Panel>>> {
        if !self.dispute.is_panel() {
            return Ok(None);
        }
        let panel = self.panel.as_mut().ok_or(EscrowError::WrongPanel)?;
        require!(address_eq(panel.address(), &self.dispute.panel), EscrowError::WrongPanel);
        Ok(Some(panel))
    }

    /// What a vote for the verdict earns, in base units.
    #[inline(always)]
    fn reward(&self, verdict: Verdict) -> Amount {
        let (round, stake) = (self.vote.round, self.vote.stake.get());
        let pot = Amount::new(self.dispute.rounds[round as usize].pot.get());
        math::reward(pot, stake, self.dispute.winners(round, verdict))
    }

    /// Pays a reward out of what was set aside. When its account cannot receive, it waits; after `LATE` seconds the reward is
    /// forfeited to the client, so that no juror can keep the job's rent.
    #[inline(always)]
    fn pay(&mut self, reward: Amount, now: UnixTime) -> Result<Amount> {
        if reward.is_zero() {
            return Ok(reward);
        }
        let left = Amount::new(self.job.owed_jurors.get()).checked_sub(reward).ok_or(EscrowError::InvariantBroken)?;
        self.job.owed_jurors = left.get().into();
        let token_program = self.token_program.address();
        require!(self.vault.account().owned_by(token_program), EscrowError::WrongTokenProgram);
        if !token::can_receive(self.payout.account(), &self.job.mint, token_program) {
            let is_late = now.get() > self.dispute.resolved_at.get().saturating_add(LATE as i64);
            require!(is_late, EscrowError::CannotReceive);
            return Ok(Amount::ZERO);
        }
        let to = self.payout.account();
        let payments = [(to, reward), (to, Amount::ZERO), (to, Amount::ZERO), (to, Amount::ZERO)];
        sign_and_pay(self.vault.account(), &self.job, &payments, None, token_program)?;
        Ok(reward)
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<CloseVote>) -> Result<()> {
    let now = UnixTime::new(Clock::get()?.unix_timestamp);
    ctx.accounts.dispute.require(DisputeStatus::Resolved)?;
    let verdict = Verdict::from_number(ctx.accounts.dispute.verdict)?;
    let (claim, choice) = (ctx.accounts.vote.claim, ctx.accounts.vote.choice);
    let (juror, stake) = (ctx.accounts.vote.juror, ctx.accounts.vote.stake.get());
    let bump = ctx.bumps.backing.claim_signer;
    let is_right = ctx.accounts.dispute.is_right(choice, &ctx.accounts.vote.output);
    // Whoever kept silent broke its word, and loses all.
    let is_spared = ctx.accounts.dispute.is_spared(choice, ctx.accounts.vote.round);
    let (mut paid, mut slashed) = (Amount::ZERO, Amount::ZERO);
    let panel = ctx.accounts.panel()?;
    let is_seat = panel.is_some();
    if is_right || is_spared {
        match panel {
            Some(panel) => panel.dismiss(&juror, stake),
            // A reward bears no fee: whoever stages a dispute and judges it alone must not earn a name by that.
            None => ctx.accounts.backing.release(&claim, Amount::ZERO, bump)?,
        }
        let reward = if is_right { ctx.accounts.reward(verdict) } else { Amount::ZERO };
        paid = ctx.accounts.pay(reward, now)?;
    } else {
        let lost = if choice == 0 { Amount::new(stake) } else { math::dissent(Amount::new(stake)) };
        if let Some(panel) = panel {
            panel.forfeit(&juror, stake, lost.get());
        }
        let slashing = Slashing {
            bond_vault: ctx.accounts.bond_vault.account(),
            destination: ctx.accounts.vault.account(),
            token_program: ctx.accounts.token_program.account(),
            amount: lost,
            ends: !is_seat,
        };
        slashed = ctx.accounts.backing.slash(&claim, &slashing, bump)?;
        ctx.accounts.job.owe_fee(penalty::jurors(slashed).treasury)?;
    }
    ctx.accounts.dispute.vote_closed()?;
    let vote = &ctx.accounts.vote;
    emit_event!(
        ctx,
        VoteClosed {
            job: *ctx.accounts.job.address(),
            dispute: vote.dispute,
            vote: *vote.address(),
            juror: vote.juror,
            paid: paid.get().into(),
            slashed: slashed.get().into(),
            round: vote.round,
            choice,
        }
    );
    Ok(())
}
