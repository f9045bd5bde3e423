//! What channels have earned, by day: where each had come to by the end of a day, and sums over those of all channels.
//!
//! Settling states no event. How many requests are paid for is seen in a channel's confirmed state, and counted on the day of
//! the block that first showed it, as far as the indexer saw it. Money is counted on the day of the event that divided or
//! paid it, to the last unit.
//!
//! A day remembers the highest that was seen on it, which is the same in whatever order and however often things are seen.
//! What a day adds is how far it goes beyond all days before. Payments are added up, once for each event.

mod days;

pub use days::Days;

use super::{listing::column, Result};
use crate::{decode::Fact, types::Address};
use joule_api::{Channel, PaidOut, Revenue, RevenueBy};
use joule_billing::event::AnyEvent;
use rusqlite::{params, params_from_iter, types::Value, Connection, OptionalExtension};
use std::{cmp::Reverse, collections::BTreeMap};

/// Seconds.
pub const DAY: i64 = 24 * 60 * 60;

/// What a day, or many, add. Units may go back: they are what vouchers state, and no rule binds them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    pub requests: i128,
    pub units: i128,
    pub amount: i128,
    pub collected: i128,
    pub paid_shares: i128,
    pub paid_fee: i128,
    pub paid_provider: i128,
    pub returned: i128,
}

/// Which revenue to sum, and by what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RevenueFilter {
    pub by: RevenueBy,
    /// Numbers of days; the second is not counted any more.
    pub days: (Option<i64>, Option<i64>),
    pub mint: Option<Address>,
}

/// Whether an event adds to some channel's days, and to whose.
pub fn channel_of(fact: &Fact) -> Option<(Address, &AnyEvent)> {
    match fact {
        Fact::Billing(fact) => match fact {
            AnyEvent::Distributed(e) => Some((Address::from(&e.channel), fact)),
            AnyEvent::OwedClaimed(e) => Some((Address::from(&e.channel), fact)),
            AnyEvent::BillDisputed(e) => Some((Address::from(&e.channel), fact)),
            _ => None,
        },
        _ => None,
    }
}

impl Sums {
    pub fn add(&mut self, other: &Self, times: i128) {
        self.requests += times * other.requests;
        self.units += times * other.units;
        self.amount += times * other.amount;
        self.collected += times * other.collected;
        self.paid_shares += times * other.paid_shares;
        self.paid_fee += times * other.paid_fee;
        self.paid_provider += times * other.paid_provider;
        self.returned += times * other.returned;
    }

    fn paid(&self) -> PaidOut {
        PaidOut { shares: clamp(self.paid_shares), fee: clamp(self.paid_fee), provider: clamp(self.paid_provider) }
    }

    /// Fills in what a channel has paid out.
    pub fn fill(&self, channel: &mut Channel) {
        channel.paid_out = self.paid();
        channel.returned = clamp(self.returned);
    }

    const fn columns(&self) -> [i128; 8] {
        [
            self.requests,
            self.units,
            self.amount,
            self.collected,
            self.paid_shares,
            self.paid_fee,
            self.paid_provider,
            self.returned,
        ]
    }

    fn of([requests, units, amount, collected, paid_shares, paid_fee, paid_provider, returned]: [i128; 8]) -> Self {
        Self { requests, units, amount, collected, paid_shares, paid_fee, paid_provider, returned }
    }

