//! Bonds, and the claims on them.

use joule_sdk::{staking::constants::UNBOND_DELAY, Pubkey};

/// A bond that has not been closed. Amounts in base units.
#[derive(Clone, Copy)]
pub struct Surety {
    pub address: Pubkey,
    pub owner: Pubkey,
    pub mint: Pubkey,
    pub vault: Pubkey,
    pub withdrawer: Pubkey,
    /// Whoever paid for bond and vault.
    pub rent_payer: Pubkey,
    pub amount: u64,
    pub locked: u64,
    pub unbonding: u64,
    /// Unix seconds.
    pub unbonds_at: i64,
    /// What strangers have sent to the vault.
    pub gifts: u64,
    /// Open claims.
    pub claims: u32,
}

impl Surety {
    /// Neither locked nor on its way out; `None` when more is bound than there is.
    pub fn free(&self) -> Option<u64> {
        self.amount.checked_sub(self.locked)?.checked_sub(self.unbonding)
    }

    /// Locks what is free first, then what is on its way out. `None` when there is not enough.
    pub fn lock(&mut self, amount: u64) -> Option<()> {
        let short = amount.saturating_sub(self.free()?);
        self.unbonding = self.unbonding.checked_sub(short)?;
        self.locked = self.locked.checked_add(amount)?;
        Some(())
    }

    pub fn unbond(&mut self, amount: u64, now: i64) -> Option<()> {
        (amount > 0 && amount <= self.free()?).then_some(())?;
        self.unbonding += amount;
        self.unbonds_at = now + UNBOND_DELAY as i64;
        Some(())
    }
}

/// A claim. The escrow locks once for each.
#[derive(Clone, Copy)]
pub struct Hold {
    pub bond: Pubkey,
    pub subject: Pubkey,
    /// Whoever paid for it.
    pub rent_payer: Pubkey,
    /// Base units.
    pub amount: u64,
    /// Unix seconds.
    pub until: i64,
}
