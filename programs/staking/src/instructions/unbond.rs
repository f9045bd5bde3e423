//! The withdrawer sends money on its way out of the bond.

use crate::{error::StakingError, event::UnbondingStarted, state::Bond};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_units::{Amount, UnixTime};

#[event_cpi]
#[derive(Accounts)]
pub struct Unbond {
    #[account(address = bond.withdrawer @ StakingError::NotWithdrawer)]
    pub withdrawer: Signer,
    #[account(mut)]
    pub bond: Account<Bond>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Unbond>, amount: u64) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    ctx.accounts.bond.unbond(Amount::new(amount), UnixTime::new(now))?;
    let bond = &ctx.accounts.bond;
    emit_event!(
        ctx,
        UnbondingStarted {
            bond: *bond.address(),
            amount: amount.into(),
            unbonding: bond.unbonding,
            unbonds_at: bond.unbonds_at,
            at: now.into(),
        }
    );
    Ok(())
}
