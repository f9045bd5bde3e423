//! Who is due what of what a channel has earned.

use super::Channel;
use crate::{
    constants::{MAX_SHARES, PROVIDER},
    error::BillingError,
};
use anchor_lang::prelude::*;
use joule_units::{Amount, Bps};

/// The shares of a price list, the protocol and the provider.
pub const PARTIES: usize = MAX_SHARES + 2;

/// What is divided: what was earned since the last time.
///
/// A share of `x` is `floor(x * bps / 10_000)`, and the provider's `x - floor(x * others / 10_000)`, where `others` is all
/// other shares together. Each grows with `x` and their sum never exceeds it, whatever part of it the provider may collect;
/// so every party can be paid the difference since the last time, in however many parts. What their floors leave, a
/// unit or few in all, is the payer's when the channel closes.
#[derive(Clone, Copy, Debug)]
pub struct Division {
    before: Amount,
    after: Amount,
}

impl Division {
    #[inline(always)]
    pub fn is_something(&self) -> bool {
        self.after != self.before
    }

    /// Of the part that a share takes.
    #[inline(always)]
    pub fn part(&self, bps: u16) -> Result<Amount> {
        let bps = Bps::new(bps).ok_or(BillingError::InvariantBroken)?;
        Ok(bps.of(self.after).checked_sub(bps.of(self.before)).ok_or(BillingError::InvariantBroken)?)
    }
}

/// Somebody who is owed that much is due `part` more. What it gets now: nothing if it cannot be paid, and then all of it stays
/// owed. `None` when the sum does not fit.
#[inline(always)]
pub fn pay_or_owe(owed: &mut PodU64, part: Amount, is_payable: impl FnOnce() -> bool) -> Option<Amount> {
    let due = Amount::new(owed.get()).checked_add(part)?;
    if due.is_zero() || is_payable() {
        *owed = 0.into();
        return Some(due);
    }
    *owed = due.get().into();
    Some(Amount::ZERO)
}

impl Channel {
    /// What all but the provider share in now.
    #[inline(always)]
    pub fn divide(&mut self) -> Result<Division> {
        let (before, after) = (self.paid.get(), self.earned()?);
        self.paid = after.into();
        Ok(Division { before: Amount::new(before), after: Amount::new(after) })
    }

    /// The provider's part of what it may collect up to `target` by now.
    #[inline(always)]
    pub fn collect(&mut self, target: u64) -> Result<Amount> {
        let part = self.provider_part(target)?;
        self.collected = target.into();
        Ok(part)
    }

    /// The provider's share of what lies between `collected` and `target`.
    #[inline(always)]
    pub(super) fn provider_part(&self, target: u64) -> Result<Amount> {
        let others = self.others()?;
        // A share is no more than what it is taken of, and the rest grows with that.
        let rest = |x: u64| x - others.of(Amount::new(x)).get();
        Ok(Amount::new(rest(target).checked_sub(rest(self.collected.get())).ok_or(BillingError::InvariantBroken)?))
    }

    /// A party is due `part` more. Returns what it gets now: nothing if it cannot be paid, and then all of it stays owed.
    #[inline(always)]
    pub fn pay_or_owe(&mut self, party: usize, part: Amount, is_payable: impl FnOnce() -> bool) -> Result<Amount> {
        let owed = self.owed.get_mut(party).ok_or(BillingError::InvariantBroken)?;
        Ok(pay_or_owe(owed, part, is_payable).ok_or(BillingError::Overflow)?)
    }

    /// What a party is owed, which is paid now.
    #[inline(always)]
    pub fn take_owed(&mut self, party: usize) -> Result<Amount> {
        let owed = self.owed.get_mut(party).ok_or(BillingError::NothingOwed)?;
        Ok(Amount::new(core::mem::take(owed).get()))
    }

    /// The provider is owed nothing any more, and what it was is the payer's.
    #[inline(always)]
    pub(super) fn forfeit_owed(&mut self) -> Result<Amount> {
        self.take_owed(PROVIDER)
    }
}
