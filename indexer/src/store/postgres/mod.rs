//! PostgreSQL: one connection that writes, one for what is read beside it, as many as needed that read.

mod schema;
mod table;
mod tls;
mod value;
mod wire;

#[cfg(test)]
pub(super) use schema::{definition, STEPS};

use super::{
    beside::{self, Within},
    tables::{Engine, Tables},
    Result, Store as _, StoreError,
};
use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod};
use joule_settings::Url;
use std::time::Duration;
use table::Open;
pub(super) use tls::Tls;
use tokio::runtime::Runtime;
use tokio_postgres::Config;
use wire::Connection;
pub(super) use wire::{wait, with_causes};

/// Connections that read at a time.
const READERS: usize = 16;
/// How long whoever reads waits for one.
const WAITED: Duration = Duration::from_secs(10);
/// Rows are looked for by index, each by itself: a plan that goes through a whole table is never meant.
const OPTIONS: &str = "-c client_min_messages=warning -c jit=off -c enable_seqscan=off -c enable_hashjoin=off \
                       -c enable_mergejoin=off";
/// Whoever follows the chain holds it, by the schema that it writes.
const ALONE: &str = "select pg_try_advisory_lock(1785688940, hashtext(current_schema()))";
/// One transaction writes at a time, whoever else does.
const BEGIN: &str = "begin; select pg_advisory_xact_lock(1785688941, hashtext(current_schema()))";
/// Everything that is read is of one moment.
const READ: &str = "begin isolation level repeatable read read only";
/// What anybody may ask takes no longer.
const BOUND: &str = "2s";

/// A store in a PostgreSQL database. See the crate's README for its tables.
pub struct Postgres {
    writer: Pool,
    /// What is read beside it, which waits for no reader of the API.
    beside: Pool,
    readers: Pool,
    /// `None` when it is dropped.
    runtime: Option<Runtime>,
}

impl Postgres {
    /// Connects, and brings the schema up to date.
    pub fn open(url: &str) -> Result<Self> {
        let store = Self::connect(url, false)?;
        schema::migrate(&store)?;
        Ok(store)
    }

    /// The same, and nobody else may do so while this one lives.
    pub fn open_alone(url: &str) -> Result<Self> {
        let store = Self::connect(url, true)?;
        schema::migrate(&store)?;
        Ok(store)
    }

    /// Looks at a database, and leaves it as it is: whether there are tables of an indexer's; an error if they are of another chain
    /// than that of `genesis`.
    pub fn is_of(url: &str, genesis: Option<&str>) -> Result<bool> {
        let store = Self::connect(url, false)?;
        if !schema::is_made(&store)? {
            return Ok(false);
        }
        genesis.map_or(Ok(()), |genesis| store.check_chain(genesis))?;
        Ok(true)
    }

