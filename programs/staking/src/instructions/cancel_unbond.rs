//! The withdrawer keeps in the bond what was on its way out.

use crate::{error::StakingError, event::UnbondingCancelled, state::Bond};
use anchor_lang::prelude::*;
use joule_events::emit_event;

#[event_cpi]
#[derive(Accounts)]
pub struct CancelUnbond {
    #[account(address = bond.withdrawer @ StakingError::NotWithdrawer)]
    pub withdrawer: Signer,
    #[account(mut)]
    pub bond: Account<Bond>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<CancelUnbond>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let amount = ctx.accounts.bond.cancel_unbond()?;
    emit_event!(
        ctx,
        UnbondingCancelled { bond: *ctx.accounts.bond.address(), amount: amount.get().into(), at: now.into() }
    );
    Ok(())
}
