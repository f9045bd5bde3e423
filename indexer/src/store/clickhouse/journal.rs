//! A batch is there whole or not at all: it is written to the journal first, and from there to the tables. Rows of one version that are
//! written again replace themselves, so that a batch that was cut off is written again by whoever opens the store next.

use super::{
    value::{put_bytes, Input},
    wire::{Bound, Wire},
    writing::Insert,
};
use crate::store::{Result, StoreError};
use bytes::Bytes;

/// Of a row of the journal.
const PART: usize = 4 << 20;

/// Of the batches.
#[derive(Debug, Clone, Copy, Default)]
pub struct State {
    /// The number of the last one that is in the tables.
    pub version: u64,
    /// The journal may have one more.
    pub pending: bool,
}

const INTO: &str = "journal (id, part, parts, statement, target, body, _version)";
const APPLIED: &str = "applied (id, _version)";

fn damaged() -> StoreError {
    StoreError::Damaged("journal".to_owned(), "a part of it cannot be read".to_owned())
}

fn number(wire: &Wire, sql: &str) -> Result<u64> {
    let answer = wire.select(sql, Bound::default(), &[])?;
    // The highest of none is no row on some servers.
    Ok(Input(&answer).uint().unwrap_or_default())
}

/// The number of the last batch that is in the tables.
pub fn applied(wire: &Wire) -> Result<u64> {
    number(wire, "select max(_version) from applied where id = 1")
}

/// Writes a batch to the journal. With the last of its parts it is there.
pub fn commit(wire: &Wire, version: u64, inserts: &[Insert]) -> Result<()> {
    commit_some(wire, version, inserts, usize::MAX)
}

/// As many of the parts.
pub fn commit_some(wire: &Wire, version: u64, inserts: &[Insert], some: usize) -> Result<()> {
    let part = |(statement, Insert { into, rows }): (usize, &Insert)| {
        let bodies = (0..rows.len()).step_by(PART).map(|from| rows.slice(from..rows.len().min(from + PART)));
        bodies.map(move |body| (statement, into.clone(), body)).collect::<Vec<_>>()
    };
    let parts: Vec<_> = inserts.iter().enumerate().flat_map(part).collect();
    let mut journalled = Vec::new();
    for (at, (statement, into, body)) in parts.iter().enumerate().take(some) {
        journalled.push(1);
        for number in [at, parts.len(), *statement] {
            journalled.extend_from_slice(&(number as u32).to_le_bytes());
        }
        put_bytes(into.as_bytes(), &mut journalled);
        put_bytes(body, &mut journalled);
        journalled.extend_from_slice(&version.to_le_bytes());
    }
    wire.insert(INTO, journalled.into())
}

/// Writes a batch to its tables.
pub fn apply(wire: &Wire, version: u64, inserts: Vec<Insert>) -> Result<()> {
    wire.insert_all(inserts.into_iter().map(|Insert { into, rows }| (into, rows)).collect())?;
    let mut applied = vec![1];
    applied.extend_from_slice(&version.to_le_bytes());
    wire.insert(APPLIED, applied.into())
}

/// Writes to its tables what the journal has and they may not; says which batch is the last.
pub fn settle(wire: &Wire) -> Result<u64> {
    let applied = applied(wire)?;
    let journalled = number(wire, "select max(_version) from journal where id = 1")?;
    if journalled <= applied {
        return Ok(applied);
    }
    match read(wire, journalled)? {
        Some(inserts) => {
            tracing::info!(batch = journalled, "a batch that was cut off is written again");
            apply(wire, journalled, inserts)?;
            Ok(journalled)
        }
        // It was cut off while it was written to the journal: it is not there. Its number is not used again, so that nothing of two
        // batches is taken for one.
        None => Ok(journalled),
    }
}

/// A batch of the journal, if it is there whole.
fn read(wire: &Wire, version: u64) -> Result<Option<Vec<Insert>>> {
    let sql = format!(
        "select part, parts, statement, target, body from journal where id = 1 and _version = {version} order by part limit 1 by part"
    );
    let answer = wire.select(&sql, Bound::default(), &[])?;
    let (mut input, mut found, mut count, mut wanted) = (Input(&answer), Vec::<(u32, String, Vec<u8>)>::new(), 0, 0);
    while !input.0.is_empty() {
        let mut small = || -> Option<u32> { Some(u32::from_le_bytes(input.take(4)?.try_into().ok()?)) };
        let (part, parts, statement) = (small(), small(), small());
        let (Some(part), Some(parts), Some(statement)) = (part, parts, statement) else { return Err(damaged()) };
        let (Some(into), Some(body)) = (input.bytes(), input.bytes()) else { return Err(damaged()) };
        if part != count {
            return Ok(None);
        }
        (count, wanted) = (count + 1, parts);
        match found.last_mut() {
            Some((last, _, rows)) if *last == statement => rows.extend_from_slice(body),
            _ => found.push((statement, String::from_utf8_lossy(into).into_owned(), body.to_vec())),
        }
    }
    let insert = |(_, into, rows): (u32, String, Vec<u8>)| Insert { into, rows: Bytes::from(rows) };
    Ok((count == wanted && count > 0).then(|| found.into_iter().map(insert).collect()))
}
