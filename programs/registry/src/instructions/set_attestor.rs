//! The protocol's authority lets an attestor attest, or stops it. What it has attested stays until it expires or is revoked.

use crate::{error::RegistryError, event::AttestorChanged, state::Attestor};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_treasury::state::Protocol;

#[event_cpi]
#[derive(Accounts)]
pub struct SetAttestor {
    #[account(address = protocol.authority @ RegistryError::NotGovernor)]
    pub governor: Signer,
    /// There is one `Protocol`; owner and discriminator prove that the treasury made it.
    pub protocol: Account<Protocol>,
    #[account(mut)]
    pub attestor: Account<Attestor>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<SetAttestor>, enabled: bool) -> Result<()> {
    ctx.accounts.attestor.set(enabled);
    emit_event!(ctx, AttestorChanged { attestor: *ctx.accounts.attestor.address(), enabled: enabled as u8 });
    Ok(())
}
