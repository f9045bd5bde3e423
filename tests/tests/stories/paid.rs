//! One job, from its budget to its pay: posted by a client, found through the indexer, run by a node, delivered, and paid
//! because the client stays silent.

use crate::support::{counting, until, Digits, Order, World, PATIENCE};
use joule_api::JobStatus;
use joule_artifacts::Hash;
use joule_localnet::Persona::{Alice, Bob, North, South};

/// The node's price for the fuel that the job allows, in base units; the protocol takes 2.5 % of it.
const PRICE: u64 = 1_500_000;
const FEE: u64 = 37_500;

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_found_run_delivered_and_paid_by_silence() {
    let world = World::start().await;
    let indexer = world.indexer("indexer", None).await;
    world.register(North).await;
    let rate = format!("{PRICE} units");
    let node = world.node(North, world.localnet.rpc_url(), &indexer.url, &["--price-per-gigafuel", &rate]);
    let before = (world.balance(Alice).await, world.balance(North).await, world.fees().await);

    let feed = reqwest::get(format!("{}/v1/feed", indexer.url)).await.expect("the feed answers");
    let feed = tokio::spawn(until_settled(feed));
    let digits = Digits::read();
    let order = Order::stored(&world.store(), digits.module, digits.images, 1_000_000_000, 60_000).await;
    let job = world.open(Alice, order).await;
    let row = indexer.job_is(job, JobStatus::Settled).await;

    // The feed told of every step, each after the one before.
    let seen = tokio::time::timeout(PATIENCE, feed).await.expect("the feed tells of the last step").expect("no panic");
    let steps = ["open", "accepted", "delivered", "settled"].map(|step| seen.find(&format!("\"status\":\"{step}\"")));
    assert!(steps.iter().all(Option::is_some) && steps.is_sorted(), "{steps:?} in {seen}");

    // What the client paid for is what the workload's own tests expect.
    let result: Hash = row.result_hash.as_deref().expect("a result").parse().expect("a hash");
    assert_eq!(world.store().get(result, 1 << 20).await.expect("the result is stored"), digits.expected);

    // The chain.
    assert!(world.chain.job(&job).await.expect("an answer").is_none(), "a paid job's account is closed");
    let after = (world.balance(Alice).await, world.balance(North).await, world.fees().await);
    assert_eq!(before.0 - after.0, PRICE, "the client");
    assert_eq!(after.1 - before.1, PRICE - FEE, "the provider");
    assert_eq!(after.2 - before.2, FEE, "the protocol");

    // The indexer: the job, its history, the provider, the totals.
    assert_eq!((row.budget, row.price, row.closed), (order.budget, PRICE, true));
    assert_eq!((row.paid.provider, row.paid.fee, row.paid.client), (PRICE - FEE, FEE, order.budget - PRICE));
    assert_eq!((row.owed.provider, row.owed.fee, row.owed.client), (0, 0, 0));
    assert_eq!(
        (row.client.as_str(), row.provider.as_deref()),
        (&*world.address(Alice).to_string(), Some(&*world.provider(North).to_string()))
    );
    assert_eq!((row.spec_hash, row.input_hash), (order.spec.to_string(), order.input.to_string()));
    assert_eq!(indexer.history(job).await, ["JobOpened", "JobAccepted", "JobDelivered", "JobSettled"]);
    let north = world.provider(North).to_string();
    let provider = until("the provider's counters are up to date", async || {
        indexer.api.provider(&north).await.ok().filter(|provider| provider.jobs_settled == 1)
    })
    .await;
    assert_eq!((provider.earned, provider.jobs_running, provider.jobs_failed), (u128::from(PRICE - FEE), 0, 0));
    let totals = indexer.api.totals().await.expect("totals");
    assert_eq!((totals.providers_active, totals.providers_total, totals.mints.len()), (1, 1, 1));
    let mint = &totals.mints[0];
    assert_eq!(mint.mint, world.localnet.mint().to_string());
    assert_eq!(
        (mint.jobs_open, mint.jobs_accepted, mint.jobs_delivered, mint.jobs_settled, mint.jobs_refunded),
        (0, 0, 0, 1, 0)
    );
    assert_eq!(
        (mint.escrowed, mint.paid_to_providers, mint.paid_in_fees, mint.refunded),
        (0, (PRICE - FEE).into(), FEE.into(), (order.budget - PRICE).into())
    );
    indexer.equals_the_chain(world.localnet.rpc_url()).await;

    node.stop().await;
    indexer.process.stop().await;
    world.stop().await;
}

/// Reads the feed until it tells of a settled job.
async fn until_settled(mut feed: reqwest::Response) -> String {
    let mut seen = String::new();
    while !seen.contains("\"status\":\"settled\"") {
        let chunk = feed.chunk().await.expect("the feed goes on").expect("it does not end");
        seen.push_str(&String::from_utf8_lossy(&chunk));
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_that_want_the_same_jobs_share_them() {
    const JOBS: usize = 6;
    let world = World::start().await;
    let indexer = world.indexer("indexer", None).await;
    let mut nodes = Vec::new();
    for provider in [North, South] {
        world.register(provider).await;
        nodes.push(world.node(provider, world.localnet.rpc_url(), &indexer.url, &["--max-jobs", "1"]));
    }
    let before = (world.balance(North).await, world.balance(South).await);

    // Each works for a while, so that nobody can have them all.
    let mut jobs = Vec::new();
    for n in 0..JOBS {
        let input = format!("input {n}").into();
        let order = Order::stored(&world.store(), counting(300_000_000), input, 100_000_000_000, 120_000).await;
        jobs.push(world.open(if n % 2 == 0 { Alice } else { Bob }, order).await);
    }
    let (mut north, mut south) = (0, 0);
    for job in jobs {
        let row = indexer.job_is(job, JobStatus::Settled).await;
        let provider = row.provider.expect("somebody did it");
        match provider == world.provider(North).to_string() {
            true => north += row.paid.provider,
            false => south += row.paid.provider,
        }
        assert_eq!(indexer.history(job).await, ["JobOpened", "JobAccepted", "JobDelivered", "JobSettled"]);
    }
    assert!(north > 0 && south > 0, "{north} and {south}");
    assert_eq!((world.balance(North).await - before.0, world.balance(South).await - before.1), (north, south));
    indexer.equals_the_chain(world.localnet.rpc_url()).await;
    for node in nodes {
        node.stop().await;
    }
    indexer.process.stop().await;
    world.stop().await;
}
