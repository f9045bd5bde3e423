//! The days of channels.

use crate::{
    row::revenue::{Days, Seen},
    store::Result,
    types::Address,
};
use joule_api::PaidOut;
use rusqlite::{params, Connection};

pub fn load(conn: &Connection, channel: &Address) -> Result<Days> {
    let mut statement = conn.prepare_cached(
        "select day, sequence, units, amount, collected, paid_shares, paid_fee, paid_provider, returned, settled
         from channel_days where channel = ?1",
    )?;
    let rows = statement.query_map([channel.0], |row| {
        let number = |column| row.get::<_, i64>(column).map(|number| number as u64);
        let seen = Seen {
            settled: number(9)?,
            sequence: number(1)?,
            units: number(2)?,
            amount: number(3)?,
            collected: number(4)?,
            paid: PaidOut { shares: number(5)?, fee: number(6)?, provider: number(7)? },
            returned: number(8)?,
        };
        Ok((row.get(0)?, seen))
    })?;
    Ok(Days(rows.collect::<rusqlite::Result<_>>()?))
}

/// Writes what is new or other than `before`. A day that was seen stays.
pub fn put(conn: &Connection, channel: &Address, days: &Days, before: &Days) -> Result<()> {
    let mut statement = conn.prepare_cached(
        "insert or replace into channel_days (channel, day, sequence, units, amount, collected, paid_shares,
             paid_fee, paid_provider, returned, settled)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?;
    for (day, seen) in days.0.iter().filter(|(day, seen)| before.0.get(day) != Some(seen)) {
        statement.execute(params![
            channel.0,
            day,
            seen.sequence as i64,
            seen.units as i64,
            seen.amount as i64,
            seen.collected as i64,
            seen.paid.shares as i64,
            seen.paid.fee as i64,
            seen.paid.provider as i64,
            seen.returned as i64,
            seen.settled as i64,
        ])?;
    }
    Ok(())
}
