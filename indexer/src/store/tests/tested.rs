//! The engine that the suite runs on: SQLite, or the PostgreSQL server at `JOULE_TEST_POSTGRES`.

use super::{
    tables::{Engine, Tables},
    Postgres, Result, Sqlite,
};
use std::sync::{
    atomic::{AtomicU64, Ordering},
    OnceLock,
};

pub enum Tested {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl Engine for Tested {
    fn read<T>(&self, bounded: bool, act: impl FnOnce(&mut dyn Tables) -> Result<T>) -> Result<T> {
        match self {
            Self::Sqlite(store) => store.read(bounded, act),
            Self::Postgres(store) => store.read(bounded, act),
        }
    }

    fn read_long<T>(&self, act: impl FnOnce(&mut dyn Tables) -> Result<T>) -> Result<T> {
        match self {
            Self::Sqlite(store) => store.read_long(act),
            Self::Postgres(store) => store.read_long(act),
        }
    }

    fn write<T>(&self, act: impl FnOnce(&mut dyn Tables) -> Result<T>) -> Result<T> {
        match self {
            Self::Sqlite(store) => store.write(act),
            Self::Postgres(store) => store.write(act),
        }
    }
}

impl Tested {
    /// Statements in SQL, behind the store's back.
    pub fn execute(&self, sql: &str) {
        match self {
            Self::Sqlite(store) => store.execute(sql),
            Self::Postgres(store) => store.execute(sql),
        }
    }
}

/// A new database at a server, whose tables are there already. The server is thrown away as a whole.
pub fn database(url: &str) -> Postgres {
    static TEMPLATE: OnceLock<()> = OnceLock::new();
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let server = Postgres::server(&format!("{url}/postgres"));
    let template = format!("template_{}", std::process::id());
    TEMPLATE.get_or_init(|| {
        server.execute(&format!("drop database if exists {template}"));
        server.execute(&format!("create database {template}"));
        drop(Postgres::open(&format!("{url}/{template}")).unwrap());
        // Nobody may be connected to what is copied.
        let ended = format!("select pg_terminate_backend(pid) from pg_stat_activity where datname = '{template}'");
        server.execute(&ended);
    });
    let name = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    server.execute(&format!("create database {name} template {template}"));
    Postgres::open(&format!("{url}/{name}")).unwrap()
}
