//! Silence through the review window pays the provider; anyone may see to it.

use crate::{groups::*, payout::Names};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_units::UnixTime;

/// Nobody needs to sign: the job says who gets what, and when.
#[event_cpi]
#[derive(Accounts)]
pub struct Settle {
    pub earnings: Nested<Earnings>,
    pub backing: Nested<Backing>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Settle>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    ctx.accounts.earnings.job.settle(UnixTime::new(now))?;
    let (claim, price) = ctx.accounts.earnings.job.earned();
    ctx.accounts.backing.release(&claim, price, ctx.bumps.backing.claim_signer)?;
    let receipt = ctx.accounts.earnings.pay(None, Names::Exact)?;
    emit_event!(ctx, ctx.accounts.earnings.settled(&receipt, now, false));
    ctx.accounts.earnings.close(&receipt)
}
