//! A provider taking a job.

use crate::{
    constants::LATE,
    error::EscrowError,
    math,
    state::{job::after, Job, JobStatus},
};
use anchor_lang::prelude::*;
use joule_units::{Amount, UnixTime};

/// A provider, as it takes a job: by accepting, or by a bid that is picked.
pub struct Engagement<'a> {
    pub provider: &'a Address,
    pub authority: &'a Address,
    pub payout_owner: &'a Address,
    pub payout: &'a Address,
    pub claim: &'a Address,
    pub claim_payer: &'a Address,
    /// Base units, or base units a second.
    pub price: Amount,
    /// Base units locked of the bond.
    pub exposure: Amount,
}

impl Job {
    /// What a provider that asks for `price` must lock.
    #[inline(always)]
    pub fn exposure(&self, price: Amount) -> Result<Amount> {
        let budget = Amount::new(self.budget.get());
        require!(!price.is_zero() && price <= budget, EscrowError::PriceOutOfRange);
        require!(!self.is_per_second() || price.get() <= self.max_rate.get(), EscrowError::RateOutOfRange);
        let bond = math::bond_for(price, budget, self.bond_bps.get(), self.is_per_second());
        bond.ok_or(EscrowError::Overflow.into())
    }

    /// Until when the provider's bond must be locked if it takes the job at `from`: through work, review, a dispute with an
    /// appeal, and some time for whoever is late.
    #[inline(always)]
    pub fn bound_until(&self, from: UnixTime) -> Result<i64> {
        let windows =
            self.work_window.get() as i64 + self.review_window.get() as i64 + 8 * self.vote_window.get() as i64;
        from.get().checked_add(windows + LATE as i64).ok_or(EscrowError::Overflow.into())
    }

    /// Whether providers may still come, by bid or directly.
    #[inline(always)]
    pub fn require_open(&self, now: UnixTime) -> Result<()> {
        self.require(JobStatus::Open)?;
        require!(now.get() <= self.accept_by.get(), EscrowError::AcceptWindowClosed);
        Ok(())
    }

    /// Writes down a bid if it is the cheapest; of equal ones the first stays.
    #[inline(always)]
    pub fn note_bid(&mut self, bid: Address, price: Amount) {
        if self.best_bid == Address::default() || price.get() < self.best_price.get() {
            self.best_bid = bid;
            self.best_price = price.get().into();
        }
    }

    #[inline(always)]
    pub fn engage(&mut self, e: &Engagement, now: UnixTime) -> Result<()> {
        self.require_open(now)?;
        self.provider = *e.provider;
        self.provider_authority = *e.authority;
        self.payout_owner = *e.payout_owner;
        self.payout = *e.payout;
        self.claim = *e.claim;
        self.claim_payer = *e.claim_payer;
        self.exposure = e.exposure.get().into();
        if self.is_per_second() {
            self.rate = e.price.get().into();
        } else {
            self.price = e.price.get().into();
        }
        self.accepted_at = now.get().into();
        self.deliver_by = after(now, self.work_window.get())?;
        self.status = JobStatus::Accepted as u8;
        self.invariant()
    }
}
