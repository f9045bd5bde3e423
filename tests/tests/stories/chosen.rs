//! A client that chooses who judges its job.

use crate::support::{until, Order, World};
use joule_api::JobStatus;
use joule_localnet::Persona::{Alice, East, North};
use joule_sdk::{escrow::state::JobStatus as OnChain, instruction::registry, pda, registry::state::Wanted};

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_client_chooses_the_jurors_is_left_to_who_trusts_its_requirements() {
    let world = World::start().await;
    let indexer = world.indexer("indexer", None).await;
    world.register(North).await;
    let alice = world.address(Alice);
    let mut friends = Wanted::default();
    friends.allowed[..2].copy_from_slice(&[world.provider(North), world.provider(East)]);
    let requirements = pda::requirements(&alice, &friends.hash());
    world.send("say whom she wants", Alice, &[registry::define_requirements(alice, alice, friends)]).await;
    let order = Order::digits(&world.store()).await.judged(3, 3_600);
    let job = world.open(Alice, Order { requirements: Some(requirements), ..order }).await;

    let rpc = world.localnet.rpc_url();
    let node = world.node(North, rpc, &indexer.url, &[]);
    until("the node says why not", async || node.log().contains("choose its jurors").then_some(())).await;
    assert_eq!(world.job(job).await.status, OnChain::Open as u8);
    node.stop().await;

    let node = world.node(North, rpc, &indexer.url, &["--trusted-requirements", &requirements.to_string()]);
    indexer.job_is(job, JobStatus::Settled).await;
    node.stop().await;
    indexer.process.stop().await;
    world.stop().await;
}
