//! A client takes back what nobody has accepted.

use crate::{error::EscrowError, groups::*};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_units::Amount;

#[event_cpi]
#[derive(Accounts)]
pub struct Cancel {
    #[account(address = refund.job.client @ EscrowError::NotClient)]
    pub client: Signer,
    pub refund: Nested<Refund>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Cancel>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let reason = ctx.accounts.refund.job.cancel()?;
    let receipt = ctx.accounts.refund.pay(None)?;
    emit_event!(ctx, ctx.accounts.refund.refunded(&receipt, Amount::ZERO, reason, now));
    ctx.accounts.refund.close(&receipt)
}
