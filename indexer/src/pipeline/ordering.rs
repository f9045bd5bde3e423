//! The thread that orders: receives, shows unconfirmed state, passes on confirmed blocks, has gaps filled.

use super::{vanished, writing::Commit, Shared};
use crate::{
    crash,
    order::{Effect, Order},
    query::Unconfirmed,
    source::{Fill, Frontier, Gap, History, SourceEvent, Update},
    telemetry,
};
use anyhow::Context as _;
use backon::{ExponentialBuilder, Retryable};
use joule_api::Commitment;
use joule_settings::Causes;
use std::{
    sync::{mpsc::SyncSender, Arc},
    time::Duration,
};
use tokio::{runtime::Handle, sync::mpsc};

/// Most messages that are taken at a time; what they change becomes visible together.
const AT_ONCE: usize = 1_024;
/// More updates than this are not held while a gap is open: they are dropped from memory, and the gap grows over them.
/// RPC brings them back when it answers again.
const HELD_IN_A_GAP: usize = 200_000;

pub(super) struct Ordering<H> {
    order: Order,
    frontier: Arc<Frontier>,
    history: Arc<H>,
    commits: SyncSender<Commit>,
    shared: Shared,
    runtime: Handle,
    filled: (mpsc::Sender<Fill>, mpsc::Receiver<Fill>),
    filling: bool,
    /// Where the stream was asked to go on from, the last time.
    asked: Option<u64>,
}

enum Input {
    Received(usize),
    Filled(Fill),
}

impl<H: History> Ordering<H> {
    pub fn new(
        frontier: Arc<Frontier>,
        history: Arc<H>,
        commits: SyncSender<Commit>,
        shared: Shared,
        runtime: Handle,
    ) -> Self {
        let order = Order::new(frontier.get());
        Self {
            order,
            frontier,
            history,
            commits,
            shared,
            runtime,
            filled: mpsc::channel(1),
            filling: false,
            asked: None,
        }
    }

    /// Runs until the source is gone and everything it sent is passed on.
    pub fn run(mut self, mut received: mpsc::Receiver<SourceEvent>) -> anyhow::Result<()> {
        let mut events = Vec::with_capacity(AT_ONCE);
        loop {
            let input = {
                let (received, filled) = (&mut received, &mut self.filled.1);
                let events = &mut events;
                self.runtime.block_on(async move {
                    tokio::select! {
                        count = received.recv_many(events, AT_ONCE) => Input::Received(count),
                        Some(fill) = filled.recv() => Input::Filled(fill),
                    }
                })
            };
            let mut effects = Vec::new();
            match input {
                Input::Received(0) => {
                    // The writing thread may have a lot to do still.
                    crash::point(crash::Point::WhileDraining);
                    return Ok(());
                }
                Input::Received(_) => {
                    if self.shared.stop.is_cancelled() {
                        crash::point(crash::Point::WhileDraining);
                    }
                    let heard = events.iter().any(|event| matches!(event, SourceEvent::Update(_)));
                    for event in events.drain(..) {
                        self.receive(event, &mut effects);
                    }
                    if heard {
                        self.shared.health.heard(self.order.tip());
                    }
                    metrics::gauge!(telemetry::QUEUE).set(received.len() as f64);
                }
                Input::Filled(fill) => {
                    self.filling = false;
                    self.shared.health.gap(None);
                    let upto = fill.upto;
                    self.asked = Some(upto);
                    self.send(Commit::Fill(fill))?;
                    self.order.filled(upto, &mut effects);
                }
            }
            if self.filling && self.order.held() > HELD_IN_A_GAP {
                tracing::warn!(held = self.order.held(), "too much to hold while a gap is open; the gap grows");
                self.order.connected(None, &mut effects);
            }
            self.perform(effects)?;
            self.frontier.set(self.order.frontier());
            metrics::gauge!(telemetry::HELD).set(self.order.held() as f64);
        }
    }

    fn receive(&mut self, event: SourceEvent, effects: &mut Vec<Effect>) {
        match event {
            SourceEvent::Connected { replay_from } => {
                self.shared.health.connected();
                self.asked = self.order.frontier();
                self.order.connected(replay_from, effects);
            }
            SourceEvent::Disconnected { reason } => {
                self.shared.health.reconnecting(reason);
                self.order.disconnected(effects);
            }
            SourceEvent::Update(update) => {
                let kind = match &update {
                    Update::Account { .. } => "account",
                    Update::Transaction { .. } => "transaction",
                    Update::Slot { .. } => "slot",
                    Update::BlockMeta { block_time, .. } => {
                        if let Some(time) = block_time {
                            self.shared.health.block_time(*time);
                        }
                        "block_meta"
                    }
                };
                metrics::counter!(telemetry::UPDATES, "kind" => kind).increment(1);
                self.order.push(update, effects);
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
                Effect::Dropped(banks) => unconfirmed.push(Unconfirmed::Dropped(banks)),
                Effect::Reset => unconfirmed.push(Unconfirmed::Reset),
                Effect::Commit { block, frontier } => commits.push(Commit::Block { block, frontier }),
                Effect::Finalized(slot) => commits.push(Commit::Finalized(slot)),
                Effect::Gap(gap) => gaps.push(gap),
            }
        }
        if !unconfirmed.is_empty() {
            let Shared { overlay, store, feed, .. } = &self.shared;
            let wanted = feed.is_read();
            let changes = overlay.apply(unconfirmed, &**store, wanted).context("cannot read the store")?;
            if wanted {
                feed.changes(&changes, Commitment::Processed);
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
        self.commits.send(commit).map_err(|_| anyhow::anyhow!("the writing thread is gone"))
    }

    /// The stream first, whose server may have by now what it had not: every connection asks from the frontier on. What a
    /// connection that did so from right here has not brought is RPC's.
    ///
    /// One fill at a time. A gap that opens while one runs is reported again when it is done.
    fn fill(&mut self, gap: Gap) {
        let Gap { after, upto, .. } = gap;
        if self.filling {
            return;
        }
        if after != self.asked {
            tracing::info!(after, upto, "the stream has left out these slots; asking it again");
            self.frontier.ask_again();
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
            let fill = (|| async {
                let mut fill = history.fill(&gap).await?;
                vanished::check(&mut fill, &*history, &store).await?;
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
