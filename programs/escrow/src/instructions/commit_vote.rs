//! A provider that has run a challenged job again says, under seal, what came out, and locks a part of its bond on it.

use crate::{
    constants::{LATE, VOTE_SEED},
    error::EscrowError,
    event::VoteCommitted,
    groups::*,
    state::{Dispute, Job, Vote},
    token,
};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_units::{Amount, UnixTime};

#[event_cpi]
#[derive(Accounts)]
pub struct CommitVote {
    /// Pays the rent of vote and claim and gets it back; may be the provider's authority.
    #[account(mut, unsafe(dup))]
    pub payer: Signer,
    pub candidate: Nested<Candidate>,
    #[account(address = dispute.job @ EscrowError::WrongDispute)]
    pub job: Account<Job>,
    #[account(mut)]
    pub dispute: Account<Dispute>,
    #[account(
        init, payer = payer, bump,
        seeds = [VOTE_SEED, dispute.address().as_ref(), &[0], candidate.authority.address().as_ref()]
    )]
    pub vote: Account<Vote>,
    /// Token account that a reward will be paid into.
    pub payout: UncheckedAccount,
    pub system_program: Program<System>,
}

impl CommitVote {
    #[inline(always)]
    fn validate(&self, stake: Amount, now: UnixTime) -> Result<()> {
        self.dispute.require_commit(now)?;
        require!(!self.dispute.is_panel(), EscrowError::NotDrawn);
        let juror = self.candidate.authority.address();
        require!(!self.dispute.is_party(&self.job, juror), EscrowError::PartyCannotJudge);
        require!(stake.get() >= self.dispute.deposit.get(), EscrowError::StakeTooSmall);
        self.candidate.validate(&self.job, self.dispute.eligible_at())?;
        token::require_payee(self.payout.account(), &self.job)
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<CommitVote>, commitment: [u8; 32], stake: u64) -> Result<()> {
    let now = UnixTime::new(Clock::get()?.unix_timestamp);
    ctx.accounts.validate(Amount::new(stake), now)?;
    let final_at = ctx.accounts.dispute.final_at.get();
    ctx.accounts.candidate.locking.lock(&Lock {
        payer: ctx.accounts.payer.account(),
        system_program: ctx.accounts.system_program.account(),
        subject: *ctx.accounts.vote.address(),
        amount: Amount::new(stake),
        until: final_at.checked_add(LATE as i64).ok_or(EscrowError::Overflow)?,
        bump: ctx.bumps.candidate.locking.claim_signer,
    })?;
    ctx.accounts.dispute.count_vote()?;
    let payer = *ctx.accounts.payer.address();
    let vote = Vote {
        dispute: *ctx.accounts.dispute.address(),
        juror: *ctx.accounts.candidate.authority.address(),
        payout: *ctx.accounts.payout.address(),
        claim: *ctx.accounts.candidate.locking.claim.address(),
        claim_payer: payer,
        rent_payer: payer,
        commitment,
        stake: stake.into(),
        round: 0,
        choice: 0,
        bump: ctx.bumps.vote,
        output: [0; 32],
        reserved: [0; 29],
    };
    *ctx.accounts.vote = vote;
    emit_event!(ctx, VoteCommitted::of(&ctx.accounts.vote, ctx.accounts.vote.address(), ctx.accounts.dispute.job));
    Ok(())
}
