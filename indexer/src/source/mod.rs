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
}

/// Answers for slots that the stream did not bring.
pub trait History: Send + Sync + 'static {
    /// The genesis hash of the chain.
    fn genesis(&self) -> impl Future<Output = anyhow::Result<String>> + Send;

    /// Everything in a gap. Repeats what can be repeated; an error means that it is not known, never that there was nothing.
    fn fill(&self, gap: &Gap, progress: &Progress) -> impl Future<Output = anyhow::Result<Fill>> + Send;

    /// Some accounts, at `least` or later.
    fn look(&self, accounts: &[Address], least: u64) -> impl Future<Output = anyhow::Result<Vec<Look>>> + Send;
}

/// The last slot that ordering has passed on, shared with every source, which resumes there. Each has its own way of being asked again.
#[derive(Debug)]
pub struct Frontier {
    slot: Arc<AtomicU64>,
    again: Notify,
}

impl Frontier {
    const NONE: u64 = u64::MAX;

    pub fn new(slot: Option<u64>) -> Self {
        Self { slot: Arc::new(AtomicU64::new(slot.unwrap_or(Self::NONE))), again: Notify::new() }
    }

    /// The same frontier, for another source.
    pub fn beside(&self) -> Self {
        Self { slot: self.slot.clone(), again: Notify::new() }
    }

    pub fn get(&self) -> Option<u64> {
        Some(self.slot.load(Ordering::Acquire)).filter(|slot| *slot != Self::NONE)
    }

    pub fn set(&self, slot: Option<u64>) {
        self.slot.store(slot.unwrap_or(Self::NONE), Ordering::Release);
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
