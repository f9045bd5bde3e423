//! What the treasury governs, and clients: decoded accounts, for whoever reads the tables.

use super::record::{kept, record};
use crate::types::Address;
use anchor_lang::prelude::Address as Key;
use joule_escrow::state::Client;
use joule_treasury::state::{AcceptedMint, Protocol};

/// How many jobs a client has opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientRow {
    pub address: Address,
    pub client: Address,
    pub next_job: u64,
    pub slot: u64,
}

impl ClientRow {
    pub fn new(address: &Address, state: &Client, slot: u64) -> Self {
        Self { address: *address, client: Address::from(&state.client), next_job: state.next_job.get(), slot }
    }
}

record! {
    ClientRow { address: Key, client: Key, next_job: Count, slot: Count }
}

kept!(ClientRow in "clients" by Address);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtocolRow {
    pub address: Address,
    pub authority: Address,
    pub guardian: Address,
    pub slot: u64,
    /// By the number of the service.
    pub services: Vec<ServiceRow>,
}

/// What holds for a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceRow {
    pub fee_bps: u16,
    pub staged_fee_bps: u16,
    /// Unix seconds.
    pub staged_fee_at: i64,
    /// Unix seconds.
    pub paused_until: i64,
}

impl ProtocolRow {
    pub fn new(address: &Address, state: &Protocol, slot: u64) -> Self {
        let service = |at: usize| ServiceRow {
            fee_bps: state.fee_bps[at].get(),
            staged_fee_bps: state.staged_fee_bps[at].get(),
            staged_fee_at: state.staged_fee_at[at].get(),
            paused_until: state.paused_until[at].get(),
        };
        Self {
            address: *address,
            authority: Address::from(&state.authority),
            guardian: Address::from(&state.guardian),
            slot,
            services: (0..state.fee_bps.len()).map(service).collect(),
        }
    }
}

record! {
    ServiceRow { fee_bps: Number<u16>, staged_fee_bps: Number<u16>, staged_fee_at: Time, paused_until: Time }
}

record! {
    ProtocolRow { address: Key, authority: Key, guardian: Key, slot: Count }
    lists { services: ServiceRow }
}

kept!(ProtocolRow in "protocol" by Address);

/// A token that services may be paid in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MintRow {
    pub address: Address,
    pub mint: Address,
    pub fee_vault: Address,
    pub decimals: u8,
    pub min_amount: u64,
    pub enabled: bool,
    pub kept: u64,
    pub owed_rewards: u64,
    pub outflow_limit: u64,
    /// Seconds.
    pub outflow_window: u32,
    pub reward_vault: Option<Address>,
    pub reward_bps: u16,
    pub slot: u64,
}

impl MintRow {
    pub fn new(address: &Address, state: &AcceptedMint, slot: u64) -> Self {
        Self {
            address: *address,
            mint: Address::from(&state.mint),
            fee_vault: Address::from(&state.fee_vault),
            decimals: state.decimals,
            min_amount: state.min_amount.get(),
            enabled: state.is_enabled(),
            kept: state.kept.get(),
            owed_rewards: state.owed_rewards.get(),
            outflow_limit: state.outflow_limit.get(),
            outflow_window: state.outflow_window.get(),
            reward_vault: (state.reward_vault != Key::default()).then(|| Address::from(&state.reward_vault)),
            reward_bps: state.reward_bps.get(),
            slot,
        }
    }
}

record! {
    MintRow {
        address: Key,
        mint: Key,
        fee_vault: Key,
        decimals: Number<u8>,
        min_amount: Amount,
        enabled: Flag,
        kept: Amount,
        owed_rewards: Amount,
        outflow_limit: Amount,
        outflow_window: Number<u32>,
        reward_vault: Maybe<Key>,
        reward_bps: Number<u16>,
        slot: Count,
    }
}

kept!(MintRow in "accepted_mints" by Address);
