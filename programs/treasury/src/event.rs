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

/// A fee was announced.
#[event(bytemuck)]
pub struct FeeStaged {
    pub service: u8,
    /// What is charged until then.
    pub present_bps: PodU16,
    pub fee_bps: PodU16,
    /// Unix seconds.
    pub effective_at: PodI64,
}

/// An announced fee was taken back.
#[event(bytemuck)]
pub struct FeeCancelled {
    pub service: u8,
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

/// How much may leave a fee vault from now on.
#[event(bytemuck)]
pub struct BreakerChanged {
    pub mint: Address,
    /// Base units.
    pub limit: PodU64,
    /// Seconds.
    pub window: PodU32,
}

/// A looser breaker was announced.
#[event(bytemuck)]
pub struct BreakerStaged {
    pub mint: Address,
    /// Base units.
    pub limit: PodU64,
    /// Seconds.
    pub window: PodU32,
    /// Unix seconds.
    pub effective_at: PodI64,
}

/// Stakers' share of the fees that come in from now on.
#[event(bytemuck)]
pub struct RewardsChanged {
    pub mint: Address,
    /// All zero for none.
    pub reward_vault: Address,
    pub reward_bps: PodU16,
}

/// Fees were sent to stakers. Amounts in base units.
#[event(bytemuck)]
pub struct FeesShared {
    pub mint: Address,
    pub reward_vault: Address,
    pub amount: PodU64,
    /// What stakers are owed still, because the breaker let no more through.
    pub owed: PodU64,
    /// The treasury's own part of the fee vault.
    pub kept: PodU64,
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
    FeeStaged,
    FeeCancelled,
    BreakerChanged,
    BreakerStaged,
    RewardsChanged,
    FeesShared,
);
