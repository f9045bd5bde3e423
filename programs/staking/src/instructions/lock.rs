//! A service locks a part of a bond.

use crate::{
    constants::CLAIM_SEED,
    error::StakingError,
    event::ClaimLocked,
    state::{Bond, Claim, Service},
};
use anchor_lang::{address_eq, prelude::*};
use joule_accounts::{load_or_create, Opened};
use joule_events::emit_event;
use joule_units::{Amount, UnixTime};

#[event_cpi]
#[derive(Accounts)]
pub struct Lock {
    /// Pays the claim's rent and gets it back.
    #[account(mut, unsafe(dup))]
    pub payer: Signer,
    /// Owner and discriminator prove that the protocol's authority admitted it.
    pub service: Account<Service>,
    /// The service's own address, which only its program can sign with; it answers for the owner's consent.
    pub signer: Signer,
    #[account(mut)]
    pub bond: Account<Bond>,
    /// PDA `["claim", signer, subject]`: created by the first lock, and proven by its fields in later ones.
    #[account(mut)]
    pub claim: UncheckedAccount,
    pub system_program: Program<System>,
}

impl Lock {
    /// It is the service, in force, and one that the bond answers to.
    #[inline(always)]
    fn validate(&self, now: UnixTime) -> Result<()> {
        let service = &self.service;
        require!(address_eq(&service.signer, self.signer.address()), StakingError::WrongClaimSigner);
        service.require_in_force(now)?;
        require!(self.bond.answers_to(service), StakingError::ServiceNotNamed);
        Ok(())
    }

    #[inline(always)]
    fn claim(&mut self, subject: Address) -> Result<Account<Claim>> {
        let (view, signer) = (*self.claim.account(), self.signer.address());
        let seeds = [CLAIM_SEED, signer.as_ref(), subject.as_ref()];
        // SAFETY: `claim` is `mut` without `unsafe(dup)`, and loaded here only.
        let Opened::<Claim> { account: mut claim, bump } =
            unsafe { load_or_create(view, self.payer.account(), seeds)? };
        if let Some(bump) = bump {
            claim.open(*self.bond.address(), *signer, subject, *self.payer.address(), bump);
            self.bond.claim_opened()?;
        }
        // Only this program makes claims, and for each signer and subject at one address.
        let is_it = address_eq(&claim.signer, signer) && address_eq(&claim.subject, &subject);
        require!(is_it, StakingError::WrongClaim);
        require!(address_eq(&claim.bond, self.bond.address()), StakingError::WrongBond);
        Ok(claim)
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Lock>, subject: Address, amount: u64, until: i64) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    ctx.accounts.validate(UnixTime::new(now))?;
    let mut claim = ctx.accounts.claim(subject)?;
    claim.lock(Amount::new(amount), until, UnixTime::new(now))?;
    ctx.accounts.bond.lock(Amount::new(amount))?;
    emit_event!(
        ctx,
        ClaimLocked {
            claim: *claim.address(),
            bond: claim.bond,
            signer: claim.signer,
            subject,
            amount: amount.into(),
            until: until.into(),
            total: claim.total,
            at: now.into(),
        }
    );
    Ok(())
}
