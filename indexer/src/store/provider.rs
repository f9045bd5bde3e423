//! Providers: what an account says; what they did is in the totals.

use super::{
    listing::{body, column, parse, First, Listing},
    page::PageRequest,
    provider_status_name, AccountRow, EventRow, Result,
};
use crate::{
    decode::{Fact, Row, State},
    types::Address,
};
use joule_api::{Attributes, Commitment, Provider, ProviderStatus};
use joule_registry::{event as registry, state};
use rusqlite::{params, Connection, OptionalExtension};

/// Which providers to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProviderFilter {
    pub status: Option<ProviderStatus>,
}

impl ProviderFilter {
    pub fn matches(&self, provider: &Provider) -> bool {
        self.status.is_none_or(|status| status == provider.status)
    }
}

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

/// The row as it was stored, without counters and bonds.
pub fn get(conn: &Connection, address: &Address) -> Result<Option<Provider>> {
    let mut statement = conn.prepare_cached("select body from providers where address = ?1")?;
    statement.query_row([address.0], |row| row.get::<_, String>(0)).optional()?.map(|body| parse(&body)).transpose()
}

/// Who runs a provider, as far as it is known.
pub fn authority(conn: &Connection, address: &Address) -> Result<Option<Address>> {
    let mut statement = conn.prepare_cached("select authority from providers where address = ?1")?;
    Ok(statement.query_row([address.0], |row| row.get(0)).optional()?.map(Address))
}

pub fn put(conn: &Connection, address: &Address, provider: &Provider) -> Result<()> {
    let authority = column(address, &provider.authority)?;
    let body = body(address, provider)?;
    conn.prepare_cached(
        "insert into providers (address, authority, status, registered_at, slot, body)
         values (?1, ?2, ?3, ?4, ?5, ?6)
         on conflict (address) do update set
             authority = excluded.authority, status = excluded.status, registered_at = excluded.registered_at,
             slot = excluded.slot, body = excluded.body",
    )?
    .execute(params![
        address.0,
        authority,
        provider_status_name(provider.status),
        provider.registered_at,
        provider.slot as i64,
        body,
    ])?;
    Ok(())
}

/// Oldest first: by registration, then by address.
pub fn list(
    conn: &Connection,
    filter: &ProviderFilter,
    page: &PageRequest,
    without: &[Address],
) -> Result<Vec<Provider>> {
    Listing::of("providers").text("status", filter.status.map(provider_status_name)).read(
        conn,
        "registered_at",
        First::Oldest,
        page,
        without,
    )
}
