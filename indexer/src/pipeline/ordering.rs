//! The thread that orders: receives, shows unconfirmed state, passes on confirmed blocks, has gaps filled.

use super::{
    inbox::Inbox,
    reading::Shown,
    unnamed, vanished,
    writing::{Commit, Queued},
    Shared,
};
use crate::{
    crash,
    order::{Effect, Order},
    patience::patiently,
    query::Unconfirmed,
    source::{Fill, Frontier, Gap, History, Parts, Progress, Share, SourceEvent, Update},
    store::StoreError,
    telemetry,
};
use anyhow::Context as _;
use backon::{ExponentialBuilder, Retryable};
use joule_api::Commitment;
use joule_settings::Causes;
use std::{
    collections::BTreeMap,
    sync::{mpsc::SyncSender, Arc},
    time::{Duration, Instant},
};
use tokio::{
    runtime::Handle,
    sync::{mpsc, Semaphore},
};

/// More updates than this are not held while a gap is open: they are dropped from memory, and the gap grows over them.
/// RPC brings them back when it answers again.
const HELD_IN_A_GAP: usize = 200_000;

/// Account writes and transactions that wait for the writing thread, beside the bound on blocks. If it dies, what waits is dropped and
/// makes room, so that nobody waits for ever.
const WAITING: usize = 65_536;

pub(super) struct Ordering<H> {
    order: Order,
    /// One a source, of the same slot.
    frontiers: Vec<Arc<Frontier>>,
    history: Arc<H>,
    commits: SyncSender<Queued>,
    room: Arc<Semaphore>,
    shared: Shared,
    runtime: Handle,
    filled: (mpsc::Sender<Fill>, mpsc::Receiver<Fill>),
    filling: bool,
    /// Where each source was asked to go on from, the last time.
    asked: Vec<Option<u64>>,
    /// When the end of each block beyond the frontier was first received.
    received: BTreeMap<u64, Instant>,
}

enum Input {
    Received(bool),
    Filled(Fill),
}

impl<H: History> Ordering<H> {
    pub fn new(
        frontiers: Vec<Arc<Frontier>>,
        history: Arc<H>,
        commits: SyncSender<Queued>,
        shared: Shared,
        runtime: Handle,
    ) -> Self {
        let order = Order::new(frontiers.first().and_then(|frontier| frontier.get()), frontiers.len());
        Self {
            order,
            asked: vec![None; frontiers.len()],
            frontiers,
            history,
            commits,
            room: Arc::new(Semaphore::new(WAITING)),
            shared,
            runtime,
            filled: mpsc::channel(1),
            filling: false,
            received: BTreeMap::new(),
        }
    }

    /// Runs until the sources are gone and everything they sent is passed on.
    pub fn run(mut self, mut inbox: Inbox, is_listed: bool) -> anyhow::Result<()> {
        if self.order.frontier().is_some() && !is_listed {
            self.list();
        }
        let mut events = Vec::new();
        loop {
            let input = {
                let (inbox, filled, events) = (&mut inbox, &mut self.filled.1, &mut events);
                self.runtime.block_on(async move {
                    tokio::select! {
                        is_open = inbox.take(events) => Input::Received(is_open),
                        Some(fill) = filled.recv() => Input::Filled(fill),
                    }
                })
            };
            let mut effects = Vec::new();
            match input {
                Input::Received(false) => {
                    // The writing thread may have a lot to do still.
                    crash::point(crash::Point::WhileDraining);
                    return Ok(());
                }
                Input::Received(true) => {
                    if self.shared.stop.is_cancelled() {
                        crash::point(crash::Point::WhileDraining);
                    }
                    let mut heard = vec![false; self.asked.len()];
                    for (source, event) in events.drain(..) {
                        heard[source] |= matches!(event, SourceEvent::Update(_));
                        self.receive(source, event, &mut effects);
                    }
                    for (source, _) in heard.into_iter().enumerate().filter(|(_, heard)| *heard) {
                        self.shared.health.heard(source, self.order.tip(source));
                    }
                    self.shared.health.waiting(inbox.waiting());
                }
                // Of these the streams' frontier is no further.
                Input::Filled(fill) if fill.share != Share::All => self.send(Commit::Fill(fill))?,
                Input::Filled(fill) => {
                    self.filling = false;
                    self.shared.health.gap(None);
                    let upto = fill.upto;
                    self.asked.fill(Some(upto));
                    self.send(Commit::Fill(fill))?;
                    self.order.filled(upto, &mut effects);
                }
            }
            if self.filling && self.order.held() > HELD_IN_A_GAP {
                tracing::warn!(held = self.order.held(), "too much to hold while a gap is open; the gap grows");
                for source in 0..self.asked.len() {
                    if self.order.is_live(source) {
                        self.order.connected(source, None, &mut effects);
                    }
                }
            }
            self.perform(effects)?;
            if let Some(frontier) = self.frontiers.first() {
                frontier.set(self.order.frontier());
            }
            metrics::gauge!(telemetry::HELD).set(self.order.held() as f64);
        }
    }

