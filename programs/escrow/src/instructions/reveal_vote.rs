//! A vote's seal is broken. Whoever knows the salt may do it, and until then that is the juror.

use crate::{
    error::EscrowError,
    event::VoteRevealed,
    state::{Dispute, Job, Vote},
};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_units::UnixTime;

/// Nobody needs to sign: the commitment says whose vote it is.
#[event_cpi]
#[derive(Accounts)]
pub struct RevealVote {
    #[account(address = dispute.job @ EscrowError::WrongDispute)]
    pub job: Account<Job>,
    #[account(mut, address = vote.dispute @ EscrowError::WrongDispute)]
    pub dispute: Account<Dispute>,
    #[account(mut)]
    pub vote: Account<Vote>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<RevealVote>, output: [u8; 32], salt: [u8; 32]) -> Result<()> {
    let now = UnixTime::new(Clock::get()?.unix_timestamp);
    let job = *ctx.accounts.job.address();
    let (result, counter) = (ctx.accounts.job.result_hash, ctx.accounts.dispute.counter_result);
    let is_panel = ctx.accounts.dispute.is_panel();
    let choice = ctx.accounts.vote.reveal(&job, &output, &salt, &result, &counter, is_panel)?;
    let (round, stake) = (ctx.accounts.vote.round, ctx.accounts.vote.stake.get());
    ctx.accounts.dispute.tally(round, choice, &output, stake, now)?;
    emit_event!(
        ctx,
        VoteRevealed {
            job,
            dispute: *ctx.accounts.dispute.address(),
            vote: *ctx.accounts.vote.address(),
            juror: ctx.accounts.vote.juror,
            output,
            stake: stake.into(),
            revealed_at: now.get().into(),
            round,
            choice: choice as u8,
        }
    );
    Ok(())
}
