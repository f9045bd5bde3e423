//! Distributions: what `Distributed` events say.

use super::{
    listing::{body, First, Listing},
    page::PageRequest,
    Cursor, EventRow, Result,
};
use crate::types::Address;
use anchor_lang::prelude::PodU64;
use joule_api::{Commitment, Distribution, PaidOut};
use joule_billing::{
    constants::{MAX_SHARES, PROTOCOL, PROVIDER},
    event::Distributed,
};
use rusqlite::{params, Connection};
use sha2::{Digest, Sha256};

/// Which distributions to list. Empty fields match everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DistributionFilter {
    pub channel: Option<Address>,
    pub payer: Option<Address>,
    pub provider: Option<Address>,
    pub model: Option<Address>,
}

/// When it happened, in Unix seconds: the event does not say, but its block does; 0 where the node did not know that.
pub fn time(event: &EventRow) -> i64 {
    event.block_time.unwrap_or_default()
}

pub fn from_event(event: &EventRow, e: &Distributed) -> Distribution {
    Distribution {
        signature: event.key.signature.to_string(),
        instruction: event.key.instruction,
        inner: event.key.inner,
        channel: Address::from(&e.channel).to_string(),
        settled: e.settled.get(),
        accrued: e.accrued.get(),
        collected: e.collected.get(),
        paid: paid(&e.paid),
        returned: e.returned.get(),
        at: time(event),
        slot: event.slot,
        commitment: Commitment::Confirmed,
    }
}

/// By whom it went to, from the places of the parties.
pub fn paid(parts: &[PodU64; MAX_SHARES + 2]) -> PaidOut {
    PaidOut { shares: sum(&parts[..MAX_SHARES]), fee: parts[PROTOCOL].get(), provider: parts[PROVIDER].get() }
}

fn sum(parts: &[PodU64]) -> u64 {
    parts.iter().fold(0, |sum, part| sum.saturating_add(part.get()))
}

/// Its place in lists, for ever: the time, and among those of one second what nobody can choose.
pub fn place(distribution: &Distribution) -> Cursor {
    let of = (&distribution.signature, distribution.instruction, distribution.inner);
    let hash = Sha256::digest(format!("{} {} {}", of.0, of.1, of.2));
    Cursor { time: distribution.at, address: Address(hash.into()) }
}

pub fn put(conn: &Connection, event: &EventRow, e: &Distributed) -> Result<()> {
    let distribution = from_event(event, e);
    let body = body(&distribution.signature, &distribution)?;
    let place = place(&distribution);
    conn.prepare_cached(
        "insert into distributions (address, channel, at, slot, body, payer, provider, model)
         values (?1, ?2, ?3, ?4, ?5, (select payer from channels where address = ?2),
                 (select provider from channels where address = ?2), (select model from channels where address = ?2))
         on conflict do nothing",
    )?
    .execute(params![place.address.0, e.channel.to_bytes(), place.time, event.slot as i64, body,])?;
    Ok(())
}

/// A channel is known for the first time: so are the parties of what it has divided. They never change.
pub fn name_parties(conn: &Connection, channel: &Address) -> Result<()> {
    let mut statement = conn.prepare_cached(
        "update distributions set (payer, provider, model) =
             (select payer, provider, model from channels where address = ?1)
         where channel = ?1",
    )?;
    statement.execute([channel.0])?;
    Ok(())
}

/// Newest first.
pub fn list(conn: &Connection, filter: &DistributionFilter, page: &PageRequest) -> Result<Vec<Distribution>> {
    Listing::of("distributions")
        .address("channel", filter.channel)
        .address("payer", filter.payer)
        .address("provider", filter.provider)
        .address("model", filter.model)
        .read(conn, "at", First::Newest, page, &[])
}
