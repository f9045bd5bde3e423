//! SQLite: one connection that writes, as many as needed that read.

mod apply;
mod rebuild;

use super::{
    account, chain, channel, checkpoint, dead_letter, dispute, distribution, event, job,
    lock::Lock,
    model, plan, provider,
    revenue::{self, Days, Sums},
    totals, AccountRow, Applied, Batch, ChannelFilter, Checkpoint, DisputeFilter, DistributionFilter, EventRow,
    JobFilter, ModelFilter, PageRequest, PlanFilter, ProviderFilter, Redecoded, Result, RevenueFilter, Store,
    StoreError, UnreadRow,
};
use crate::types::Address;
use joule_api::{Channel, Commitment, Dispute, Distribution, Job, Model, Plan, Provider, Revenue, Totals};
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// The schema, one step a file. A step that was released never changes.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/0001_base.sql"),
    include_str!("../../migrations/0002_governance.sql"),
    include_str!("../../migrations/0003_bonds_and_disputes.sql"),
    include_str!("../../migrations/0004_models.sql"),
    include_str!("../../migrations/0005_billing.sql"),
    include_str!("../../migrations/0006_vouchers_and_disputes.sql"),
    include_str!("../../migrations/0007_sound.sql"),
    include_str!("../../migrations/0008_row_events.sql"),
];

/// Readers that are kept open when nobody reads.
const IDLE_READERS: usize = 8;
/// How long a connection waits for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
const STATEMENTS: usize = 128;
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
        migrate(&mut writer)?;
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
        match result {
            Err(StoreError::Database(error)) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {
                Err(StoreError::TooMuch)
            }
            result => result,
        }
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
    conn.pragma_update(None, "cache_size", -32_768)?;
    conn.pragma_update(None, "temp_store", "MEMORY")
}

fn migrate(conn: &mut Connection) -> Result<()> {
    let known = MIGRATIONS.len() as i64;
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    for step in &MIGRATIONS[found.max(0) as usize..] {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(())
}

/// What is confirmed, and old enough, is finalized.
fn commitment(conn: &Connection, slot: u64) -> Result<Commitment> {
    let finalized = checkpoint::get(conn)?.is_some_and(|checkpoint| slot <= checkpoint.finalized);
    Ok(if finalized { Commitment::Finalized } else { Commitment::Confirmed })
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

    fn job(&self, address: &Address) -> Result<Option<Job>> {
        self.read(|conn| {
            let Some(mut job) = job::get(conn, address)? else { return Ok(None) };
            job.commitment = commitment(conn, job.slot)?;
            Ok(Some(job))
        })
    }

    fn jobs(&self, filter: &JobFilter, page: &PageRequest, without: &[Address]) -> Result<Vec<Job>> {
        self.answer(|conn| {
            let mut jobs = job::list(conn, filter, page, without)?;
            for job in &mut jobs {
                job.commitment = commitment(conn, job.slot)?;
            }
            Ok(jobs)
        })
    }

    fn provider(&self, address: &Address) -> Result<Option<Provider>> {
        self.read(|conn| {
            let Some(mut provider) = provider::get(conn, address)? else { return Ok(None) };
            provider.commitment = commitment(conn, provider.slot)?;
            totals::count_for(conn, address, &mut provider)?;
            Ok(Some(provider))
        })
    }

    fn providers(&self, filter: &ProviderFilter, page: &PageRequest, without: &[Address]) -> Result<Vec<Provider>> {
        self.answer(|conn| {
            let mut providers = provider::list(conn, filter, page, without)?;
            for provider in &mut providers {
                provider.commitment = commitment(conn, provider.slot)?;
                if let Ok(address) = provider.address.parse() {
                    totals::count_for(conn, &address, provider)?;
                }
            }
            Ok(providers)
        })
    }

    fn dispute(&self, address: &Address) -> Result<Option<Dispute>> {
        self.read(|conn| {
            let Some(mut dispute) = dispute::get(conn, address)? else { return Ok(None) };
            dispute.commitment = commitment(conn, dispute.slot)?;
            Ok(Some(dispute))
        })
    }

    fn disputes(&self, filter: &DisputeFilter, page: &PageRequest, without: &[Address]) -> Result<Vec<Dispute>> {
        self.answer(|conn| {
            let mut disputes = dispute::list(conn, filter, page, without)?;
            for dispute in &mut disputes {
                dispute.commitment = commitment(conn, dispute.slot)?;
            }
            Ok(disputes)
        })
    }

    fn model(&self, address: &Address) -> Result<Option<Model>> {
        self.read(|conn| {
            let Some(mut model) = model::get(conn, address)? else { return Ok(None) };
            model.commitment = commitment(conn, model.slot)?;
            Ok(Some(model))
        })
    }

    fn models(&self, filter: &ModelFilter, page: &PageRequest, without: &[Address]) -> Result<Vec<Model>> {
        self.answer(|conn| {
            let mut models = model::list(conn, filter, page, without)?;
            for model in &mut models {
                model.commitment = commitment(conn, model.slot)?;
            }
            Ok(models)
        })
    }

    fn channel(&self, address: &Address) -> Result<Option<Channel>> {
        self.read(|conn| {
            let Some(mut channel) = channel::get(conn, address)? else { return Ok(None) };
            channel.commitment = commitment(conn, channel.slot)?;
            Days::load(conn, address)?.total().fill(&mut channel);
            Ok(Some(channel))
        })
    }

    fn channels(&self, filter: &ChannelFilter, page: &PageRequest, without: &[Address]) -> Result<Vec<Channel>> {
        self.answer(|conn| {
            let mut channels = channel::list(conn, filter, page, without)?;
            for channel in &mut channels {
                channel.commitment = commitment(conn, channel.slot)?;
                if let Ok(address) = channel.address.parse() {
                    Days::load(conn, &address)?.total().fill(channel);
                }
            }
            Ok(channels)
        })
    }

    fn plan(&self, address: &Address) -> Result<Option<Plan>> {
        self.read(|conn| {
            let Some(mut plan) = plan::get(conn, address)? else { return Ok(None) };
            plan.commitment = commitment(conn, plan.slot)?;
            Ok(Some(plan))
        })
    }

    fn plans(&self, filter: &PlanFilter, page: &PageRequest, without: &[Address]) -> Result<Vec<Plan>> {
        self.answer(|conn| {
            let mut plans = plan::list(conn, filter, page, without)?;
            for plan in &mut plans {
                plan.commitment = commitment(conn, plan.slot)?;
            }
            Ok(plans)
        })
    }

    fn distributions(&self, filter: &DistributionFilter, page: &PageRequest) -> Result<Vec<Distribution>> {
        self.answer(|conn| {
            let mut distributions = distribution::list(conn, filter, page)?;
            for distribution in &mut distributions {
                distribution.commitment = commitment(conn, distribution.slot)?;
            }
            Ok(distributions)
        })
    }

    fn earned(&self, channel: &Address) -> Result<Sums> {
        self.read(|conn| Ok(Days::load(conn, channel)?.total()))
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
