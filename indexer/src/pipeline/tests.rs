//! The whole pipeline between a scripted source and a real file.

use super::*;
use crate::{
    query::{JobFilter, PageRequest, ProviderFilter, View},
    source::{BankRef, Fill, Gap, Heads, Parts, Progress, SlotStatus, SourceEvent, Update},
    store::{Read as _, Sqlite},
    testing::{Chain, Happening},
    types::{Address, Block, Look, Snapshot},
};
use joule_api::{Commitment, JobStatus};
use proptest::{prelude::*, test_runner::TestRunner};
use std::{
    path::Path,
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        Mutex,
    },
    time::{Duration, Instant},
};

/// Sends what the test puts in. Asked to, it connects again, with a replay from the frontier on.
struct Script {
    events: mpsc::UnboundedReceiver<SourceEvent>,
    asked: Arc<AtomicUsize>,
}

impl Source for Script {
    async fn run(mut self, frontier: Arc<Frontier>, out: mpsc::Sender<SourceEvent>, stop: CancellationToken) {
        loop {
            let event = tokio::select! {
                () = stop.cancelled() => return,
                () = frontier.asked_again() => {
                    let again = [
                        SourceEvent::Disconnected { reason: "asked again".to_owned() },
                        SourceEvent::Connected { replay_from: frontier.get() },
                    ];
                    for event in again {
                        let _ = out.send(event).await;
                    }
                    self.asked.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                event = self.events.recv() => event,
            };
            match event {
                Some(event) => {
                    if out.send(event).await.is_err() {
                        return;
                    }
                }
                None => return stop.cancelled().await,
            }
        }
    }
}

/// Answers from a list of blocks, after failing as often as told.
#[derive(Default)]
struct Past {
    blocks: Vec<Block>,
    failures: Mutex<usize>,
    fills: Arc<AtomicUsize>,
    lists: Arc<AtomicUsize>,
    /// It passes on the first block that is missing before the others.
    in_parts: bool,
    parts: Arc<AtomicUsize>,
    /// Nothing comes of it after a part.
    dies: Arc<AtomicBool>,
}

impl History for Past {
    async fn genesis(&self) -> anyhow::Result<String> {
        Ok("a chain".to_owned())
    }

    async fn tip(&self) -> anyhow::Result<u64> {
        Ok(self.blocks.last().map_or(0, |block| block.slot))
    }

    async fn list(&self, least: u64) -> anyhow::Result<Vec<Snapshot>> {
        self.lists.fetch_add(1, Ordering::Relaxed);
        Ok(snapshots(&self.blocks, least))
    }

    async fn heads(&self, least: u64) -> anyhow::Result<Vec<Heads>> {
        let heads = |snapshot: Snapshot| Heads {
            program: snapshot.program,
            slot: snapshot.slot,
            accounts: snapshot.accounts.iter().map(|write| (write.address, write.lamports)).collect(),
        };
        Ok(snapshots(&self.blocks, least).into_iter().map(heads).collect())
    }

    async fn fill(&self, gap: &Gap, _: &Progress, parts: &Parts) -> anyhow::Result<Fill> {
        let Gap { after, upto, .. } = *gap;
        self.fills.fetch_add(1, Ordering::Relaxed);
        {
            let mut failures = self.failures.lock().unwrap();
            if *failures > 0 {
                *failures -= 1;
                anyhow::bail!("the node is away");
            }
        }
        let known: Vec<Block> = self.blocks.iter().filter(|block| block.slot <= upto).cloned().collect();
        let blocks = known.iter().filter(|block| after.is_none_or(|after| block.slot > after));
        let blocks = blocks.map(|block| Block { writes: vec![], ..block.clone() });
        let mut blocks: Vec<Block> = blocks.collect();
        if self.in_parts && blocks.len() > 1 {
            let rest = blocks.split_off(1);
            let slot = blocks[0].slot;
            parts.pass(blocks, slot).await?;
            self.parts.fetch_add(1, Ordering::Relaxed);
            if self.dies.load(Ordering::Relaxed) {
                return std::future::pending().await;
            }
            blocks = rest;
        }
        Ok(Fill { blocks, snapshots: snapshots(&known, upto), upto, ..Fill::default() })
    }

