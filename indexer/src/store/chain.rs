//! Which chain a database is of.

use super::{Result, StoreError};
use rusqlite::{Connection, OptionalExtension};

/// Remembers the genesis hash, if none was; an error if it was another.
pub fn bind(conn: &Connection, genesis: &str) -> Result<()> {
    conn.prepare_cached("insert into chain (id, genesis) values (1, ?1) on conflict do nothing")?.execute([genesis])?;
    check(conn, genesis)
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