    fn receive(&mut self, source: usize, event: SourceEvent, effects: &mut Vec<Effect>) {
        match event {
            SourceEvent::Connected { replay_from } => {
                self.shared.health.connected(source);
                self.asked[source] = self.order.frontier();
                self.order.connected(source, replay_from, effects);
            }
            SourceEvent::Disconnected { reason } => {
                self.shared.health.reconnecting(source, reason);
                self.order.disconnected(source, effects);
            }
            SourceEvent::Update(update) => {
                let kind = match &update {
                    Update::Account { .. } => "account",
                    Update::Transaction { .. } => "transaction",
                    Update::Slot { .. } => "slot",
                    Update::BlockMeta { bank, block_time, received, .. } => {
                        if let Some(time) = block_time {
                            self.shared.health.block_time(*time);
                        }
                        telemetry::stage("queued", *received);
                        if Some(bank.slot) > self.order.frontier() {
                            self.received.entry(bank.slot).or_insert(*received);
                        }
                        "block_meta"
                    }
                };
                metrics::counter!(telemetry::UPDATES, "kind" => kind).increment(1);
                self.order.push(source, update, effects);
            }
        }
    }

    /// Unconfirmed state becomes visible before anything is stored, and confirmed blocks go to the writing thread after
    /// it, so that what they contain is never invisible in between.
    fn perform(&mut self, effects: Vec<Effect>) -> anyhow::Result<()> {
        let mut unconfirmed = Vec::new();
        let mut commits = Vec::new();
        let mut gaps = Vec::new();
        for effect in effects {
            match effect {
                Effect::Write { bank, write } => unconfirmed.push(Unconfirmed::Write(bank, write)),
                Effect::Transaction { bank, transaction } => {
                    unconfirmed.push(Unconfirmed::Transaction(bank, transaction));
                }
                Effect::Dropped(banks) => {
                    metrics::counter!(telemetry::DISCARDED).increment(banks.len() as u64);
                    unconfirmed.push(Unconfirmed::Dropped(banks));
                }
                Effect::Hidden(banks) => unconfirmed.push(Unconfirmed::Dropped(banks)),
                Effect::Commit { block, frontier } => {
                    self.ordered(block.slot);
                    commits.push(Commit::Block { block, frontier });
                }
                Effect::Astray { source, slot } => {
                    let reason = format!(
                        "what it calls confirmed at slot {slot} does not follow on what is stored: it serves another chain than \
                         the others, or another fork; check grpc"
                    );
                    tracing::error!(endpoint = self.shared.health.name(source), %reason, "an endpoint is not followed");
                    self.shared.health.reconnecting(source, reason);
                }
                Effect::Finalized(slot) => commits.push(Commit::Finalized(slot)),
                Effect::Gap(gap) => gaps.push(gap),
            }
        }
        if !unconfirmed.is_empty() {
            let Shared { overlay, store, feed, health, stop, .. } = &self.shared;
            if let Some(mut touched) = overlay.apply(unconfirmed, feed.is_read()) {
                patiently(health, stop, StoreError::is_away, || overlay.compare(&mut touched, &**store))
                    .context("cannot read the store")?;
                feed.changes(&touched.changes, Commitment::Processed);
            }
        }
        for commit in commits {
            self.send(commit)?;
        }
        for gap in gaps {
            self.fill(gap);
        }
        Ok(())
    }

    fn send(&self, commit: Commit) -> anyhow::Result<()> {
        let weight = commit.weight().min(WAITING) as u32;
        let room = self.runtime.block_on(self.room.clone().acquire_many_owned(weight))?;
        self.commits.send(Queued { commit, room }).map_err(|_| anyhow::anyhow!("the writing thread is gone"))
    }

    /// A block is on its way to the store.
    fn ordered(&mut self, slot: u64) {
        if let Some(received) = self.received.remove(&slot) {
            telemetry::stage("ordered", received);
            self.shared.health.ordered(slot);
        }
        self.received = self.received.split_off(&slot);
    }

