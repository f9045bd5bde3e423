//! The handler: each value is one statement on one of the pool's connections. Vixen has no writer for PostgreSQL of its own.

use crate::{
    accounts::{each_kind, JouleAccount, Kept},
    column::{Failed, Value},
    events::JouleEvent,
};
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
use futures::TryStreamExt;
use sha2::{Digest, Sha256};
use std::{
    fmt,
    io::{BufWriter, Stdout, Write},
};
use tokio_postgres::{types::ToSql, NoTls};
use yellowstone_vixen::{Handler, HandlerResult};
use yellowstone_vixen_core::{instruction::InstructionUpdate, AccountUpdate};

const EVENTS: &str =
    "create table if not exists events (signature bytea, path integer[], slot bigint not null, name text not null, \
                      data bytea not null, primary key (signature, path))";
const EVENT: &str =
    "insert into events (signature, path, slot, name, data) values ($1, $2, $3, $4, $5) on conflict do nothing";

#[derive(Clone)]
pub struct Store(Pool);

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store")
    }
}

impl Store {
    pub async fn open(database: &str, connections: usize) -> Result<Self, Failed> {
        let config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(database.parse()?, NoTls, config);
        Ok(Self(Pool::builder(manager).max_size(connections).build()?))
    }

    pub async fn make(&self) -> Result<(), Failed> {
        let client = self.0.get().await?;
        macro_rules! make {
            ($name:ident) => {
                client.batch_execute(&crate::accounts::$name::table_sql()).await?;
            };
        }
        each_kind!(make);
        Ok(client.batch_execute(EVENTS).await?)
    }

    async fn execute(&self, statement: &str, values: &[Value]) -> HandlerResult<()> {
        let client = self.0.get().await?;
        let statement = client.prepare_cached(statement).await?;
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect();
        client.execute(&statement, &values).await?;
        Ok(())
    }

    /// What is stored, for whoever compares it with the chain: a line an account with its address, slot, write version and the SHA-256
    /// of the bytes that its columns make, and how many events there are.
    pub async fn dump(&self) -> Result<(), Failed> {
        let mut out = BufWriter::new(std::io::stdout());
        macro_rules! kind {
            ($name:ident) => {
                self.dump_kind::<crate::accounts::$name>(&mut out).await?;
            };
        }
        each_kind!(kind);
        let events: i64 = self.0.get().await?.query_one("select count(*) from events", &[]).await?.try_get(0)?;
        writeln!(out, "events {events}")?;
        Ok(out.flush()?)
    }

    async fn dump_kind<T: Kept>(&self, out: &mut BufWriter<Stdout>) -> Result<(), Failed> {
        let client = self.0.get().await?;
        let none: [i64; 0] = [];
        let rows = client.query_raw(&format!("select * from {}", T::TABLE), none).await?;
        futures::pin_mut!(rows);
        while let Some(row) = rows.try_next().await? {
            let (address, slot): (Vec<u8>, i64) = (row.try_get("address")?, row.try_get("slot")?);
            let (version, data): (i64, _) = (row.try_get("write_version")?, Sha256::digest(T::read(&row)?.data()));
            writeln!(out, "account {} {slot} {version} {}", hex::encode(address), hex::encode(data))?;
        }
        Ok(())
    }
}

impl Handler<JouleAccount, AccountUpdate> for Store {
    async fn handle(&self, account: &JouleAccount, update: &AccountUpdate) -> HandlerResult<()> {
        let inner = update.account.as_ref().ok_or("an update without its account")?;
        let mut values: Vec<Value> = vec![
            Box::new(inner.pubkey.clone()),
            Box::new(update.slot as i64),
            Box::new(inner.write_version as i64),
            Box::new(inner.lamports as i64),
        ];
        values.extend(account.values());
        self.execute(account.upsert(), &values).await
    }
}

impl Handler<JouleEvent, InstructionUpdate> for Store {
    async fn handle(&self, event: &JouleEvent, instruction: &InstructionUpdate) -> HandlerResult<()> {
        let path: Vec<i32> = instruction.path.as_slice().iter().map(|place| *place as i32).collect();
        let values: [Value; 5] = [
            Box::new(instruction.shared.signature.clone()),
            Box::new(path),
            Box::new(instruction.shared.slot as i64),
            Box::new(event.name),
            Box::new(event.data.clone()),
        ];
        self.execute(EVENT, &values).await
    }
}
