//! A job that nobody accepted in time gives its budget back; anyone may see to it.

use crate::groups::*;
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_units::{Amount, UnixTime};

/// Nobody needs to sign: the job says who gets what, and when.
#[event_cpi]
#[derive(Accounts)]
pub struct Expire {
    pub refund: Nested<Refund>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Expire>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let reason = ctx.accounts.refund.job.expire(UnixTime::new(now))?;
    let receipt = ctx.accounts.refund.pay(None)?;
    emit_event!(ctx, ctx.accounts.refund.refunded(&receipt, Amount::ZERO, reason, now));
    ctx.accounts.refund.close(&receipt)
}
