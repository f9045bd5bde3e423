//! Money that its owner answers with.

use crate::{
    constants::{BOND_SEED, HALF_LIFE, UNBOND_DELAY},
    error::StakingError,
    state::{Claim, Service},
};
use anchor_lang::prelude::*;
use joule_units::{decay, sum, Amount, Seconds, UnixTime};
use pinocchio::cpi::{Seed, Signer};

/// PDA `["bond", owner, mint]`, closed by its withdrawer once nothing is left in it.
///
/// The amount is in three parts: locked by claims, on its way out (`unbonding`), and free.
#[account]
pub struct Bond {
    /// Whom it speaks for. Services ask for its signature before they lock.
    pub owner: Address,
    pub mint: Address,
    /// PDA `["bond_vault", bond]`.
    pub vault: Address,
    /// Alone may take money out; can be a colder key than the owner.
    pub withdrawer: Address,
    /// Gets the rent of bond and vault back.
    pub rent_payer: Address,
    /// Base units, as for all amounts here. The vault holds at least this; gifts above it are nobody's until the bond is closed.
    pub amount: PodU64,
    /// The sum of all claims.
    pub locked: PodU64,
    /// On its way out, and still there to be locked and slashed.
    pub unbonding: PodU64,
    /// Unix seconds from which `unbonding` can be withdrawn.
    pub unbonds_at: PodI64,
    /// What was paid for promises that were kept, each at most what was locked for it, decayed to `scored_at`. Reputation
    /// forgets half of itself in `HALF_LIFE`.
    pub kept: PodU64,
    /// Slashed, decayed to `scored_at`.
    pub failed: PodU64,
    /// Unix seconds.
    pub scored_at: PodI64,
    /// Open claims.
    pub claims: PodU32,
    /// A bit for each service that may lock, by its number. Written by `name_service`.
    pub services: u8,
    pub bump: u8,
    pub vault_bump: u8,
    pub reserved: [u8; 65],
}

/// What `open_bond` writes down.
pub struct Opening {
    pub owner: Address,
    pub mint: Address,
    pub vault: Address,
    pub withdrawer: Address,
    pub rent_payer: Address,
    pub bump: u8,
    pub vault_bump: u8,
}

impl Bond {
    #[inline(always)]
    pub fn open(&mut self, o: &Opening, now: UnixTime) -> Result<()> {
        require!(o.withdrawer != Address::default(), StakingError::NoWithdrawer);
        self.owner = o.owner;
        self.mint = o.mint;
        self.vault = o.vault;
        self.withdrawer = o.withdrawer;
        self.rent_payer = o.rent_payer;
        self.scored_at = now.get().into();
        self.bump = o.bump;
        self.vault_bump = o.vault_bump;
        self.invariant()
    }

    /// Lets the bond sign a call.
    #[inline(always)]
    pub fn sign<R>(&self, call: impl FnOnce(&Signer) -> R) -> R {
        let bump = [self.bump];
        let seeds =
            [Seed::from(BOND_SEED), Seed::from(self.owner.as_ref()), Seed::from(self.mint.as_ref()), Seed::from(&bump)];
        call(&Signer::from(&seeds))
    }

    /// Neither locked nor on its way out.
    #[inline(always)]
    pub fn free(&self) -> Result<u64> {
        let bound = sum(self.locked.get(), self.unbonding.get()).ok_or(StakingError::InvariantBroken)?;
        Ok(self.amount.get().checked_sub(bound).ok_or(StakingError::InvariantBroken)?)
    }

    #[inline(always)]
    pub fn deposit(&mut self, arrived: Amount) -> Result<()> {
        self.amount = sum(self.amount.get(), arrived.get()).ok_or(StakingError::Overflow)?.into();
        self.invariant()
    }

    /// Sends a free amount on its way out. The clock starts again for all of it, so that nothing leaves earlier than
    /// `UNBOND_DELAY` after it was asked for.
    #[inline(always)]
    pub fn unbond(&mut self, amount: Amount, now: UnixTime) -> Result<()> {
        require!(!amount.is_zero(), StakingError::ZeroAmount);
        require!(amount.get() <= self.free()?, StakingError::NotFree);
        self.unbonding = sum(self.unbonding.get(), amount.get()).ok_or(StakingError::Overflow)?.into();
        self.unbonds_at = later(now, UNBOND_DELAY)?;
        self.invariant()
    }

    /// Everything on its way out stays after all. Returns how much that was.
    #[inline(always)]
    pub fn cancel_unbond(&mut self) -> Result<Amount> {
        let amount = self.unbonding.get();
        require!(amount > 0, StakingError::NothingUnbonding);
        self.unbonding = 0.into();
        self.unbonds_at = 0.into();
        self.invariant()?;
        Ok(Amount::new(amount))
    }

