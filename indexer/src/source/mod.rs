//! Where updates come from: a stream for what happens, and history for what happened while nobody listened.
//!
//! [`grpc`] is the stream, [`rpc`] the history. Both are traits here, so that everything behind them runs in tests
//! without a network.

mod convert;
pub mod grpc;
mod instruction;
pub mod rpc;
mod update;

pub use update::{BankRef, SlotStatus, SourceEvent, Update};

use crate::types::{Block, Snapshot};
use std::{future::Future, sync::Arc};
use tokio::sync::mpsc;
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

/// What happened between two slots, and what is true at the end of it.
#[derive(Debug, Clone, Default)]
pub struct Fill {
    /// Events only, oldest first.
    pub blocks: Vec<Block>,
    /// Every account of every program, at `upto` or later.
    pub snapshots: Vec<Snapshot>,
    pub upto: u64,
}

/// Answers for slots that the stream did not bring.
pub trait History: Send + Sync + 'static {
    /// The genesis hash of the chain.
    fn genesis(&self) -> impl Future<Output = anyhow::Result<String>> + Send;

    /// Everything after `after` (from the beginning, if `None`) up to and including `upto`. Repeats what can be
    /// repeated; an error means that it is not known, never that there was nothing.
    fn fill(&self, after: Option<u64>, upto: u64) -> impl Future<Output = anyhow::Result<Fill>> + Send;
}

/// The last slot that ordering has passed on, shared with the source, which resumes there.
#[derive(Debug)]
pub struct Frontier(std::sync::atomic::AtomicU64);

impl Frontier {
    const NONE: u64 = u64::MAX;

    pub fn new(slot: Option<u64>) -> Self {
        Self(std::sync::atomic::AtomicU64::new(slot.unwrap_or(Self::NONE)))
    }

    pub fn get(&self) -> Option<u64> {
        Some(self.0.load(std::sync::atomic::Ordering::Acquire)).filter(|slot| *slot != Self::NONE)
    }

    pub fn set(&self, slot: Option<u64>) {
        self.0.store(slot.unwrap_or(Self::NONE), std::sync::atomic::Ordering::Release);
    }
}
