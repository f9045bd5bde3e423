//! The authority, and not the guardian, lets a service go on.

use crate::{constants::PROTOCOL_SEED, error::TreasuryError, event::ServiceUnpaused, state::{Protocol, Service}};
use anchor_lang::prelude::*;

#[event_cpi]
#[derive(Accounts)]
pub struct Unpause {
    pub authority: Signer,
    #[account(mut, seeds = [PROTOCOL_SEED], bump = protocol.bump)]
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
    ctx.accounts.protocol.unpause(Service::from_number(service)?);
    emit_cpi!(ServiceUnpaused { service });
    Ok(())
}
