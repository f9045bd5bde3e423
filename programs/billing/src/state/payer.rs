//! Somebody who pays: one deposit that many channels reserve parts of.

use crate::{constants::PAYER_SEED, error::BillingError};
use anchor_lang::prelude::*;
use joule_units::{sum, Amount, UnixTime};
use pinocchio::cpi::{Seed, Signer};

/// PDA `["payer", owner, mint]`. Never closed: it is why a channel's address, once closed, can never come back, so that nothing
/// signed for one channel can be replayed on another.
///
/// The balance is in two parts: reserved for channels and plans, and free. Nothing is oversold: what is reserved is there.
#[account]
pub struct Payer {
    /// Alone may spend, and alone may take back what is free.
    pub owner: Address,
    pub mint: Address,
    /// PDA `["vault", payer]`.
    pub vault: Address,
    /// Base units, as for all amounts here. The vault holds at least this; gifts above it are nobody's.
    pub balance: PodU64,
    /// The sum of what every channel holds, of the lockups of plans, and of what plans have accrued and nobody has settled.
    pub reserved: PodU64,
    /// What all running plans accrue together, in base units a second.
    pub rate: PodU64,
    /// Until when the running plans are reserved for, in Unix seconds: behind the clock while the deposit cannot pay for all
    /// of them. They stop there together, and the next deposit pays what they missed.
    pub synced_at: PodI64,
    /// The number that the next channel must have.
    pub next_channel: PodU64,
    /// Open channels.
    pub channels: PodU32,
    pub bump: u8,
    pub unused: [u8; 59],
}

impl Payer {
    #[inline(always)]
    pub fn create(&mut self, owner: Address, mint: Address, vault: Address, now: UnixTime, bump: u8) {
        self.owner = owner;
        self.mint = mint;
        self.vault = vault;
        self.synced_at = now.get().into();
        self.bump = bump;
    }

    /// Lets the payer sign a call.
    #[inline(always)]
    pub fn sign<R>(&self, call: impl FnOnce(&Signer) -> R) -> R {
        let bump = [self.bump];
        let seeds = [
            Seed::from(PAYER_SEED),
            Seed::from(self.owner.as_ref()),
            Seed::from(self.mint.as_ref()),
            Seed::from(&bump),
        ];
        call(&Signer::from(&seeds))
    }

    /// Neither reserved nor spent.
    #[inline(always)]
    pub fn free(&self) -> Result<u64> {
        Ok(self.balance.get().checked_sub(self.reserved.get()).ok_or(BillingError::InvariantBroken)?)
    }

    /// Reserves what the running plans have accrued, as far as the deposit goes. Comes before every use of what is free and
    /// before every change of the rate.
    #[inline(always)]
    pub fn sync(&mut self, now: UnixTime) -> Result<()> {
        let (now, from) = (now.get(), self.synced_at.get());
        // Should the clock step back, nothing accrues twice.
        if now <= from {
            return Ok(());
        }
        let rate = self.rate.get();
        if rate == 0 {
            self.synced_at = now.into();
            return Ok(());
        }
        // What lies between two moments always fits, where a difference of signed numbers may not.
        let elapsed = now.wrapping_sub(from) as u64;
        let seconds = elapsed.min(self.free()? / rate);
        // No more than what is free, and no later than now, so that none of the three can overflow.
        self.reserved = self.reserved.get().wrapping_add(rate.wrapping_mul(seconds)).into();
        self.synced_at = from.wrapping_add(seconds as i64).into();
        Ok(())
    }

    /// Whether every running plan is reserved for up to now. Only then can another one start: they all stop together.
    #[inline(always)]
    pub fn require_funded(&self, now: UnixTime) -> Result<()> {
        require!(self.synced_at.get() >= now.get(), BillingError::Underfunded);
        Ok(())
    }

    #[inline(always)]
    pub fn deposit(&mut self, arrived: Amount, now: UnixTime) -> Result<()> {
        self.receive(arrived)?;
        self.sync(now)?;
        self.invariant()
    }

    /// What has come into the vault is free.
    #[inline(always)]
    pub fn receive(&mut self, arrived: Amount) -> Result<()> {
        self.balance = sum(self.balance.get(), arrived.get()).ok_or(BillingError::Overflow)?.into();
        Ok(())
    }

    /// Takes a free amount back.
    #[inline(always)]
    pub fn reclaim(&mut self, amount: Amount, now: UnixTime) -> Result<()> {
        require!(!amount.is_zero(), BillingError::ZeroAmount);
        self.sync(now)?;
        require!(amount.get() <= self.free()?, BillingError::NotFree);
        self.balance = self.balance.get().checked_sub(amount.get()).ok_or(BillingError::InvariantBroken)?.into();
        self.invariant()
    }

    /// Uses up `number`, which must be the next one.
    #[inline(always)]
    pub fn take_number(&mut self, number: u64) -> Result<()> {
        require!(self.next_channel.get() == number, BillingError::WrongNumber);
        self.next_channel = number.checked_add(1).ok_or(BillingError::Overflow)?.into();
        self.channels = self.channels.get().checked_add(1).ok_or(BillingError::Overflow)?.into();
        Ok(())
    }

    /// One open channel fewer.
    #[inline(always)]
    pub fn let_go(&mut self) -> Result<()> {
        self.channels = self.channels.get().checked_sub(1).ok_or(BillingError::InvariantBroken)?.into();
        Ok(())
    }

    /// Reserves a free amount; `sync` comes before.
    #[inline(always)]
    pub fn reserve(&mut self, amount: Amount) -> Result<()> {
        require!(amount.get() <= self.free()?, BillingError::NotFree);
        self.reserved = sum(self.reserved.get(), amount.get()).ok_or(BillingError::Overflow)?.into();
        self.invariant()
    }

    /// What was reserved is free again.
    #[inline(always)]
    pub fn release(&mut self, amount: Amount) -> Result<()> {
        self.reserved = self.reserved.get().checked_sub(amount.get()).ok_or(BillingError::InvariantBroken)?.into();
        self.invariant()
    }

    /// What was reserved has left the vault.
    #[inline(always)]
    pub fn spend(&mut self, amount: Amount) -> Result<()> {
        self.balance = self.balance.get().checked_sub(amount.get()).ok_or(BillingError::InvariantBroken)?.into();
        self.release(amount)
    }

    /// Another plan runs.
    #[inline(always)]
    pub fn speed_up(&mut self, rate: Amount, now: UnixTime) -> Result<()> {
        self.require_funded(now)?;
        self.rate = sum(self.rate.get(), rate.get()).ok_or(BillingError::Overflow)?.into();
        Ok(())
    }

    /// A plan runs no longer.
    #[inline(always)]
    pub fn slow_down(&mut self, rate: Amount) -> Result<()> {
        self.rate = self.rate.get().checked_sub(rate.get()).ok_or(BillingError::InvariantBroken)?.into();
        Ok(())
    }

    /// What is reserved is there.
    #[inline(always)]
    pub fn invariant(&self) -> Result<()> {
        self.free().map(|_| ())
    }
}
