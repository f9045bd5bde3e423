//! What services charge, and how that changes: one small step at a time, announced days ahead.

use super::{protocol::after, Protocol, Service};
use crate::{
    constants::{FEE_DELAY, MAX_FEE_BPS, MAX_FEE_STEP_BPS},
    error::TreasuryError,
};
use anchor_lang::prelude::*;
use joule_units::{Bps, UnixTime};

impl Protocol {
    #[inline(always)]
    pub fn fee(&self, service: Service) -> Result<Bps> {
        Bps::new(self.fee_bps[service as usize].get()).ok_or(TreasuryError::FeeTooHigh.into())
    }

    /// Announces a fee; one change for each service at a time. Returns when it can be applied, in Unix seconds.
    pub fn stage_fee(&mut self, service: Service, fee_bps: u16, now: UnixTime) -> Result<i64> {
        let place = service as usize;
        require!(self.staged_fee_at[place].is_zero(), TreasuryError::FeeAlreadyStaged);
        require!(fee_bps <= MAX_FEE_BPS, TreasuryError::FeeTooHigh);
        require!(self.fee_bps[place].get().abs_diff(fee_bps) <= MAX_FEE_STEP_BPS, TreasuryError::FeeStepTooLarge);
        let at = after(now, FEE_DELAY)?;
        self.staged_fee_bps[place] = fee_bps.into();
        self.staged_fee_at[place] = at.into();
        Ok(at)
    }

    /// Lets the announced fee hold. Returns the previous fee and the new one.
    pub fn apply_fee(&mut self, service: Service, now: UnixTime) -> Result<(u16, u16)> {
        let place = service as usize;
        let at = self.staged_fee_at[place].get();
        require!(at != 0, TreasuryError::NothingStaged);
        require!(now.get() >= at, TreasuryError::DelayNotOver);
        let (previous, fee_bps) = (self.fee_bps[place].get(), self.take_staged(place));
        self.fee_bps[place] = fee_bps.into();
        self.invariant()?;
        Ok((previous, fee_bps))
    }

    /// Takes an announcement back. Returns the fee that will not be.
    pub fn cancel_fee(&mut self, service: Service) -> Result<u16> {
        let place = service as usize;
        require!(!self.staged_fee_at[place].is_zero(), TreasuryError::NothingStaged);
        Ok(self.take_staged(place))
    }

    fn take_staged(&mut self, place: usize) -> u16 {
        self.staged_fee_at[place] = PodI64::ZERO;
        core::mem::take(&mut self.staged_fee_bps[place]).get()
    }
}
