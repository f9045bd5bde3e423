//! The indexer's SQLite file.

use super::{
    rows::{Cell, Table},
    Stored, StoredAccount,
};
use crate::truth::{self, EventRow, Letter};
use anyhow::{Context, Result};
use rusqlite::{types::ValueRef, Connection, OpenFlags, OptionalExtension, Row};
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

    fn is_listed(&self) -> Result<bool> {
        Ok(self.0.query_row("select listed from checkpoint", [], |row| row.get(0))?)
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

    fn letters(&self) -> Result<Vec<Letter>> {
        let mut letters = Vec::new();
        self.each("select kind, key from dead_letters", &mut |row| {
            let (kind, key): (String, Vec<u8>) = (row.get(0)?, row.get(1)?);
            letters.push(Letter::of_key(&kind, &key)?);
            Ok(())
        })?;
        Ok(letters)
    }

    fn tables(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        let query = "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' order by name";
        self.each(query, &mut |row| {
            names.push(row.get(0)?);
            Ok(())
        })?;
        Ok(names)
    }

    fn table(&self, name: &str) -> Result<Table> {
        let mut table = Table { name: name.to_owned(), ..Table::default() };
        self.each(&format!("select name, pk from pragma_table_info('{name}')"), &mut |row| {
            if row.get::<_, i64>(1)? > 0 {
                table.key.push(table.columns.len());
            }
            table.columns.push(row.get(0)?);
            Ok(())
        })?;
        let columns = table.columns.len();
        self.each(&format!("select {} from {name}", table.columns.join(", ")), &mut |row| {
            let cells = (0..columns).map(|column| Ok(cell(row.get_ref(column)?))).collect::<Result<Vec<Cell>>>()?;
            table.rows.push(cells);
            Ok(())
        })?;
        Ok(table)
    }
}

fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Number(number),
        ValueRef::Real(number) => Cell::Text(number.to_string()),
        ValueRef::Text(text) => Cell::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Cell::Bytes(bytes.to_vec()),
    }
}
