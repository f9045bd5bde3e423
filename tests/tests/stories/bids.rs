//! A job that takes bids: each node bids its own price, the cheapest has the job, and the other's bond is free again.

use crate::support::{until, Order, World, BOND};
use joule_api::JobStatus;
use joule_localnet::Persona::{Alice, North, South};
use joule_sdk::{escrow::state::Bid, pda};

#[tokio::test(flavor = "multi_thread")]
async fn the_cheapest_bid_has_the_job_and_the_other_is_taken_back() {
    let world = World::start().await;
    let indexer = world.indexer("indexer", None).await;
    world.register(North).await;
    world.register(South).await;
    let node =
        |persona, rate| world.node(persona, world.localnet.rpc_url(), &indexer.url, &["--price-per-gigafuel", rate]);
    let (mut dear, cheap) = (node(North, "1500000"), node(South, "1200000"));
    let order = Order { bid_window: 12, ..Order::digits(&world.store()).await };
    let job = world.open(Alice, order).await;
    let bids = until("both bids are known", async || {
        let bids = indexer.api.bids(&job.to_string()).await.ok()?;
        (bids.len() == 2).then_some(bids)
    })
    .await;
    assert_eq!((bids[0].price, bids[1].price), (1_200_000, 1_500_000), "the cheapest first");
    assert_eq!(world.bond(North).await.locked.get(), 1_500_000, "a bid binds");
    // One that is killed now finds its bid again.
    dear.kill();
    let dear = node(North, "1500000");

    let row = indexer.job_is(job, JobStatus::Settled).await;
    assert_eq!(row.provider, Some(world.provider(South).to_string()));
    assert_eq!((row.price, row.paid.client), (1_200_000, order.budget - 1_200_000));
    for persona in [North, South] {
        until("the bond is free again", async || (world.bond(persona).await.locked.get() == 0).then_some(())).await;
        assert_eq!(world.bond(persona).await.amount.get(), BOND);
        let bid = pda::bid(&job, &world.provider(persona));
        assert!(world.chain.find::<Bid>(&bid).await.expect("an answer").is_none(), "{persona}'s bid is gone");
    }
    indexer.equals_the_chain(world.localnet.rpc_url()).await;
    dear.stop().await;
    cheap.stop().await;
    indexer.process.stop().await;
    world.stop().await;
}
