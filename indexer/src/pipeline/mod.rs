//! From source to store: one thread that orders, one that writes.
//!
//! ```text
//! source --bounded--> ordering thread --bounded--> writing thread --> store
//!                          |    ^                        |
//!                     overlay   +-- history (gaps)       +--> overlay (drops what is stored), feed, scheduler
//! ```
//!
//! A full channel makes whoever fills it wait, back to the server; nothing is dropped. Nothing waits for a clock either:
//! each thread takes all there is, and works on it.

mod chain;
mod ordering;
#[cfg(test)]
mod tests;
mod vanished;
mod writing;

use crate::{
    feed::Feed,
    health::Health,
    query::Overlay,
    scheduler::Scheduler,
    source::{Frontier, History, Source},
    store::Store,
};
use std::{sync::Arc, thread::JoinHandle, time::Duration};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// Messages that wait for the ordering thread.
const RECEIVED: usize = 16_384;
/// How long a start waits for the RPC node's first answer.
const ASKED: Duration = Duration::from_secs(5);
/// Blocks that wait for the writing thread.
const COMMITS: usize = 1_024;

/// What the parts of the indexer share.
#[derive(Clone)]
pub struct Shared {
    pub store: Arc<dyn Store>,
    pub overlay: Arc<Overlay>,
    pub feed: Arc<Feed>,
    pub health: Arc<Health>,
    pub scheduler: Arc<Scheduler>,
    pub stop: CancellationToken,
}

/// A running pipeline.
pub struct Pipeline {
    asked: oneshot::Receiver<bool>,
    source: tokio::task::JoinHandle<anyhow::Result<()>>,
    ordering: JoinHandle<anyhow::Result<()>>,
    writing: JoinHandle<anyhow::Result<()>>,
}

impl Pipeline {
    /// Starts at the store's checkpoint. Must be called within a Tokio runtime.
    pub fn start(source: impl Source, history: impl History, shared: Shared) -> anyhow::Result<Self> {
        let checkpoint = shared.store.checkpoint()?;
        if let Some(checkpoint) = checkpoint {
            shared.health.checkpoint(checkpoint.slot);
            tracing::info!(slot = checkpoint.slot, "going on from the checkpoint");
        }
        let frontier = Arc::new(Frontier::new(checkpoint.map(|checkpoint| checkpoint.slot)));
        let (received, receiver) = mpsc::channel(RECEIVED);
        let (commits, committer) = std::sync::mpsc::sync_channel(COMMITS);
        let history = Arc::new(history);
        let (first, asked) = oneshot::channel();
        let source = {
            let (history, shared, frontier) = (history.clone(), shared.clone(), frontier.clone());
            tokio::spawn(async move {
                if chain::known(&*history, &shared, first).await? {
                    source.run(frontier, received, shared.stop).await;
                }
                Ok(())
            })
        };
        let writing = {
            let shared = shared.clone();
            std::thread::Builder::new().name("writing".to_owned()).spawn(move || writing::run(&committer, &shared))?
        };
        let runtime = tokio::runtime::Handle::current();
        let ordering = std::thread::Builder::new()
            .name("ordering".to_owned())
            .spawn(move || ordering::Ordering::new(frontier, history, commits, shared, runtime).run(receiver))?;
        Ok(Self { asked, source, ordering, writing })
    }

    /// Whether the RPC node serves another chain than the store has, as far as it says so at once.
    pub async fn is_refused(&mut self) -> bool {
        matches!(tokio::time::timeout(ASKED, &mut self.asked).await, Ok(Ok(true)))
    }

    /// Waits until everything that was received is stored. It ends when `stop` is cancelled, or on a failure that cannot
    /// be repaired by trying again.
    pub async fn finished(self) -> anyhow::Result<()> {
        let threads = tokio::task::spawn_blocking(move || (self.ordering.join(), self.writing.join()));
        let source = self.source.await?;
        let (ordering, writing) = threads.await?;
        let panicked = |_| anyhow::anyhow!("a thread of the pipeline panicked; please report this");
        writing.map_err(panicked)??;
        ordering.map_err(panicked)??;
        source
    }
}
