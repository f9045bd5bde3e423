//! Anyone brings a stake up to date: others should not share with a weight whose lock has ended.

use crate::{
    error::StakingError,
    event::StakeRefreshed,
    state::{Pool, Stake},
};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_units::UnixTime;

#[event_cpi]
#[derive(Accounts)]
pub struct RefreshStake {
    #[account(mut, address = stake.pool @ StakingError::WrongPool)]
    pub pool: Account<Pool>,
    #[account(mut)]
    pub stake: Account<Stake>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<RefreshStake>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    ctx.accounts.stake.refresh(&mut ctx.accounts.pool, UnixTime::new(now))?;
    ctx.accounts.stake.invariant(&ctx.accounts.pool)?;
    let stake = &ctx.accounts.stake;
    emit_event!(
        ctx,
        StakeRefreshed {
            pool: stake.pool,
            stake: *stake.address(),
            weight: stake.weight,
            earned: stake.earned,
            at: now.into(),
        }
    );
    Ok(())
}
