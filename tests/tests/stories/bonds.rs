//! A provider that answers with nothing gets no work, and is told what to do.

use crate::support::{until, Order, World, BOND};
use joule_api::JobStatus;
use joule_localnet::Persona::{Alice, North};
use joule_sdk::escrow::state::JobStatus as OnChain;

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_a_bond_says_so_and_works_as_soon_as_it_has_one() {
    let world = World::start().await;
    let indexer = world.indexer("indexer", None).await;
    world.register_without_bond(North).await;
    let mut node = world.node(North, world.localnet.rpc_url(), &indexer.url, &[]);
    let job = world.open(Alice, Order::digits(&world.store()).await).await;
    // When it looks at its settings, and once more when there is a job that it would take.
    until("the node says what is missing", async || node.log().contains("taking new jobs fails").then_some(())).await;
    assert_eq!(indexer.job_is(job, JobStatus::Open).await.exposure, 0, "nobody took it");
    assert!(node.status().is_none(), "it goes on:\n{}", node.log());
    assert_eq!(node.log().matches("taking new jobs fails").count(), 1, "it says so once");
    assert_eq!(node.log().matches("joule provider bond open").count(), 2, "and each time what to do");

    world.open_bond(North).await;
    let row = indexer.job_is(job, JobStatus::Settled).await;
    assert_eq!(row.exposure, row.price, "as much was locked as it asked for");
    assert_eq!(world.bond(North).await.locked.get(), 0);

    // A job for which the bond is too small is left to others, and the index says why.
    let large = world.open(Alice, Order { budget: 2 * BOND, ..Order::digits(&world.store()).await }).await;
    indexer.job_is(large, JobStatus::Open).await;
    let north = world.provider(North).to_string();
    let refused = until("the index says why it is not offered", async || {
        let refused = indexer.api.refused_jobs(&north, 10).await.ok()?;
        refused.into_iter().find(|refused| refused.job == large.to_string())
    })
    .await;
    assert!(refused.reasons.iter().any(|reason| reason.contains("bond")), "{refused:?}");
    assert_eq!(world.job(large).await.status, OnChain::Open as u8);
    node.stop().await;
    indexer.process.stop().await;
    world.stop().await;
}