    /// Lets go of what has waited long enough. Returns how much that is.
    #[inline(always)]
    pub fn withdraw(&mut self, now: UnixTime) -> Result<Amount> {
        let amount = self.unbonding.get();
        require!(amount > 0, StakingError::NothingUnbonding);
        require!(now.get() >= self.unbonds_at.get(), StakingError::StillUnbonding);
        self.amount = self.amount.get().checked_sub(amount).ok_or(StakingError::InvariantBroken)?.into();
        self.unbonding = 0.into();
        self.unbonds_at = 0.into();
        self.invariant()?;
        Ok(Amount::new(amount))
    }

    #[inline(always)]
    pub fn require_closable(&self) -> Result<()> {
        require!(self.amount.get() == 0 && self.claims.get() == 0, StakingError::BondNotEmpty);
        Ok(())
    }

    /// Answers to a service from now on, or no longer.
    #[inline(always)]
    pub fn name(&mut self, service: &Service, named: bool) {
        match named {
            true => self.services |= service.bit(),
            false => self.services &= !service.bit(),
        }
    }

    #[inline(always)]
    pub fn answers_to(&self, service: &Service) -> bool {
        self.services & service.bit() != 0
    }

    /// Locks for a claim: what is free first, and then what is on its way out, which still backs new claims.
    #[inline(always)]
    pub fn lock(&mut self, amount: Amount) -> Result<()> {
        let free = self.free()?;
        if let Some(short) = amount.get().checked_sub(free).filter(|short| *short > 0) {
            let unbonding = self.unbonding.get().checked_sub(short).ok_or(StakingError::BondTooSmall)?;
            self.unbonding = unbonding.into();
        }
        self.locked = sum(self.locked.get(), amount.get()).ok_or(StakingError::Overflow)?.into();
        self.invariant()
    }

    /// What a claim no longer holds is free.
    #[inline(always)]
    pub fn release(&mut self, amount: Amount) -> Result<()> {
        self.locked = self.locked.get().checked_sub(amount.get()).ok_or(StakingError::InvariantBroken)?.into();
        self.invariant()
    }

    /// What a claim took is gone.
    #[inline(always)]
    pub fn slash(&mut self, amount: Amount) -> Result<()> {
        self.amount = self.amount.get().checked_sub(amount.get()).ok_or(StakingError::InvariantBroken)?.into();
        self.release(amount)
    }

    #[inline(always)]
    pub fn claim_opened(&mut self) -> Result<()> {
        self.claims = self.claims.get().checked_add(1).ok_or(StakingError::Overflow)?.into();
        Ok(())
    }

    /// One claim fewer, once it holds nothing any more. Returns whether that is so, and the claim to be closed.
    #[inline(always)]
    pub fn let_go(&mut self, claim: &Claim) -> Result<bool> {
        if claim.is_empty() {
            self.claims = self.claims.get().checked_sub(1).ok_or(StakingError::InvariantBroken)?.into();
        }
        Ok(claim.is_empty())
    }

    /// Counts to the reputation what a kept promise was worth.
    #[inline(always)]
    pub fn score_kept(&mut self, amount: Amount, now: UnixTime) {
        self.decay(now);
        // A reputation has no limit that could keep a claim from ending.
        self.kept = self.kept.get().saturating_add(amount.get()).into();
    }

    /// Counts to the reputation what was promised and not kept.
    #[inline(always)]
    pub fn score_failed(&mut self, amount: Amount, now: UnixTime) {
        self.decay(now);
        self.failed = self.failed.get().saturating_add(amount.get()).into();
    }

    #[inline(always)]
    fn decay(&mut self, now: UnixTime) {
        let (then, half_life) = (UnixTime::new(self.scored_at.get()), Seconds::new(HALF_LIFE));
        self.kept = decay::halved(self.kept.get(), then, now, half_life).into();
        self.failed = decay::halved(self.failed.get(), then, now, half_life).into();
        self.scored_at = now.get().into();
    }

    /// What is locked and what is on its way out is there.
    #[inline(always)]
    pub fn invariant(&self) -> Result<()> {
        self.free().map(|_| ())
    }
}

#[inline(always)]
pub(crate) fn later(now: UnixTime, seconds: u32) -> Result<PodI64> {
    let moment = now.checked_add(Seconds::new(seconds)).ok_or(StakingError::Overflow)?;
    Ok(moment.get().into())
}
