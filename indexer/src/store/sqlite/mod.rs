//! SQLite: one connection that writes, as many as needed that read.

pub mod backup;
mod chain;
mod lock;
mod migration;
pub(super) mod table;

pub use chain::{database_is_of, is_blank};
#[cfg(test)]
pub(super) use migration::migrate;

use super::{
    beside::{self, Within},
    tables::{Engine, Tables},
    Result, StoreError,
};
use lock::Lock;
use rusqlite::{config::DbConfig, Connection, ErrorCode, OpenFlags, TransactionBehavior};
use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Readers that are kept open when nobody reads.
const IDLE_READERS: usize = 8;
/// How long a connection waits for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
const STATEMENTS: usize = 512;
/// Pages of the log before they are written to the database: most are written by many transactions, and need not be moved by each.
const LOG: i64 = 65_536;
/// Memory for pages, in KiB. Whoever writes comes back to the same ones of indexes.
const READER_PAGES: i64 = 32_768;
const WRITER_PAGES: i64 = 65_536;
/// Instructions of SQLite's virtual machine between two looks at how many there were; some ten for a row.
const STEP: i32 = 1_000;
/// For one answer: most of a second, where an answer by index takes some dozen.
const STEPS: u32 = 20_000;

/// A store in one file. See the crate's README for its tables.
pub struct Sqlite {
    path: PathBuf,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
    /// For what anybody may ask.
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
        writer.pragma_update(None, "cache_size", -WRITER_PAGES)?;
        writer.pragma_update(None, "wal_autocheckpoint", LOG)?;
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

    #[cfg(test)]
    pub fn execute(&self, sql: &str) {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).execute_batch(sql).unwrap();
    }

    /// `steps` are thousands of SQLite's virtual machine's.
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
    conn.pragma_update(None, "cache_size", -READER_PAGES)?;
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

impl Engine for Sqlite {
    fn read<T>(&self, bounded: bool, act: impl FnOnce(&mut dyn Tables) -> Result<T>) -> Result<T> {
        self.read_within(bounded.then_some(self.steps), |conn| act(&mut table::Open(conn)))
    }

    fn read_long<T>(&self, act: impl FnOnce(&mut dyn Tables) -> Result<T>) -> Result<T> {
        let mut conn = open_reader(&self.path)?;
        // What has to be sorted may be larger than memory.
        conn.pragma_update(None, "temp_store", "FILE")?;
        let snapshot = conn.transaction()?;
        act(&mut table::Open(&snapshot))
    }

    fn write<T>(&self, act: impl FnOnce(&mut dyn Tables) -> Result<T>) -> Result<T> {
        // A panic while writing leaves an open transaction that the next one rolls back: nothing to fear from the poison.
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        // Immediate: a transaction that begins as a reader cannot wait for another writer, it can only fail.
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = act(&mut table::Open(&transaction))?;
        transaction.commit()?;
        Ok(done)
    }

    fn write_much<T>(&self, act: impl FnOnce(&mut dyn Tables) -> Result<T>) -> Result<T> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.execute_batch("begin immediate")?;
        let begun = Begun(&mut writer);
        let done = self.read_within(None, |before| beside::act(begun.0, before, act))?;
        // Nobody reads as of before any more: the log is emptied only where nobody reads of it.
        begun.0.execute_batch("commit")?;
        Ok(done)
    }
}

impl Within for Connection {
    type Open<'a> = table::Open<'a>;

    fn tables(&self) -> table::Open<'_> {
        table::Open(self)
    }
}

/// Within a transaction, until it is committed or given up.
struct Begun<'a>(&'a mut Connection);

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        if !self.0.is_autocommit() {
            // A connection that cannot do so cannot do anything.
            let _ = self.0.execute_batch("rollback");
        }
    }
}