    async fn look(&self, accounts: &[Address], least: u64) -> anyhow::Result<Vec<Look>> {
        let found = snapshots(&self.blocks, least).into_iter().flat_map(|snapshot| snapshot.accounts);
        let found: Vec<_> = found.filter(|write| accounts.contains(&write.address)).collect();
        let gone = accounts.iter().filter(|address| !found.iter().any(|write| write.address == **address));
        Ok(vec![Look { slot: least, block_time: None, gone: gone.copied().collect(), found }])
    }
}

fn snapshots(blocks: &[Block], slot: u64) -> Vec<Snapshot> {
    crate::decode::Program::ALL
        .map(|program| {
            let mut newest = std::collections::BTreeMap::new();
            for write in blocks.iter().flat_map(|block| &block.writes).filter(|write| write.owner == program.address())
            {
                newest.insert(write.address, write.clone());
            }
            let live = newest.into_values().filter(|write| write.lamports > 0);
            let version = crate::types::Version::snapshot(slot);
            let accounts = live.map(|write| crate::types::AccountWrite { version, ..(*write).clone() }).collect();
            Snapshot { program: program.address(), slot, block_time: None, accounts }
        })
        .into()
}

struct Running {
    store: Arc<Sqlite>,
    view: View,
    health: Arc<Health>,
    script: mpsc::UnboundedSender<SourceEvent>,
    asked: Arc<AtomicUsize>,
    stop: CancellationToken,
    pipeline: Pipeline,
}

impl Running {
    fn start(path: &Path, past: Past) -> Self {
        let store = Arc::new(Sqlite::open(path).unwrap());
        let shared = Shared {
            store: store.clone(),
            overlay: Arc::default(),
            feed: Arc::new(Feed::new(1_000)),
            health: Arc::default(),
            scheduler: Arc::new(Scheduler::load(&*store).unwrap()),
            stop: CancellationToken::new(),
        };
        let view = View::new(store.clone(), shared.overlay.clone());
        let (script, receiver) = mpsc::unbounded_channel();
        let (health, stop) = (shared.health.clone(), shared.stop.clone());
        let asked = Arc::<AtomicUsize>::default();
        let source = Script { events: receiver, asked: asked.clone() };
        let pipeline = Pipeline::start(vec![source], past, shared).unwrap();
        Self { store, view, health, script, asked, stop, pipeline }
    }

    fn send(&self, event: SourceEvent) {
        self.script.send(event).unwrap();
    }

    fn update(&self, update: Update) {
        self.send(SourceEvent::Update(update));
    }

    fn content(&self, block: &Block, parent: u64) {
        let bank = BankRef { slot: block.slot, bank: 1 };
        self.update(Update::Slot { slot: block.slot, bank: Some(1), parent: Some(parent), status: SlotStatus::Begun });
        for write in &block.writes {
            self.update(Update::Account { bank, write: write.clone() });
        }
        for transaction in &block.transactions {
            self.update(Update::Transaction { bank, transaction: transaction.clone() });
        }
        self.update(Update::BlockMeta {
            bank,
            parent,
            parent_hash: None,
            hash: None,
            block_time: block.block_time,
            received: Instant::now(),
        });
    }

    fn block(&self, block: &Block, parent: u64) {
        self.content(block, parent);
        self.update(Update::Slot { slot: block.slot, bank: None, parent: None, status: SlotStatus::Confirmed });
    }

