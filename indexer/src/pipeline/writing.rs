//! The thread that writes: everything that waits, in one transaction.

use super::Shared;
use crate::{
    patience::patiently,
    source::{Fill, Share},
    store::{Applied, Batch},
    telemetry,
    types::Block,
};
use anyhow::Context as _;
use joule_api::Commitment;
use std::{sync::mpsc::Receiver, time::Instant};
use tokio::sync::OwnedSemaphorePermit;

/// Most blocks in one transaction, so that readers of the feed do not wait for long after a stall.
const AT_ONCE: usize = 128;
/// The same by [`Commit::weight`]: fewer write the same pages of indexes again and again, more are only larger in memory.
const ENOUGH: usize = 24_576;
/// Blocks of history in one transaction; there may be years of it.
const HISTORY_AT_ONCE: usize = 512;

/// What the writing thread is asked to do, in this order.
pub(super) enum Commit {
    Block { block: Block, frontier: u64 },
    Finalized(u64),
    Fill(Fill),
}

/// Something to do, and its share of what may wait, which is given back when it is done.
pub(super) struct Queued {
    pub commit: Commit,
    pub room: OwnedSemaphorePermit,
}

impl Commit {
    /// How much memory it takes: account writes and transactions.
    pub fn weight(&self) -> usize {
        match self {
            Self::Block { block, .. } => block.writes.len() + block.transactions.len(),
            Self::Finalized(_) | Self::Fill(_) => 0,
        }
    }
}

/// Runs until the other end is gone and everything it sent is stored.
pub(super) fn run(commits: &Receiver<Queued>, shared: &Shared) -> anyhow::Result<()> {
    while let Ok(first) = commits.recv() {
        let mut batch = Batch::default();
        let mut rooms = Vec::new();
        let mut size = 0;
        let mut next = Some(first);
        while let Some(Queued { commit, room }) = next {
            size += commit.weight();
            rooms.push(room);
            match commit {
                Commit::Block { block, frontier } => {
                    batch.blocks.push(block);
                    batch.checkpoint = batch.checkpoint.max(Some(frontier));
                }
                Commit::Finalized(slot) => batch.finalized = batch.finalized.max(Some(slot)),
                Commit::Fill(fill) => {
                    size = 0;
                    write(std::mem::take(&mut batch), shared)?;
                    write_history(fill, shared)?;
                }
            }
            next = (batch.blocks.len() < AT_ONCE && size < ENOUGH).then(|| commits.try_recv().ok()).flatten();
        }
        write(batch, shared)?;
    }
    Ok(())
}

/// The checkpoint moves with the last batch of it only: until then, all of it would be read again, and change nothing.
fn write_history(fill: Fill, shared: &Shared) -> anyhow::Result<()> {
    let Fill { mut blocks, snapshots, looks, upto, share, .. } = fill;
    while blocks.len() > HISTORY_AT_ONCE {
        let rest = blocks.split_off(HISTORY_AT_ONCE);
        write(Batch { blocks: std::mem::replace(&mut blocks, rest), ..Batch::default() }, shared)?;
    }
    let accounts = snapshots.iter().map(|snapshot| snapshot.accounts.len()).sum::<usize>()
        + looks.iter().map(|look| look.found.len()).sum::<usize>();
    let unlisted = share == Share::Beginning;
    write(Batch { blocks, snapshots, looks, checkpoint: Some(upto), finalized: None, unlisted }, shared)?;
    match share {
        Share::All => tracing::info!(upto, accounts, "the gap is filled"),
        Share::Beginning => tracing::info!(upto, "of the gap this is stored"),
        Share::Accounts => tracing::info!(upto, accounts, "all accounts are listed"),
    }
    Ok(())
}

fn write(batch: Batch, shared: &Shared) -> anyhow::Result<()> {
    if batch.blocks.is_empty() && batch.snapshots.is_empty() && batch.finalized.is_none() && batch.checkpoint.is_none()
    {
        return Ok(());
    }
    let applied = apply(&batch, shared)?;
    // The scheduler first: from the moment the overlay lets go of a job, it has to know it.
    shared.scheduler.update(&applied.changes.jobs);
    if let Some(slot) = batch.checkpoint {
        shared.overlay.committed(slot);
        shared.health.checkpoint(slot);
        if batch.unlisted || batch.lists_all() {
            shared.health.listed(!batch.unlisted);
        }
    }
    let feed = &shared.feed;
    if feed.is_read() {
        feed.changes(&applied.changes, Commitment::Confirmed);
        for block in &batch.blocks {
            feed.slot(block.slot, Commitment::Confirmed, block.block_time);
        }
        if let Some(slot) = batch.finalized {
            feed.slot(slot, Commitment::Finalized, None);
        }
    }
    metrics::counter!(telemetry::EVENTS).increment(applied.changes.events.len() as u64);
    metrics::counter!(telemetry::DEAD_LETTERS).increment(applied.dead_letters as u64);
    metrics::histogram!(telemetry::BATCH).record(batch.blocks.len() as f64);
    Ok(())
}

/// Whatever fails, a full disk too, may pass: nothing is lost by waiting, since whoever sends waits too.
fn apply(batch: &Batch, shared: &Shared) -> anyhow::Result<Applied> {
    let Shared { store, health, stop, .. } = shared;
    let apply = || {
        let started = Instant::now();
        let applied = store.apply(batch)?;
        metrics::histogram!(telemetry::COMMIT).record(started.elapsed().as_secs_f64());
        Ok(applied)
    };
    patiently(health, stop, |_| true, apply)
        .context("the last blocks could not be stored; they will be read again at the next start")
}
