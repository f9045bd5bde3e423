//! The indexer dies at each of its five points while jobs are in flight, more happens while it is down, and afterwards its
//! store is the chain's, and the same as that of an indexer that never died.

use crate::support::{until, Indexer, Order, World};
use joule_api::{JobStatus, Totals};
use joule_artifacts::Hash;
use joule_localnet::{
    Config,
    Persona::{Alice, Bob, North, South},
};
use joule_sdk::Pubkey;
use rusqlite::{types::Value, Connection, OpenFlags};
use std::{collections::BTreeMap, os::unix::process::ExitStatusExt as _, path::Path};
use yellowstone_grpc_client::GeyserGrpcClient;

/// More than a story lasts: what was missed comes from the stream's replay.
const ALL_SLOTS: usize = 1_000_000;
/// Less than it is down, with the 31 that are kept until they are final: what was missed comes from RPC.
const FEW_SLOTS: usize = 5;
const PRICE: u64 = 900_000;

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_subscribing() {
    dies_and_recovers("after-subscribe", ALL_SLOTS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_snapshot() {
    dies_and_recovers("after-snapshot", ALL_SLOTS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_of_a_batch() {
    dies_and_recovers("mid-batch-before-commit:25", ALL_SLOTS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_a_commit() {
    dies_and_recovers("after-commit:25", ALL_SLOTS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_draining() {
    dies_and_recovers("while-draining", ALL_SLOTS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_a_commit_and_down_for_longer_than_the_server_can_replay() {
    dies_and_recovers("after-commit:25", FEW_SLOTS).await;
}

/// The jobs of the story, and how each ends.
struct Jobs {
    ends: BTreeMap<Pubkey, JobStatus>,
}

async fn dies_and_recovers(crash_at: &str, replay_slots: usize) {
    let world = World::start_with(|config| Config { replay_slots, ..config }).await;
    let reference = world.indexer("reference", None).await;
    reference.well().await;

    // A past that only a snapshot and RPC can tell of.
    world.register(North).await;
    world.register(South).await;
    let result = Hash::of(b"result");
    let show = Order::for_show();
    let [open, accepted, delivered, cancelled] = [
        world.open(Alice, show).await,
        world.open(Alice, show).await,
        world.open(Bob, show).await,
        world.open(Bob, show).await,
    ];
    world.accept(North, accepted, PRICE).await;
    world.accept(South, delivered, PRICE).await;

    // In flight while it dies.
    let mut mortal = world.indexer("mortal", Some(crash_at)).await;
    world.submit(South, delivered, result).await;
    let settled = world.open(Alice, show).await;
    world.accept(North, settled, PRICE).await;
    world.submit(North, settled, result).await;
    world.approve(Alice, settled).await;
    let refunded = world.open(Bob, show).await;
    world.cancel(Bob, refunded).await;
    if crash_at == "while-draining" {
        mortal.well().await;
        mortal.process.terminate();
    }
    let status = mortal.process.ended().await;
    assert_eq!(status.signal(), Some(libc::SIGABRT), "{status}:\n{}", mortal.process.log());

    // While it is dead, everything goes on.
    world.submit(North, accepted, result).await;
    world.approve(Bob, delivered).await;
    world.cancel(Bob, cancelled).await;
    world.update(North, 9).await;
    world.retire(South).await;
    let brief = world.open(Alice, show).await;
    world.accept(North, brief, PRICE).await;
    world.submit(North, brief, result).await;
    world.approve(Alice, brief).await;
    let late = world.open(Bob, show).await;

    if replay_slots == FEW_SLOTS {
        let changed_by = world.chain.rpc().get_slot().await.unwrap();
        until("the stream no longer reaches back", async || {
            let client = GeyserGrpcClient::build_from_shared(world.localnet.grpc_url().to_owned()).ok()?;
            let kept = client.connect().await.ok()?.subscribe_replay_info().await.ok()?.first_available?;
            (kept > changed_by).then_some(())
        })
        .await;
    }
    let mortal = world.indexer("mortal", None).await;
    mortal.well().await;
    world.accept(North, late, PRICE).await;

    let jobs = Jobs {
        ends: BTreeMap::from([
            (open, JobStatus::Open),
            (accepted, JobStatus::Delivered),
            (delivered, JobStatus::Settled),
            (cancelled, JobStatus::Refunded),
            (settled, JobStatus::Settled),
            (refunded, JobStatus::Refunded),
            (brief, JobStatus::Settled),
            (late, JobStatus::Accepted),
        ]),
    };
    let asked_rpc = mortal.process.log().matches("asking RPC").count();
    match replay_slots {
        ALL_SLOTS => assert_eq!(asked_rpc, 1, "the first start asks RPC, the second resumes from the stream"),
        _ => assert!(asked_rpc > 1, "the stream did not reach back"),
    }
    jobs.are_in(&mortal).await;
    jobs.are_in(&reference).await;
    mortal.equals_the_chain(world.localnet.rpc_url()).await;
    same_answers(&reference, &mortal).await;
    same_rows(&reference.database, &mortal.database, crash_at == "after-subscribe").await;

    mortal.process.stop().await;
    reference.process.stop().await;
    world.stop().await;
}

impl Jobs {
    async fn are_in(&self, indexer: &Indexer) {
        for (job, status) in &self.ends {
            indexer.job_is(*job, *status).await;
        }
        let page = indexer.api.jobs(&[("limit", "100".to_owned())]).await.expect("a page");
        assert_eq!(page.items.len(), self.ends.len(), "no job is lost or invented");
    }
}

/// Totals and counters, as soon as both have stored everything.
async fn same_answers(reference: &Indexer, mortal: &Indexer) {
    let mut last = None;
    until("both indexers answer the same totals", async || {
        let both = (totals(reference).await, totals(mortal).await);
        let same = both.0 == both.1;
        if !same && last.as_ref() != Some(&both) {
            eprintln!("not yet the same: {both:?}");
            last = Some(both);
        }
        same.then_some(())
    })
    .await;
    let totals = totals(mortal).await;
    let mint = &totals.mints[0];
    assert_eq!(
        (mint.jobs_open, mint.jobs_accepted, mint.jobs_delivered, mint.jobs_settled, mint.jobs_refunded),
        (1, 1, 1, 3, 2)
    );
    assert_eq!((totals.providers_active, mint.paid_to_providers + mint.paid_in_fees), (1, u128::from(3 * PRICE)));
    assert_eq!(mint.escrowed, u128::from(3 * Order::for_show().budget));
}

async fn totals(indexer: &Indexer) -> Totals {
    // The slot is that of the checkpoint, which moves.
    Totals { slot: 0, ..indexer.api.totals().await.expect("totals") }
}

/// What both stores must have, row by row. Left out is how they came to know it: versions of writes, a transaction's place
/// in its block, and slots of states that one has from the stream and the other from a snapshot.
const SAME: [(&str, &str); 8] = [
    ("events", "select signature, instruction, inner, slot, block_time, program, name, subject, data from events order by 1, 2, 3"),
    ("accounts of events", "select address, signature, instruction, inner from event_accounts order by 1, 2, 3, 4"),
    ("jobs", "select * from jobs order by address"),
    ("providers", "select address, authority, status, registered_at from providers order by address"),
    (PROFILES, "select * from providers order by address"),
    ("live accounts", "select address, program, data, lamports, kind from accounts where not closed order by 1"),
    ("sums", "select scope, key, name, value from aggregates where value <> 0 order by 1, 2, 3"),
    ("dead letters", "select count(*) from dead_letters"),
];

/// What a provider said of itself lies in its account alone: whoever first looks after it has retired cannot know it.
const PROFILES: &str = "profiles";

async fn same_rows(reference: &Path, mortal: &Path, first_looked_late: bool) {
    for (what, query) in SAME {
        if first_looked_late && what == PROFILES {
            continue;
        }
        let mut differing = String::new();
        let mut probes = 0;
        until(&format!("the same {what}"), async || {
            let (reference, mortal) = (rows(reference, query), rows(mortal, query));
            assert!(what == "dead letters" || !reference.is_empty(), "no {what} to compare");
            if reference == mortal {
                return Some(());
            }
            let only = |these: &[String], those: &[String]| {
                these.iter().filter(|row| !those.contains(row)).cloned().collect::<Vec<_>>().join("\n  ")
            };
            differing = format!(
                "{what} differ; only in the reference:\n  {}\nonly in the other:\n  {}",
                only(&reference, &mortal),
                only(&mortal, &reference)
            );
            probes += 1;
            // Nothing happens any more, and both were seen to answer the same: what differs for long, differs.
            assert!(probes < 400, "{differing}");
            None
        })
        .await;
    }
}

fn rows(database: &Path, query: &str) -> Vec<String> {
    let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("a database");
    connection.busy_timeout(std::time::Duration::from_secs(10)).expect("a setting");
    let mut statement = connection.prepare(query).unwrap_or_else(|error| panic!("{query}: {error}"));
    // Of whole rows all but the slot, which one may have from a snapshot.
    let whole = query.starts_with("select *");
    let names = statement.column_names().enumerate();
    let columns: Vec<usize> = names.filter(|(_, name)| !whole || *name != "slot").map(|(at, _)| at).collect();
    let read = statement.query_map([], |row| {
        let values = columns.iter().map(|&at| row.get::<_, Value>(at)).collect::<Result<Vec<_>, _>>()?;
        Ok(format!("{values:?}"))
    });
    read.expect("rows").collect::<Result<_, _>>().expect("values")
}
