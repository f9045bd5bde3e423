//! An attestor gives a subject a credential, or renews it.

use crate::{
    constants::ATTESTATIONS_SEED,
    error::RegistryError,
    event::Attested,
    state::{Attestations, Attestor, Statement},
};
use anchor_lang::{address_eq, prelude::*};
use joule_accounts::{load_or_create, Opened};
use joule_events::emit_event;
use joule_units::UnixTime;

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
    /// PDA `["attestations", subject]`: created by the subject's first credential, and proven by its fields later.
    #[account(mut)]
    pub attestations: UncheckedAccount,
    pub system_program: Program<System>,
}

impl Attest {
    #[inline(always)]
    fn validate(&self) -> Result<()> {
        require!(address_eq(&self.attestor.authority, self.authority.address()), RegistryError::NotAttestor);
        require!(self.attestor.is_enabled(), RegistryError::AttestorDisabled);
        Ok(())
    }

    #[inline(always)]
    fn attestations(&self) -> Result<Account<Attestations>> {
        let (view, subject) = (*self.attestations.account(), self.subject.address());
        let seeds = [ATTESTATIONS_SEED, subject.as_ref()];
        // SAFETY: `attestations` is `mut` without `unsafe(dup)`, and loaded here only.
        let Opened::<Attestations> { mut account, bump } =
            unsafe { load_or_create(view, self.payer.account(), seeds)? };
        if let Some(bump) = bump {
            account.open(*subject, *self.payer.address(), bump);
        }
        // Only this program makes them, and for each subject at one address.
        require!(address_eq(&account.subject, subject), RegistryError::WrongSubject);
        Ok(account)
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Attest>, schema: u32, value_hash: &[u8; 32], expires_at: i64) -> Result<()> {
    ctx.accounts.validate()?;
    let now = UnixTime::new(Clock::get()?.unix_timestamp);
    let attestor = ctx.accounts.attestor.address();
    ctx.accounts.attestations()?.attest(&Statement { attestor, schema, expires_at, value_hash }, now)?;
    emit_event!(
        ctx,
        Attested {
            subject: *ctx.accounts.subject.address(),
            attestor: *attestor,
            schema: schema.into(),
            value_hash: *value_hash,
            expires_at: expires_at.into()
        }
    );
    Ok(())
}
