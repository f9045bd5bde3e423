//! What happened to the protocol, in the past tense.

use anchor_lang::prelude::*;

#[event(bytemuck)]
pub struct ProtocolInitialized {
    pub authority: Address,
    pub guardian: Address,
    pub fee_bps: [PodU16; 8],
}

#[event(bytemuck)]
pub struct AuthorityProposed {
    pub authority: Address,
    pub next: Address,
}

#[event(bytemuck)]
pub struct AuthorityChanged {
    pub previous: Address,
    pub authority: Address,
}

#[event(bytemuck)]
pub struct GuardianChanged {
    pub previous: Address,
    pub guardian: Address,
}

#[event(bytemuck)]
pub struct FeeChanged {
    pub service: u8,
    pub previous_bps: PodU16,
    pub fee_bps: PodU16,
}

#[event(bytemuck)]
pub struct MintAccepted {
    pub mint: Address,
    pub fee_vault: Address,
    /// Base units.
    pub min_amount: PodU64,
}

#[event(bytemuck)]
pub struct MintUpdated {
    pub mint: Address,
    /// 1 when it takes new work.
    pub enabled: u8,
    /// Base units.
    pub min_amount: PodU64,
}

#[event(bytemuck)]
pub struct ServicePaused {
    pub service: u8,
    pub by: Address,
}

#[event(bytemuck)]
pub struct ServiceUnpaused {
    pub service: u8,
}

#[event(bytemuck)]
pub struct FeesWithdrawn {
    pub mint: Address,
    pub destination: Address,
    /// Base units.
    pub amount: PodU64,
}

joule_events::any_event!(
    ProtocolInitialized,
    AuthorityProposed,
    AuthorityChanged,
    GuardianChanged,
    FeeChanged,
    MintAccepted,
    MintUpdated,
    ServicePaused,
    ServiceUnpaused,
    FeesWithdrawn,
);
