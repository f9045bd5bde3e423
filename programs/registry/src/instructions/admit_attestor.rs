//! The protocol's authority admits somebody whose word counts.

use crate::{constants::ATTESTOR_SEED, error::RegistryError, event::AttestorAdmitted, state::Attestor};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_treasury::state::Protocol;

#[event_cpi]
#[derive(Accounts)]
pub struct AdmitAttestor {
    /// Pays the rent, for good; may be the governor itself.
    #[account(mut, unsafe(dup))]
    pub payer: Signer,
    #[account(address = protocol.authority @ RegistryError::NotGovernor)]
    pub governor: Signer,
    /// There is one `Protocol`; owner and discriminator prove that the treasury made it.
    pub protocol: Account<Protocol>,
    /// The key that will sign for the attestor.
    pub authority: UncheckedAccount,
    #[account(init, payer = payer, seeds = [ATTESTOR_SEED, authority.address().as_ref()], bump)]
    pub attestor: Account<Attestor>,
    pub system_program: Program<System>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<AdmitAttestor>, metadata_hash: [u8; 32]) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let (authority, bump) = (*ctx.accounts.authority.address(), ctx.bumps.attestor);
    ctx.accounts.attestor.admit(authority, metadata_hash, now, bump);
    emit_event!(ctx, AttestorAdmitted { attestor: *ctx.accounts.attestor.address(), authority, metadata_hash });
    Ok(())
}
