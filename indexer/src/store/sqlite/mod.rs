//! SQLite: one connection that writes, as many as needed that read.

mod account;
mod apply;
pub mod backup;
mod chain;
mod checkpoint;
mod days;
pub(super) mod dead_letter;
mod distribution;
mod event;
mod lock;
mod migration;
mod payer;
mod rebuild;
mod revenue;
mod scan;
pub(super) mod table;
mod totals;

pub use chain::database_is_of;
#[cfg(test)]
pub(super) use migration::migrate;

use super::{Applied, Batch, Checkpoint, Moment, Redecoded, Result, Rows, Scan, Scanned, Store, StoreError};
use crate::{
    query::{Query, RevenueFilter},
    row::{record::Table, revenue::Sums, totals::Counters, AccountRow, EventRow, UnreadRow},
    types::Address,
};
use joule_api::{Revenue, Totals};
use lock::Lock;
use rusqlite::{config::DbConfig, Connection, ErrorCode, OpenFlags, TransactionBehavior};
use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Readers that are kept open when nobody reads.
const IDLE_READERS: usize = 8;
/// How long a connection waits for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
const STATEMENTS: usize = 512;
/// Instructions of SQLite's virtual machine between two looks at how many there were; some ten for a row.
const STEP: i32 = 1_000;
/// For one answer: most of a second, where an answer by index takes some dozen.
const STEPS: u32 = 20_000;

/// A store in one file. See the crate's README for its tables.
pub struct Sqlite {
    path: PathBuf,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
    /// See [`Self::answer`].
    pub(super) steps: u32,
    _lock: Option<Lock>,
}

impl Sqlite {
    /// Opens the file, creating it and its folder, and brings its schema up to date.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let refused = |reason: String| StoreError::Open { path: path.display().to_string(), reason };
        create_folder(&path)?;
        let mut writer = Connection::open(&path).map_err(|error| refused(error.to_string()))?;
        prepare(&writer).map_err(|error| refused(error.to_string()))?;
        // In WAL mode a crash of the process loses nothing; a power cut may lose the newest commits whole, checkpoint and
        // all, and they are read again.
        writer.pragma_update(None, "journal_mode", "WAL").map_err(|error| refused(error.to_string()))?;
        writer.pragma_update(None, "synchronous", "NORMAL")?;
        migration::run(&mut writer)?;
        Ok(Self { path, writer: Mutex::new(writer), readers: Mutex::default(), steps: STEPS, _lock: None })
    }

    /// The same, and nobody else may do so while this one lives.
    pub fn open_alone(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        create_folder(&path)?;
        // Before anything is written: the schema may be another's.
        let lock = Lock::take(&path)?;
        let mut store = Self::open(path)?;
        store._lock = Some(lock);
        Ok(store)
    }

    /// Opens a store that must exist already.
    pub fn open_existing(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        if !path.is_file() {
            return Err(StoreError::Open {
                path: path.display().to_string(),
                reason: "there is no such file; check --database".to_owned(),
            });
        }
        Self::open(path)
    }

    fn write<T>(&self, act: impl FnOnce(&mut Connection) -> Result<T>) -> Result<T> {
        // A panic while writing leaves an open transaction that the next one rolls back: nothing to fear from the poison.
        act(&mut self.writer.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// As [`Self::read`], for what anybody may ask: indexes lead to an answer in few steps, and what takes many is given up.
    fn answer<T>(&self, act: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        self.read_within(Some(self.steps), act)
    }

    fn read<T>(&self, act: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        self.read_within(None, act)
    }

    /// Reads see one consistent state each. `steps` are thousands of SQLite's virtual machine's.
    fn read_within<T>(&self, steps: Option<u32>, act: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut reader = match idle {
            Some(reader) => reader,
            None => open_reader(&self.path)?,
        };
        let bound = steps.map(|mut left| {
            move || {
                left = left.saturating_sub(1);
                left == 0
            }
        });
        reader.progress_handler(STEP, bound)?;
        let result = {
            let snapshot = reader.transaction_with_behavior(TransactionBehavior::Deferred)?;
            act(&snapshot)
        };
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < IDLE_READERS {
            readers.push(reader);
        }
        result
    }
}

fn create_folder(path: &Path) -> Result<()> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    let refused =
        |error: std::io::Error| StoreError::Open { path: path.display().to_string(), reason: error.to_string() };
    std::fs::create_dir_all(folder).map_err(refused)
}

