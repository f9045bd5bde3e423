//! Which chain a database is of.

use crate::store::{Result, StoreError};
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use std::path::Path;

/// Remembers the genesis hash, if none was; an error if it was another.
pub fn bind(conn: &Connection, genesis: &str) -> Result<()> {
    conn.prepare_cached("insert into chain (id, genesis) values (1, ?1) on conflict do nothing")?.execute([genesis])?;
    check(conn, genesis)
}

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
pub fn check(conn: &Connection, genesis: &str) -> Result<()> {
    let mut statement = conn.prepare_cached("select genesis from chain where id = 1")?;
    let stored: Option<String> = statement.query_row([], |row| row.get(0)).optional()?;
    match stored {
        Some(stored) if stored != genesis => Err(StoreError::OtherChain { stored, found: genesis.to_owned() }),
        _ => Ok(()),
    }
}
