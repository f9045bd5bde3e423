//! The client agrees with the result and pays without waiting.

use crate::{error::EscrowError, instructions::settle::*};
use anchor_lang::prelude::*;
use joule_events::emit_event;

#[event_cpi]
#[derive(Accounts)]
pub struct Approve {
    #[account(address = earnings.job.client @ EscrowError::NotClient)]
    pub client: Signer,
    pub earnings: Nested<Earnings>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Approve>, result_hash: [u8; 32]) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let earnings = &mut ctx.accounts.earnings;
    earnings.job.approve(&result_hash)?;
    let receipt = earnings.pay(true)?;
    emit_event!(ctx, ctx.accounts.earnings.settled(&receipt, now, true));
    ctx.accounts.earnings.close(&receipt)
}
