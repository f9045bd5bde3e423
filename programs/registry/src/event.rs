//! What happened to providers, attestors, credentials, requirements and models, in the past tense.

use crate::state::Model;
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

/// Nothing in it could be asked for any more.
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

/// No new job can name them.
#[event(bytemuck)]
pub struct RequirementsRetired {
    pub requirements: Address,
    pub client: Address,
    pub at: PodI64,
}

#[event(bytemuck)]
pub struct RequirementsClosed {
    pub requirements: Address,
    pub client: Address,
}

#[event(bytemuck)]
pub struct ModelCreated {
    pub model: Address,
    pub creator: Address,
    /// All zero when it derives from nothing.
    pub base: Address,
    pub payout_owner: Address,
    pub id: PodU64,
    pub royalty_bps: PodU16,
}

#[event(bytemuck)]
pub struct ModelUpdated {
    pub model: Address,
    pub payout_owner: Address,
    pub endpoint_hash: [u8; 32],
    pub metadata_hash: [u8; 32],
    /// 1 active, 0 retired.
    pub status: u8,
}

impl ModelUpdated {
    pub fn of(model: &Account<Model>) -> Self {
        Self {
            model: *model.address(),
            payout_owner: model.payout_owner,
            endpoint_hash: model.endpoint_hash,
            metadata_hash: model.metadata_hash,
            status: model.status,
        }
    }
}

/// The price list's account holds the prices and the shares, for good.
#[event(bytemuck)]
pub struct PricesPublished {
    pub price_list: Address,
    pub model: Address,
    pub mint: Address,
    pub version: PodU32,
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
    RequirementsRetired,
    RequirementsClosed,
    ModelCreated,
    ModelUpdated,
    PricesPublished,
);
