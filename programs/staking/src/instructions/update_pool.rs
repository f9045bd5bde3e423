//! The authority changes a pool's parameters. Locks and cool-downs that run keep their ends.

use crate::{
    error::StakingError,
    event::PoolUpdated,
    state::{Params, Pool},
};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_treasury::state::Protocol;
use joule_units::UnixTime;

#[event_cpi]
#[derive(Accounts)]
pub struct UpdatePool {
    pub authority: Signer,
    #[account(constraint = protocol.authority == *authority.address() @ StakingError::NotAuthority)]
    pub protocol: Account<Protocol>,
    #[account(mut)]
    pub pool: Account<Pool>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<UpdatePool>, params: Params) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let pool = &mut ctx.accounts.pool;
    pool.drip(UnixTime::new(now));
    pool.set_params(&params, UnixTime::new(now))?;
    pool.invariant()?;
    let pool = &ctx.accounts.pool;
    emit_event!(
        ctx,
        PoolUpdated {
            pool: *pool.address(),
            max_lock: pool.max_lock,
            cool_down: pool.cool_down,
            drip: pool.drip,
            tier_weights: pool.tier_weights,
            tier_discounts_bps: pool.tier_discounts_bps,
            at: now.into(),
        }
    );
    Ok(())
}
