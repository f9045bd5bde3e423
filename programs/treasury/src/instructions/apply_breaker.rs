//! Anyone lets a looser breaker hold once its delay is over.

use crate::{event::BreakerChanged, state::AcceptedMint};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_units::UnixTime;

/// Nobody needs to sign: the authority did when it announced the breaker.
#[event_cpi]
#[derive(Accounts)]
pub struct ApplyBreaker {
    #[account(mut)]
    pub accepted_mint: Account<AcceptedMint>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<ApplyBreaker>) -> Result<()> {
    let now = UnixTime::new(Clock::get()?.unix_timestamp);
    let breaker = ctx.accounts.accepted_mint.apply_breaker(now)?;
    emit_event!(
        ctx,
        BreakerChanged {
            mint: ctx.accounts.accepted_mint.mint,
            limit: breaker.limit.get().into(),
            window: breaker.window.get().into(),
        }
    );
    Ok(())
}
