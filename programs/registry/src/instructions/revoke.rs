//! An attestor takes a credential back, at once; enabled or not. Disputes that have opened before go by what was.

use crate::{
    error::RegistryError,
    event::AttestationRevoked,
    state::{Attestations, Attestor},
};
use anchor_lang::{address_eq, prelude::*};
use joule_events::emit_event;
use joule_treasury::state::Protocol;

#[event_cpi]
#[derive(Accounts)]
pub struct Revoke {
    /// The attestor's authority. Once the attestor is disabled, because its key was stolen perhaps, also the protocol's.
    pub authority: Signer,
    pub attestor: Account<Attestor>,
    #[account(mut)]
    pub attestations: Account<Attestations>,
    /// There is one `Protocol`; owner and discriminator prove that the treasury made it.
    pub protocol: Account<Protocol>,
}

impl Revoke {
    #[inline(always)]
    fn validate(&self) -> Result<()> {
        let (who, attestor) = (self.authority.address(), &self.attestor);
        let governs = || !attestor.is_enabled() && address_eq(&self.protocol.authority, who);
        require!(address_eq(&attestor.authority, who) || governs(), RegistryError::NotAttestor);
        Ok(())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Revoke>, schema: u32) -> Result<()> {
    ctx.accounts.validate()?;
    let now = Clock::get()?.unix_timestamp;
    let attestor = *ctx.accounts.attestor.address();
    ctx.accounts.attestations.revoke(&attestor, schema, now)?;
    emit_event!(
        ctx,
        AttestationRevoked { subject: ctx.accounts.attestations.subject, attestor, schema: schema.into() }
    );
    Ok(())
}
