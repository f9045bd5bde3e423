//! Events: history, once each.

use crate::{
    decode::{self, Fact, UNDECODABLE},
    row::event::EventRow,
    store::Result,
    types::{Address, EventKey, Signature},
};
use rusqlite::{params, Connection, Row};
use std::collections::BTreeSet;

/// True when the event was not there yet.
pub fn insert(conn: &Connection, event: &EventRow, fact: Option<&Fact>) -> Result<bool> {
    let accounts = fact.map(Fact::accounts).unwrap_or_default();
    let mut statement = conn.prepare_cached(
        "insert into events
             (signature, instruction, inner, slot, tx_index, block_time, program, name, subject, data)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         on conflict do nothing",
    )?;
    let new = statement.execute(params![
        event.key.signature.0,
        event.key.instruction,
        event.key.inner,
        event.slot as i64,
        event.tx_index as i64,
        event.block_time,
        event.program.0,
        fact.map_or(UNDECODABLE, Fact::name),
        accounts.first().map(|subject| subject.0),
        event.data,
    ])? > 0;
    if new {
        link(conn, event, &accounts)?;
        tell(conn, event, fact)?;
    }
    Ok(new)
}

/// Names an event that could not be named before.
pub fn name(conn: &Connection, event: &EventRow, fact: &Fact) -> Result<()> {
    let accounts = fact.accounts();
    conn.prepare_cached(
        "update events set name = ?4, subject = ?5 where signature = ?1 and instruction = ?2 and inner = ?3",
    )?
    .execute(params![
        event.key.signature.0,
        event.key.instruction,
        event.key.inner,
        fact.name(),
        accounts.first().map(|subject| subject.0),
    ])?;
    link(conn, event, &accounts)?;
    tell(conn, event, Some(fact))
}

/// How many of the newest events of an account count for its row, beside those that happen to it once: what anybody can have
/// happen again and again must not make a row dearer than this to rebuild.
const NEWEST: usize = 256;

/// Puts an event that happens to a row once where [`history`] finds it, however many others there are.
fn tell(conn: &Connection, event: &EventRow, fact: Option<&Fact>) -> Result<()> {
    let Some(fact) = fact.filter(|fact| !fact.repeats()) else { return Ok(()) };
    let rows: Vec<Address> = fact.rows().iter().map(decode::Row::address).collect();
    place(conn, "row_events", event, &rows)
}

/// Puts an event into the history of those whom it concerns.
fn link(conn: &Connection, event: &EventRow, accounts: &[Address]) -> Result<()> {
    place(conn, "event_accounts", event, accounts)
}

fn place(conn: &Connection, table: &str, event: &EventRow, addresses: &[Address]) -> Result<()> {
    let mut statement = conn.prepare_cached(&format!(
        "insert into {table} (address, slot, tx_index, instruction, inner, signature)
         values (?1, ?2, ?3, ?4, ?5, ?6) on conflict do nothing"
    ))?;
    for address in addresses {
        statement.execute(params![
            address.0,
            event.slot as i64,
            event.tx_index as i64,
            event.key.instruction,
            event.key.inner,
            event.key.signature.0,
        ])?;
    }
    Ok(())
}

pub fn get(conn: &Connection, key: &EventKey) -> Result<Option<EventRow>> {
    let mut statement = conn.prepare_cached(
        "select signature, instruction, inner, slot, tx_index, block_time, program, data from events
         where signature = ?1 and instruction = ?2 and inner = ?3",
    )?;
    let mut rows = statement.query_map(params![key.signature.0, key.instruction, key.inner], read)?;
    Ok(rows.next().transpose()?)
}

/// What concerns an account, newest first.
pub fn of_account(conn: &Connection, address: &Address, limit: usize) -> Result<Vec<EventRow>> {
    let mut statement = conn.prepare_cached(
        "select e.signature, e.instruction, e.inner, e.slot, e.tx_index, e.block_time, e.program, e.data
         from event_accounts a
         join events e on e.signature = a.signature and e.instruction = a.instruction and e.inner = a.inner
         where a.address = ?1
         order by a.slot desc, a.tx_index desc, a.instruction desc, a.inner desc limit ?2",
    )?;
    let rows = statement.query_map(params![address.0, limit as i64], read)?.collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// What a row is rebuilt from, newest first: what happened to it once, and the newest of everything that concerns its account. What
/// can happen again and again says where things stand, so that the newest of it is enough.
pub fn history(conn: &Connection, address: &Address) -> Result<Vec<EventRow>> {
    // Two indexes are read as they stand, and each event found by its key: one statement for all would sort.
    let mut places = BTreeSet::new();
    let mut once =
        conn.prepare_cached("select slot, tx_index, instruction, inner, signature from row_events where address = ?1")?;
    let mut newest = conn.prepare_cached(
        "select slot, tx_index, instruction, inner, signature from event_accounts where address = ?1
         order by slot desc, tx_index desc, instruction desc, inner desc limit ?2",
    )?;
    let place = |row: &Row<'_>| -> rusqlite::Result<Place> {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
    };
    for found in once.query_map([address.0], place)? {
        places.insert(found?);
    }
    for found in newest.query_map(params![address.0, NEWEST as i64], place)? {
        places.insert(found?);
    }
    let mut events = Vec::with_capacity(places.len());
    for (_, _, instruction, inner, signature) in places.into_iter().rev() {
        events.extend(get(conn, &EventKey { signature: Signature(signature), instruction, inner })?);
    }
    Ok(events)
}

/// Slot, place in the block, instruction, inner instruction, signature: when an event happened.
type Place = (i64, i64, u32, u32, [u8; 64]);

/// What concerns an account and happened after a slot, newest first.
pub fn since(conn: &Connection, address: &Address, slot: u64) -> Result<Vec<EventRow>> {
    let mut statement = conn.prepare_cached(
        "select e.signature, e.instruction, e.inner, e.slot, e.tx_index, e.block_time, e.program, e.data
         from event_accounts a
         join events e on e.signature = a.signature and e.instruction = a.instruction and e.inner = a.inner
         where a.address = ?1 and a.slot > ?2
         order by a.slot desc, a.tx_index desc, a.instruction desc, a.inner desc",
    )?;
    let rows = statement.query_map(params![address.0, slot as i64], read)?.collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

pub fn read(row: &Row<'_>) -> rusqlite::Result<EventRow> {
    Ok(EventRow {
        key: EventKey { signature: Signature(row.get(0)?), instruction: row.get(1)?, inner: row.get(2)? },
        slot: row.get::<_, i64>(3)? as u64,
        tx_index: row.get::<_, i64>(4)? as u64,
        block_time: row.get(5)?,
        program: Address(row.get(6)?),
        data: row.get(7)?,
    })
}