    async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let started = Instant::now();
        while !holds(self) {
            assert!(started.elapsed() < Duration::from_secs(60), "never: {what}; {:?}", self.health.report());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    async fn stored(&self, slot: u64) {
        self.until("stored", |running| running.store.checkpoint().unwrap().is_some_and(|at| at.slot >= slot)).await;
    }

    async fn finish(self) -> Arc<Sqlite> {
        self.stop.cancel();
        self.pipeline.finished().await.unwrap();
        self.store
    }
}

fn contents(store: &Sqlite) -> serde_json::Value {
    let page = PageRequest { after: None, limit: 10_000 };
    let accounts: Vec<_> = crate::decode::Program::ALL
        .iter()
        .flat_map(|program| store.live_accounts(&program.address()).unwrap())
        .map(|row| (row.address.to_string(), row.data.iter().map(|b| u64::from(*b)).sum::<u64>()))
        .collect();
    // A closing that only a snapshot shows happened at a slot that nobody knows exactly.
    let jobs: Vec<_> = store
        .list(&JobFilter::default(), &page, &[])
        .unwrap()
        .into_iter()
        .map(|job| joule_api::Job { slot: 0, commitment: Commitment::Confirmed, ..job })
        .collect();
    // By address: one that was never seen alive is placed by the block of its registration.
    let providers: std::collections::BTreeSet<_> = store
        .list(&ProviderFilter::default(), &page, &[])
        .unwrap()
        .into_iter()
        .map(|provider| {
            let status = format!("{:?}", provider.status);
            (provider.address, status, provider.earned, provider.jobs_settled)
        })
        .collect();
    serde_json::json!({
        "jobs": jobs, "accounts": accounts, "providers": providers, "mints": store.totals().unwrap().mints,
    })
}

#[tokio::test]
async fn unconfirmed_changes_are_seen_before_confirmed_ones_are_stored() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(&folder.path().join("db"), Past::default());
    let mut chain = Chain::new();
    chain.register(1);
    let first = chain.take().remove(0);
    running.send(SourceEvent::Connected { replay_from: None });
    running.block(&first, first.slot - 1);
    running.stored(first.slot).await;

    let job = chain.open(1, 1_000);
    let second = chain.take().remove(0);
    running.content(&second, first.slot);
    running.until("visible", |running| running.view.get::<joule_api::Job>(&job).unwrap().is_some()).await;
    assert_eq!(running.view.get::<joule_api::Job>(&job).unwrap().unwrap().commitment, Commitment::Processed);
    assert_eq!(running.store.get::<joule_api::Job>(&job).unwrap(), None);

    running.update(Update::Slot { slot: second.slot, bank: None, parent: None, status: SlotStatus::Finalized });
    running.stored(second.slot).await;
    running
        .until("final", |running| {
            running.view.get::<joule_api::Job>(&job).unwrap().is_some_and(|job| job.commitment == Commitment::Finalized)
        })
        .await;
    running.finish().await;
}

#[tokio::test]
async fn an_empty_store_learns_the_past_and_a_failing_node_is_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut chain = Chain::new();
    let provider = chain.register(1);
    let settled = chain.open(1, 1_000);
    chain.accept(&settled, &provider, 800);
    chain.deliver(&settled);
    chain.settle(&settled);
    let open = chain.open(2, 500);
    let past = Past { blocks: chain.take(), failures: Mutex::new(2), ..Past::default() };
    let tip = past.blocks.last().unwrap().slot;
    let running = Running::start(&folder.path().join("db"), past);
    let next = chain.open(3, 10);
    let block = chain.take().remove(0);
    running.send(SourceEvent::Connected { replay_from: None });
    running.block(&block, tip);
    running.until("complains", |running| running.health.report().reason.is_some_and(|why| why.contains("away"))).await;
    running.stored(block.slot).await;
    assert_eq!(running.health.report().reason, None);
    let job = |address| running.view.get::<joule_api::Job>(&address).unwrap().unwrap();
    assert_eq!((job(settled).status, job(settled).paid.provider), (JobStatus::Settled, 792));
    assert_eq!((job(open).status, job(next).status), (JobStatus::Open, JobStatus::Open));
    running.finish().await;
}

