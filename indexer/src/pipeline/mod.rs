//! From sources to store: one thread that orders, one that writes.
//!
//! ```text
//! sources --bounded--> ordering thread --bounded--> writing thread --> store
//!                           |    ^                        |
//!                      overlay   +-- history (gaps)       +--> overlay (drops what is stored), feed, scheduler
//! ```
//!
//! Each source has a channel of its own. A full channel makes whoever fills it wait, back to the server; nothing is dropped. Nothing waits for a clock either:
//! each thread takes all there is, and works on it.

mod chain;
mod inbox;
mod ordering;
mod reading;
#[cfg(test)]
mod tests;
mod unnamed;
mod vanished;
mod writing;

use crate::{
    feed::Feed,
    health::Health,
    patience::patiently,
    query::Overlay,
    scheduler::Scheduler,
    source::{Frontier, History, Source},
    store::{Store, StoreError},
};
use inbox::Inbox;
use std::{sync::Arc, thread::JoinHandle, time::Duration};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

/// Messages of one source that wait for the ordering thread.
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
    sources: tokio::task::JoinHandle<anyhow::Result<()>>,
    ordering: JoinHandle<anyhow::Result<()>>,
    writing: JoinHandle<anyhow::Result<()>>,
}

impl Pipeline {
    /// Starts at the store's checkpoint, with one source for each server that is followed. Must be called within a Tokio runtime.
    pub fn start(sources: Vec<impl Source>, history: impl History, shared: Shared) -> anyhow::Result<Self> {
        let Shared { store, health, stop, .. } = &shared;
        let (checkpoint, is_listed) =
            patiently(health, stop, StoreError::is_away, || Ok((store.checkpoint()?, store.is_listed()?)))?;
        if let Some(checkpoint) = checkpoint {
            shared.health.checkpoint(checkpoint.slot);
            tracing::info!(slot = checkpoint.slot, "going on from the checkpoint");
            shared.health.listed(is_listed);
        }
        let frontier = Frontier::new(checkpoint.map(|checkpoint| checkpoint.slot));
        let frontiers: Vec<_> = sources.iter().map(|_| Arc::new(frontier.beside())).collect();
        let (senders, receivers): (Vec<_>, Vec<_>) = sources.iter().map(|_| mpsc::channel(RECEIVED)).unzip();
        let (commits, committer) = std::sync::mpsc::sync_channel(COMMITS);
        let history = Arc::new(history);
        let (first, asked) = oneshot::channel();
        let sources = {
            let (history, shared, frontiers) = (history.clone(), shared.clone(), frontiers.clone());
            tokio::spawn(async move {
                if chain::known(&*history, &shared, first).await? {
                    let running = sources.into_iter().zip(frontiers).zip(senders);
                    let mut running: JoinSet<()> = running
                        .map(|((source, frontier), out)| source.run(frontier, out, shared.stop.clone()))
                        .collect();
                    while let Some(ended) = running.join_next().await {
                        ended?;
                    }
                }
                Ok(())
            })
        };
        let writing = {
            let shared = shared.clone();
            std::thread::Builder::new().name("writing".to_owned()).spawn(move || writing::run(&committer, &shared))?
        };
        let runtime = tokio::runtime::Handle::current();
        let ordering = std::thread::Builder::new().name("ordering".to_owned()).spawn(move || {
            let ordering = ordering::Ordering::new(frontiers, history, commits, shared, runtime);
            ordering.run(Inbox::new(receivers), is_listed)
        })?;
        Ok(Self { asked, sources, ordering, writing })
    }

    /// Whether the RPC node serves another chain than the store has, as far as it says so at once.
    pub async fn is_refused(&mut self) -> bool {
        matches!(tokio::time::timeout(ASKED, &mut self.asked).await, Ok(Ok(true)))
    }

    /// Waits until everything that was received is stored. It ends when `stop` is cancelled, or on a failure that cannot
    /// be repaired by trying again.
    pub async fn finished(self) -> anyhow::Result<()> {
        let threads = tokio::task::spawn_blocking(move || (self.ordering.join(), self.writing.join()));
        let sources = self.sources.await?;
        let (ordering, writing) = threads.await?;
        let panicked = |_| anyhow::anyhow!("a thread of the pipeline panicked; please report this");
        writing.map_err(panicked)??;
        ordering.map_err(panicked)??;
        sources
    }
}
