//! What happened to providers, in the past tense.

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

joule_events::any_event!(ProviderRegistered, ProviderUpdated, ProviderStatusChanged, ProviderRetired);
