//! How a channel ends.

use super::{Channel, Verdict};
use crate::{constants::DISPUTE_PERIOD, error::BillingError};
use anchor_lang::{address_eq, prelude::*};
use joule_units::{Amount, Seconds, UnixTime};

impl Channel {
    /// Whether nothing more can be settled.
    #[inline(always)]
    pub fn is_closed(&self, now: UnixTime) -> bool {
        self.closes_at.get() != 0 && now.get() >= self.closes_at.get()
    }

    /// The moment it closed, in Unix seconds; `None` while it is open or in its grace.
    #[inline(always)]
    pub fn closed_at(&self, now: UnixTime) -> Option<i64> {
        self.is_closed(now).then_some(self.closes_at.get())
    }

    /// The owner gives the provider its grace; the provider needs none. Returns when the channel closes, in Unix seconds.
    #[inline(always)]
    pub fn request_close(&mut self, by: &Address, now: UnixTime) -> Result<i64> {
        let (is_owner, is_provider) = (address_eq(by, &self.owner), address_eq(by, &self.authority));
        require!(is_owner || is_provider, BillingError::NotParty);
        require!(!self.is_closed(now), BillingError::ChannelClosed);
        if is_provider {
            self.close_now(now);
        } else {
            require!(self.closes_at.get() == 0, BillingError::AlreadyClosing);
            let at = now.checked_add(Seconds::new(self.grace.get())).ok_or(BillingError::Overflow)?;
            self.closes_at = at.get().into();
        }
        Ok(self.closes_at.get())
    }

    #[inline(always)]
    pub(super) fn close_now(&mut self, now: UnixTime) {
        if !self.is_closed(now) {
            self.closes_at = now.get().into();
        }
    }

    /// Gives up the cap that nobody spent. Returns how much that is: nothing, the second time.
    #[inline(always)]
    pub fn release(&mut self, now: UnixTime) -> Result<Amount> {
        require!(self.is_closed(now), BillingError::NotClosed);
        let rest = self.cap.get().checked_sub(self.settled.get()).ok_or(BillingError::InvariantBroken)?;
        let rest = Amount::new(rest);
        self.cap = self.settled;
        self.let_go(rest)?;
        Ok(rest)
    }

    /// Whether nobody can be due anything any more. Then what is held is dust that no share came to: the payer's.
    #[inline(always)]
    pub fn is_final(&self) -> Result<bool> {
        let earned = self.earned()?;
        Ok(self.paid.get() == earned && self.collected.get() == earned && !self.owes() && self.has_plan == 0)
    }

    /// Whether it is evidence that the provider's claim can still be slashed on, once.
    #[inline(always)]
    pub fn is_evidence(&self, now: UnixTime) -> bool {
        now.get() < self.claimed_until.get() && !self.is_convicted(Verdict::AgainstProvider)
    }

    /// Up to how much of what is earned the provider's share can be paid now: what it has backed, and everything once nobody
    /// can dispute it any more, or it is the payer's.
    #[inline(always)]
    pub fn collectable(&self, now: impl FnOnce() -> Result<UnixTime>) -> Result<u64> {
        let earned = self.earned()?;
        if self.backing_bps.get() == 0 || self.is_convicted(Verdict::AgainstProvider) {
            return Ok(earned);
        }
        // The time is asked for only where it matters.
        let closes_at = self.closes_at.get();
        if closes_at != 0 && now()?.get() >= closes_at.saturating_add(DISPUTE_PERIOD as i64) {
            return Ok(earned);
        }
        Ok(earned.min(self.backed.get()).max(self.collected.get()))
    }
}
