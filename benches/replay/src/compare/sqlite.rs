//! The indexer's SQLite file.

use super::{Stored, StoredAccount};
use crate::truth::{self, EventRow};
use anyhow::{Context, Result};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row};
use std::path::Path;

pub struct Sqlite(Connection);

impl Sqlite {
    pub fn open(path: &Path) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(path, flags);
        Ok(Self(conn.with_context(|| format!("cannot open {}", path.display()))?))
    }

    fn each(&self, query: &str, each: &mut dyn FnMut(&Row) -> Result<()>) -> Result<()> {
        let mut statement = self.0.prepare(query)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            each(row)?;
        }
        Ok(())
    }
}

impl Stored for Sqlite {
    fn checkpoint(&self) -> Result<Option<u64>> {
        let slot: Option<i64> = self.0.query_row("select slot from checkpoint", [], |row| row.get(0)).optional()?;
        Ok(slot.map(|slot| slot as u64))
    }

    fn accounts(&self, each: &mut dyn FnMut(StoredAccount) -> Result<()>) -> Result<()> {
        let query = "select address, slot, write_version, lamports, data, closed from accounts order by address";
        self.each(query, &mut |row| {
            let number = |place| row.get::<_, i64>(place).map(|number| number as u64);
            each(StoredAccount {
                address: row.get(0)?,
                slot: number(1)?,
                write_version: number(2)?,
                lamports: number(3)?,
                data: truth::hash(row.get_ref(4)?.as_blob()?),
                closed: row.get(5)?,
            })
        })
    }

    fn events(&self, each: &mut dyn FnMut(EventRow) -> Result<()>) -> Result<()> {
        let query = "select signature, instruction, inner from events order by signature, instruction, inner";
        self.each(query, &mut |row| {
            each(EventRow { signature: row.get(0)?, instruction: row.get(1)?, inner: row.get(2)? })
        })
    }
}
