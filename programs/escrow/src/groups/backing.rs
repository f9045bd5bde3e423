//! Letting go of, or slashing, what was locked.

use crate::{error::EscrowError, token};
use anchor_lang::{address_eq, prelude::*};
use joule_staking::{call, constants::CLAIM_SIGNER_SEED};
use joule_units::Amount;
use pinocchio::cpi::{Seed, Signer as CpiSigner};

/// A claim of the escrow's and the bond it is on. The staking program checks that they belong together.
#[derive(Accounts)]
pub struct Backing {
    #[account(mut)]
    pub bond: UncheckedAccount,
    /// Compared with what the job, bid or vote names.
    #[account(mut)]
    pub claim: UncheckedAccount,
    /// Gets the claim's rent back; the staking program checks it.
    #[account(mut, unsafe(dup))]
    pub claim_payer: UncheckedAccount,
    /// Signs for the escrow's claims. The seed is written out so that the address is derived when this is compiled.
    #[account(seeds = [b"claims"], bump)]
    pub claim_signer: UncheckedAccount,
    /// The signer of the staking program's events; it checks that.
    pub staking_events: UncheckedAccount,
    #[account(address = joule_staking::ID)]
    pub staking: UncheckedAccount,
}

/// Where slashed money comes from and goes to.
pub struct Slashing<'a> {
    pub bond_vault: &'a AccountView,
    /// A job's vault.
    pub destination: &'a AccountView,
    pub token_program: &'a AccountView,
    pub amount: Amount,
    /// Whether the rest of the claim is let go.
    pub ends: bool,
}

impl Backing {
    /// Whether the claim still exists. It lapses when nobody comes for it in time; nothing may wait for it then.
    #[inline(always)]
    fn is_there(&self, claim: &Address) -> Result<bool> {
        require!(address_eq(self.claim.address(), claim), EscrowError::WrongClaim);
        Ok(self.claim.account().owned_by(&joule_staking::ID))
    }

    /// Lets go of all of the claim. `kept` is the price that was paid for what it stood for, fee included: it counts to its owner's
    /// reputation as far as it was locked.
    #[inline(always)]
    pub fn release(&self, claim: &Address, kept: Amount, bump: u8) -> Result<()> {
        if !self.is_there(claim)? {
            return Ok(());
        }
        let bump = [bump];
        let seeds = [Seed::from(CLAIM_SIGNER_SEED), Seed::from(&bump)];
        call::Release {
            signer: self.claim_signer.account(),
            bond: self.bond.account(),
            claim: self.claim.account(),
            rent_payer: self.claim_payer.account(),
            event_authority: self.staking_events.account(),
            program: self.staking.account(),
            amount: call::ALL,
            kept: kept.get(),
        }
        .invoke_signed(&[CpiSigner::from(&seeds)])
    }

    /// Slashes the claim. Returns what really arrived: less than asked for when the claim holds less, nothing when it has lapsed.
    #[inline(always)]
    pub fn slash(&self, claim: &Address, s: &Slashing, bump: u8) -> Result<Amount> {
        if !self.is_there(claim)? {
            return Ok(Amount::ZERO);
        }
        let before = token::balance(s.destination)?;
        let bump = [bump];
        let seeds = [Seed::from(CLAIM_SIGNER_SEED), Seed::from(&bump)];
        call::Slash {
            signer: self.claim_signer.account(),
            bond: self.bond.account(),
            claim: self.claim.account(),
            bond_vault: s.bond_vault,
            destination: s.destination,
            rent_payer: self.claim_payer.account(),
            token_program: s.token_program,
            event_authority: self.staking_events.account(),
            program: self.staking.account(),
            amount: s.amount.get(),
            release_rest: s.ends,
        }
        .invoke_signed(&[CpiSigner::from(&seeds)])?;
        token::balance(s.destination)?.checked_sub(before).ok_or(EscrowError::Overflow.into())
    }
}
