//! One job, from its budget to its pay: posted by a client, found through the indexer, run by a node, delivered, and paid
//! because the client stays silent.

use crate::support::{until, Digits, Order, World};
use joule_api::JobStatus;
use joule_artifacts::Hash;
use joule_localnet::Persona::{Alice, North};

/// The node's price for the fuel that the job allows, in base units; the protocol takes 2.5 % of it.
const PRICE: u64 = 1_500_000;
const FEE: u64 = 37_500;

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_found_run_delivered_and_paid_by_silence() {
    let world = World::start().await;
    let indexer = world.indexer("indexer", None).await;
    world.register(North).await;
    let rate = PRICE.to_string();
    let node = world.node(North, world.localnet.rpc_url(), &indexer.url, &["--price-per-gigafuel", &rate]);
    let before = (world.balance(Alice).await, world.balance(North).await, world.fees().await);

    let digits = Digits::read();
    let order = Order::stored(&world.store(), digits.module, digits.images, 1_000_000_000, 60_000).await;
    let job = world.open(Alice, order).await;
    let row = indexer.job_is(job, JobStatus::Settled).await;

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
    assert_eq!((row.client.as_str(), row.provider.as_deref()), (&*world.address(Alice).to_string(), Some(&*world.provider(North).to_string())));
    assert_eq!((row.spec_hash, row.input_hash), (order.spec.to_string(), order.input.to_string()));
    assert_eq!(indexer.history(job).await, ["JobOpened", "JobAccepted", "JobDelivered", "JobSettled"]);
    let north = world.provider(North).to_string();
    let provider = until("the provider's counters are up to date", async || {
        indexer.api.provider(&north).await.ok().filter(|provider| provider.jobs_settled == 1)
    })
    .await;
    assert_eq!((provider.earned, provider.jobs_running, provider.jobs_failed), (PRICE - FEE, 0, 0));
    let totals = indexer.api.totals().await.expect("totals");
    assert_eq!((totals.providers_active, totals.providers_total, totals.mints.len()), (1, 1, 1));
    let mint = &totals.mints[0];
    assert_eq!(mint.mint, world.localnet.mint().to_string());
    assert_eq!((mint.jobs_open, mint.jobs_accepted, mint.jobs_delivered, mint.jobs_settled, mint.jobs_refunded), (0, 0, 0, 1, 0));
    assert_eq!((mint.escrowed, mint.paid_to_providers, mint.paid_in_fees, mint.refunded), (0, PRICE - FEE, FEE, order.budget - PRICE));
    indexer.equals_the_chain(world.localnet.rpc_url()).await;

    node.stop().await;
    indexer.process.stop().await;
    world.stop().await;
}
