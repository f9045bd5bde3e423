//! Which chain a database is of.

use crate::store::{Result, StoreError};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};
use std::path::Path;

/// Opens a file to look at it, and leaves it as it is, but for what whoever was killed had not committed: that cannot be told from what is
/// there before it is undone, which needs more than looking.
fn look(path: &Path) -> rusqlite::Result<Connection> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    match tables(&conn) {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ReadOnly) => {
            Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
        }
        found => found.map(|_| conn),
    }
}

fn tables(conn: &Connection) -> rusqlite::Result<i64> {
    conn.query_row("select count(*) from sqlite_schema", [], |row| row.get(0))
}

/// Made, and never written to: what a start leaves that was ended at once.
pub fn is_blank(path: &Path) -> bool {
    look(path).and_then(|conn| tables(&conn)).is_ok_and(|tables| tables == 0)
}

/// Looks at a database that is there, and leaves it as it is: an error if it is none of this indexer's, or of another chain than
/// that of `genesis`.
pub fn database_is_of(path: &Path, genesis: Option<&str>) -> Result<()> {
    let none =
        |error: rusqlite::Error| StoreError::Open { path: path.display().to_string(), reason: error.to_string() };
    let conn = look(path).map_err(none)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_ended_while_it_was_made_is_blank_and_what_it_had_begun_is_undone() {
        let folder = tempfile::tempdir().unwrap();
        let [path, copy] = ["store", "copy"].map(|name| folder.path().join(name));
        let conn = Connection::open(&path).unwrap();
        conn.execute_batch("create table gone (text); drop table gone; pragma cache_size = 1; begin").unwrap();
        // More than the cache holds: some of it is in the file, and the journal says how to undo it.
        conn.execute_batch("create table begun (text); insert into begun select hex(randomblob(500)) from (values (1), (2), (3), (4), (5), (6), (7), (8), (9))")
            .unwrap();
        conn.execute_batch("insert into begun select text from begun; insert into begun select text from begun")
            .unwrap();
        // As it would be if the process were killed now.
        let journal = |path: &Path| {
            path.with_extension("").with_file_name(format!("{}-journal", path.file_name().unwrap().display()))
        };
        std::fs::copy(&path, &copy).unwrap();
        std::fs::copy(journal(&path), journal(&copy)).unwrap();
        let looked = Connection::open_with_flags(&copy, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        assert_eq!(tables(&looked).unwrap_err().sqlite_error_code(), Some(ErrorCode::ReadOnly));
        assert!(is_blank(&copy));
        assert!(database_is_of(&copy, None).unwrap_err().to_string().contains("no such table"));
    }
}
