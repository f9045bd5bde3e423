//! The client stops work that is paid by the second, and pays for what was done.

use crate::{error::EscrowError, groups::*, payout::Names};
use anchor_lang::prelude::*;
use joule_events::emit_event;

#[event_cpi]
#[derive(Accounts)]
pub struct Stop {
    #[account(address = earnings.job.client @ EscrowError::NotClient)]
    pub client: Signer,
    pub earnings: Nested<Earnings>,
    pub backing: Nested<Backing>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Stop>, seconds: u32) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    ctx.accounts.earnings.job.stop(seconds)?;
    let (claim, price) = ctx.accounts.earnings.job.earned();
    ctx.accounts.backing.release(&claim, price, ctx.bumps.backing.claim_signer)?;
    // The provider may have redirected its payment a moment ago, and then is owed it.
    let receipt = ctx.accounts.earnings.pay(None, Names::Any)?;
    emit_event!(ctx, ctx.accounts.earnings.settled(&receipt, now, true));
    ctx.accounts.earnings.close(&receipt)
}
