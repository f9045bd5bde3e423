//! Services that go away and come back: everybody says what is missing, and nothing is lost.

use crate::support::{until, Digits, Indexer, Order, Proxy, World};
use joule_api::JobStatus;
use joule_artifacts::Hash;
use joule_localnet::Persona::{Alice, Bob, North};

#[tokio::test(flavor = "multi_thread")]
async fn an_indexer_without_grpc_says_so_and_catches_up() {
    let world = World::start().await;
    let grpc = Proxy::to(world.localnet.grpc_url()).await;
    let indexer = Indexer::start(world.folder.path(), "indexer", &grpc.url(), world.localnet.rpc_url(), None).await;
    indexer.well().await;
    world.register(North).await;
    let job = world.open(Alice, Order::for_show()).await;
    indexer.job_is(job, JobStatus::Open).await;

    grpc.cut();
    indexer.unwell("gRPC").await;
    let status = reqwest::get(format!("{}/healthz", indexer.url)).await.expect("an answer").status();
    assert_eq!(status, 503);
    // What it knew it still answers; what happens now it will hear of later.
    assert_eq!(indexer.api.job(&job.to_string()).await.expect("a job").status, JobStatus::Open);
    world.accept(North, job, 900_000).await;
    world.submit(North, job, Hash::of(b"result")).await;
    world.approve(Alice, job).await;
    let brief = world.open(Bob, Order::for_show()).await;
    world.cancel(Bob, brief).await;

    grpc.mend();
    indexer.well().await;
    indexer.job_is(job, JobStatus::Settled).await;
    indexer.job_is(brief, JobStatus::Refunded).await;
    assert_eq!(indexer.history(job).await, ["JobOpened", "JobAccepted", "JobDelivered", "JobSettled"]);
    indexer.equals_the_chain(world.localnet.rpc_url()).await;
    indexer.process.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_indexer_whose_rpc_is_dead_at_its_first_start_waits_for_the_snapshot() {
    let world = World::start().await;
    let job = world.open(Alice, Order::for_show()).await;
    let rpc = Proxy::to(world.localnet.rpc_url()).await;
    rpc.cut();
    let indexer = Indexer::start(world.folder.path(), "indexer", world.localnet.grpc_url(), &rpc.url(), None).await;
    let health = indexer.unwell("the RPC node says which chain").await;
    assert_eq!(health.checkpoint_slot, 0, "nothing is stored: {health:?}");

    rpc.mend();
    indexer.well().await;
    indexer.job_is(job, JobStatus::Open).await;
    indexer.equals_the_chain(world.localnet.rpc_url()).await;
    indexer.process.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_survives_the_loss_of_rpc_and_of_the_indexer() {
    let world = World::start().await;
    let indexer = world.indexer("indexer", None).await;
    let (rpc, market) = (Proxy::to(world.localnet.rpc_url()).await, Proxy::to(&indexer.url).await);
    world.register(North).await;
    let node = world.node(North, &rpc.url(), &market.url(), &[]);
    let digits = Digits::read();
    let order = Order::stored(&world.store(), digits.module, digits.images, 1_000_000_000, 60_000).await;
    let first = world.open(Alice, order).await;
    indexer.job_is(first, JobStatus::Settled).await;

    rpc.cut();
    market.cut();
    let second = world.open(Alice, order).await;
    until("the node says that the RPC node is gone", async || node.log().contains("the RPC node").then_some(())).await;
    rpc.mend();
    until("the node says that the indexer is gone", async || node.log().contains("the indexer").then_some(())).await;
    market.mend();
    indexer.job_is(second, JobStatus::Settled).await;
    assert_eq!(indexer.history(second).await, ["JobOpened", "JobAccepted", "JobDelivered", "JobSettled"]);
    node.stop().await;
    indexer.process.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_that_does_not_match_its_hash_is_not_taken_until_it_is_mended() {
    let world = World::start().await;
    let indexer = world.indexer("indexer", None).await;
    world.register(North).await;
    let digits = Digits::read();
    let order = Order::stored(&world.store(), digits.module.clone(), digits.images, 1_000_000_000, 60_000).await;
    let stored = world.artifacts().join("sha256").join(Hash::of(&digits.module).to_string());
    std::fs::write(&stored, b"\0asm of somebody else").expect("the store is a folder");
    let node = world.node(North, world.localnet.rpc_url(), &indexer.url, &[]);
    let job = world.open(Alice, order).await;
    until("the node says that the module is damaged", async || node.log().contains("damaged").then_some(())).await;
    assert_eq!(indexer.job_is(job, JobStatus::Open).await.price, 0, "nobody took it");

    world.store().put(digits.module).await.expect("the module is stored again");
    indexer.job_is(job, JobStatus::Settled).await;
    assert_eq!(indexer.history(job).await, ["JobOpened", "JobAccepted", "JobDelivered", "JobSettled"]);
    node.stop().await;
    indexer.process.stop().await;
    world.stop().await;
}
