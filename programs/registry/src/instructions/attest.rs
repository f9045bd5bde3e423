//! An attestor gives a subject a credential, or renews it.

use crate::{
    constants::ATTESTATIONS_SEED,
    error::RegistryError,
    event::Attested,
    state::{Attestation, Attestations, Attestor},
};
use anchor_lang::{address_eq, prelude::*};
use joule_events::emit_event;

#[event_cpi]
#[derive(Accounts)]
pub struct Attest {
    /// Pays the rent of the subject's account if there is none yet, and gets it back; may be the authority itself.
    #[account(mut, unsafe(dup))]
    pub payer: Signer,
    pub authority: Signer,
    pub attestor: Account<Attestor>,
    /// Whom the credential is about; for a provider its authority. Needs to know nothing of it.
    pub subject: UncheckedAccount,
    #[account(init_if_needed, payer = payer, seeds = [ATTESTATIONS_SEED, subject.address().as_ref()], bump)]
    pub attestations: Account<Attestations>,
    pub system_program: Program<System>,
}

impl Attest {
    #[inline(always)]
    fn validate(&self) -> Result<()> {
        require!(address_eq(&self.attestor.authority, self.authority.address()), RegistryError::NotAttestor);
        require!(self.attestor.is_enabled(), RegistryError::AttestorDisabled);
        Ok(())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Attest>, schema: u32, value_hash: [u8; 32], expires_at: i64) -> Result<()> {
    ctx.accounts.validate()?;
    let now = Clock::get()?.unix_timestamp;
    let (subject, attestor) = (*ctx.accounts.subject.address(), *ctx.accounts.attestor.address());
    let (payer, bump) = (*ctx.accounts.payer.address(), ctx.bumps.attestations);
    let attestations = &mut ctx.accounts.attestations;
    if attestations.bump == 0 {
        attestations.open(subject, payer, bump);
    }
    attestations
        .attest(Attestation { attestor, schema: schema.into(), expires_at: expires_at.into(), value_hash }, now)?;
    emit_event!(ctx, Attested { subject, attestor, schema: schema.into(), value_hash, expires_at: expires_at.into() });
    Ok(())
}