#[tokio::test]
async fn what_happened_while_nobody_listened_is_found_closings_included() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let mut chain = Chain::new();
    let provider = chain.register(1);
    let job = chain.open(1, 1_000);
    let mut blocks = chain.take();
    let running = Running::start(&path, Past::default());
    running.send(SourceEvent::Connected { replay_from: None });
    let mut parent = blocks[0].slot - 1;
    for block in &blocks {
        running.block(block, parent);
        parent = block.slot;
    }
    running.stored(parent).await;
    running.finish().await;

    chain.accept(&job, &provider, 800);
    chain.deliver(&job);
    chain.settle(&job);
    chain.retire(&provider);
    let brief = chain.open(2, 70);
    chain.cancel(&brief);
    blocks.extend(chain.take());
    let tip = blocks.last().unwrap().slot;
    let running = Running::start(&path, Past { blocks, ..Past::default() });
    chain.open(3, 10);
    let block = chain.take().remove(0);
    // The server could not replay.
    running.send(SourceEvent::Connected { replay_from: None });
    running.block(&block, tip);
    running.stored(block.slot).await;
    let shown = |address| running.view.get::<joule_api::Job>(&address).unwrap().unwrap();
    assert_eq!((shown(job).status, shown(job).closed), (JobStatus::Settled, true));
    assert_eq!((shown(brief).status, shown(brief).paid.client), (JobStatus::Refunded, 70));
    assert_eq!(
        running.view.get::<joule_api::Provider>(&provider).unwrap().unwrap().status,
        joule_api::ProviderStatus::Retired
    );
    running.finish().await;
}

#[tokio::test]
async fn what_has_not_come_is_asked_of_the_stream_again_and_of_rpc_only_if_it_does_not_come_then() {
    let folder = tempfile::tempdir().unwrap();
    let mut chain = Chain::new();
    for who in 1..8 {
        chain.open(who, 1_000);
    }
    let blocks = chain.take();
    let fills = Arc::<AtomicUsize>::default();
    let past = Past { blocks: blocks.clone(), fills: fills.clone(), ..Past::default() };
    let running = Running::start(&folder.path().join("db"), past);
    let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    running.send(SourceEvent::Connected { replay_from: None });
    running.block(&blocks[0], blocks[0].slot - 1);
    running.block(&blocks[1], blocks[0].slot);
    running.stored(blocks[1].slot).await;
    assert_eq!((count(&fills), count(&running.asked)), (1, 0));

    // The third has begun, and its end does not come.
    let (lost, parent) = (&blocks[2], blocks[1].slot);
    let begun =
        |block: &Block| Update::Slot { slot: block.slot, bank: Some(1), parent: None, status: SlotStatus::Begun };
    running.update(begun(lost));
    running.block(&blocks[3], lost.slot);
    let end = |slot| Update::Slot { slot, bank: None, parent: None, status: SlotStatus::Finalized };
    running.update(end(lost.slot + 30));
    running.until("asked", |running| count(&running.asked) == 1).await;
    running.block(lost, parent);
    running.block(&blocks[3], lost.slot);
    running.stored(blocks[3].slot).await;
    assert_eq!((count(&fills), count(&running.asked)), (1, 1));

    // It never comes.
    let more = &blocks[4..];
    running.block(&more[0], blocks[3].slot);
    running.stored(more[0].slot).await;
    running.update(begun(&more[1]));
    running.block(&more[2], more[1].slot);
    running.update(end(more[1].slot + 60));
    running.until("asked", |running| count(&running.asked) == 2).await;
    running.block(&more[2], more[1].slot);
    running.update(end(more[1].slot + 61));
    running.stored(more[2].slot).await;
    assert_eq!((count(&fills), count(&running.asked)), (2, 2));
    running.finish().await;
}

