//! Who governs the protocol and what its services charge.

use crate::{constants::MAX_FEE_BPS, error::TreasuryError};
use anchor_lang::prelude::*;
use joule_units::Bps;

/// The services that charge fees and can be paused. A number never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Service {
    Escrow = 0,
    Billing = 1,
    DataMarket = 2,
    Depin = 3,
}

/// How many there are.
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

    const fn mask(self) -> u8 {
        1 << self as u8
    }
}

/// PDA `["protocol"]`; there is one, and it is never closed. Owner and discriminator therefore prove that an account is it,
/// and nobody derives its address again.
#[account]
pub struct Protocol {
    /// May change everything here. Written by `initialize_protocol` and `accept_authority`.
    pub authority: Address,
    /// Proposed successor, all zero when there is none.
    pub pending_authority: Address,
    /// May pause services.
    pub guardian: Address,
    /// Fee by service number, in basis points of the price.
    pub fee_bps: [PodU16; 8],
    /// One bit per service number; set while paused.
    pub paused: u8,
    pub bump: u8,
    pub reserved: [u8; 62],
}

impl Protocol {
    pub fn initialize(&mut self, authority: Address, guardian: Address, fee_bps: [u16; 8], bump: u8) -> Result<()> {
        self.authority = authority;
        self.guardian = guardian;
        for (slot, bps) in self.fee_bps.iter_mut().zip(fee_bps) {
            *slot = bps.into();
        }
        self.bump = bump;
        // What `set_fee` could never change must not be set either.
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

    #[inline(always)]
    pub fn fee(&self, service: Service) -> Result<Bps> {
        Bps::new(self.fee_bps[service as usize].get()).ok_or(TreasuryError::FeeTooHigh.into())
    }

    /// Returns the previous fee.
    pub fn set_fee(&mut self, service: Service, fee_bps: u16) -> Result<u16> {
        let previous = self.fee_bps[service as usize].get();
        self.fee_bps[service as usize] = fee_bps.into();
        self.invariant()?;
        Ok(previous)
    }

    #[inline(always)]
    pub fn is_paused(&self, service: Service) -> bool {
        self.paused & service.mask() != 0
    }

    pub fn pause(&mut self, service: Service) {
        self.paused |= service.mask();
    }

    pub fn unpause(&mut self, service: Service) {
        self.paused &= !service.mask();
    }

    /// No fee above the maximum.
    pub fn invariant(&self) -> Result<()> {
        require!(self.fee_bps.iter().all(|bps| bps.get() <= MAX_FEE_BPS), TreasuryError::FeeTooHigh);
        Ok(())
    }
}
