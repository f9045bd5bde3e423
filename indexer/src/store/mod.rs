//! Stores: where confirmed state lives, behind one trait. One folder an engine; what is kept is said in [`crate::row`], what is asked in
//! [`crate::query`].

mod account;
mod batch;
mod beside;
mod clickhouse;
mod days;
mod held;
mod listing;
mod place;
mod postgres;
mod reads;
mod scan;
mod sql;
mod sqlite;
mod tables;
#[cfg(test)]
mod tests;

pub use self::clickhouse::ClickHouse;
pub use place::Database;
pub use postgres::Postgres;
pub use sqlite::{backup, database_is_of, is_blank, Sqlite};

use crate::{
    decode::Program,
    query::{Changes, Condition, Filter, PageRequest, Query, RevenueFilter},
    row::{
        cell::BadCell,
        record::{Cells, Kept as _, Noun, Table},
        revenue::Sums,
        totals::Counters,
        AccountRow, EventRow, UnreadRow,
    },
    types::{Address, Block, HashMap, Look, Snapshot},
};
use joule_api::{Commitment, Revenue, Totals};
use std::ops::ControlFlow;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the database failed: {0}")]
    Database(Box<dyn std::error::Error + Send + Sync>),
    /// Its server is started, or restarted, or out of reach: asking again may be answered.
    #[error("the database does not answer: {0}")]
    Away(String),
    #[error("cannot open the database {path}: {reason}")]
    Open { path: String, reason: String },
    #[error("cannot write the backup {path}: {reason}")]
    Backup { path: String, reason: String },
    #[error("the database was written by a newer indexer (schema {found}, this one knows {known}); use that one, or start with another --database")]
    Newer { found: i64, known: i64 },
    #[error("another indexer uses the database {path}; stop it, or start this one with another --database")]
    Taken { path: String },
    #[error(
        "the database is of the chain with genesis hash {stored}, and the RPC node serves that with {found}: a database is of one \
         chain for ever; start with another --database, or with an --rpc and --grpc of that chain"
    )]
    OtherChain { stored: String, found: String },
    #[error("that would go through too much of what is stored; ask for less: a narrower filter, or a shorter time")]
    TooMuch,
    #[error("nothing is stored yet, so that there is nothing to go back from")]
    Nothing,
    #[error("everything up to slot {checkpoint} is stored, and slot {slot} is after that: there is nothing to forget")]
    Ahead { slot: u64, checkpoint: u64 },
    #[error("row {0} of the database is damaged: {1}; move the file away and start again, the chain has everything")]
    Damaged(String, String),
}

impl StoreError {
    /// Whether asking again may be answered.
    pub fn is_away(&self) -> bool {
        matches!(self, Self::Away(_))
    }
}

impl From<BadCell> for StoreError {
    fn from(bad: BadCell) -> Self {
        Self::Damaged(bad.what, bad.why)
    }
}

/// Everything up to `slot` is stored, without a gap; everything up to `finalized` can no longer be undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    pub slot: u64,
    pub finalized: u64,
}

pub type Result<T> = std::result::Result<T, StoreError>;

/// Rows of one table, as they are kept, and up to which slot nothing can be undone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    pub rows: Vec<Cells>,
    pub finalized: u64,
}

/// What a scan goes through, each once.
#[derive(Debug, Clone)]
pub enum Scan {
    /// Rows of a table, in its order.
    Rows { table: &'static Table, conditions: Vec<Condition>, time: Between },
    /// Events in the order in which they happened. Those of an unknown time are in no time between two.
    Events(Between),
    /// Those that concern an account, in the same order, and then the account.
    Trail(Address),
    /// Every account, by address.
    Accounts,
}

/// Unix seconds, the first included, the last not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Between {
    pub from: Option<i64>,
    pub to: Option<i64>,
}

