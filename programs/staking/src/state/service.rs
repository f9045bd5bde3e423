//! A program that may lock bonds, of those owners who name it.

use crate::{
    constants::{ADMISSION_DELAY, CLAIM_SIGNER_SEED, FIRST_DAY},
    error::StakingError,
};
use anchor_lang::prelude::*;
use joule_treasury::state::{Protocol, Service as Number};
use joule_units::{Seconds, UnixTime};

/// PDA `["service", number]`; never changed and never closed, so that a number that a bond names is one program for ever. Owner and
/// discriminator prove that the protocol's authority admitted it. There is no dismissing it: votes, bills and jobs of others depend on
/// what it can still lock. New work is paused in the treasury, and an owner that trusts it no longer takes its name back.
#[account]
pub struct Service {
    pub program: Address,
    /// PDA `["claims"]` of that program: who signs for its claims.
    pub signer: Address,
    /// Unix seconds.
    pub admitted_at: PodI64,
    /// From when on it may lock, in Unix seconds.
    pub in_force_at: PodI64,
    /// The service's number in the protocol: `treasury::state::Service`.
    pub number: u8,
    pub bump: u8,
    pub reserved: [u8; 54],
}

impl Service {
    /// Bonds can be named to it, and locked by it, only after longer than it takes to leave; on the protocol's first day, at once.
    pub fn admit(
        &mut self,
        program: Address,
        number: Number,
        protocol: &Protocol,
        now: UnixTime,
        bump: u8,
    ) -> Result<()> {
        let after = |moment: UnixTime, seconds| moment.checked_add(Seconds::new(seconds)).ok_or(StakingError::Overflow);
        let first_day_ends = after(UnixTime::new(protocol.initialized_at.get()), FIRST_DAY)?;
        let in_force_at = if now < first_day_ends { now } else { after(now, ADMISSION_DELAY)? };
        self.program = program;
        self.signer = find_program_address(&[CLAIM_SIGNER_SEED], &program).0;
        self.admitted_at = now.get().into();
        self.in_force_at = in_force_at.get().into();
        self.number = number as u8;
        self.bump = bump;
        Ok(())
    }

    #[inline(always)]
    pub fn require_in_force(&self, now: UnixTime) -> Result<()> {
        require!(now.get() >= self.in_force_at.get(), StakingError::ServiceNotInForce);
        Ok(())
    }

    /// Its place in a bond's `services`.
    #[inline(always)]
    pub fn bit(&self) -> u8 {
        // There are eight numbers.
        1u8.wrapping_shl(self.number as u32)
    }
}
