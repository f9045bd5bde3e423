//! Statements and what they answer, for whoever may wait, from any thread.

use super::servers::Servers;
use crate::store::{
    postgres::{wait, with_causes, Tls},
    Result, StoreError,
};
use bytes::Bytes;
use clickhouse::{query::BytesCursor, Client};
use hyper_util::{client::legacy::connect::HttpConnector, rt::TokioExecutor};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use tokio::runtime::Handle;

/// Servers close what is idle after three seconds.
const IDLE: Duration = Duration::from_secs(2);
const CONNECT: Duration = Duration::from_secs(10);
/// A statement may hold some thousand keys.
const STATEMENT: &str = "1073741824";
/// What is sorted goes to the server's disk beyond this.
const SORTED: &str = "1073741824";
/// A part of what is inserted.
const CHUNK: usize = 1 << 20;

/// Seconds that a question may take.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bound(pub Option<u32>);

/// Servers, any of which can be asked.
pub struct Wire {
    servers: Vec<Client>,
    /// Which one is asked: the one that answered last.
    asked: AtomicUsize,
    runtime: Handle,
}

impl Wire {
    pub fn new(servers: &Servers, runtime: Handle) -> Self {
        let client = |url: &String| {
            let mut tcp = HttpConnector::new();
            tcp.enforce_http(false);
            tcp.set_connect_timeout(Some(CONNECT));
            tcp.set_keepalive(Some(Duration::from_secs(30)));
            tcp.set_nodelay(true);
            let tls = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config((*Tls::new().0).clone());
            let connector = tls.https_or_http().enable_http1().wrap_connector(tcp);
            let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new())
                .pool_timer(hyper_util::rt::TokioTimer::new())
                .pool_idle_timeout(IDLE)
                .build(connector);
            let mut client = Client::with_http_client(http)
                .with_url(url)
                .with_database(&servers.database)
                .with_validation(false)
                // An error within an answer is an error, and no end of it.
                .with_option("wait_end_of_query", "1")
                .with_option("max_query_size", STATEMENT)
                .with_option("max_ast_elements", "100000000")
                .with_option("max_expanded_ast_elements", "100000000")
                .with_option("max_bytes_before_external_sort", SORTED)
                // Whoever has inserted knows that it is there.
                .with_option("insert_distributed_sync", "1")
                // Keys that are looked for within a shard are those of the shard.
                .with_option("distributed_product_mode", "local")
                // Of replicas the first that lives: who writes to one reads from the same.
                .with_option("load_balancing", "in_order");
            if let Some(user) = &servers.user {
                client = client.with_user(user);
            }
            if let Some(password) = &servers.password {
                client = client.with_password(password);
            }
            servers.settings.iter().fold(client, |client, (name, value)| client.with_option(name, value))
        };
        Self { servers: servers.urls.iter().map(client).collect(), asked: AtomicUsize::new(0), runtime }
    }

    pub fn runtime(&self) -> &Handle {
        &self.runtime
    }

    pub fn count(&self) -> usize {
        self.servers.len()
    }

    /// Finds one that answers.
    pub fn reach(&self) -> Result<()> {
        let ask = || self.select_from_system("select 1").map(drop);
        let mut answered = ask();
        for _ in 1..self.servers.len() {
            if !answered.as_ref().is_err_and(StoreError::is_away) {
                break;
            }
            answered = ask();
        }
        answered
    }

    /// The one that is asked, and which it is.
    fn server(&self) -> (usize, &Client) {
        let at = self.asked.load(Ordering::Relaxed);
        (at, &self.servers[at])
    }

    /// After a failure: another is asked from now on if this one cannot be reached.
    fn failed(&self, at: usize, error: StoreError) -> StoreError {
        if error.is_away() {
            let next = (at + 1) % self.servers.len();
            let _ = self.asked.compare_exchange(at, next, Ordering::Relaxed, Ordering::Relaxed);
        }
        error
    }

    /// A statement without an answer, at one of the servers, outside of any database where there is none yet.
    pub fn execute_at(&self, at: usize, database: Option<&str>, sql: &str) -> Result<()> {
        let mut client = self.servers[at].clone();
        if let Some(database) = database {
            client = client.with_database(database);
        }
        let sql = sql.replace('?', "??");
        wait(&self.runtime, async move { client.query(&sql).execute().await.map_err(StoreError::from) })
    }

    /// Empties every table that has rows but that of the schema's version, at one of the servers.
    #[cfg(test)]
    pub fn empty(&self, at: usize, database: &str) {
        let client = self.servers[at].clone();
        let asked = format!(
            "select distinct table from system.parts where active and database = '{database}' and table not like 'schema_version%'"
        );
        let tables = wait(&self.runtime, async move {
            client.query(&asked).fetch_bytes("TabSeparated")?.collect().await.map_err(StoreError::from)
        });
        for table in std::str::from_utf8(&tables.unwrap()).unwrap().lines() {
            self.execute_at(at, None, &format!("truncate table {table}")).unwrap();
        }
    }

    /// The answer in another format.
    #[cfg(test)]
    pub fn formatted(&self, sql: &str, format: &str, alone: bool) -> Vec<u8> {
        let mut client = self.server().1.clone();
        if alone {
            client = client.with_option("distributed_group_by_no_merge", "1");
        }
        let (sql, format) = (sql.replace('?', "??"), format.to_owned());
        let answer = wait(&self.runtime, async move {
            client.query(&sql).fetch_bytes(format)?.collect().await.map_err(StoreError::from)
        });
        answer.unwrap().to_vec()
    }

    /// The answer as `RowBinary`.
    pub fn select(&self, sql: &str, bound: Bound, options: &[(&str, &str)]) -> Result<Bytes> {
        #[cfg(test)]
        asked::note(sql, options);
        let (at, mut cursor) = self.ask(sql, bound, options)?;
        let answer = wait(&self.runtime, async move { cursor.collect().await.map_err(StoreError::from) });
        answer.map_err(|error| self.failed(at, error))
    }

    /// The same of what is in no database of ours.
    pub fn select_from_system(&self, sql: &str) -> Result<Bytes> {
        let (at, client) = self.server();
        let (client, sql) = (client.clone().with_database("default"), sql.to_owned());
        let answer = wait(&self.runtime, async move {
            client.query(&sql).fetch_bytes("RowBinary")?.collect().await.map_err(StoreError::from)
        });
        answer.map_err(|error| self.failed(at, error))
    }

    /// The same, piece by piece.
    pub fn stream(&self, sql: &str, bound: Bound) -> Result<Stream<'_>> {
        #[cfg(test)]
        asked::note(sql, &[]);
        let (at, cursor) = self.ask(sql, bound, &[])?;
        Ok(Stream { wire: self, at, cursor: Some(cursor) })
    }

    fn ask(&self, sql: &str, Bound(seconds): Bound, options: &[(&str, &str)]) -> Result<(usize, BytesCursor)> {
        let (at, client) = self.server();
        let mut query = client.query(&sql.replace('?', "??"));
        if let Some(seconds) = seconds {
            query = query.with_option("max_execution_time", seconds.to_string());
        }
        for (name, value) in options {
            query = query.with_option(*name, *value);
        }
        let _within = self.runtime.enter();
        Ok((at, query.fetch_bytes("RowBinary")?))
    }

    /// Rows as `RowBinary`. `into` is the table and its columns.
    pub fn insert(&self, into: &str, rows: Bytes) -> Result<()> {
        self.insert_all(vec![(into.to_owned(), rows)])
    }

    /// The same for several tables, at once.
    pub fn insert_all(&self, inserts: Vec<(String, Bytes)>) -> Result<()> {
        let (at, client) = self.server();
        let client = client.clone();
        let inserted = wait(&self.runtime, async move {
            let insert = |(into, mut rows): (String, Bytes)| {
                let client = client.clone();
                async move {
                    let mut insert = client.insert_formatted_with(format!("insert into {into} format RowBinary"));
                    while !rows.is_empty() {
                        insert.send(rows.split_to(rows.len().min(CHUNK))).await?;
                    }
                    insert.end().await
                }
            };
            futures::future::try_join_all(inserts.into_iter().map(insert)).await.map(drop).map_err(StoreError::from)
        });
        inserted.map_err(|error| self.failed(at, error))
    }
}

