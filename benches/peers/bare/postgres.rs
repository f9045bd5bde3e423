//! PostgreSQL: `COPY BINARY` into a staging table, and a guarded upsert from there, in one transaction.

use super::{definition, guarded, jobs, slot, Store};
use anyhow::{Context, Result};
use joule_indexer::row::cell::Cell;
use joule_replay::drive::place::Database;
use std::{
    collections::{BTreeMap, HashMap},
    future::Future,
    pin::pin,
};
use tokio::{runtime::Handle, task::block_in_place};
use tokio_postgres::{
    binary_copy::BinaryCopyInWriter,
    types::{ToSql, Type},
    Client, NoTls,
};

const TABLES: &str = include_str!("../../../indexer/migrations/postgres/0001_tables.sql");

pub struct Postgres {
    database: Database,
    client: Client,
    types: Vec<Type>,
    merge: String,
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    block_in_place(|| Handle::current().block_on(future))
}

impl Postgres {
    pub async fn make(server: &str) -> Result<Self> {
        let database = Database::make(server).await?;
        let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.context("cannot connect")?;
        tokio::spawn(connection);
        client.batch_execute(&definition(TABLES, "\n);")?).await?;
        client.batch_execute("create temp table staged (like jobs) on commit delete rows").await?;
        let places: Vec<String> = (1..=jobs().columns.len()).map(|place| format!("${place}")).collect();
        let insert = client.prepare(&format!("insert into staged values ({})", places.join(", "))).await?;
        let merge = format!("insert into jobs select * from staged {}", guarded());
        Ok(Self { database, types: insert.params().to_vec(), client, merge })
    }

    async fn merge(&self, rows: &[Vec<Cell>]) -> Result<()> {
        // A merge takes an address once; in the order of their keys they are found faster.
        let mut last: BTreeMap<&Cell, &Vec<Cell>> = BTreeMap::new();
        for row in rows {
            let known = last.entry(&row[0]).or_insert(row);
            if known[slot()] <= row[slot()] {
                *known = row;
            }
        }
        self.client.batch_execute("begin").await?;
        let sink = self.client.copy_in("copy staged from stdin binary").await?;
        let mut writer = pin!(BinaryCopyInWriter::new(sink, &self.types));
        for row in last.values() {
            writer.as_mut().write_raw(row.iter().map(|cell| cell as &dyn ToSql)).await?;
        }
        writer.finish().await?;
        self.client.batch_execute(&self.merge).await?;
        Ok(self.client.batch_execute("commit").await?)
    }
}

impl Store for Postgres {
    fn put(&mut self, rows: &[Vec<Cell>]) -> Result<()> {
        wait(self.merge(rows))
    }

    fn stored(&mut self) -> Result<HashMap<Vec<u8>, u64>> {
        let rows = wait(self.client.query("select address, slot::bigint from jobs", &[]))?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get::<_, i64>(1)? as u64))).collect()
    }

    fn durability(&self) -> Result<String> {
        wait(self.database.settings())
    }

    fn usage(&self) -> Result<Option<f64>> {
        self.database.usage().map(Some)
    }

    fn remove(self: Box<Self>) -> Result<()> {
        wait(self.database.remove())
    }
}
