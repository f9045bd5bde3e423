//! Locking a part of somebody's bond.

use crate::error::EscrowError;
use anchor_lang::{address_eq, prelude::*};
use joule_staking::{call, constants::CLAIM_SIGNER_SEED, state::Bond};
use joule_units::Amount;
use pinocchio::cpi::{Seed, Signer as CpiSigner};

/// The bond, the claim that is about to be made on it, and what the staking program wants for it.
#[derive(Accounts)]
pub struct Locking {
    /// Looked at in `require_bond`.
    #[account(mut)]
    pub bond: UncheckedAccount,
    /// Made by the staking program, which derives its address.
    #[account(mut)]
    pub claim: UncheckedAccount,
    /// The escrow's admission; the staking program checks it.
    pub service: UncheckedAccount,
    /// Signs for the escrow's claims. The seed is written out so that the address is derived when this is compiled.
    #[account(seeds = [b"claims"], bump)]
    pub claim_signer: UncheckedAccount,
    /// The signer of the staking program's events; it checks that.
    pub staking_events: UncheckedAccount,
    #[account(address = joule_staking::ID)]
    pub staking: UncheckedAccount,
}

/// What a claim is made for, and how it is made.
pub struct Lock<'a> {
    pub payer: &'a AccountView,
    pub system_program: &'a AccountView,
    /// What the claim is for: the address of a job, a bid or a vote, or a seat in a panel.
    pub subject: Address,
    pub amount: Amount,
    /// Unix seconds.
    pub until: i64,
    /// Of the claim signer.
    pub bump: u8,
}

impl Locking {
    /// The bond is `owner`'s and in `mint`. Returns what of it is free, in base units.
    #[inline(always)]
    pub fn require_bond(&self, owner: &Address, mint: &Address) -> Result<u64> {
        joule_foreign::read::<Bond, _>(self.bond.account(), &joule_staking::ID, EscrowError::WrongBond, |bond| {
            require!(address_eq(&bond.owner, owner) && address_eq(&bond.mint, mint), EscrowError::WrongBond);
            bond.free()
        })
    }

    /// The owner must have signed, which is for the caller to see to.
    #[inline(always)]
    pub fn lock(&self, lock: &Lock) -> Result<()> {
        let bump = [lock.bump];
        let seeds = [Seed::from(CLAIM_SIGNER_SEED), Seed::from(&bump)];
        call::Lock {
            payer: lock.payer,
            service: self.service.account(),
            signer: self.claim_signer.account(),
            bond: self.bond.account(),
            claim: self.claim.account(),
            system_program: lock.system_program,
            event_authority: self.staking_events.account(),
            program: self.staking.account(),
            subject: lock.subject,
            amount: lock.amount.get(),
            until: lock.until,
        }
        .invoke_signed(&[CpiSigner::from(&seeds)])
    }
}
