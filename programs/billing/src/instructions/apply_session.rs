//! A staged session holds once the provider has had its grace; anyone may see to it.

use crate::{event::SessionSet, state::Channel};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_units::UnixTime;

/// Nobody needs to sign: the channel says what holds, and from when.
#[event_cpi]
#[derive(Accounts)]
pub struct ApplySession {
    #[account(mut)]
    pub channel: Account<Channel>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<ApplySession>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    ctx.accounts.channel.apply_session(UnixTime::new(now))?;
    emit_event!(ctx, SessionSet::of(&ctx.accounts.channel, now, now));
    Ok(())
}
