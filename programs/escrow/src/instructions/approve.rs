//! The client agrees with the result and pays without waiting.

use crate::{error::EscrowError, groups::*, payout::Names};
use anchor_lang::prelude::*;
use joule_events::emit_event;

#[event_cpi]
#[derive(Accounts)]
pub struct Approve {
    #[account(address = earnings.job.client @ EscrowError::NotClient)]
    pub client: Signer,
    pub earnings: Nested<Earnings>,
    pub backing: Nested<Backing>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Approve>, result_hash: [u8; 32]) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    ctx.accounts.earnings.job.approve(&result_hash)?;
    let (claim, price) = ctx.accounts.earnings.job.earned();
    ctx.accounts.backing.release(&claim, price, ctx.bumps.backing.claim_signer)?;
    let receipt = ctx.accounts.earnings.pay(None, Names::Exact)?;
    emit_event!(ctx, ctx.accounts.earnings.settled(&receipt, now, true));
    ctx.accounts.earnings.close(&receipt)
}
