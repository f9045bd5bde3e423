//! An owner lets a part of its stake cool.

use crate::{
    error::StakingError,
    event::Unstaked,
    state::{Pool, Stake},
};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_units::{Amount, UnixTime};

#[event_cpi]
#[derive(Accounts)]
pub struct Unstake {
    #[account(address = stake.owner @ StakingError::NotOwner)]
    pub owner: Signer,
    #[account(mut, address = stake.pool @ StakingError::WrongPool)]
    pub pool: Account<Pool>,
    #[account(mut)]
    pub stake: Account<Stake>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Unstake>, amount: u64) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    ctx.accounts.stake.unstake(&mut ctx.accounts.pool, Amount::new(amount), UnixTime::new(now))?;
    let stake = &ctx.accounts.stake;
    emit_event!(
        ctx,
        Unstaked {
            pool: stake.pool,
            stake: *stake.address(),
            owner: stake.owner,
            amount: amount.into(),
            cooling: stake.cooling,
            cools_at: stake.cools_at,
            at: now.into(),
        }
    );
    Ok(())
}
