//! A job that is paid by the second: the node reports while it works, the client stops it, and what was reported is paid.

use crate::support::{counting, until, Order, World, BOND};
use joule_api::JobStatus;
use joule_localnet::Persona::{Alice, North};
use joule_sdk::{escrow::state::JobStatus as OnChain, instruction::escrow, token_program};

const RATE: u64 = 6_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_client_stops_work_that_is_paid_by_the_second_and_pays_what_was_reported() {
    let world = World::start().await;
    let indexer = world.indexer("indexer", None).await;
    world.register(North).await;
    let rate = format!("{RATE} units");
    let prices = ["--price-per-second", &rate, "--report-every", "1s"];
    let node = world.node(North, world.localnet.rpc_url(), &indexer.url, &prices);

    // Work that takes minutes.
    let store = world.store();
    let endless = Order::stored(&store, counting(u64::MAX), "x".into(), 1_000_000_000_000, 300_000).await;
    let before = (world.balance(Alice).await, world.balance(North).await, world.fees().await);
    let job = world.open(Alice, Order { per_second: true, ..endless }).await;
    until("two seconds are reported", async || {
        let job = world.chain.job(&job).await.ok()??;
        (job.reported.get() >= 2).then_some(())
    })
    .await;
    assert_eq!(world.job(job).await.exposure.get(), endless.budget, "it answers for the whole budget");
    let state = world.job(job).await;
    let stop = escrow::stop(job, &state, token_program::CLASSIC, state.reported.get() + 5);
    world.send("stop the job", Alice, &[stop]).await;

    let row = indexer.job_is(job, JobStatus::Settled).await;
    let price = RATE * u64::from(row.reported);
    assert!(row.reported >= 2 && price < endless.budget, "{row:?}");
    assert_eq!((row.price, row.result_hash), (price, None));
    let after = (world.balance(Alice).await, world.balance(North).await, world.fees().await);
    let fee = price / 40;
    assert_eq!((before.0 - after.0, after.1 - before.1, after.2 - before.2), (price, price - fee, fee));
    assert_eq!((world.bond(North).await.amount.get(), world.bond(North).await.locked.get()), (BOND, 0));
    until("the node knows that it was stopped", async || node.log().contains("stopped by its client").then_some(()))
        .await;

    // A budget for ten seconds does not pay for a minute, and nobody works unpaid.
    let poor = Order { per_second: true, budget: 10 * RATE, ..Order::digits(&store).await };
    let job = world.open(Alice, poor).await;
    until("the node says why not", async || node.log().contains("pays for 10 s").then_some(())).await;
    assert_eq!(world.job(job).await.status, OnChain::Open as u8);

    // One that ends by itself has its last second reported before it is delivered.
    let short = Order { per_second: true, budget: 60 * RATE, ..Order::digits(&store).await };
    let job = world.open(Alice, short).await;
    let row = indexer.job_is(job, JobStatus::Settled).await;
    assert_eq!(row.price, RATE * u64::from(row.reported));
    assert!(row.result_hash.is_some());
    indexer.equals_the_chain(world.localnet.rpc_url()).await;
    node.stop().await;
    indexer.process.stop().await;
    world.stop().await;
}
