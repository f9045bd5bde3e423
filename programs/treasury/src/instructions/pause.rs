//! Guardian or authority stops new work in a service.

use crate::{constants::PROTOCOL_SEED, error::TreasuryError, event::ServicePaused, state::{Protocol, Service}};
use anchor_lang::prelude::*;

#[event_cpi]
#[derive(Accounts)]
pub struct Pause {
    pub guardian: Signer,
    #[account(mut, seeds = [PROTOCOL_SEED], bump = protocol.bump)]
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
    ctx.accounts.protocol.pause(Service::from_number(service)?);
    emit_cpi!(ServicePaused { service, by: *ctx.accounts.guardian.address() });
    Ok(())
}
