//! How far the store has come.

use crate::store::{Checkpoint, Result};
use rusqlite::{params, Connection, OptionalExtension};

pub fn get(conn: &Connection) -> Result<Option<Checkpoint>> {
    let mut statement = conn.prepare_cached("select slot, finalized from checkpoint where id = 1")?;
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Checkpoint { slot: row.get::<_, i64>(0)? as u64, finalized: row.get::<_, i64>(1)? as u64 })
    };
    Ok(statement.query_row([], read).optional()?)
}

/// Moves forward only.
pub fn advance(conn: &Connection, slot: u64, finalized: u64) -> Result<()> {
    conn.prepare_cached(
        "insert into checkpoint (id, slot, finalized) values (1, ?1, ?2)
         on conflict (id) do update set
             slot = max(slot, excluded.slot), finalized = max(finalized, excluded.finalized)",
    )?
    .execute(params![slot as i64, finalized as i64])?;
    Ok(())
}
