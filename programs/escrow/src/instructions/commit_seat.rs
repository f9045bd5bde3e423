//! A member of a panel says, under seal, which output is right, and locks as much of its bond on it as the parties have staked.

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
pub struct CommitSeat {
    /// Pays the rent of vote and claim and gets it back; may be the member.
    #[account(mut, unsafe(dup))]
    pub payer: Signer,
    /// Owner of the bond.
    pub juror: Signer,
    #[account(address = dispute.job @ EscrowError::WrongDispute)]
    pub job: Account<Job>,
    #[account(mut)]
    pub dispute: Account<Dispute>,
    #[account(
        init, payer = payer, bump,
        seeds = [VOTE_SEED, dispute.address().as_ref(), &[dispute.round], juror.address().as_ref()]
    )]
    pub vote: Account<Vote>,
    /// The seat itself is another claim, for coming at all; one seat may be drawn for several disputes.
    pub locking: Nested<Locking>,
    /// Token account that a reward will be paid into.
    pub payout: UncheckedAccount,
    pub system_program: Program<System>,
}

impl CommitSeat {
    #[inline(always)]
    fn validate(&self, now: UnixTime) -> Result<()> {
        self.dispute.require_commit(now)?;
        self.locking.require_bond(self.juror.address(), &self.job.mint)?;
        token::require_payee(self.payout.account(), &self.job)
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<CommitSeat>, seat: u8, commitment: [u8; 32]) -> Result<()> {
    let now = UnixTime::new(Clock::get()?.unix_timestamp);
    ctx.accounts.validate(now)?;
    let (juror, payer) = (*ctx.accounts.juror.address(), *ctx.accounts.payer.address());
    ctx.accounts.dispute.take_seat(seat, &juror)?;
    let (stake, reveal_by) = (ctx.accounts.dispute.deposit, ctx.accounts.dispute.reveal_by.get());
    // A first panel's votes wait for an appeal's: five windows more at most.
    let tail = 5 * ctx.accounts.dispute.vote_window.get() as i64 + LATE as i64;
    ctx.accounts.locking.lock(&Lock {
        payer: ctx.accounts.payer.account(),
        system_program: ctx.accounts.system_program.account(),
        subject: *ctx.accounts.vote.address(),
        amount: Amount::new(stake.get()),
        until: reveal_by.checked_add(tail).ok_or(EscrowError::Overflow)?,
        bump: ctx.bumps.locking.claim_signer,
    })?;
    ctx.accounts.dispute.count_vote()?;
    let vote = Vote {
        dispute: *ctx.accounts.dispute.address(),
        juror,
        payout: *ctx.accounts.payout.address(),
        claim: *ctx.accounts.locking.claim.address(),
        claim_payer: payer,
        rent_payer: payer,
        commitment,
        stake,
        round: ctx.accounts.dispute.round,
        choice: 0,
        bump: ctx.bumps.vote,
        reserved: [0; 29],
    };
    *ctx.accounts.vote = vote;
    emit_event!(ctx, VoteCommitted::of(&ctx.accounts.vote, ctx.accounts.vote.address(), ctx.accounts.dispute.job));
    Ok(())
}
