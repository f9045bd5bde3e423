//! The authority changes how much may leave a fee vault: less at once, more only after a delay.

use crate::{
    error::TreasuryError,
    event::{BreakerChanged, BreakerStaged},
    state::{AcceptedMint, BreakerChange, Protocol},
};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_units::{Amount, Breaker, Seconds, UnixTime};

#[event_cpi]
#[derive(Accounts)]
pub struct SetBreaker {
    pub authority: Signer,
    pub protocol: Account<Protocol>,
    #[account(mut)]
    pub accepted_mint: Account<AcceptedMint>,
}

impl SetBreaker {
    fn validate(&self) -> Result<()> {
        require!(self.protocol.authority == *self.authority.address(), TreasuryError::NotAuthority);
        Ok(())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<SetBreaker>, limit: u64, window: u32) -> Result<()> {
    ctx.accounts.validate()?;
    let now = UnixTime::new(Clock::get()?.unix_timestamp);
    let breaker = Breaker { limit: Amount::new(limit), window: Seconds::new(window) };
    let mint = ctx.accounts.accepted_mint.mint;
    match ctx.accounts.accepted_mint.set_breaker(breaker, now)? {
        BreakerChange::Applied => {
            emit_event!(ctx, BreakerChanged { mint, limit: limit.into(), window: window.into() });
        }
        BreakerChange::Staged(effective_at) => {
            emit_event!(
                ctx,
                BreakerStaged { mint, limit: limit.into(), window: window.into(), effective_at: effective_at.into() }
            );
        }
    }
    Ok(())
}