#[tokio::test]
async fn stopping_stores_everything_that_was_received() {
    let folder = tempfile::tempdir().unwrap();
    let mut chain = Chain::new();
    for n in 0..200 {
        chain.open((n % 7) as u8, n);
    }
    let blocks = chain.take();
    let running = Running::start(&folder.path().join("db"), Past::default());
    running.send(SourceEvent::Connected { replay_from: None });
    // The first block opens a gap, which has to be closed before anything is in order.
    running.block(&blocks[0], blocks[0].slot - 1);
    running.stored(blocks[0].slot).await;
    let mut parent = blocks[0].slot;
    for block in &blocks[1..] {
        running.block(block, parent);
        parent = block.slot;
    }
    running.until("received", |running| running.health.report().tip_slot == parent).await;
    let store = running.finish().await;
    assert_eq!(store.checkpoint().unwrap().unwrap().slot, parent);
}

/// Connections that break anywhere, replays, gaps, forks that die, restarts of the whole indexer: the store ends as if
/// nothing had happened.
#[test]
fn any_history_of_connections_ends_in_the_same_store() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let strategy = (prop::collection::vec(any::<Happening>(), 3..20), prop::collection::vec((0u8..10, 0usize..6), 40));
    let mut runner = TestRunner::new(ProptestConfig::with_cases(25));
    runner
        .run(&strategy, |(happenings, troubles)| {
            let mut chain = Chain::new();
            chain.open(9, 1);
            for happening in happenings {
                chain.happen(happening);
            }
            let blocks = chain.take();
            let folder = tempfile::tempdir().unwrap();
            let straight = Sqlite::open(folder.path().join("straight")).unwrap();
            let checkpoint = blocks.last().map(|block| block.slot);
            straight.apply(&crate::store::Batch { blocks: blocks.clone(), checkpoint, ..Default::default() }).unwrap();
            let store = runtime.block_on(trouble(&folder.path().join("troubled"), &blocks, &troubles));
            let (expected, found) = (contents(&straight), contents(&store));
            for part in ["accounts", "jobs", "providers", "mints"] {
                let (expected, found) = (expected[part].as_array().unwrap(), found[part].as_array().unwrap());
                prop_assert_eq!(expected.len(), found.len(), "{}", part);
                for (expected, found) in expected.iter().zip(found) {
                    prop_assert_eq!(expected, found, "{}", part);
                }
            }
            Ok(())
        })
        .unwrap();
}

async fn trouble(path: &Path, blocks: &[Block], troubles: &[(u8, usize)]) -> Arc<Sqlite> {
    let past = || Past { blocks: blocks.to_vec(), ..Past::default() };
    let mut troubles = troubles.iter();
    let mut running = Running::start(path, past());
    running.send(SourceEvent::Connected { replay_from: None });
    let mut next = 0;
    while next < blocks.len() {
        let parent = |index: usize| index.checked_sub(1).map_or(blocks[0].slot - 1, |before| blocks[before].slot);
        match troubles.next() {
            // The connection breaks in the middle of a block; the next one replays some of it, or nothing.
            Some((0, back)) => {
                for write in &blocks[next].writes {
                    let bank = BankRef { slot: blocks[next].slot, bank: 1 };
                    running.update(Update::Account { bank, write: write.clone() });
                }
                running.send(SourceEvent::Disconnected { reason: "test".to_owned() });
                next = next.saturating_sub(*back);
                running.send(SourceEvent::Connected { replay_from: Some(blocks[next].slot) });
            }
            // It breaks, and the server has forgotten.
            Some((1, skipped)) => {
                running.send(SourceEvent::Disconnected { reason: "test".to_owned() });
                running.send(SourceEvent::Connected { replay_from: None });
                next = (next + skipped).min(blocks.len() - 1);
            }
            // The indexer restarts, and may be put back before.
            Some((2, back)) => {
                let store = running.finish().await;
                if let Some(checkpoint) = store.checkpoint().unwrap().filter(|_| back % 2 == 1) {
                    let to = checkpoint.slot.saturating_sub(*back as u64);
                    next = blocks.iter().position(|block| block.slot > to).unwrap_or(next).min(next);
                    store.rewind(to, &mut |_| ()).unwrap();
                }
                drop(store);
                running = Running::start(path, past());
                next = next.saturating_sub(*back);
                running.send(SourceEvent::Connected { replay_from: Some(blocks[next].slot) });
            }
            // A fork with another bank for the same slot dies.
            Some((3, _)) => {
                let bank = BankRef { slot: blocks[next].slot, bank: 2 };
                for write in &blocks[next.saturating_sub(1)].writes {
                    running.update(Update::Account { bank, write: write.clone() });
                }
                let slot = bank.slot;
                running.update(Update::Slot { slot, bank: Some(2), parent: None, status: SlotStatus::Dead });
            }
            _ => {
                running.block(&blocks[next], parent(next));
                next += 1;
            }
        }
    }
    running.stored(blocks[blocks.len() - 1].slot).await;
    running.until("listed", |running| running.store.is_listed().unwrap()).await;
    running.finish().await
}

