//! The indexer's database in PostgreSQL.

use super::{
    rows::{Cell, Table},
    Stored, StoredAccount,
};
use crate::truth::{self, EventRow, Letter};
use anyhow::{bail, Context, Result};
use futures::TryStreamExt;
use std::{future::Future, pin::pin};
use tokio::{runtime::Handle, task::block_in_place};
use tokio_postgres::{Client, NoTls, Row};

pub struct Postgres(Client);

fn wait<T>(future: impl Future<Output = T>) -> T {
    block_in_place(|| Handle::current().block_on(future))
}

impl Postgres {
    pub fn open(url: &str) -> Result<Self> {
        let (client, connection) =
            wait(tokio_postgres::connect(url, NoTls)).context("cannot connect to the database")?;
        tokio::spawn(connection);
        Ok(Self(client))
    }

    fn each(&self, query: &str, each: &mut dyn FnMut(&Row) -> Result<()>) -> Result<()> {
        wait(async {
            let none: [i64; 0] = [];
            let mut rows = pin!(self.0.query_raw(query, none).await?);
            while let Some(row) = rows.try_next().await? {
                each(&row)?;
            }
            Ok(())
        })
    }

    fn texts(&self, query: &str) -> Result<Vec<String>> {
        let mut texts = Vec::new();
        self.each(query, &mut |row| {
            texts.push(row.try_get(0)?);
            Ok(())
        })?;
        Ok(texts)
    }
}

fn array<const N: usize>(row: &Row, place: usize) -> Result<[u8; N]> {
    let bytes: &[u8] = row.try_get(place)?;
    bytes.try_into().with_context(|| format!("a column has {} bytes and not {N}", bytes.len()))
}

fn number(row: &Row, place: usize) -> Result<u64> {
    Ok(row.try_get::<_, i64>(place)? as u64)
}

impl Stored for Postgres {
    fn checkpoint(&self) -> Result<Option<u64>> {
        let row = wait(self.0.query_opt("select slot::bigint from checkpoint", &[]))?;
        row.map(|row| number(&row, 0)).transpose()
    }

    fn is_listed(&self) -> Result<bool> {
        Ok(wait(self.0.query_one("select listed from checkpoint", &[]))?.try_get(0)?)
    }

    fn accounts(&self, each: &mut dyn FnMut(StoredAccount) -> Result<()>) -> Result<()> {
        let query =
            "select address, slot::bigint, write_version::bigint, lamports::bigint, data, closed from accounts \
                     order by address";
        self.each(query, &mut |row| {
            each(StoredAccount {
                address: array(row, 0)?,
                slot: number(row, 1)?,
                write_version: number(row, 2)?,
                lamports: number(row, 3)?,
                data: truth::hash(row.try_get(4)?),
                closed: row.try_get(5)?,
            })
        })
    }

    fn events(&self, each: &mut dyn FnMut(EventRow) -> Result<()>) -> Result<()> {
        let query = "select signature, instruction, \"inner\" from events order by signature, instruction, \"inner\"";
        self.each(query, &mut |row| {
            each(EventRow {
                signature: array(row, 0)?,
                instruction: number(row, 1)?.try_into()?,
                inner: number(row, 2)?.try_into()?,
            })
        })
    }

    fn letters(&self) -> Result<Vec<Letter>> {
        let mut letters = Vec::new();
        self.each("select kind, key from dead_letters", &mut |row| {
            letters.push(Letter::of_key(row.try_get(0)?, row.try_get(1)?)?);
            Ok(())
        })?;
        Ok(letters)
    }

    fn tables(&self) -> Result<Vec<String>> {
        // SQLite keeps its version elsewhere.
        self.texts(
            "select tablename::text from pg_tables where schemaname = current_schema() and tablename <> 'schema_version' \
             order by tablename collate \"C\"",
        )
    }

    fn table(&self, name: &str) -> Result<Table> {
        let of = "from pg_attribute where attrelid = to_regclass('NAME') and attnum > 0 order by attnum"
            .replace("NAME", name);
        let columns = self.texts(&format!("select attname::text {of}"))?;
        let key = self.texts(&format!(
            "select attname::text from pg_index join pg_attribute on attrelid = indrelid and attnum = any(indkey) \
             where indrelid = to_regclass('{name}') and indisprimary order by array_position(indkey::int2[], attnum)"
        ))?;
        let place = |name: &String| columns.iter().position(|column| column == name).context("a key of no column");
        let mut table =
            Table { name: name.to_owned(), key: key.iter().map(place).collect::<Result<_>>()?, ..Table::default() };
        let kinds = self.texts(&format!("select atttypid::regtype::text {of}"))?;
        let read = |(name, kind): (&String, &String)| match kind.as_str() {
            "bytea" => format!("\"{name}\""),
            "boolean" => format!("(\"{name}\"::int)::text"),
            _ => format!("\"{name}\"::text"),
        };
        let reads: Vec<String> = columns.iter().zip(&kinds).map(read).collect();
        self.each(&format!("select {} from {name}", reads.join(", ")), &mut |row| {
            let cell = |(place, kind): (usize, &String)| cell(row, place, kind);
            table.rows.push(kinds.iter().enumerate().map(cell).collect::<Result<_>>()?);
            Ok(())
        })?;
        table.columns = columns;
        Ok(table)
    }
}

fn cell(row: &Row, place: usize, kind: &str) -> Result<Cell> {
    if kind == "bytea" {
        let bytes: Option<Vec<u8>> = row.try_get(place)?;
        return Ok(bytes.map_or(Cell::Null, Cell::Bytes));
    }
    let Some(text) = row.try_get::<_, Option<String>>(place)? else { return Ok(Cell::Null) };
    Ok(match (kind, text.parse()) {
        ("text", _) => Cell::Text(text),
        // SQLite's integers end there too.
        ("boolean" | "bigint" | "numeric", Ok(number)) => Cell::Number(number),
        ("numeric", Err(_)) => Cell::Text(text),
        _ => bail!("a column of {kind} is {text}"),
    })
}