/// Some of what a scan goes through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scanned {
    Rows(Vec<Cells>),
    Events(Vec<EventRow>),
    Accounts(Vec<AccountRow>),
}

/// Of what a scan was: the chain, and up to where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moment {
    pub genesis: Option<String>,
    pub checkpoint: Option<Checkpoint>,
}

/// What is written in one transaction: all of it or nothing.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Confirmed blocks, parents first.
    pub blocks: Vec<Block>,
    /// Complete lists of accounts; what is missing from them is closed.
    pub snapshots: Vec<Snapshot>,
    /// Single accounts; of those that are gone the ones that are known are closed.
    pub looks: Vec<Look>,
    /// With this, everything up to here is stored.
    pub checkpoint: Option<u64>,
    /// Everything up to here is finalized.
    pub finalized: Option<u64>,
    /// Accounts may be other than they are at the checkpoint, until a batch has lists of all.
    pub unlisted: bool,
}

impl Batch {
    /// Accounts and transactions, as often as they are there.
    pub(crate) fn len(&self) -> usize {
        let blocks = self.blocks.iter().map(|block| block.writes.len() + block.transactions.len());
        let snapshots = self.snapshots.iter().map(|snapshot| snapshot.accounts.len());
        let looks = self.looks.iter().map(|look| look.found.len() + look.gone.len());
        blocks.chain(snapshots).chain(looks).sum()
    }

    /// Whether it has every account of ours.
    pub(crate) fn lists_all(&self) -> bool {
        let lists = |program: &Program| self.snapshots.iter().any(|snapshot| snapshot.program == program.address());
        Program::ALL.iter().all(lists)
    }
}

/// What is stored of later than a slot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Beyond {
    pub checkpoint: u64,
    pub events: u64,
    pub dead_letters: u64,
    /// Accounts of which it is not known what they were then.
    pub unknown: u64,
    /// Accounts that were closed since.
    pub reopened: u64,
    /// The slot of the oldest event of all.
    pub oldest: Option<u64>,
}

/// What a batch did.
#[derive(Debug, Clone, Default)]
pub struct Applied {
    pub changes: Changes,
    /// Things that could not be decoded.
    pub dead_letters: usize,
}

/// The result of decoding dead letters again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Redecoded {
    pub tried: usize,
    pub decoded: usize,
}

