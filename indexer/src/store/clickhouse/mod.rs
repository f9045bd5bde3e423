//! ClickHouse: for questions over more than one machine holds. Shards behind `Distributed` tables, each of replicas or of one server.
//!
//! It has no transactions. A batch is written to a journal by one insert, and from there to the tables; see [`journal`]. Whoever reads by
//! the store that writes sees whole batches only; another process may see one of which some tables are written, for as long as that
//! takes.

mod journal;
mod lease;
mod schema;
mod servers;
mod sql;
mod table;
mod value;
mod wire;
mod writing;

#[cfg(test)]
pub(super) use schema::{definition, STEPS};
#[cfg(test)]
pub(super) use wire::asked;

use super::{
    tables::{Engine, Tables},
    Result, Store as _, StoreError,
};
use joule_settings::Url;
use lease::Lease;
use servers::Servers;
use std::sync::{Arc, Mutex, PoisonError};
use table::{Batches, Open};
use tokio::runtime::Runtime;
use wire::{Bound, Wire};
use writing::{Insert, Writing};

/// Seconds that an answer may take which anybody may ask for.
const BOUND: u32 = 2;

/// A store in a ClickHouse database. See the crate's README for its tables.
pub struct ClickHouse {
    wire: Arc<Wire>,
    batches: Batches,
    /// Whoever writes. It has the lease with its first batch, and keeps it.
    writer: Mutex<Option<Lease>>,
    /// As it is shown.
    path: String,
    /// `None` when it is dropped.
    runtime: Option<Runtime>,
    #[cfg(test)]
    cut: Mutex<Option<usize>>,
}

impl ClickHouse {
    /// Connects, makes the tables where they are not, and completes what was cut off.
    pub fn open(url: &str) -> Result<Self> {
        let (store, servers) = Self::connect(url)?;
        schema::migrate(&store.wire, &servers).map_err(|error| store.refused(error))?;
        store.settle()?;
        Ok(store)
    }

    /// The same, and nobody else may do so or write while this one lives.
    pub fn open_alone(url: &str) -> Result<Self> {
        let (store, servers) = Self::connect(url)?;
        schema::migrate(&store.wire, &servers).map_err(|error| store.refused(error))?;
        // Before anything is completed: the batch may be another's that lives.
        *store.writer.lock().unwrap_or_else(PoisonError::into_inner) = Some(Lease::take(&store.wire, &store.path)?);
        store.settle()?;
        Ok(store)
    }

    /// Looks at a database, and leaves it as it is: whether there are tables of an indexer's; an error if they are of another chain
    /// than that of `genesis`.
    pub fn is_of(url: &str, genesis: Option<&str>) -> Result<bool> {
        let (store, _) = Self::connect(url)?;
        if schema::version(&store.wire).map_err(|error| store.refused(error))?.is_none() {
            return Ok(false);
        }
        genesis.map_or(Ok(()), |genesis| store.check_chain(genesis))?;
        Ok(true)
    }

    fn connect(url: &str) -> Result<(Self, Servers)> {
        let path = Url::from(url).to_string();
        let refused = |reason: String| StoreError::Open { path: path.clone(), reason };
        let servers = Servers::of(url).map_err(refused)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("clickhouse")
            .enable_all()
            .build()
            .map_err(|error| refused(error.to_string()))?;
        let wire = Arc::new(Wire::new(&servers, runtime.handle().clone()));
        let (batches, writer) = (Batches::default(), Mutex::default());
        let store = Self {
            wire,
            batches,
            writer,
            path,
            runtime: Some(runtime),
            #[cfg(test)]
            cut: Mutex::default(),
        };
        store.wire.reach().map_err(|error| store.refused(error))?;
        Ok((store, servers))
    }

    /// Empties every table of a database that is there.
    #[cfg(test)]
    pub fn empty(url: &str) {
        let (store, servers) = Self::connect(url).unwrap();
        for at in 0..store.wire.count() {
            store.wire.empty(at, &servers.database);
        }
    }

    /// The next batch comes to the journal and to some of its tables.
    #[cfg(test)]
    pub fn cut_off(&self, tables: usize) {
        *self.cut.lock().unwrap() = Some(tables);
    }

    /// A batch of which one part of two has come to the journal.
    #[cfg(test)]
    pub fn half_journalled(&self) {
        let version = self.batches.read().unwrap().version + 1;
        let insert = Insert { into: "dead_letters (nonsense)".to_owned(), rows: vec![0; 10].into() };
        journal::commit_some(&self.wire, version, &[insert.clone(), insert], 1).unwrap();
    }