    /// Accounts are other than at the checkpoint: it was put back, or the reading of a long gap ended before its end. When all that has
    /// happened by now is stored, so that nothing that is listed is older than it, lists of all are.
    fn list(&self) {
        let Some(frontier) = self.frontiers.first().cloned() else { return };
        tracing::info!("accounts are not known as of the checkpoint; they are listed when the chain is caught up with");
        let (history, health, store) = (self.history.clone(), self.shared.health.clone(), self.shared.store.clone());
        let (filled, stop) = (self.filled.0.clone(), self.shared.stop.clone());
        self.runtime.spawn(async move {
            let patience = || {
                ExponentialBuilder::default()
                    .with_min_delay(Duration::from_millis(100))
                    .with_max_delay(Duration::from_secs(10))
                    .with_jitter()
                    .without_max_times()
            };
            let failed = |error: &anyhow::Error, delay: Duration| {
                tracing::warn!(error = %Causes(error.as_ref()), delay_ms = delay.as_millis(), "accounts are not listed; trying again");
                health.history_failed(Some(format!("accounts are not listed: {}", Causes(error.as_ref()))));
            };
            let listed = async {
                let tip = (|| history.tip()).retry(patience()).notify(failed).await?;
                frontier.reached(tip).await;
                let list = || async {
                    let upto = frontier.get().unwrap_or(tip);
                    let snapshots = history.list(upto).await?;
                    let mut fill = Fill { snapshots, upto, share: Share::Accounts, ..Fill::default() };
                    vanished::check(&mut fill, &*history, &store).await?;
                    anyhow::Ok(fill)
                };
                let fill = list.retry(patience()).notify(failed).await?;
                health.history_failed(None);
                anyhow::Ok(fill)
            };
            tokio::select! {
                () = stop.cancelled() => {}
                result = listed => {
                    if let Ok(fill) = result {
                        let _ = filled.send(fill).await;
                    }
                }
            }
        });
    }

    /// The streams first, whose servers may have by now what they had not: every connection asks from the frontier on. What
    /// connections that did so from right here have not brought is RPC's.
    ///
    /// One fill at a time. A gap that opens while one runs is reported again when it is done.
    fn fill(&mut self, gap: Gap) {
        let Gap { after, upto, .. } = gap;
        if self.filling {
            return;
        }
        let unasked =
            (0..self.asked.len()).filter(|source| self.order.is_live(*source) && self.asked[*source] != after);
        let unasked: Vec<usize> = unasked.collect();
        if !unasked.is_empty() {
            tracing::info!(after, upto, "the stream has left out these slots; asking it again");
            for source in unasked {
                self.frontiers[source].ask_again();
            }
            return;
        }
        self.filling = true;
        self.shared.health.gap(Some((upto - after.unwrap_or_default()).max(1)));
        metrics::counter!(telemetry::GAPS).increment(1);
        tracing::info!(after, upto, "the stream does not have these slots; asking RPC");
        let (history, health, store) = (self.history.clone(), self.shared.health.clone(), self.shared.store.clone());
        let (filled, stop) = (self.filled.0.clone(), self.shared.stop.clone());
        self.runtime.spawn(async move {
            let schedule = ExponentialBuilder::default()
                .with_min_delay(Duration::from_millis(100))
                .with_max_delay(Duration::from_secs(10))
                .with_jitter()
                .without_max_times();
            let progress = Arc::new(Progress::default());
            let _shown = Shown::of(progress.clone());
            let parts = Parts::new(filled.clone(), after);
            let fill = (|| async {
                let gap = Gap { after: parts.reached(), ..gap.clone() };
                let mut fill = history.fill(&gap, &progress, &parts).await?;
                vanished::check(&mut fill, &*history, &store).await?;
                unnamed::look(&mut fill, &*history, &store).await?;
                anyhow::Ok(fill)
            })
            .retry(schedule)
            .notify(|error, delay| {
                tracing::warn!(error = %Causes(error.as_ref()), delay_ms = delay.as_millis(), "the gap is not filled; trying again");
                let from = after.map_or(String::new(), |after| format!("after {after} "));
                health.history_failed(Some(format!("the slots {from}up to {upto} are missing: {}", Causes(error.as_ref()))));
            });
            tokio::select! {
                () = stop.cancelled() => {}
                result = fill => {
                    if let Ok(fill) = result {
                        // Nobody listens any more when the indexer stops.
                        let _ = filled.send(fill).await;
                    }
                }
            }
        });
    }
}
