//! Stores: where confirmed state lives, behind one trait, and the unconfirmed state laid over it.
//!
//! [`Sqlite`] is the store; [`Overlay`] holds what is not confirmed; [`View`] answers from both.

mod account;
pub mod backup;
pub mod bid;
pub mod bond;
mod chain;
pub mod channel;
mod checkpoint;
mod dead_letter;
mod dispute;
mod distribution;
mod event;
pub mod job;
mod listing;
mod lock;
pub mod model;
mod overlay;
mod page;
pub mod payer;
mod plan;
mod provider;
pub mod revenue;
mod sqlite;
#[cfg(test)]
mod tests;
mod totals;
mod view;

pub use account::AccountRow;
pub use chain::database_is_of;
pub use channel::ChannelFilter;
pub use checkpoint::Checkpoint;
pub use dead_letter::UnreadRow;
pub use dispute::DisputeFilter;
pub use distribution::DistributionFilter;
pub use event::EventRow;
pub use job::JobFilter;
pub use model::ModelFilter;
pub use overlay::{Changes, Overlay, Unconfirmed};
pub use page::{Cursor, PageRequest};
pub use plan::PlanFilter;
pub use provider::ProviderFilter;
pub use revenue::RevenueFilter;
pub use sqlite::Sqlite;
pub use view::View;

use crate::types::{Address, Block, Look, Snapshot};
use joule_api::{
    Channel, Dispute, Distribution, Event, Job, JobStatus, Model, Plan, Provider, ProviderStatus, Revenue, Totals,
};

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the database failed: {0}")]
    Database(#[from] rusqlite::Error),
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
    #[error("row {0} of the database is damaged: {1}; move the file away and start again, the chain has everything")]
    Damaged(String, String),
}

pub type Result<T> = std::result::Result<T, StoreError>;

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
}

/// What a batch changed, as the API shows it.
#[derive(Debug, Clone, Default)]
pub struct Applied {
    pub jobs: Vec<Job>,
    pub providers: Vec<Provider>,
    pub disputes: Vec<Dispute>,
    pub channels: Vec<Channel>,
    pub plans: Vec<Plan>,
    pub events: Vec<Event>,
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
    /// Writes one batch. Applying it again, or applying parts of it in another order, changes nothing more.
    fn apply(&self, batch: &Batch) -> Result<Applied>;

    fn job(&self, address: &Address) -> Result<Option<Job>>;
    /// Newest first, leaving out `without`.
    fn jobs(&self, filter: &JobFilter, page: &PageRequest, without: &[Address]) -> Result<Vec<Job>>;
    fn provider(&self, address: &Address) -> Result<Option<Provider>>;
    /// Oldest first, leaving out `without`.
    fn providers(&self, filter: &ProviderFilter, page: &PageRequest, without: &[Address]) -> Result<Vec<Provider>>;
    /// By the address of the `Dispute` account.
    fn dispute(&self, address: &Address) -> Result<Option<Dispute>>;
    /// Newest first, leaving out `without`.
    fn disputes(&self, filter: &DisputeFilter, page: &PageRequest, without: &[Address]) -> Result<Vec<Dispute>>;
    fn model(&self, address: &Address) -> Result<Option<Model>>;
    /// Newest first, leaving out `without`.
    fn models(&self, filter: &ModelFilter, page: &PageRequest, without: &[Address]) -> Result<Vec<Model>>;
    fn channel(&self, address: &Address) -> Result<Option<Channel>>;
    /// Newest first, leaving out `without`.
    fn channels(&self, filter: &ChannelFilter, page: &PageRequest, without: &[Address]) -> Result<Vec<Channel>>;
    fn plan(&self, address: &Address) -> Result<Option<Plan>>;
    /// Newest first, leaving out `without`.
    fn plans(&self, filter: &PlanFilter, page: &PageRequest, without: &[Address]) -> Result<Vec<Plan>>;
    /// Newest first.
    fn distributions(&self, filter: &DistributionFilter, page: &PageRequest) -> Result<Vec<Distribution>>;
    /// What the days of a channel add together.
    fn earned(&self, channel: &Address) -> Result<revenue::Sums>;
    /// By day: the newest first. Otherwise token by token, what earned most first.
    fn revenue(&self, filter: &RevenueFilter) -> Result<Vec<Revenue>>;
    /// Over all days, by token.
    fn revenue_by_mint(&self) -> Result<Vec<(Address, revenue::Sums)>>;
    fn totals(&self) -> Result<Totals>;

    fn account(&self, address: &Address) -> Result<Option<AccountRow>>;
    /// The accounts of a kind that live and are listed under `parent`, by address.
    fn members(&self, kind: &str, parent: &Address) -> Result<Vec<AccountRow>>;
    /// Every account of a program that is not closed, by address.
    fn live_accounts(&self, program: &Address) -> Result<Vec<AccountRow>>;
    /// The events that concern an account, newest first.
    fn events(&self, address: &Address, limit: usize) -> Result<Vec<EventRow>>;
    /// What the account's row is rebuilt from, newest first; bounded, whatever anybody has happen.
    fn history(&self, address: &Address) -> Result<Vec<EventRow>>;
    /// Those that concern it and happened after a slot, newest first.
    fn events_since(&self, address: &Address, slot: u64) -> Result<Vec<EventRow>>;

    /// Decodes dead letters again, with what this version knows.
    fn redecode(&self) -> Result<Redecoded>;
    /// Transactions among the dead letters. Storing one that can be read takes it out.
    fn unread(&self) -> Result<Vec<UnreadRow>>;
    fn dead_letters(&self) -> Result<u64>;
}

pub(crate) fn status_name(status: JobStatus) -> &'static str {
    match status {
        JobStatus::Open => "open",
        JobStatus::Accepted => "accepted",
        JobStatus::Delivered => "delivered",
        JobStatus::Challenged => "challenged",
        JobStatus::Settled => "settled",
        JobStatus::Refunded => "refunded",
    }
}

pub(crate) fn provider_status_name(status: ProviderStatus) -> &'static str {
    match status {
        ProviderStatus::Active => "active",
        ProviderStatus::Paused => "paused",
        ProviderStatus::Retired => "retired",
    }
}
