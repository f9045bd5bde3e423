//! Jobs that take bids: each node bids its own price, the cheapest has the job, and the other's bond is free again. And those who
//! would have a bid bind for ever, or take away what it needs.

use crate::support::{until, Order, Process, World, BOND};
use joule_api::JobStatus;
use joule_localnet::Persona::{self, Alice, Bob, North, South};
use joule_sdk::{
    escrow::state::{Bid, JobStatus as OnChain},
    instruction::escrow,
    pda, Pubkey,
};

async fn bid_of(world: &World, persona: Persona, job: Pubkey) -> Option<Bid> {
    world.chain.find::<Bid>(&pda::bid(&job, &world.provider(persona))).await.expect("an answer")
}

async fn has_bid(world: &World, persona: Persona, job: Pubkey) {
    until("the bid is on the chain", async || bid_of(world, persona, job).await.map(drop)).await;
}

/// Its bond is whole and free, and its bid gone.
async fn is_free(world: &World, persona: Persona, job: Pubkey) {
    until("the bond is free again", async || (world.bond(persona).await.locked.get() == 0).then_some(())).await;
    assert_eq!(world.bond(persona).await.amount.get(), BOND);
    assert!(bid_of(world, persona, job).await.is_none(), "{persona}'s bid is gone");
}

fn says(node: &Process, job: Pubkey, words: &str) -> bool {
    node.log().lines().any(|line| line.contains(&job.to_string()) && line.contains(words))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cheapest_bid_has_the_job_and_the_other_is_taken_back() {
    let world = World::start().await;
    let indexer = world.indexer("indexer", None).await;
    world.register(North).await;
    world.register(South).await;
    let node =
        |persona, rate| world.node(persona, world.localnet.rpc_url(), &indexer.url, &["--price-per-gigafuel", rate]);
    let (mut dear, cheap) = (node(North, "1.5 JOULE"), node(South, "1.2 JOULE"));
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
    let dear = node(North, "1.5 JOULE");

    let row = indexer.job_is(job, JobStatus::Settled).await;
    assert_eq!(row.provider, Some(world.provider(South).to_string()));
    assert_eq!((row.price, row.paid.client), (1_200_000, order.budget - 1_200_000));
    for persona in [North, South] {
        is_free(&world, persona, job).await;
    }
    indexer.equals_the_chain(world.localnet.rpc_url()).await;
    dear.stop().await;
    cheap.stop().await;
    indexer.process.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_vanishes_between_bid_and_award_is_on_the_nodes_own_disk() {
    let world = World::start().await;
    let indexer = world.indexer("indexer", None).await;
    world.register(North).await;
    let start = || world.node(North, world.localnet.rpc_url(), &indexer.url, &[]);
    let mut node = start();
    let order = Order { bid_window: 10, ..Order::digits(&world.store()).await };
    let job = world.open(Alice, order).await;
    has_bid(&world, North, job).await;
    std::fs::remove_dir_all(world.artifacts().join("sha256")).expect("a folder");
    node.kill();

    let node = start();
    let row = indexer.job_is(job, JobStatus::Settled).await;
    assert_eq!((row.provider, row.slashed), (Some(world.provider(North).to_string()), 0));
    is_free(&world, North, job).await;
    node.stop().await;
    indexer.process.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_with_long_bid_windows_keep_nobody_from_working() {
    let world = World::start().await;
    let indexer = world.indexer("indexer", None).await;
    world.register(North).await;
    let node = world.node(North, world.localnet.rpc_url(), &indexer.url, &["--max-jobs", "1", "--max-bids", "1"]);
    let digits = Order::digits(&world.store()).await;

    // Nobody waits for 89 days; and who has no place for another bid has one for work.
    let day = 86_400;
    let endless = Order { budget: 10_000, accept_window: 90 * day, bid_window: 89 * day, ..digits };
    let endless = world.open(Bob, endless).await;
    let long = Order { budget: 20_000, bid_window: 3_000, ..digits };
    let [first, second] = [world.open(Bob, long).await, world.open(Bob, long).await];
    until("one of the two has a bid", async || {
        let bids = [bid_of(&world, North, first).await, bid_of(&world, North, second).await];
        (bids.iter().flatten().count() == 1).then_some(())
    })
    .await;
    let job = world.open(Alice, Order { budget: 10_000_000, ..digits }).await;
    let row = indexer.job_is(job, JobStatus::Settled).await;
    assert_eq!(row.provider, Some(world.provider(North).to_string()));
    until("the node says why not", async || says(&node, endless, "bidding takes").then_some(())).await;
    assert!(bid_of(&world, North, endless).await.is_none());
    node.stop().await;
    indexer.process.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bidder_is_bound_no_longer_than_the_job_lives_whoever_else_is_silent() {
    let world = World::start().await;
    let indexer = world.indexer("indexer", None).await;
    world.register(North).await;
    world.register(South).await;
    let start = || world.node(North, world.localnet.rpc_url(), &indexer.url, &[]);
    let node = start();
    let digits = Order { budget: 2_000_000, ..Order::digits(&world.store()).await };

    // The cheapest bidder has no node that would see to its award.
    let job = world.open(Alice, Order { bid_window: 8, ..digits }).await;
    has_bid(&world, North, job).await;
    let south = escrow::Provider::new(world.address(South), world.tokens(South));
    let bid = escrow::place_bid(south, job, &world.job(job).await, 1_000_000);
    world.send("bid", South, &[bid]).await;
    until("south has the job", async || {
        let job = world.job(job).await;
        (job.status == OnChain::Accepted as u8 && job.provider == world.provider(South)).then_some(())
    })
    .await;
    is_free(&world, North, job).await;

    // Nobody saw to anything until it was too late.
    let late = world.open(Bob, Order { bid_window: 8, accept_window: 600, ..digits }).await;
    has_bid(&world, North, late).await;
    node.stop().await;
    world.after(world.job(late).await.accept_by.get()).await;
    let node = start();
    let row = indexer.job_is(late, JobStatus::Refunded).await;
    assert_eq!((row.paid.client, row.closed), (2_000_000, true));
    is_free(&world, North, late).await;
    node.stop().await;
    indexer.process.stop().await;
    world.stop().await;
}
