//! Sums over jobs, channels and payers, kept up to date by what each row's change adds.
//!
//! A total is by definition the sum of [`contribution`] over the rows of `jobs`, and of [`of_channel`] over those of `channels`. Since a row is rebuilt from events that
//! are stored once each, an event that is delivered twice changes no row, and so no total.

use super::{
    checkpoint,
    revenue::{Days, Sums},
    Result, StoreError,
};
use crate::types::Address;
use joule_api::{Channel, ChannelStatus, Job, JobStatus, MintTotals, Provider, ProviderStatus, Totals};
use rusqlite::{params, Connection, OptionalExtension};
use std::collections::BTreeMap;

type Key = (&'static str, Address, &'static str);

const MINT: &str = "mint";
const PROVIDER: &str = "provider";
const ALL: &str = "all";

/// Additions that are not written yet.
#[derive(Debug, Default)]
pub struct Deltas(BTreeMap<Key, i128>);

impl Deltas {
    /// Counts a row's change from `before` to `after`.
    pub fn changed(&mut self, before: Option<&Job>, after: &Job) {
        if let Some(before) = before {
            contribution(before, |key, value| *self.0.entry(key).or_default() -= value);
        }
        contribution(after, |key, value| *self.0.entry(key).or_default() += value);
    }

    /// The same for a channel and its days.
    pub fn channel_changed(&mut self, before: Option<(&Channel, &Days)>, after: (&Channel, &Days)) {
        if let Some((channel, days)) = before {
            of_channel(channel, &days.total(), |key, value| *self.0.entry(key).or_default() -= value);
        }
        of_channel(after.0, &after.1.total(), |key, value| *self.0.entry(key).or_default() += value);
    }

    /// Counts a provider's change from `before` to `after`.
    pub fn provider_changed(&mut self, before: Option<&Provider>, after: &Provider) {
        let active = |provider: &Provider| i128::from(u8::from(provider.status == ProviderStatus::Active));
        let add = [
            ("providers", i128::from(u8::from(before.is_none()))),
            ("providers_active", active(after) - before.map_or(0, active)),
        ];
        for (name, delta) in add {
            *self.0.entry((ALL, Address::SYSTEM, name)).or_default() += delta;
        }
    }

    /// A payer's balance changed, in base units.
    pub fn prepaid(&mut self, mint: Address, before: u64, after: u64) {
        *self.0.entry((MINT, mint, "prepaid")).or_default() += i128::from(after) - i128::from(before);
    }

    pub fn write(self, conn: &Connection) -> Result<()> {
        let mut write = conn.prepare_cached(
            "insert into aggregates (scope, key, name, value) values (?1, ?2, ?3, ?4)
             on conflict (scope, key, name) do update set value = excluded.value",
        )?;
        for ((scope, key, name), delta) in self.0 {
            if delta != 0 {
                let value = get(conn, scope, &key, name)? + delta;
                write.execute(params![scope, key.0, name, value.to_string()])?;
            }
        }
        Ok(())
    }
}

/// What one job adds to the totals of its mint and of its provider.
fn contribution(job: &Job, mut add: impl FnMut(Key, i128)) {
    let Ok(mint) = job.mint.parse::<Address>() else { return };
    let count = match job.status {
        JobStatus::Open => "jobs_open",
        JobStatus::Accepted => "jobs_accepted",
        JobStatus::Delivered => "jobs_delivered",
        JobStatus::Challenged => "jobs_challenged",
        JobStatus::Settled => "jobs_settled",
        JobStatus::Refunded => "jobs_refunded",
    };
    add((MINT, mint, count), 1);
    add((MINT, mint, "escrowed"), job.escrowed.into());
    add((MINT, mint, "paid_to_providers"), job.paid.provider.into());
    add((MINT, mint, "paid_in_fees"), job.paid.fee.into());
    add((MINT, mint, "paid_to_challengers"), job.paid.challenger.into());
    add((MINT, mint, "paid_to_jurors"), job.paid.jurors.into());
    add((MINT, mint, "slashed"), job.slashed.into());
    add((MINT, mint, "deposited"), job.deposited.into());
    add((MINT, mint, "refunded"), job.paid.client.into());
    let Some(provider) = job.provider.as_ref().and_then(|provider| provider.parse::<Address>().ok()) else { return };
    match job.status {
        JobStatus::Accepted => add((PROVIDER, provider, "jobs_running"), 1),
        JobStatus::Settled => add((PROVIDER, provider, "jobs_settled"), 1),
        JobStatus::Refunded => add((PROVIDER, provider, "jobs_failed"), 1),
        JobStatus::Open | JobStatus::Delivered | JobStatus::Challenged => {}
    }
    // What it has earned, paid out or not.
    add((PROVIDER, provider, "earned"), i128::from(job.paid.provider) + i128::from(job.owed.provider));
}

/// What one channel adds to the totals of its mint.
fn of_channel(channel: &Channel, sums: &Sums, mut add: impl FnMut(Key, i128)) {
    let Ok(mint) = channel.mint.parse::<Address>() else { return };
    let count = match channel.status {
        ChannelStatus::Open => "channels_open",
        ChannelStatus::Closing => "channels_closing",
        ChannelStatus::Closed => "channels_closed",
    };
    add((MINT, mint, count), 1);
    add((MINT, mint, "billed"), sums.amount);
    add((MINT, mint, "billed_to_shares"), sums.paid_shares);
    add((MINT, mint, "billed_in_fees"), sums.paid_fee);
    add((MINT, mint, "billed_to_providers"), sums.paid_provider);
    add((MINT, mint, "billed_returned"), sums.returned);
    add((MINT, mint, "requests"), sums.requests);
    add((MINT, mint, "units"), sums.units);
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

/// Fills in a provider's counters.
pub fn count_for(conn: &Connection, address: &Address, provider: &mut Provider) -> Result<()> {
    let read = |name| get(conn, PROVIDER, address, name).map(clamp);
    provider.jobs_running = read("jobs_running")?;
    provider.jobs_settled = read("jobs_settled")?;
    provider.jobs_failed = read("jobs_failed")?;
    provider.earned = read("earned")?;
    Ok(())
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
