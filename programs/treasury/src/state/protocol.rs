//! Who governs the protocol, and which of its services take new work.

use crate::{
    constants::{MAX_FEE_BPS, MAX_PAUSE, PAUSE_GAP},
    error::TreasuryError,
};
use anchor_lang::prelude::*;
use joule_units::{Seconds, UnixTime};

/// The services that charge fees and can be paused. A number never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Service {
    Escrow = 0,
    Billing = 1,
    DataMarket = 2,
    Depin = 3,
}

/// How many there are; `Protocol` has room for eight.
const SERVICES: usize = 4;

impl Service {
    pub fn from_number(number: u8) -> Result<Self> {
        match number {
            0 => Ok(Self::Escrow),
            1 => Ok(Self::Billing),
            2 => Ok(Self::DataMarket),
            3 => Ok(Self::Depin),
            _ => Err(TreasuryError::UnknownService.into()),
        }
    }
}

/// PDA `["protocol"]`; there is one, and it is never closed. Owner and discriminator therefore prove that an account is it,
/// and nobody derives its address again. Lists go by service number.
#[account]
pub struct Protocol {
    /// May change everything here. Written by `initialize_protocol` and `accept_authority`.
    pub authority: Address,
    /// Proposed successor, all zero when there is none.
    pub pending_authority: Address,
    /// May pause services.
    pub guardian: Address,
    /// Basis points of the price. Written by `initialize_protocol` and `apply_fee`.
    pub fee_bps: [PodU16; 8],
    /// The fee that is to follow, in basis points. Written by `stage_fee`.
    pub staged_fee_bps: [PodU16; 8],
    /// When the staged fee can be applied, in Unix seconds; zero when none is staged.
    pub staged_fee_at: [PodI64; 8],
    /// When the last pause ends or ended, in Unix seconds; zero when there never was one. Written by `pause` and `unpause`.
    pub paused_until: [PodI64; 8],
    /// Unix seconds. Written by `initialize_protocol`.
    pub initialized_at: PodI64,
    pub bump: u8,
    pub reserved: [u8; 55],
}

impl Protocol {
    pub fn initialize(
        &mut self,
        authority: Address,
        guardian: Address,
        fee_bps: [u16; 8],
        now: UnixTime,
        bump: u8,
    ) -> Result<()> {
        self.initialized_at = now.get().into();
        self.authority = authority;
        self.guardian = guardian;
        for (slot, bps) in self.fee_bps.iter_mut().zip(fee_bps) {
            *slot = bps.into();
        }
        self.bump = bump;
        // What `stage_fee` could never change must not be set either.
        require!(fee_bps[SERVICES..].iter().all(|bps| *bps == 0), TreasuryError::UnknownService);
        self.invariant()
    }

    pub fn propose_authority(&mut self, next: Address) {
        self.pending_authority = next;
    }

    /// Returns the previous authority.
    pub fn accept_authority(&mut self) -> Address {
        let previous = self.authority;
        self.authority = self.pending_authority;
        self.pending_authority = Address::default();
        previous
    }

    /// Whether a service takes no new work. What would end work or return money never asks.
    #[inline(always)]
    pub fn is_paused(&self, service: Service, now: UnixTime) -> bool {
        now.get() < self.paused_until[service as usize].get()
    }

    /// Pauses a service for a limited time, and not again until it has been open for a while: nobody can hold it for ever.
    pub fn pause(&mut self, service: Service, now: UnixTime) -> Result<()> {
        let ended = self.paused_until[service as usize].get();
        let free = after(UnixTime::new(ended), PAUSE_GAP)?;
        require!(ended == 0 || now.get() >= free, TreasuryError::PauseTooSoon);
        self.paused_until[service as usize] = after(now, MAX_PAUSE)?.into();
        Ok(())
    }

    /// Ends a pause. Only one that runs: otherwise lifting nothing would keep the guardian from pausing.
    pub fn unpause(&mut self, service: Service, now: UnixTime) -> Result<()> {
        require!(self.is_paused(service, now), TreasuryError::NotPaused);
        self.paused_until[service as usize] = now.get().into();
        Ok(())
    }

    /// No fee above the maximum.
    pub fn invariant(&self) -> Result<()> {
        require!(self.fee_bps.iter().all(|bps| bps.get() <= MAX_FEE_BPS), TreasuryError::FeeTooHigh);
        Ok(())
    }
}

/// `seconds` after a moment, in Unix seconds.
#[inline(always)]
pub(super) fn after(moment: UnixTime, seconds: u32) -> Result<i64> {
    let later = moment.checked_add(Seconds::new(seconds)).ok_or(TreasuryError::InvariantBroken)?;
    Ok(later.get())
}
