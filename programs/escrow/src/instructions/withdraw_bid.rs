//! A bid that did not win lets go of its bond once the job has left `Open`; anyone may see to it.

use crate::{
    error::EscrowError,
    event::BidWithdrawn,
    groups::*,
    state::{Bid, Job, JobStatus},
};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_units::Amount;

/// Nobody needs to sign: the bid names who gets what.
#[event_cpi]
#[derive(Accounts)]
pub struct WithdrawBid {
    /// Closed, or past `Open`.
    #[account(address = bid.job @ EscrowError::WrongBid)]
    pub job: UncheckedAccount,
    #[account(mut, close = bid_payer)]
    pub bid: Account<Bid>,
    #[account(mut, unsafe(dup), address = bid.rent_payer @ EscrowError::WrongRentPayer)]
    pub bid_payer: UncheckedAccount,
    pub backing: Nested<Backing>,
}

impl WithdrawBid {
    #[inline(always)]
    fn validate(&self) -> Result<()> {
        if !self.job.account().owned_by(&crate::ID) {
            return Ok(());
        }
        joule_foreign::read::<Job, _>(self.job.account(), &crate::ID, EscrowError::WrongBid, |job| {
            require!(job.status != JobStatus::Open as u8, EscrowError::BidBinds);
            Ok(())
        })
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<WithdrawBid>) -> Result<()> {
    ctx.accounts.validate()?;
    let claim = ctx.accounts.bid.claim;
    ctx.accounts.backing.release(&claim, Amount::ZERO, ctx.bumps.backing.claim_signer)?;
    let (job, bid) = (*ctx.accounts.job.address(), *ctx.accounts.bid.address());
    emit_event!(ctx, BidWithdrawn { job, bid, provider: ctx.accounts.bid.provider });
    Ok(())
}
