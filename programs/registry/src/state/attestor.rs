//! Somebody whose word about others counts.

use anchor_lang::prelude::*;

/// PDA `["attestor", authority]`, admitted by the protocol's authority and never closed: what it attested names it.
#[account]
pub struct Attestor {
    /// Signs its attestations and revocations; never changes, since it is the identity.
    pub authority: Address,
    /// SHA-256 of its description: who it is, and how it checks. Written by `admit_attestor`.
    pub metadata_hash: [u8; 32],
    /// Unix seconds.
    pub admitted_at: PodI64,
    /// 1 while it may attest; revoking is always possible. Written by `set_attestor`.
    pub enabled: u8,
    pub bump: u8,
    pub reserved: [u8; 62],
}

impl Attestor {
    pub fn admit(&mut self, authority: Address, metadata_hash: [u8; 32], now: i64, bump: u8) {
        self.authority = authority;
        self.metadata_hash = metadata_hash;
        self.admitted_at = now.into();
        self.bump = bump;
        self.set(true);
    }

    pub fn set(&mut self, enabled: bool) {
        self.enabled = enabled as u8;
    }

    #[inline(always)]
    pub fn is_enabled(&self) -> bool {
        self.enabled == 1
    }
}
