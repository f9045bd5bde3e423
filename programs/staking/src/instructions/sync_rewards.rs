//! Anyone counts as rewards what somebody has sent to a pool's vault.

use crate::{error::StakingError, event::RewardsSynced, state::Pool, vault};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_units::UnixTime;

#[event_cpi]
#[derive(Accounts)]
pub struct SyncRewards {
    #[account(mut)]
    pub pool: Account<Pool>,
    #[account(address = pool.vault @ StakingError::WrongVault)]
    pub vault: UncheckedAccount,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<SyncRewards>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let balance = vault::balance(ctx.accounts.vault.account())?;
    let pool = &mut ctx.accounts.pool;
    let amount = pool.sync(balance, UnixTime::new(now))?;
    pool.invariant()?;
    emit_event!(
        ctx,
        RewardsSynced {
            pool: *ctx.accounts.pool.address(),
            amount: amount.get().into(),
            pending: ctx.accounts.pool.pending,
            at: now.into(),
        }
    );
    Ok(())
}
