//! The owner names the key that signs vouchers, and what it may spend.

use crate::{
    error::BillingError,
    event::SessionSet,
    state::{Channel, Session},
};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_units::UnixTime;

#[event_cpi]
#[derive(Accounts)]
pub struct SetSession {
    #[account(address = channel.owner @ BillingError::NotOwner)]
    pub owner: Signer,
    #[account(mut)]
    pub channel: Account<Channel>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<SetSession>, signer: Address, limit: u64, expires_at: i64) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let channel = &mut ctx.accounts.channel;
    let holds_at = channel.set_session(Session::new(signer, limit, expires_at), UnixTime::new(now))?;
    emit_event!(ctx, SessionSet::of(&ctx.accounts.channel, holds_at, now));
    Ok(())
}
