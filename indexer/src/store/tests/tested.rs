//! The engine that the suite runs on: SQLite, the PostgreSQL server at `JOULE_TEST_POSTGRES`, or the ClickHouse servers at
//! `JOULE_TEST_CLICKHOUSE`.

use super::{
    tables::{Change, Engine, Tables},
    ClickHouse, Postgres, Result, Sqlite,
};
use crate::row::{
    cell::{Cell, Kind},
    inner_tables,
    record::{Cells, Table},
    tables,
};
use std::{
    ops::Deref,
    sync::{
        atomic::{AtomicU64, Ordering},
        Mutex, OnceLock,
    },
};

pub enum Tested {
    Sqlite(Sqlite),
    Postgres(Postgres),
    ClickHouse(Lent),
}

impl Engine for Tested {
    fn read<T>(&self, bounded: bool, act: impl FnOnce(&mut dyn Tables) -> Result<T>) -> Result<T> {
        match self {
            Self::Sqlite(store) => store.read(bounded, act),
            Self::Postgres(store) => store.read(bounded, act),
            Self::ClickHouse(store) => store.read(bounded, act),
        }
    }

    fn read_long<T>(&self, act: impl FnOnce(&mut dyn Tables) -> Result<T>) -> Result<T> {
        match self {
            Self::Sqlite(store) => store.read_long(act),
            Self::Postgres(store) => store.read_long(act),
            Self::ClickHouse(store) => store.read_long(act),
        }
    }

    fn write<T>(&self, act: impl FnOnce(&mut dyn Tables) -> Result<T>) -> Result<T> {
        match self {
            Self::Sqlite(store) => store.write(act),
            Self::Postgres(store) => store.write(act),
            Self::ClickHouse(store) => store.write(act),
        }
    }

    fn write_much<T>(&self, act: impl FnOnce(&mut dyn Tables) -> Result<T>) -> Result<T> {
        match self {
            Self::Sqlite(store) => store.write_much(act),
            Self::Postgres(store) => store.write_much(act),
            Self::ClickHouse(store) => store.write_much(act),
        }
    }
}

impl Tested {
    /// Statements in SQL, behind the store's back.
    pub fn execute(&self, sql: &str) {
        match self {
            Self::Sqlite(store) => store.execute(sql),
            Self::Postgres(store) => store.execute(sql),
            Self::ClickHouse(store) => sql.split(';').for_each(|statement| change(store, statement.trim())),
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

/// A statement for an engine that has none of its kind: `update T set a = 1, b = 'x' where c = 'y'` or `c like 'y%'`, and `delete from T`.
fn change(store: &ClickHouse, statement: &str) {
    let words: Vec<&str> = statement.split_whitespace().collect();
    let (name, is_update) = match words[..] {
        [] => return,
        ["update", name, "set", ..] => (name, true),
        ["delete", "from", name] => (name, false),
        _ => panic!("{statement}"),
    };
    let table = tables().into_iter().chain(inner_tables()).find(|table| table.name == name).expect("a table");
    let rest = statement.split_once(" set ").map_or("", |(_, rest)| rest);
    let (set, condition) = rest.split_once(" where ").unwrap_or((rest, ""));
    let is_meant = |cells: &Cells| {
        let Some((column, text)) = condition.split_once(" = ").or(condition.split_once(" like ")) else { return true };
        let Cell::Name(name) = &cells.row[table.column(column).expect("a column").0] else { return false };
        match text.trim_matches('\'').strip_suffix('%') {
            Some(beginning) => name.starts_with(beginning),
            None => name == text.trim_matches('\''),
        }
    };
    let changed = |before: Cells| {
        let mut now = before.clone();
        for (column, value) in set.split(", ").filter_map(|set| set.split_once(" = ")) {
            let (at, column) = table.column(column).expect("a column");
            now.row[at] = match (column.kind, value) {
                (_, "null") => Cell::Null,
                (Kind::Count | Kind::Amount, number) => Cell::Uint(number.parse().unwrap()),
                (Kind::Sum, number) => Cell::sum(number.parse().unwrap()),
                (_, text) => Cell::Name(text.trim_matches('\'').to_owned().into()),
            };
        }
        Change { before: Some(before), now }
    };
    let write = |tables: &mut dyn Tables, table: &'static Table| {
        let rows: Vec<Cells> = tables.all(table, &[])?.into_iter().filter(|cells| is_meant(cells)).collect();
        if is_update {
            tables.put(table, rows.into_iter().map(changed).collect::<Vec<_>>())
        } else {
            tables.delete(table, rows.iter().map(|cells| cells.row[..table.key].to_vec()).collect())
        }
    };
    store.write(|tables| write(tables, table)).unwrap();
}

/// Cases of a test with random input: `JOULE_TEST_CASES`, or as many as usual, and few where each is hundreds of round trips.
pub fn cases(usual: u32) -> proptest::prelude::ProptestConfig {
    let wanted = std::env::var("JOULE_TEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let few = std::env::var_os("JOULE_TEST_CLICKHOUSE").map(|_| 1);
    proptest::prelude::ProptestConfig::with_cases(wanted.or(few).unwrap_or(usual))
}

/// Databases that are there and that nobody uses: to empty one is quicker than to make one.
static FREE: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// A database at servers, for as long as a test needs it.
pub struct Lent {
    /// `None` when it is given back.
    store: Option<ClickHouse>,
    url: String,
}

impl Deref for Lent {
    type Target = ClickHouse;

    fn deref(&self) -> &ClickHouse {
        self.store.as_ref().expect("it is lent")
    }
}

impl Lent {
    /// The same database, opened by another.
    pub fn again(&self) -> ClickHouse {
        ClickHouse::open(&self.url).unwrap()
    }

    /// The same by one that is told of a server which is not there first.
    pub fn past_one_that_is_away(&self) -> ClickHouse {
        ClickHouse::open(&self.url.replace("://", "://127.0.0.1:1,")).unwrap()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        drop(self.store.take());
        // Replicas take what they were sent before for sent twice, emptied or not.
        if !std::thread::panicking() && !self.url.contains("replicated") {
            FREE.lock().unwrap().push(std::mem::take(&mut self.url));
        }
    }
}

/// Another database at the same servers, which is empty.
pub fn lent(url: &str) -> Lent {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let free = FREE.lock().unwrap().pop();
    let url = match free {
        Some(url) => {
            ClickHouse::empty(&url);
            url
        }
        None => {
            let name = format!("/test_{}_{}?", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
            url.replace("/joule?", &name)
        }
    };
    Lent { store: Some(ClickHouse::open(&url).unwrap()), url }
}
