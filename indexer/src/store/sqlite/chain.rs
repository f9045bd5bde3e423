//! Which chain a database is of.

use crate::store::{Result, StoreError};
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use std::path::Path;

/// Looks at a database that is there, and leaves it as it is: an error if it is none of this indexer's, or of another chain than
/// that of `genesis`.
pub fn database_is_of(path: &Path, genesis: Option<&str>) -> Result<()> {
    let none =
        |error: rusqlite::Error| StoreError::Open { path: path.display().to_string(), reason: error.to_string() };
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(none)?;
    // Reads the schema, which no other file has.
    conn.prepare("select genesis from chain").map_err(none)?;
    genesis.map_or(Ok(()), |genesis| check(&conn, genesis))
}

/// An error if another is known.
fn check(conn: &Connection, genesis: &str) -> Result<()> {
    let mut statement = conn.prepare_cached("select genesis from chain where id = 1")?;
    let stored: Option<String> = statement.query_row([], |row| row.get(0)).optional()?;
    match stored {
        Some(stored) if stored != genesis => Err(StoreError::OtherChain { stored, found: genesis.to_owned() }),
        _ => Ok(()),
    }
}
