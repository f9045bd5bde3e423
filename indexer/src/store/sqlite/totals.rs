//! Sums over jobs, channels and payers.

use super::checkpoint;
use crate::{
    row::totals::{Counters, Deltas, ALL, PROVIDER},
    store::{Result, StoreError},
    types::Address,
};
use joule_api::{MintTotals, Totals};
use rusqlite::{params, Connection, OptionalExtension};
use std::collections::BTreeMap;

pub fn add(conn: &Connection, deltas: Deltas) -> Result<()> {
    let mut write = conn.prepare_cached(
        "insert into aggregates (scope, key, name, value) values (?1, ?2, ?3, ?4)
         on conflict (scope, key, name) do update set value = excluded.value",
    )?;
    for ((scope, key, name), delta) in deltas.0 {
        if delta != 0 {
            let value = get(conn, scope, &key, name)? + delta;
            write.execute(params![scope, key.0, name, value.to_string()])?;
        }
    }
    Ok(())
}

fn get(conn: &Connection, scope: &str, key: &Address, name: &str) -> Result<i128> {
    let mut statement =
        conn.prepare_cached("select value from aggregates where scope = ?1 and key = ?2 and name = ?3")?;
    let value: Option<String> = statement.query_row(params![scope, key.0, name], |row| row.get(0)).optional()?;
    value.map_or(Ok(0), |value| parse(&value))
}

fn parse(value: &str) -> Result<i128> {
    value.parse().map_err(|_| StoreError::Damaged("aggregates".to_owned(), format!("{value:?} is not a number")))
}

/// Never negative, by construction; more than a u64 holds only if jobs locked more than that.
fn clamp(value: i128) -> u64 {
    u64::try_from(value.max(0)).unwrap_or(u64::MAX)
}

pub fn counters(conn: &Connection, provider: &Address) -> Result<Counters> {
    let read = |name| get(conn, PROVIDER, provider, name).map(clamp);
    Ok(Counters {
        jobs_running: read("jobs_running")?,
        jobs_settled: read("jobs_settled")?,
        jobs_failed: read("jobs_failed")?,
        earned: read("earned")?,
    })
}

pub fn all(conn: &Connection) -> Result<Totals> {
    let mut statement = conn.prepare_cached("select key, name, value from aggregates where scope = 'mint'")?;
    let rows = statement
        .query_map([], |row| Ok((Address(row.get(0)?), row.get::<_, String>(1)?, row.get::<_, String>(2)?)))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let mut mints = BTreeMap::<Address, MintTotals>::new();
    for (mint, name, value) in rows {
        let totals =
            mints.entry(mint).or_insert_with(|| MintTotals { mint: mint.to_string(), ..MintTotals::default() });
        let value = clamp(parse(&value)?);
        match name.as_str() {
            "jobs_open" => totals.jobs_open = value,
            "jobs_accepted" => totals.jobs_accepted = value,
            "jobs_delivered" => totals.jobs_delivered = value,
            "jobs_challenged" => totals.jobs_challenged = value,
            "jobs_settled" => totals.jobs_settled = value,
            "jobs_refunded" => totals.jobs_refunded = value,
            "escrowed" => totals.escrowed = value,
            "paid_to_providers" => totals.paid_to_providers = value,
            "paid_in_fees" => totals.paid_in_fees = value,
            "paid_to_challengers" => totals.paid_to_challengers = value,
            "paid_to_jurors" => totals.paid_to_jurors = value,
            "slashed" => totals.slashed = value,
            "deposited" => totals.deposited = value,
            "refunded" => totals.refunded = value,
            "channels_open" => totals.channels_open = value,
            "channels_closing" => totals.channels_closing = value,
            "channels_closed" => totals.channels_closed = value,
            "prepaid" => totals.prepaid = value,
            "billed" => totals.billed = value,
            "billed_to_shares" => totals.billed_paid.shares = value,
            "billed_in_fees" => totals.billed_paid.fee = value,
            "billed_to_providers" => totals.billed_paid.provider = value,
            "billed_returned" => totals.billed_returned = value,
            "requests" => totals.requests = value,
            "units" => totals.units = value,
            _ => {}
        }
    }
    let providers = |name| get(conn, ALL, &Address::SYSTEM, name).map(clamp);
    let (providers_total, providers_active) = (providers("providers")?, providers("providers_active")?);
    let slot = checkpoint::get(conn)?.map_or(0, |checkpoint| checkpoint.slot);
    Ok(Totals { slot, providers_active, providers_total, mints: mints.into_values().collect() })
}
