//! What could not be decoded, kept for a version that can.

use crate::{
    row::dead_letter::{Letter, UnreadRow},
    store::Result,
    types::{Address, Signature, Unread},
};
use rusqlite::{params, Connection};

pub fn put(conn: &Connection, letter: &Letter, program: &Address, slot: u64, data: &[u8], reason: &str) -> Result<()> {
    conn.prepare_cached(
        "insert into dead_letters (key, kind, program, slot, data, reason) values (?1, ?2, ?3, ?4, ?5, ?6)
         on conflict (key) do update set
             slot = excluded.slot, program = excluded.program, data = excluded.data, reason = excluded.reason",
    )?
    .execute(params![letter.key(), letter.kind(), program.0, slot as i64, data, reason])?;
    Ok(())
}

/// False when it is kept already.
pub fn put_unread(conn: &Connection, row: &UnreadRow, unread: &Unread) -> Result<bool> {
    let letter = Letter::Transaction(row.signature);
    let mut statement = conn.prepare_cached(
        "insert into dead_letters (key, kind, program, slot, data, reason, tx_index) values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         on conflict do nothing",
    )?;
    let (slot, index) = (row.slot as i64, row.index as i64);
    // Which programs it called is not known.
    let program = Address::SYSTEM.0;
    Ok(statement.execute(params![letter.key(), letter.kind(), program, slot, unread.data, unread.reason, index])? > 0)
}

/// Oldest first.
pub fn unread(conn: &Connection) -> Result<Vec<UnreadRow>> {
    let mut statement = conn.prepare_cached(
        "select key, slot, tx_index from dead_letters where kind = 'transaction' order by slot, tx_index",
    )?;
    let rows = statement.query_map([], |row| {
        let (slot, index) = (row.get::<_, i64>(1)? as u64, row.get::<_, i64>(2)? as u64);
        Ok(UnreadRow { signature: Signature(row.get(0)?), slot, index })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub fn remove(conn: &Connection, letter: &Letter) -> Result<()> {
    conn.prepare_cached("delete from dead_letters where key = ?1")?.execute([letter.key()])?;
    Ok(())
}

pub fn all(conn: &Connection) -> Result<Vec<Letter>> {
    let mut statement = conn.prepare_cached("select key from dead_letters order by slot")?;
    let keys = statement.query_map([], |row| row.get::<_, Vec<u8>>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(keys.iter().filter_map(|key| Letter::parse(key)).collect())
}

pub fn count(conn: &Connection) -> Result<u64> {
    Ok(conn.prepare_cached("select count(*) from dead_letters")?.query_row([], |row| row.get::<_, i64>(0))? as u64)
}
