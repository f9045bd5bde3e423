//! Where updates come from: a stream for what happens, and history for what happened while nobody listened.
//!
//! [`grpc`] is the stream, [`rpc`] the history. Both are traits here, so that everything behind them runs in tests
//! without a network.

pub(crate) mod convert;
mod endpoint;
pub mod grpc;
mod instruction;
mod progress;
pub mod rpc;
mod update;

pub use endpoint::{Endpoint, Endpoints, EndpointsError};
pub use progress::{Progress, Step};
pub use update::{BankRef, SlotStatus, SourceEvent, Update};

use crate::types::{Address, Block, Look, Snapshot};
use std::{
    future::Future,
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc,
    },
};
use tokio::sync::{mpsc, Notify};
use tokio_util::sync::CancellationToken;

/// A stream of updates that reconnects by itself for as long as it is not stopped.
pub trait Source: Send + 'static {
    /// Sends until `stop`, waiting whenever `out` is full. `frontier` tells what need not be sent again.
    fn run(
        self,
        frontier: Arc<Frontier>,
        out: mpsc::Sender<SourceEvent>,
        stop: CancellationToken,
    ) -> impl Future<Output = ()> + Send;
}

/// Slots of which nothing will come from the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// From the beginning, if `None`.
    pub after: Option<u64>,
    /// The last of them, in which there is a block: the parent of one that the stream has.
    pub upto: u64,
    /// Of that block, where the stream says it.
    pub blockhash: Option<Arc<str>>,
}

/// What happened between two slots, and what is true at the end of it.
#[derive(Debug, Clone, Default)]
pub struct Fill {
    /// Events only, oldest first.
    pub blocks: Vec<Block>,
    /// Every account of every program, at `upto` or later; none where `looks` say as much.
    pub snapshots: Vec<Snapshot>,
    /// Every account that `blocks` may have changed, at `upto` or later.
    pub looks: Vec<Look>,
    pub upto: u64,
    /// Of the block at `upto`, where that is known, in Unix seconds.
    pub block_time: Option<i64>,
    pub share: Share,
}

/// What a fill is of what is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Share {
    #[default]
    All,
    /// What happened up to some slot of a long gap; the rest follows, and what accounts are at the end of it.
    Beginning,
    /// What accounts are, where nothing is missing of what happened.
    Accounts,
}

/// Takes a long gap as it is read, so that whoever has to begin anew begins where it was.
pub struct Parts {
    out: mpsc::Sender<Fill>,
    reached: Frontier,
}

impl Parts {
    pub fn new(out: mpsc::Sender<Fill>, after: Option<u64>) -> Self {
        Self { out, reached: Frontier::new(after) }
    }

    /// All that happened up to a slot, after what was passed before.
    pub async fn pass(&self, blocks: Vec<Block>, upto: u64) -> anyhow::Result<()> {
        let fill = Fill { blocks, upto, share: Share::Beginning, ..Fill::default() };
        self.out.send(fill).await.map_err(|_| anyhow::anyhow!("nobody stores it any more"))?;
        self.reached.set(Some(upto));
        Ok(())
    }

    pub fn reached(&self) -> Option<u64> {
        self.reached.get()
    }
}

/// The accounts of a program, as of a slot, with what lamports they have.
#[derive(Debug, Clone)]
pub struct Heads {
    pub program: Address,
    pub slot: u64,
    pub accounts: Vec<(Address, u64)>,
}

/// Answers for slots that the stream did not bring.
pub trait History: Send + Sync + 'static {
    /// The genesis hash of the chain.
    fn genesis(&self) -> impl Future<Output = anyhow::Result<String>> + Send;

    /// The newest slot that is confirmed.
    fn tip(&self) -> impl Future<Output = anyhow::Result<u64>> + Send;

    /// Everything in a gap, or what is left of it after what went into `parts`. Repeats what can be repeated; an error means that it is not
    /// known, never that there was nothing.
    fn fill(&self, gap: &Gap, progress: &Progress, parts: &Parts) -> impl Future<Output = anyhow::Result<Fill>> + Send;

    /// Every account of every program of ours, at `least` or later.
    fn list(&self, least: u64) -> impl Future<Output = anyhow::Result<Vec<Snapshot>>> + Send;

    /// The same without their bytes.
    fn heads(&self, least: u64) -> impl Future<Output = anyhow::Result<Vec<Heads>>> + Send;

    /// Some accounts, at `least` or later.
    fn look(&self, accounts: &[Address], least: u64) -> impl Future<Output = anyhow::Result<Vec<Look>>> + Send;
}

/// The last slot that ordering has passed on, shared with every source, which resumes there. Each has its own way of being asked again.
#[derive(Debug)]
pub struct Frontier {
    slot: Arc<AtomicU64>,
    moved: Arc<Notify>,
    again: Notify,
}

impl Frontier {
    const NONE: u64 = u64::MAX;

    pub fn new(slot: Option<u64>) -> Self {
        let slot = Arc::new(AtomicU64::new(slot.unwrap_or(Self::NONE)));
        Self { slot, moved: Arc::default(), again: Notify::new() }
    }

    /// The same frontier, for another source.
    pub fn beside(&self) -> Self {
        Self { slot: self.slot.clone(), moved: self.moved.clone(), again: Notify::new() }
    }

    pub fn get(&self) -> Option<u64> {
        Some(self.slot.load(Ordering::Acquire)).filter(|slot| *slot != Self::NONE)
    }

    pub fn set(&self, slot: Option<u64>) {
        self.slot.store(slot.unwrap_or(Self::NONE), Ordering::Release);
        self.moved.notify_waiters();
    }

    /// Until it has come as far as a slot.
    pub async fn reached(&self, slot: u64) {
        loop {
            let moved = self.moved.notified();
            if self.get().is_some_and(|reached| reached >= slot) {
                return;
            }
            moved.await;
        }
    }

    /// Asks the source for everything after the frontier once more: something of it has not come.
    pub fn ask_again(&self) {
        self.again.notify_one();
    }

    /// Until somebody does.
    pub async fn asked_again(&self) {
        self.again.notified().await;
    }
}