#[tokio::test]
async fn after_a_store_was_put_back_accounts_are_listed_once_the_chain_is_caught_up_with() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let mut chain = Chain::new();
    let providers = [1, 2, 3].map(|who| chain.register(who));
    chain.pause(&providers[1]);
    let blocks = chain.take();
    let first = blocks[0].slot;
    let running = Running::start(&path, Past::default());
    running.send(SourceEvent::Connected { replay_from: Some(first) });
    for block in &blocks {
        running.block(block, block.slot - 1);
    }
    let tip = blocks.last().unwrap().slot;
    running.stored(tip).await;
    let store = running.finish().await;
    let expected = contents(&store);
    store.rewind(first, &mut |_| ()).unwrap();
    drop(store);
    let lists = Arc::<AtomicUsize>::default();
    let past = Past { blocks: blocks.clone(), lists: lists.clone(), ..Past::default() };
    let running = Running::start(&path, past);
    assert!(!running.health.is_synced());
    running.send(SourceEvent::Connected { replay_from: Some(first + 1) });
    running.block(&blocks[1], first);
    running.stored(blocks[1].slot).await;
    assert!(!running.health.is_synced() && running.health.report().reason.is_some_and(|why| why.contains("accounts")));
    assert_eq!(lists.load(Ordering::Relaxed), 0);
    for block in &blocks[2..] {
        running.block(block, block.slot - 1);
    }
    running.until("synced", |running| running.health.is_synced()).await;
    assert_eq!(lists.load(Ordering::Relaxed), 1);
    let store = running.finish().await;
    assert!(store.is_listed().unwrap());
    assert_eq!(contents(&store), expected);
}

#[tokio::test]
async fn whoever_dies_while_a_long_gap_is_read_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let mut chain = Chain::new();
    for who in 1..6 {
        chain.open(who, 1_000);
    }
    let blocks = chain.take();
    let tip = blocks.last().unwrap().slot;
    let next = Block { slot: tip + 1, ..Block::default() };
    let parts = Arc::<AtomicUsize>::default();
    let past = |dies| Past {
        blocks: blocks.clone(),
        in_parts: true,
        parts: parts.clone(),
        dies: Arc::new(AtomicBool::new(dies)),
        ..Past::default()
    };
    for block in &blocks[..2] {
        let running = Running::start(&path, past(true));
        running.send(SourceEvent::Connected { replay_from: None });
        running.block(&next, tip);
        running.stored(block.slot).await;
        assert!(!running.health.is_synced(), "what happened is stored up to here, and not what accounts are");
        running.finish().await;
    }
    assert_eq!(parts.load(Ordering::Relaxed), 2);
    let running = Running::start(&path, past(false));
    running.send(SourceEvent::Connected { replay_from: None });
    running.block(&next, tip);
    running.stored(next.slot).await;
    running.until("synced", |running| running.health.is_synced()).await;
    let page = PageRequest { after: None, limit: 10 };
    assert_eq!(running.store.list(&JobFilter::default(), &page, &[]).unwrap().len(), blocks.len());
    running.finish().await;
}
