//! The authority, and not the guardian, lets a service go on before its pause ends by itself.

use crate::{
    error::TreasuryError,
    event::ServiceUnpaused,
    state::{Protocol, Service},
};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_units::UnixTime;

#[event_cpi]
#[derive(Accounts)]
pub struct Unpause {
    pub authority: Signer,
    #[account(mut)]
    pub protocol: Account<Protocol>,
}

impl Unpause {
    fn validate(&self) -> Result<()> {
        require!(self.protocol.authority == *self.authority.address(), TreasuryError::NotAuthority);
        Ok(())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Unpause>, service: u8) -> Result<()> {
    ctx.accounts.validate()?;
    let now = UnixTime::new(Clock::get()?.unix_timestamp);
    ctx.accounts.protocol.unpause(Service::from_number(service)?, now)?;
    emit_event!(ctx, ServiceUnpaused { service });
    Ok(())
}