    fn connect(url: &str, alone: bool) -> Result<Self> {
        let path = Url::from(url).to_string();
        let refused = |reason: String| StoreError::Open { path: path.clone(), reason };
        let mut config: Config = url.parse().map_err(|error| refused(with_causes(&error)))?;
        let options = config.get_options().map_or(OPTIONS.to_owned(), |given| format!("{OPTIONS} {given}"));
        config.options(options).connect_timeout(WAITED).keepalives_idle(Duration::from_secs(30));
        // A server that is gone without a word is known to be within a minute.
        config.keepalives_interval(WAITED).keepalives_retries(3).tcp_user_timeout(Duration::from_secs(30));
        if config.get_application_name().is_none() {
            config.application_name("joule-indexer");
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("postgres")
            .enable_all()
            .build()
            .map_err(|error| refused(error.to_string()))?;
        let manager = || {
            Manager::from_config(config.clone(), Tls::new(), ManagerConfig { recycling_method: RecyclingMethod::Fast })
        };
        let mut writer = Pool::builder(manager()).max_size(1);
        if alone {
            writer = writer.post_create(Hook::async_fn(|client, _| {
                Box::pin(async move {
                    let taken = client.query_one(ALONE, &[]).await.map_err(HookError::Backend)?;
                    match taken.try_get(0) {
                        Ok(true) => Ok(()),
                        _ => Err(HookError::message(TAKEN)),
                    }
                })
            }));
        }
        let (beside, readers) = (Pool::builder(manager()).max_size(1), Pool::builder(manager()).max_size(READERS));
        let built = |error: deadpool_postgres::BuildError| refused(error.to_string());
        let store = Self {
            writer: writer.build().map_err(built)?,
            beside: beside.build().map_err(built)?,
            readers: readers.build().map_err(built)?,
            runtime: Some(runtime),
        };
        store.get(&store.writer).map_err(|error| match error {
            StoreError::Database(reason) if reason.to_string().contains(TAKEN) => {
                StoreError::Taken { path: path.clone() }
            }
            StoreError::Database(reason) => refused(reason.to_string()),
            error => error,
        })?;
        Ok(store)
    }

    /// A server, whatever is in its database.
    #[cfg(test)]
    pub fn server(url: &str) -> Self {
        Self::connect(url, false).unwrap()
    }

    #[cfg(test)]
    pub fn execute(&self, sql: &str) {
        self.get(&self.writer).unwrap().batch(sql).unwrap();
    }

    fn get(&self, pool: &Pool) -> Result<Connection> {
        let gone = || StoreError::Database("the store is closed".into());
        let runtime = self.runtime.as_ref().ok_or_else(gone)?.handle().clone();
        let pool = pool.clone();
        let client = wait(&runtime, async move {
            let free = tokio::time::timeout(WAITED, pool.get()).await;
            Ok(free.map_err(|_| StoreError::Away("no connection has become free".to_owned()))??)
        })?;
        Ok(Connection::new(client, runtime))
    }

    fn transaction<T>(&self, pool: &Pool, begin: &str, act: impl FnOnce(&mut dyn Tables) -> Result<T>) -> Result<T> {
        let connection = self.get(pool)?;
        let done = connection.begin(begin).and_then(|()| act(&mut Open(&connection)));
        match done {
            Ok(done) => connection.end("commit").map(|()| done),
            Err(error) => {
                let _ = connection.end("rollback");
                Err(error)
            }
        }
    }
}

const TAKEN: &str = "another indexer writes there";

impl Drop for Postgres {
    fn drop(&mut self) {
        // It may be dropped where nobody may wait.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Engine for Postgres {
    fn read<T>(&self, bounded: bool, act: impl FnOnce(&mut dyn Tables) -> Result<T>) -> Result<T> {
        let mut begin = READ.to_owned();
        if bounded {
            begin.push_str(&format!("; set local statement_timeout = '{BOUND}'"));
        }
        self.transaction(&self.readers, &begin, act)
    }

    fn read_long<T>(&self, act: impl FnOnce(&mut dyn Tables) -> Result<T>) -> Result<T> {
        self.read(false, act)
    }

    fn write<T>(&self, act: impl FnOnce(&mut dyn Tables) -> Result<T>) -> Result<T> {
        self.transaction(&self.writer, BEGIN, act)
    }

    fn write_much<T>(&self, act: impl FnOnce(&mut dyn Tables) -> Result<T>) -> Result<T> {
        let mut writer = self.get(&self.writer)?;
        writer.begin(BEGIN)?;
        let before = self.get(&self.beside).and_then(|before| before.begin(READ).map(|()| before));
        let done = before.and_then(|before| {
            let done = beside::act(&mut writer, &before, act);
            let _ = before.end("rollback");
            done
        });
        match done {
            Ok(done) => writer.end("commit").map(|()| done),
            Err(error) => {
                let _ = writer.end("rollback");
                Err(error)
            }
        }
    }
}

impl Within for Connection {
    type Open<'a> = Open<'a>;

    fn tables(&self) -> Open<'_> {
        Open(self)
    }
}
