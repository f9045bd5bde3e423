//! A node that is killed while it works, and after it has delivered; and jobs that cannot be done.

use crate::support::{counting, gluttonous, many_tables, until, Digits, Indexer, Order, World, BOND};
use joule_api::JobStatus;
use joule_artifacts::Hash;
use joule_localnet::Persona::{Alice, Bob, North};
use joule_sdk::{escrow::state::JobStatus as OnChain, Pubkey};

const PAID_ONCE: [&str; 4] = ["JobOpened", "JobAccepted", "JobDelivered", "JobSettled"];
const SHARE: u64 = 1_950_000;

async fn stands(world: &World, job: Pubkey, status: OnChain) {
    until(&format!("job {job} is {status:?} on the chain"), async || {
        let job = world.chain.job(&job).await.ok()??;
        (job.status == status as u8).then_some(())
    })
    .await;
}

async fn paid_once(indexer: &Indexer, job: Pubkey) {
    let row = indexer.job_is(job, JobStatus::Settled).await;
    assert_eq!((row.paid.provider, row.paid.client, row.closed), (SHARE, 0, true));
    assert_eq!(indexer.history(job).await, PAID_ONCE);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_work_and_after_delivery_every_job_is_paid_exactly_once() {
    let world = World::start().await;
    let indexer = world.indexer("indexer", None).await;
    world.register(North).await;
    let start = || world.node(North, world.localnet.rpc_url(), &indexer.url, &["--max-jobs", "1"]);
    let mut node = start();
    let before = world.balance(North).await;

    // Seconds of work, so that it is killed in the middle of it; and one more that waits its turn.
    let long = Order::stored(&world.store(), counting(4_000_000_000), "long".into(), 100_000_000_000, 300_000).await;
    let long_job = world.open(Alice, long).await;
    stands(&world, long_job, OnChain::Accepted).await;
    let digits = Digits::read();
    let short = Order::stored(&world.store(), digits.module, digits.images, 1_000_000_000, 60_000).await;
    let short_job = world.open(Bob, short).await;
    node.kill();
    assert_eq!(world.job(long_job).await.status, OnChain::Accepted as u8, "killed before it was done");
    assert_eq!(world.job(short_job).await.status, OnChain::Open as u8);

    // It goes on where it was; then dies with a delivered job in hand, whose window is still open.
    let mut node = start();
    stands(&world, long_job, OnChain::Delivered).await;
    paid_once(&indexer, long_job).await;
    paid_once(&indexer, short_job).await;
    let late = Order { review_window: 8, ..short };
    let late_job = world.open(Alice, late).await;
    stands(&world, late_job, OnChain::Delivered).await;
    node.kill();
    assert_eq!(world.job(late_job).await.status, OnChain::Delivered as u8, "killed before it was paid");

    let node = start();
    paid_once(&indexer, late_job).await;
    assert_eq!(world.balance(North).await - before, 3 * SHARE, "three jobs, each paid once");
    let page = indexer.api.jobs(&[]).await.expect("a page");
    assert_eq!(page.items.len(), 3);
    assert!(world.chain.jobs().await.expect("an answer").is_empty(), "nothing is left on the chain");
    indexer.equals_the_chain(world.localnet.rpc_url()).await;
    node.stop().await;
    indexer.process.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_that_loops_or_eats_memory_costs_its_client_and_nobodys_bond() {
    let world = World::start().await;
    let indexer = world.indexer("indexer", None).await;
    world.register(North).await;
    let node = world.node(North, world.localnet.rpc_url(), &indexer.url, &["--max-jobs", "4"]);

    let (endless, ages) = (counting(u64::MAX), 100_000_000_000);
    let store = world.store();
    let mut jobs = Vec::new();
    for (module, fuel, word, said) in [
        (endless.clone(), 1_000_000, "fuel", "units of fuel"),
        (endless, ages, "time", "ran longer"),
        (gluttonous(), ages, "memory", "bytes of memory"),
    ] {
        let order = Order::stored(&store, module, "x".into(), fuel, 2_000).await;
        jobs.push((world.open(Alice, Order { work_window: 60, ..order }).await, word, said));
    }
    for (job, word, said) in jobs {
        paid_once(&indexer, job).await;
        // What is delivered says how it failed, in the same bytes on every machine.
        let result: Hash =
            indexer.job_is(job, JobStatus::Settled).await.result_hash.expect("a result").parse().expect("a hash");
        let document = store.get(result, 100).await.expect("it is stored");
        assert_eq!(document, format!(r#"{{"version":1,"failed":"{word}"}}"#));
        let (log, job) = (node.log(), job.to_string());
        assert!(
            log.lines().any(|line| line.contains(&job) && line.contains(said)),
            "the log says why {job} failed:\n{log}"
        );
    }
    let bond = world.bond(North).await;
    assert_eq!((bond.amount.get(), bond.locked.get()), (BOND, 0), "the bond is whole and free");

    // One that could not even begin is not taken.
    let order = Order::stored(&store, many_tables(17), "x".into(), ages, 2_000).await;
    let never = world.open(Alice, Order { work_window: 60, ..order }).await;
    until("the node says why not", async || {
        let (log, job) = (node.log(), never.to_string());
        log.lines()
            .any(|line| line.contains(&job) && line.contains("not taken") && line.contains("17 tables"))
            .then_some(())
    })
    .await;
    assert_eq!(world.job(never).await.status, OnChain::Open as u8);

    // And the node is none the worse for it.
    let next = world.open(Alice, Order::digits(&store).await).await;
    paid_once(&indexer, next).await;
    node.stop().await;
    indexer.process.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_vanishes_from_the_store_after_a_job_was_accepted_is_on_the_nodes_own_disk() {
    let world = World::start().await;
    let indexer = world.indexer("indexer", None).await;
    world.register(North).await;
    let start = || world.node(North, world.localnet.rpc_url(), &indexer.url, &[]);
    let mut node = start();
    let order = Order::stored(&world.store(), counting(2_000_000_000), "long".into(), 100_000_000_000, 300_000).await;
    let job = world.open(Alice, order).await;
    stands(&world, job, OnChain::Accepted).await;
    node.kill();
    assert_eq!(world.job(job).await.status, OnChain::Accepted as u8, "killed before it was done");
    std::fs::remove_dir_all(world.artifacts().join("sha256")).expect("a folder");

    let node = start();
    paid_once(&indexer, job).await;
    assert_eq!(world.store().get(Hash::of(b"long"), 10).await.expect("the result is stored"), "long");
    let kept = world.key_file(North).with_extension("kept");
    assert!(kept.join("artifacts").join(order.input.to_string()).exists());
    node.stop().await;
    indexer.process.stop().await;
    world.stop().await;
}
