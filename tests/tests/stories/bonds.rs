//! A provider that answers with nothing gets no work, and is told what to do.

use crate::support::{until, Order, World};
use joule_api::JobStatus;
use joule_localnet::Persona::{Alice, North};

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_a_bond_says_so_and_works_as_soon_as_it_has_one() {
    let world = World::start().await;
    let indexer = world.indexer("indexer", None).await;
    world.register_without_bond(North).await;
    let mut node = world.node(North, world.localnet.rpc_url(), &indexer.url, &[]);
    let job = world.open(Alice, Order::digits(&world.store()).await).await;
    until("the node says what is missing", async || node.log().contains("joule provider bond open").then_some(()))
        .await;
    assert_eq!(indexer.job_is(job, JobStatus::Open).await.exposure, 0, "nobody took it");
    assert!(node.status().is_none(), "it goes on:\n{}", node.log());
    assert_eq!(node.log().matches("joule provider bond open").count(), 1, "it says so once");

    world.open_bond(North).await;
    let row = indexer.job_is(job, JobStatus::Settled).await;
    assert_eq!(row.exposure, row.price, "as much was locked as it asked for");
    assert_eq!(world.bond(North).await.locked.get(), 0);

    // A job for which the bond is too small is left to others.
    let large = world.open(Alice, Order { budget: 200_000_000, ..Order::digits(&world.store()).await }).await;
    until("the node says how much is missing", async || {
        let said = |line: &str| line.contains(&large.to_string()) && line.contains("joule provider bond deposit");
        node.log().lines().any(said).then_some(())
    })
    .await;
    indexer.job_is(large, JobStatus::Open).await;
    node.stop().await;
    indexer.process.stop().await;
    world.stop().await;
}
