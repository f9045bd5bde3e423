//! Deposits that people pay from.

use crate::check::Violation;
use joule_sdk::billing::state::Payer;

/// A payer. Amounts in base units.
#[derive(Clone, Copy)]
pub struct Wallet {
    /// The account, as it must be to the byte.
    pub payer: Payer,
    /// What strangers have sent to the vault.
    pub gifts: u128,
    /// What was ever deposited, or came out of a provider's bond.
    pub inflow: u128,
    /// What ever left: paid to others, or taken back.
    pub outflow: u128,
}

impl Wallet {
    pub fn free(&self) -> u64 {
        self.payer.balance.get().saturating_sub(self.payer.reserved.get())
    }

    /// What came in is free.
    pub fn take_in(&mut self, amount: u64) {
        self.inflow += amount as u128;
        self.payer.balance = (self.payer.balance.get() + amount).into();
    }

    /// All running plans are reserved for up to now, or for as many whole seconds as what is free pays for.
    pub fn sync(&mut self, now: i64) {
        let (since, rate) = (self.payer.synced_at.get(), self.payer.rate.get());
        if now <= since {
            return;
        }
        let missed = (now - since) as u64;
        let paid_for = self.free().checked_div(rate).map_or(missed, |seconds| seconds.min(missed));
        self.payer.reserved = (self.payer.reserved.get() + paid_for * rate).into();
        self.payer.synced_at = (since + paid_for as i64).into();
    }

    pub fn reserve(&mut self, amount: u64) -> Result<(), Violation> {
        Violation::unless(amount <= self.free(), "more of a deposit was reserved than was free")?;
        self.payer.reserved = (self.payer.reserved.get() + amount).into();
        Ok(())
    }

    pub fn release(&mut self, amount: u64) -> Result<(), Violation> {
        let left = self.payer.reserved.get().checked_sub(amount);
        let left = left.ok_or_else(|| Violation::new("more of a deposit was let go than was reserved"))?;
        self.payer.reserved = left.into();
        Ok(())
    }

    /// What was free leaves the vault.
    pub fn take_out(&mut self, amount: u64) -> Result<(), Violation> {
        Violation::unless(amount <= self.free(), "more was taken out of a deposit than was free")?;
        self.outflow += amount as u128;
        self.payer.balance = (self.payer.balance.get() - amount).into();
        Ok(())
    }

    /// What was reserved leaves the vault.
    pub fn spend(&mut self, amount: u64) -> Result<(), Violation> {
        self.release(amount)?;
        self.take_out(amount)
    }

    /// Another plan runs, or one fewer.
    pub fn change_rate(&mut self, by: i128) -> Result<(), Violation> {
        let rate = u64::try_from(self.payer.rate.get() as i128 + by);
        self.payer.rate = rate.map_err(|_| Violation::new("plans make more, or less, than a rate can be"))?.into();
        Ok(())
    }
}
