//! Telling the stakers' part of the fees from the treasury's own.

use super::AcceptedMint;
use crate::error::TreasuryError;
use anchor_lang::{address_eq, prelude::*};
use joule_units::{split, Amount, Bps, UnixTime};

/// The most that one division takes in, so that counting on from `divided` always fits.
const MOST: u64 = u64::MAX - Bps::WHOLE as u64;

impl AcceptedMint {
    /// Divides what has come into the fee vault since the last time; by arithmetic alone, so that no reward vault in
    /// trouble can hold the treasury's part.
    ///
    /// The stakers' part is `floor(all * reward_bps / 10_000)` of everything that ever came in under one share, however
    /// often it is divided; the dust is the treasury's.
    #[inline(always)]
    pub fn divide(&mut self, balance: Amount) -> Result<()> {
        self.invariant(balance)?;
        let new = (balance.get() - self.kept.get() - self.owed_rewards.get()).min(MOST);
        if new == 0 {
            return Ok(());
        }
        let share = Bps::new(self.reward_bps.get()).ok_or(TreasuryError::InvariantBroken)?;
        if share == Bps::default() {
            self.kept = (self.kept.get() + new).into();
            return Ok(());
        }
        let before = self.divided.get() as u64;
        let after = before + new;
        let parts =
            split::part(Amount::new(before), Amount::new(after), share).ok_or(TreasuryError::InvariantBroken)?;
        self.owed_rewards = (self.owed_rewards.get() + parts.fee.get()).into();
        self.kept = (self.kept.get() + parts.rest.get()).into();
        self.divided = ((after % Bps::WHOLE as u64) as u16).into();
        Ok(())
    }

    /// Takes as much of what stakers are owed as the breaker lets through. Returns the amount to send.
    #[inline(always)]
    pub fn share(&mut self, now: UnixTime) -> Result<Amount> {
        let owed = self.owed_rewards.get();
        require!(owed > 0, TreasuryError::NothingToShare);
        let amount = Amount::new(owed).min(self.headroom(now));
        require!(!amount.is_zero(), TreasuryError::OutflowLimited);
        self.spend(amount, now)?;
        self.owed_rewards = (owed - amount.get()).into();
        Ok(amount)
    }

    /// Takes from the treasury's own part.
    #[inline(always)]
    pub fn withdraw(&mut self, amount: Amount, now: UnixTime) -> Result<()> {
        let left = self.kept.get().checked_sub(amount.get()).ok_or(TreasuryError::BeyondKept)?;
        self.spend(amount, now)?;
        self.kept = left.into();
        Ok(())
    }

    /// Changes the stakers' share, and where it goes. What came in until now must have been divided: fees earned under one
    /// share are shared under it. `is_owed`: the vault until now waits for something that could be sent to it, and must get it
    /// before another takes its place; one that is closed or frozen leaves its debt to the next.
    #[inline(always)]
    pub fn set_rewards(&mut self, vault: Address, share_bps: u16, is_owed: bool) -> Result<()> {
        let has_vault = !address_eq(&vault, &Address::default());
        require!(share_bps <= Bps::WHOLE && (has_vault || share_bps == 0), TreasuryError::ShareOutOfRange);
        if !address_eq(&vault, &self.reward_vault) {
            require!(!is_owed, TreasuryError::RewardsOwed);
            self.reward_vault = vault;
        }
        if share_bps != self.reward_bps.get() {
            self.reward_bps = share_bps.into();
            self.divided = PodU16::ZERO;
        }
        Ok(())
    }
}
