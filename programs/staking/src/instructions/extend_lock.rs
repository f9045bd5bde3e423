//! An owner locks its stake for longer.

use crate::{
    error::StakingError,
    event::LockExtended,
    state::{Pool, Stake},
};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_units::UnixTime;

#[event_cpi]
#[derive(Accounts)]
pub struct ExtendLock {
    #[account(address = stake.owner @ StakingError::NotOwner)]
    pub owner: Signer,
    #[account(mut, address = stake.pool @ StakingError::WrongPool)]
    pub pool: Account<Pool>,
    #[account(mut)]
    pub stake: Account<Stake>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<ExtendLock>, lock_seconds: u32) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    ctx.accounts.stake.extend_lock(&mut ctx.accounts.pool, lock_seconds, UnixTime::new(now))?;
    let stake = &ctx.accounts.stake;
    emit_event!(
        ctx,
        LockExtended {
            pool: stake.pool,
            stake: *stake.address(),
            owner: stake.owner,
            weight: stake.weight,
            lock_end: stake.lock_end,
            at: now.into(),
        }
    );
    Ok(())
}
