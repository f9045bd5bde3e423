//! A program that may lock bonds.

use crate::{constants::CLAIM_SIGNER_SEED, error::StakingError};
use anchor_lang::prelude::*;

/// PDA `["service", program]`; never closed. Owner and discriminator prove that the protocol's authority admitted it.
#[account]
pub struct Service {
    pub program: Address,
    /// PDA `["claims"]` of that program: who signs for its claims.
    pub signer: Address,
    /// Unix seconds.
    pub admitted_at: PodI64,
    /// The service's number in the protocol: `treasury::state::Service`.
    pub number: u8,
    /// 1 while it may lock; what it has locked it can release and slash either way.
    pub enabled: u8,
    pub bump: u8,
    pub reserved: [u8; 61],
}

impl Service {
    pub fn admit(&mut self, program: Address, number: u8, now: i64, bump: u8) {
        self.program = program;
        self.signer = find_program_address(&[CLAIM_SIGNER_SEED], &program).0;
        self.admitted_at = now.into();
        self.number = number;
        self.enabled = 1;
        self.bump = bump;
    }

    #[inline(always)]
    pub fn is_enabled(&self) -> bool {
        self.enabled == 1
    }

    /// Whether `signer` may lock for this service now.
    #[inline(always)]
    pub fn require_locker(&self, signer: &Address) -> Result<()> {
        require!(anchor_lang::address_eq(&self.signer, signer), StakingError::WrongClaimSigner);
        require!(self.is_enabled(), StakingError::ServiceDisabled);
        Ok(())
    }
}
