//! A node that is killed while it works, and after it has delivered; and a job that cannot be done.

use crate::support::{counting, until, Digits, Indexer, Order, World};
use joule_api::JobStatus;
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
async fn a_module_that_never_ends_is_refunded_after_its_deadline() {
    let world = World::start().await;
    let indexer = world.indexer("indexer", None).await;
    world.register(North).await;
    let node = world.node(North, world.localnet.rpc_url(), &indexer.url, &[]);
    let before = world.balance(Alice).await;

    let order = Order::stored(&world.store(), counting(u64::from(u32::MAX) << 16), "x".into(), 1_000_000, 2_000).await;
    let order = Order { work_window: 10, ..order };
    let job = world.open(Alice, order).await;
    let row = indexer.job_is(job, JobStatus::Refunded).await;
    assert_eq!((row.paid.client, row.paid.provider, row.result_hash), (order.budget, 0, None));
    assert_eq!(world.balance(Alice).await, before, "the client has everything back");
    assert_eq!(indexer.history(job).await, ["JobOpened", "JobAccepted", "JobRefunded"]);
    assert!(node.log().contains("fuel"), "the log says why:\n{}", node.log());

    // And the node is none the worse for it.
    let digits = Digits::read();
    let next = Order::stored(&world.store(), digits.module, digits.images, 1_000_000_000, 60_000).await;
    let next = world.open(Alice, next).await;
    paid_once(&indexer, next).await;
    node.stop().await;
    indexer.process.stop().await;
    world.stop().await;
}