    /// As if the process were gone: nobody hears of it again.
    #[cfg(test)]
    pub fn end_abruptly(&self) {
        if let Some(lease) = self.writer.lock().unwrap().take() {
            lease.forget();
        }
    }

    /// As if it had been silent for long, and somebody else had come.
    #[cfg(test)]
    pub fn lose_lease(&self) {
        self.writer.lock().unwrap().as_ref().unwrap().lose();
    }

    /// An answer as text, each shard by itself or all together.
    #[cfg(test)]
    pub fn tsv(&self, sql: &str, alone: bool) -> Vec<u8> {
        self.wire.formatted(sql, "TabSeparated", alone)
    }

    #[cfg(test)]
    pub fn raw(&self, sql: &str) -> Vec<u8> {
        self.wire.formatted(sql, "RowBinary", false)
    }

    fn refused(&self, error: StoreError) -> StoreError {
        match error {
            StoreError::Database(reason) => StoreError::Open { path: self.path.clone(), reason: reason.to_string() },
            error => error,
        }
    }

    /// The number of the last batch, all of which is in the tables from now on.
    fn settle(&self) -> Result<u64> {
        let mut batches = self.batches.write().unwrap_or_else(PoisonError::into_inner);
        batches.version = journal::settle(&self.wire)?.max(batches.version);
        batches.pending = false;
        Ok(batches.version)
    }

    /// Whether a batch has come to the journal is not known if that fails, and whoever comes next finds out.
    fn commit(&self, version: u64, inserts: Vec<Insert>) -> Result<()> {
        let journalled = journal::commit(&self.wire, version, &inserts);
        let mut batches = self.batches.write().unwrap_or_else(PoisonError::into_inner);
        batches.version = version;
        #[cfg(test)]
        if let Some(tables) = self.cut.lock().unwrap().take() {
            batches.pending = true;
            let some = inserts.into_iter().take(tables).map(|Insert { into, rows }| (into, rows)).collect();
            return self.wire.insert_all(some).and(Err(StoreError::Database("it was cut off".into())));
        }
        let done = journalled.and_then(|()| journal::apply(&self.wire, version, inserts));
        batches.pending = done.is_err();
        done
    }

    fn is_pending(&self) -> bool {
        self.batches.read().unwrap_or_else(PoisonError::into_inner).pending
    }
}

impl Drop for ClickHouse {
    fn drop(&mut self) {
        drop(self.writer.get_mut().unwrap_or_else(PoisonError::into_inner).take());
        // It may be dropped where nobody may wait.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Engine for ClickHouse {
    fn read<T>(&self, bounded: bool, act: impl FnOnce(&mut dyn Tables) -> Result<T>) -> Result<T> {
        if self.is_pending() {
            self.settle()?;
        }
        let _whole = self.batches.read().unwrap_or_else(PoisonError::into_inner);
        act(&mut Open { wire: &self.wire, bound: Bound(bounded.then_some(BOUND)), batches: None })
    }

    /// Each answer is of whole batches, and the next may be of later ones: there is no state that could be kept.
    fn read_long<T>(&self, act: impl FnOnce(&mut dyn Tables) -> Result<T>) -> Result<T> {
        if self.is_pending() {
            self.settle()?;
        }
        act(&mut Open { wire: &self.wire, bound: Bound::default(), batches: Some(&self.batches) })
    }

    fn write<T>(&self, act: impl FnOnce(&mut dyn Tables) -> Result<T>) -> Result<T> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = writer.is_none();
        let lease = match &mut *writer {
            Some(lease) => lease,
            none => none.insert(Lease::take(&self.wire, &self.path)?),
        };
        // Another may have written before the lease was this one's.
        let version = if is_new || self.is_pending() {
            self.settle()?
        } else {
            self.batches.read().unwrap_or_else(PoisonError::into_inner).version
        } + 1;
        let mut writing = Writing::new(Open { wire: &self.wire, bound: Bound::default(), batches: None });
        let done = act(&mut writing)?;
        let inserts = writing.finish(version)?;
        if inserts.is_empty() {
            return Ok(done);
        }
        lease.check(&self.path)?;
        self.commit(version, inserts)?;
        Ok(done)
    }
}
