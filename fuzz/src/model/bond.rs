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
    /// A bit for each service that may lock.
    pub services: u8,
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

/// Amounts with an end of their own that a claim holds at most.
const TRANCHES: usize = 8;

/// A claim. The escrow locks once for each, billing once for each bill.
#[derive(Clone)]
pub struct Hold {
    /// The program that it is for.
    pub service: Pubkey,
    pub bond: Pubkey,
    pub subject: Pubkey,
    /// Whoever paid for it.
    pub rent_payer: Pubkey,
    /// Base units, and until when in Unix seconds, in the order they were locked.
    pub tranches: Vec<(u64, i64)>,
}

impl Hold {
    /// Base units.
    pub fn amount(&self) -> u64 {
        self.tranches.iter().map(|(amount, _)| amount).sum()
    }

    /// When the first of it can be let go.
    pub fn lapses_at(&self) -> i64 {
        self.tranches.iter().map(|(_, until)| *until).min().unwrap_or(i64::MAX)
    }

    /// Holds more. One tranche too many joins the newest, and both end when the later does.
    pub fn add(&mut self, amount: u64, until: i64) {
        if self.tranches.len() < TRANCHES {
            self.tranches.push((amount, until));
        } else if let Some((held, end)) = self.tranches.last_mut() {
            (*held, *end) = (*held + amount, until.max(*end));
        }
    }

    /// Lets go of an amount, the oldest first. `None` when it holds less.
    pub fn take(&mut self, amount: u64) -> Option<()> {
        let mut left = amount;
        for (held, _) in &mut self.tranches {
            let part = left.min(*held);
            (left, *held) = (left - part, *held - part);
        }
        self.tranches.retain(|(held, _)| *held > 0);
        (left == 0).then_some(())
    }

    /// Lets go of what has lapsed. Returns how much that is.
    pub fn lapse(&mut self, now: i64) -> u64 {
        let before = self.amount();
        self.tranches.retain(|(_, until)| now < *until);
        before - self.amount()
    }
}