/// An answer that comes piece by piece.
pub struct Stream<'a> {
    wire: &'a Wire,
    at: usize,
    /// `None` while it is waited for, and when it has failed.
    cursor: Option<BytesCursor>,
}

impl Stream<'_> {
    pub fn next(&mut self) -> Result<Option<Bytes>> {
        let Some(mut cursor) = self.cursor.take() else { return Ok(None) };
        let next = wait(&self.wire.runtime, async move {
            let piece = cursor.next().await?;
            Ok((cursor, piece))
        });
        let (cursor, piece) = next.map_err(|error| self.wire.failed(self.at, error))?;
        self.cursor = piece.is_some().then_some(cursor);
        Ok(piece)
    }
}

/// What the server says is wrong, by its number.
pub fn code(error: &StoreError) -> Option<u32> {
    let StoreError::Database(error) = error else { return None };
    let said = error.to_string();
    let (_, rest) = said.split_once("Code: ")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

pub const UNKNOWN_TABLE: u32 = 60;
pub const UNKNOWN_DATABASE: u32 = 81;
const TIMEOUT: u32 = 159;

impl From<clickhouse::error::Error> for StoreError {
    fn from(error: clickhouse::error::Error) -> Self {
        let said = with_causes(&error);
        if matches!(error, clickhouse::error::Error::Network(_) | clickhouse::error::Error::TimedOut) {
            return Self::Away(said);
        }
        let failed = Self::Database(said.trim().to_owned().into());
        // Only what is bounded has a time.
        if code(&failed) == Some(TIMEOUT) {
            return Self::TooMuch;
        }
        failed
    }
}

/// What is asked in tests, for another engine of the same language to be asked too.
#[cfg(test)]
pub mod asked {
    use std::cell::RefCell;

    thread_local! {
        static ASKED: RefCell<Option<Vec<(String, bool)>>> = const { RefCell::new(None) };
    }

    pub fn note(sql: &str, options: &[(&str, &str)]) {
        ASKED.with_borrow_mut(|asked| {
            if let Some(asked) = asked {
                asked.push((sql.to_owned(), !options.is_empty()));
            }
        });
    }

    /// Everything that this thread asks within `act`; and whether each shard answers alone.
    pub fn during<T>(act: impl FnOnce() -> T) -> (T, Vec<(String, bool)>) {
        ASKED.set(Some(Vec::new()));
        let done = act();
        (done, ASKED.take().unwrap_or_default())
    }
}
