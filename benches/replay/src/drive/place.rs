//! Where the store is: a file, or a new database of a PostgreSQL server on this machine.

use super::child;
use crate::compare::{self, Stored};
use anyhow::{bail, Context, Result};
use std::{
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};
use tokio_postgres::{Client, NoTls};

pub enum Place {
    Sqlite(PathBuf),
    Postgres(Database),
}

impl Place {
    pub async fn make(postgres: Option<&str>, file: PathBuf) -> Result<Self> {
        match postgres {
            Some(server) => Ok(Self::Postgres(Database::make(server).await?)),
            None if file.exists() => bail!("{} is there already; the store has to be empty", file.display()),
            None => Ok(Self::Sqlite(file)),
        }
    }

    /// As an indexer is told of it.
    pub fn database(&self) -> String {
        match self {
            Self::Sqlite(file) => file.display().to_string(),
            Self::Postgres(database) => database.url.clone(),
        }
    }

    pub fn open(&self) -> Result<Box<dyn Stored>> {
        match self {
            Self::Sqlite(file) => compare::open(file),
            Self::Postgres(database) => compare::open_postgres(&database.url),
        }
    }

    /// CPU seconds of the store's own processes so far, if it has some.
    pub fn usage(&self) -> Result<Option<f64>> {
        match self {
            Self::Sqlite(_) => Ok(None),
            Self::Postgres(database) => database.usage().map(Some),
        }
    }

    /// What the store's server does for durability, if it has one.
    pub async fn settings(&self) -> Result<String> {
        match self {
            Self::Sqlite(_) => Ok(String::new()),
            Self::Postgres(database) => database.settings().await,
        }
    }

    pub async fn remove(self) -> Result<()> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(database) => database.remove().await,
        }
    }
}

pub struct Database {
    pub url: String,
    name: String,
    admin: Client,
    /// The process that all of PostgreSQL's others are children of.
    server: u32,
}

impl Database {
    pub async fn make(server: &str) -> Result<Self> {
        let of = |name: &str| format!("{}/{name}", server.trim_end_matches('/'));
        let (admin, connection) =
            tokio_postgres::connect(&of("postgres"), NoTls).await.context("cannot connect to the PostgreSQL server")?;
        tokio::spawn(connection);
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("drive_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        admin.batch_execute(&format!("create database {name}")).await?;
        // So that what was written before costs this run nothing.
        admin.batch_execute("checkpoint").await?;
        let backend: i32 = admin.query_one("select pg_backend_pid()", &[]).await?.try_get(0)?;
        let server = child::parent(backend as u32).context("the PostgreSQL server has to be on this machine")?;
        Ok(Self { url: of(&name), name, admin, server })
    }

    /// CPU seconds of all of PostgreSQL so far.
    pub fn usage(&self) -> Result<f64> {
        child::family_usage(self.server)
    }

    /// What it does before it says that something is stored.
    pub async fn settings(&self) -> Result<String> {
        let names = ["fsync", "synchronous_commit", "full_page_writes"];
        let query =
            "select string_agg(name || '=' || setting, ' ' order by name) from pg_settings where name = any($1)";
        Ok(self.admin.query_one(query, &[&names.as_slice()]).await?.try_get(0)?)
    }

    /// How long nobody has asked it anything; `None` while somebody does, or nobody is connected.
    pub async fn idle(&self) -> Result<Option<Duration>> {
        let query =
            "select bool_and(state = 'idle'), extract(epoch from clock_timestamp() - max(state_change))::float8 \
                     from pg_stat_activity where datname = $1 and backend_type = 'client backend'";
        let row = self.admin.query_one(query, &[&self.name]).await?;
        let (is_idle, seconds): (Option<bool>, Option<f64>) = (row.try_get(0)?, row.try_get(1)?);
        Ok(seconds.filter(|_| is_idle == Some(true)).map(|seconds| Duration::from_secs_f64(seconds.max(0.0))))
    }

    pub async fn remove(self) -> Result<()> {
        Ok(self.admin.batch_execute(&format!("drop database {} with (force)", self.name)).await?)
    }
}
