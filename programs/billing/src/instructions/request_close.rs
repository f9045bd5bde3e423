//! One of the two parties ends a channel.

use crate::{event::CloseRequested, state::Channel};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_units::UnixTime;

#[event_cpi]
#[derive(Accounts)]
pub struct RequestClose {
    /// The owner, who gives the provider its grace, or the provider's authority, which needs none.
    pub party: Signer,
    #[account(mut)]
    pub channel: Account<Channel>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<RequestClose>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let by = *ctx.accounts.party.address();
    let closes_at = ctx.accounts.channel.request_close(&by, UnixTime::new(now))?;
    let channel = *ctx.accounts.channel.address();
    emit_event!(ctx, CloseRequested { channel, by, closes_at: closes_at.into(), at: now.into() });
    Ok(())
}