    /// From a row that has its columns from `first` on.
    fn read(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<Self> {
        let mut columns = [0; 8];
        for (place, column) in columns.iter_mut().enumerate() {
            *column = row.get::<_, String>(first + place)?.parse().unwrap_or_default();
        }
        Ok(Self::of(columns))
    }

    pub fn report(&self, key: Option<String>, day: Option<i64>, mint: &Address) -> Revenue {
        Revenue {
            key,
            day,
            mint: mint.to_string(),
            amount: clamp(self.amount),
            collected: clamp(self.collected),
            paid: self.paid(),
            returned: clamp(self.returned),
            requests: clamp(self.requests),
            units: clamp(self.units),
        }
    }
}

/// More than a u64 holds is not asked for; less than nothing there is only of units.
fn clamp(sum: i128) -> u64 {
    u64::try_from(sum.max(0)).unwrap_or(u64::MAX)
}

/// What a row's change adds to the sums: days and parties of a channel before and after.
pub fn changed(conn: &Connection, before: Option<&Days>, channel: &Channel, after: &Days) -> Result<()> {
    let mut deltas: BTreeMap<i64, Sums> = BTreeMap::new();
    for (day, sums) in before.iter().flat_map(|days| days.added()) {
        deltas.entry(day).or_default().add(&sums, -1);
    }
    for (day, sums) in after.added() {
        deltas.entry(day).or_default().add(&sums, 1);
    }
    deltas.retain(|_, sums| *sums != Sums::default());
    if deltas.is_empty() {
        return Ok(());
    }
    let blob = |text: &str| column(&channel.address, text);
    let (mint, model, provider) = (blob(&channel.mint)?, blob(&channel.model)?, blob(&channel.provider)?);
    let mut read = conn.prepare_cached(
        "select requests, units, amount, collected, paid_shares, paid_fee, paid_provider, returned from revenue
         where day = ?1 and mint = ?2 and model = ?3 and provider = ?4",
    )?;
    let mut write = conn.prepare_cached(
        "insert or replace into revenue (day, mint, model, provider, requests, units, amount, collected, paid_shares,
             paid_fee, paid_provider, returned)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?;
    for (day, delta) in deltas {
        let known = read.query_row(params![day, mint, model, provider], |row| Sums::read(row, 0)).optional()?;
        let mut sums = known.unwrap_or_default();
        sums.add(&delta, 1);
        let [a, b, c, d, e, f, g, h] = sums.columns().map(|sum| sum.to_string());
        write.execute(params![day, mint, model, provider, a, b, c, d, e, f, g, h])?;
    }
    Ok(())
}

/// The sums that are asked for. By day: the newest first. Otherwise token by token, what earned most first.
pub fn list(conn: &Connection, filter: &RevenueFilter) -> Result<Vec<Revenue>> {
    let key = match filter.by {
        RevenueBy::Model => "r.model",
        RevenueBy::Creator => "m.creator",
        RevenueBy::Provider => "r.provider",
        RevenueBy::Day => "null",
    };
    let day = if filter.by == RevenueBy::Day { "r.day" } else { "null" };
    let join = if filter.by == RevenueBy::Creator { "left join models m on m.address = r.model" } else { "" };
    let mut sql = format!(
        "select {key}, {day}, r.mint, r.requests, r.units, r.amount, r.collected, r.paid_shares, r.paid_fee,
             r.paid_provider, r.returned from revenue r {join} where 1 = 1"
    );
    let mut values = Vec::new();
    let bounds = [(" and r.day >= ?", filter.days.0), (" and r.day < ?", filter.days.1)];
    for (condition, day) in bounds.into_iter().filter_map(|(condition, day)| Some((condition, day?))) {
        sql.push_str(condition);
        values.push(Value::Integer(day));
    }
    if let Some(mint) = filter.mint {
        sql.push_str(" and r.mint = ?");
        values.push(Value::Blob(mint.0.to_vec()));
    }
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut groups: BTreeMap<(Address, Option<Address>, Option<i64>), Sums> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let key = row.get::<_, Option<[u8; 32]>>(0)?.map(Address);
        groups.entry((Address(row.get(2)?), key, row.get(1)?)).or_default().add(&Sums::read(row, 3)?, 1);
    }
    groups.retain(|_, sums| *sums != Sums::default());
    let mut groups: Vec<_> = groups.into_iter().collect();
    match filter.by {
        RevenueBy::Day => groups.sort_by_key(|((mint, _, day), _)| (Reverse(*day), *mint)),
        _ => groups.sort_by_key(|((mint, key, _), sums)| (*mint, Reverse((sums.amount, sums.requests)), *key)),
    }
    let report = |((mint, key, day), sums): ((Address, Option<Address>, Option<i64>), Sums)| {
        sums.report(key.map(|key| key.to_string()), day.map(|day| day * DAY), &mint)
    };
    Ok(groups.into_iter().map(report).collect())
}

/// Over all days, by token.
pub fn by_mint(conn: &Connection) -> Result<Vec<(Address, Sums)>> {
    let mut statement = conn.prepare_cached(
        "select mint, requests, units, amount, collected, paid_shares, paid_fee, paid_provider, returned from revenue",
    )?;
    let mut rows = statement.query([])?;
    let mut sums: BTreeMap<Address, Sums> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        sums.entry(Address(row.get(0)?)).or_default().add(&Sums::read(row, 1)?, 1);
    }
    Ok(sums.into_iter().collect())
}
