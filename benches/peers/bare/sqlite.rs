//! SQLite: one prepared statement, guarded, and a transaction for each batch; the settings are the indexer's.

use super::{definition, guarded, jobs, Store};
use anyhow::Result;
use joule_indexer::row::cell::Cell;
use rusqlite::{params_from_iter, Connection};
use std::collections::HashMap;
use tempfile::TempDir;

const TABLES: &str = include_str!("../../../indexer/migrations/0010_rows_in_order.sql");
const SETTINGS: &str = "pragma journal_mode = wal; pragma synchronous = normal; pragma wal_autocheckpoint = 16384; \
                        pragma cache_size = -32768; pragma temp_store = memory;";

pub struct Sqlite {
    conn: Connection,
    insert: String,
    _folder: TempDir,
}

impl Sqlite {
    pub fn make() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let conn = Connection::open(folder.path().join("bare.sqlite"))?;
        conn.execute_batch(SETTINGS)?;
        conn.execute_batch(&definition(TABLES, ") strict;")?)?;
        let places = vec!["?"; jobs().columns.len()].join(", ");
        Ok(Self { conn, insert: format!("insert into jobs values ({places}) {}", guarded()), _folder: folder })
    }
}

impl Store for Sqlite {
    fn put(&mut self, rows: &[Vec<Cell>]) -> Result<()> {
        let transaction = self.conn.transaction()?;
        let mut insert = transaction.prepare_cached(&self.insert)?;
        for row in rows {
            insert.execute(params_from_iter(row))?;
        }
        drop(insert);
        Ok(transaction.commit()?)
    }

    fn stored(&mut self) -> Result<HashMap<Vec<u8>, u64>> {
        let mut statement = self.conn.prepare("select address, slot from jobs")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn usage(&self) -> Result<Option<f64>> {
        Ok(None)
    }

    fn remove(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}
