//! Guardian or authority stops new work in a service for a limited time.

use crate::{
    error::TreasuryError,
    event::ServicePaused,
    state::{Protocol, Service},
};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_units::UnixTime;

#[event_cpi]
#[derive(Accounts)]
pub struct Pause {
    pub guardian: Signer,
    #[account(mut)]
    pub protocol: Account<Protocol>,
}

impl Pause {
    fn validate(&self) -> Result<()> {
        require!(
            [self.protocol.guardian, self.protocol.authority].contains(self.guardian.address()),
            TreasuryError::NotGuardian
        );
        Ok(())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Pause>, service: u8) -> Result<()> {
    ctx.accounts.validate()?;
    let now = UnixTime::new(Clock::get()?.unix_timestamp);
    ctx.accounts.protocol.pause(Service::from_number(service)?, now)?;
    emit_event!(ctx, ServicePaused { service, by: *ctx.accounts.guardian.address() });
    Ok(())
}
