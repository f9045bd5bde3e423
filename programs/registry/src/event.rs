//! What happened to providers, attestors, credentials and requirements, in the past tense.

use anchor_lang::prelude::*;

#[event(bytemuck)]
pub struct ProviderRegistered {
    pub provider: Address,
    pub authority: Address,
    pub payout_owner: Address,
}

#[event(bytemuck)]
pub struct ProviderUpdated {
    pub provider: Address,
    pub payout_owner: Address,
}

#[event(bytemuck)]
pub struct ProviderStatusChanged {
    pub provider: Address,
    /// 1 active, 2 paused.
    pub status: u8,
}

#[event(bytemuck)]
pub struct ProviderRetired {
    pub provider: Address,
    pub authority: Address,
}

/// Somebody's word about others counts from now on.
#[event(bytemuck)]
pub struct AttestorAdmitted {
    pub attestor: Address,
    pub authority: Address,
    pub metadata_hash: [u8; 32],
}

#[event(bytemuck)]
pub struct AttestorChanged {
    pub attestor: Address,
    /// 1 when it may attest.
    pub enabled: u8,
}

/// A credential was given, or replaced by this one.
#[event(bytemuck)]
pub struct Attested {
    pub subject: Address,
    pub attestor: Address,
    pub schema: PodU32,
    pub value_hash: [u8; 32],
    /// Unix seconds.
    pub expires_at: PodI64,
}

#[event(bytemuck)]
pub struct AttestationRevoked {
    pub subject: Address,
    pub attestor: Address,
    pub schema: PodU32,
}

/// Nothing in it was live.
#[event(bytemuck)]
pub struct AttestationsClosed {
    pub attestations: Address,
    pub subject: Address,
}

#[event(bytemuck)]
pub struct RequirementsDefined {
    pub requirements: Address,
    pub client: Address,
}

#[event(bytemuck)]
pub struct RequirementsDropped {
    pub requirements: Address,
    pub client: Address,
}

joule_events::any_event!(
    ProviderRegistered,
    ProviderUpdated,
    ProviderStatusChanged,
    ProviderRetired,
    AttestorAdmitted,
    AttestorChanged,
    Attested,
    AttestationRevoked,
    AttestationsClosed,
    RequirementsDefined,
    RequirementsDropped,
);
