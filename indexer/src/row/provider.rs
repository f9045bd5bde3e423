//! Providers: what an account says; what they did is in the totals.

use super::{
    cell::names,
    record::{noun, record, Noun as _},
    AccountRow, EventRow,
};
use crate::{
    decode::{Fact, Row, State},
    store::{self, Store},
    types::Address,
};
use joule_api::{Attributes, Commitment, Provider, ProviderStatus};
use joule_registry::{event as registry, state};

/// The provider, from its account, or from its registration if the account was gone before anybody looked. Counters are
/// left at zero, and bonds out.
pub fn rebuild(address: &Address, account: Option<&AccountRow>, events: &[EventRow]) -> Option<Provider> {
    let account = account?;
    let mut provider = match account.state() {
        Some(State::Provider(state)) => from_account(address, &state),
        Some(_) => return None,
        None => events.iter().rev().find_map(|event| match event.fact() {
            Ok(fact) if !fact.rows().contains(&Row::Provider(*address)) => None,
            Ok(Fact::Registry(registry::AnyEvent::ProviderRegistered(fact))) => {
                Some(from_registration(address, &fact, event.block_time))
            }
            _ => None,
        })?,
    };
    if account.closed {
        provider.status = ProviderStatus::Retired;
    }
    provider.slot = account.since;
    Some(provider)
}

fn from_account(address: &Address, state: &state::Provider) -> Provider {
    let a = state.attributes();
    Provider {
        address: address.to_string(),
        authority: Address::from(&state.authority).to_string(),
        payout_owner: Address::from(&state.payout_owner).to_string(),
        status: if state.is_active() { ProviderStatus::Active } else { ProviderStatus::Paused },
        capacity: state.capacity.get(),
        jobs_running: 0,
        jobs_settled: 0,
        jobs_failed: 0,
        earned: 0,
        bonds: Vec::new(),
        attributes: Attributes {
            gpu_model: a.gpu_model,
            gpu_count: a.gpu_count,
            vram_mib: a.vram_mib,
            cpu_cores: a.cpu_cores,
            region: a.region,
            memory_mib: a.memory_mib,
            disk_gib: a.disk_gib,
            bandwidth_mbps: a.bandwidth_mbps,
        },
        endpoint_hash: hex::encode(state.endpoint_hash),
        metadata_hash: hex::encode(state.metadata_hash),
        registered_at: state.registered_at.get(),
        updated_at: state.updated_at.get(),
        slot: 0,
        commitment: Commitment::Confirmed,
    }
}

fn from_registration(address: &Address, fact: &registry::ProviderRegistered, time: Option<i64>) -> Provider {
    let unknown_hash = "00".repeat(32);
    Provider {
        address: address.to_string(),
        authority: Address::from(&fact.authority).to_string(),
        payout_owner: Address::from(&fact.payout_owner).to_string(),
        status: ProviderStatus::Active,
        capacity: 0,
        jobs_running: 0,
        jobs_settled: 0,
        jobs_failed: 0,
        earned: 0,
        bonds: Vec::new(),
        attributes: Attributes::default(),
        endpoint_hash: unknown_hash.clone(),
        metadata_hash: unknown_hash,
        registered_at: time.unwrap_or_default(),
        updated_at: time.unwrap_or_default(),
        slot: 0,
        commitment: Commitment::Confirmed,
    }
}

names!(ProviderStatus; Active = "active", Paused = "paused", Retired = "retired");

record! {
    Attributes {
        gpu_model: Number<u16>,
        gpu_count: Number<u16>,
        vram_mib: Number<u32>,
        cpu_cores: Number<u16>,
        region: Number<u16>,
        memory_mib: Number<u32>,
        disk_gib: Number<u32>,
        bandwidth_mbps: Number<u32>,
    }
}

record! {
    Provider {
        address: Address,
        authority: Address,
        payout_owner: Address,
        status: Name<ProviderStatus>,
        capacity: Number<u32>,
        endpoint_hash: Hash,
        metadata_hash: Hash,
        registered_at: Time,
        updated_at: Time,
        slot: Count,
    }
    parts { attributes: Attributes }
    rest {
        jobs_running: 0,
        jobs_settled: 0,
        jobs_failed: 0,
        earned: 0,
        bonds: Vec::new(),
        commitment: Commitment::Confirmed,
    }
}

noun!(Provider in "providers", registered_at, Oldest, of ProviderStatus, complete count);

/// What it did is counted beside it.
fn count(provider: &mut Provider, store: &dyn Store) -> store::Result<()> {
    store.counters(&provider.key()?)?.fill(provider);
    Ok(())
}
