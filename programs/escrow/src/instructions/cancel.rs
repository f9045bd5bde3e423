//! A client takes back what nobody has accepted.

use crate::{error::EscrowError, instructions::expire::*};
use anchor_lang::prelude::*;
use joule_events::emit_event;

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
    let refund = &mut ctx.accounts.refund;
    let reason = refund.job.cancel()?;
    let receipt = refund.pay(true)?;
    emit_event!(ctx, ctx.accounts.refund.refunded(&receipt, now, reason));
    ctx.accounts.refund.close(&receipt)
}
