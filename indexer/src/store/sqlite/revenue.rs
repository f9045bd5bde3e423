//! Sums over the days of channels.

use crate::{
    query::RevenueFilter,
    row::cell::{kind, Field as _},
    row::revenue::{Days, Sums, DAY},
    store::Result,
    types::Address,
};
use joule_api::{Channel, Revenue, RevenueBy};
use rusqlite::{params, params_from_iter, types::Value, Connection, OptionalExtension};
use std::{cmp::Reverse, collections::BTreeMap};

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
    let blob = |text: &String| kind::Address::to_cell(text);
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
        let known = read.query_row(params![day, mint, model, provider], |row| read_sums(row, 0)).optional()?;
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
        groups.entry((Address(row.get(2)?), key, row.get(1)?)).or_default().add(&read_sums(row, 3)?, 1);
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
        sums.entry(Address(row.get(0)?)).or_default().add(&read_sums(row, 1)?, 1);
    }
    Ok(sums.into_iter().collect())
}

/// From a row that has its columns from `first` on.
fn read_sums(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<Sums> {
    let mut columns = [0; 8];
    for (place, column) in columns.iter_mut().enumerate() {
        *column = row.get::<_, String>(first + place)?.parse().unwrap_or_default();
    }
    Ok(Sums::of(columns))
}