pub(super) fn open_reader(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let reader = Connection::open_with_flags(path, flags)?;
    prepare(&reader)?;
    Ok(reader)
}

fn prepare(conn: &Connection) -> rusqlite::Result<()> {
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    // Without it SQLite compiles statements that have an `order by` again at each execution, which was half of all the work.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.pragma_update(None, "cache_size", -32_768)?;
    conn.pragma_update(None, "temp_store", "MEMORY")
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            // Only what is bounded is interrupted.
            Some(ErrorCode::OperationInterrupted) => Self::TooMuch,
            _ => Self::Database(error.into()),
        }
    }
}

/// Up to here nothing can be undone.
fn finalized(conn: &Connection) -> Result<u64> {
    Ok(checkpoint::get(conn)?.map_or(0, |checkpoint| checkpoint.finalized))
}

impl Store for Sqlite {
    fn bind(&self, genesis: &str) -> Result<()> {
        self.write(|conn| chain::bind(conn, genesis))
    }

    fn check_chain(&self, genesis: &str) -> Result<()> {
        self.read(|conn| chain::check(conn, genesis))
    }

    fn checkpoint(&self) -> Result<Option<Checkpoint>> {
        self.read(checkpoint::get)
    }

    fn apply(&self, batch: &Batch) -> Result<Applied> {
        self.write(|conn| apply::batch(conn, batch))
    }

    fn row(&self, table: &'static Table, address: &Address) -> Result<Rows> {
        self.read(|conn| {
            let rows = table::get(conn, table, address)?.into_iter().collect();
            Ok(Rows { rows, finalized: finalized(conn)? })
        })
    }

    fn rows(&self, table: &'static Table, query: &Query) -> Result<Rows> {
        self.answer(|conn| Ok(Rows { rows: table::list(conn, table, query)?, finalized: finalized(conn)? }))
    }

    fn counters(&self, provider: &Address) -> Result<Counters> {
        self.read(|conn| totals::counters(conn, provider))
    }

    fn earned(&self, channel: &Address) -> Result<Sums> {
        self.read(|conn| Ok(days::load(conn, channel)?.total()))
    }

    fn revenue(&self, filter: &RevenueFilter) -> Result<Vec<Revenue>> {
        self.answer(|conn| revenue::list(conn, filter))
    }

    fn revenue_by_mint(&self) -> Result<Vec<(Address, Sums)>> {
        self.read(revenue::by_mint)
    }

    fn totals(&self) -> Result<Totals> {
        self.answer(totals::all)
    }

    fn account(&self, address: &Address) -> Result<Option<AccountRow>> {
        self.read(|conn| account::get(conn, address))
    }

    fn members(&self, kind: &str, parent: &Address) -> Result<Vec<AccountRow>> {
        self.answer(|conn| account::members(conn, kind, parent))
    }

    fn live_accounts(&self, program: &Address) -> Result<Vec<AccountRow>> {
        self.read(|conn| account::live(conn, program))
    }

    fn events(&self, address: &Address, limit: usize) -> Result<Vec<EventRow>> {
        self.read(|conn| event::of_account(conn, address, limit))
    }

    fn history(&self, address: &Address) -> Result<Vec<EventRow>> {
        self.read(|conn| event::history(conn, address))
    }

    fn events_since(&self, address: &Address, slot: u64) -> Result<Vec<EventRow>> {
        self.read(|conn| event::since(conn, address, slot))
    }

    fn scan(&self, scan: &Scan, each: &mut dyn FnMut(Scanned) -> ControlFlow<()>) -> Result<Moment> {
        scan::run(&self.path, scan, each)
    }

    fn redecode(&self) -> Result<Redecoded> {
        self.write(apply::redecode)
    }

    fn unread(&self) -> Result<Vec<UnreadRow>> {
        self.read(dead_letter::unread)
    }

    fn dead_letters(&self) -> Result<u64> {
        self.read(dead_letter::count)
    }
}