/// Confirmed state. Methods block; call them from a blocking thread. Reads see whole batches only.
pub trait Store: Send + Sync + 'static {
    /// Says of which chain everything is, by its genesis hash. An error if something of another is stored already.
    fn bind(&self, genesis: &str) -> Result<()>;
    /// The same without saying it, for whoever only looks.
    fn check_chain(&self, genesis: &str) -> Result<()>;
    fn checkpoint(&self) -> Result<Option<Checkpoint>>;
    /// Whether every account of ours is known as of the checkpoint; so it is before anything is stored.
    fn is_listed(&self) -> Result<bool>;
    /// What is stored of later than a slot, which is at most the checkpoint.
    fn beyond(&self, slot: u64) -> Result<Beyond>;
    /// Forgets what happened after a slot, and says what that was. `done` hears twice of each event. Accounts are not known as of that slot
    /// then, until a batch has lists of all.
    fn rewind(&self, to: u64, done: &mut dyn FnMut(u64)) -> Result<Beyond>;
    /// Writes one batch. Applying it again, or applying parts of it in another order, changes nothing more.
    fn apply(&self, batch: &Batch) -> Result<Applied>;

    /// The row at an address, or none.
    fn row(&self, table: &'static Table, address: &Address) -> Result<Rows>;
    /// The rows that are asked for, in the table's order.
    fn rows(&self, table: &'static Table, query: &Query) -> Result<Rows>;
    /// What a provider did.
    fn counters(&self, provider: &Address) -> Result<Counters>;
    /// What the days of a channel add together.
    fn earned(&self, channel: &Address) -> Result<Sums>;
    /// By day: the newest first. Otherwise token by token, what earned most first.
    fn revenue(&self, filter: &RevenueFilter) -> Result<Vec<Revenue>>;
    /// Over all days, by token.
    fn revenue_by_mint(&self) -> Result<Vec<(Address, Sums)>>;
    fn totals(&self) -> Result<Totals>;

    fn account(&self, address: &Address) -> Result<Option<AccountRow>>;
    /// The accounts of a kind that live and are listed under `parent`, by address.
    fn members(&self, kind: &str, parent: &Address) -> Result<Vec<AccountRow>>;
    /// Every account of a program that is not closed, by address.
    fn live_accounts(&self, program: &Address) -> Result<Vec<AccountRow>>;
    /// Their addresses and lamports, which take little where they are millions.
    fn live_heads(&self, program: &Address) -> Result<HashMap<Address, u64>>;
    /// The events that concern an account, newest first.
    fn events(&self, address: &Address, limit: usize) -> Result<Vec<EventRow>>;
    /// What the account's row is rebuilt from, newest first; bounded, whatever anybody has happen.
    fn history(&self, address: &Address) -> Result<Vec<EventRow>>;
    /// Those that concern it and happened after a slot, newest first.
    fn events_since(&self, address: &Address, slot: u64) -> Result<Vec<EventRow>>;

    /// Goes through everything of a kind as it is at one moment, some thousand at a time, until `each` breaks. The writer does not wait.
    fn scan(&self, scan: &Scan, each: &mut dyn FnMut(Scanned) -> ControlFlow<()>) -> Result<Moment>;

    /// Decodes dead letters again, with what this version knows.
    fn redecode(&self) -> Result<Redecoded>;
    /// Transactions among the dead letters. Storing one that can be read takes it out.
    fn unread(&self) -> Result<Vec<UnreadRow>>;
    fn dead_letters(&self) -> Result<u64>;
}

/// Rows as what they are.
pub trait Read: Store {
    fn get<N: Noun>(&self, address: &Address) -> Result<Option<N>>;
    /// In the order of lists, leaving out `without`.
    fn list<F: Filter>(&self, filter: &F, page: &PageRequest, without: &[Address]) -> Result<Vec<F::Noun>>;
}

impl<S: Store> Read for S {
    fn get<N: Noun>(&self, address: &Address) -> Result<Option<N>> {
        get(self, address)
    }

    fn list<F: Filter>(&self, filter: &F, page: &PageRequest, without: &[Address]) -> Result<Vec<F::Noun>> {
        list(self, filter, page, without)
    }
}

impl dyn Store {
    pub fn get<N: Noun>(&self, address: &Address) -> Result<Option<N>> {
        get(self, address)
    }

    /// In the order of lists, leaving out `without`.
    pub fn list<F: Filter>(&self, filter: &F, page: &PageRequest, without: &[Address]) -> Result<Vec<F::Noun>> {
        list(self, filter, page, without)
    }
}

fn get<N: Noun>(store: &dyn Store, address: &Address) -> Result<Option<N>> {
    Ok(nouns(store, store.row(N::table(), address)?)?.pop())
}

fn list<F: Filter>(store: &dyn Store, filter: &F, page: &PageRequest, without: &[Address]) -> Result<Vec<F::Noun>> {
    let query = Query { conditions: filter.conditions().0, page: *page, without: without.to_vec() };
    nouns(store, store.rows(F::Noun::table(), &query)?)
}

fn nouns<N: Noun>(store: &dyn Store, Rows { rows, finalized }: Rows) -> Result<Vec<N>> {
    let noun = |cells| {
        let mut noun = N::of_cells(cells)?;
        let is_final = noun.slot() <= finalized;
        noun.set_commitment(if is_final { Commitment::Finalized } else { Commitment::Confirmed });
        noun.complete(store)?;
        Ok(noun)
    };
    rows.into_iter().map(noun).collect()
}
