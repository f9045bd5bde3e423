//! Holes in the ledger of the RPC node: what it leaves out is missing, and not nothing.

use crate::{
    node::{error, Node},
    support::{Following, World, BUDGET, PRICE},
};
use joule_api::{Commitment, JobStatus};
use joule_indexer::config::Settings;
use joule_localnet::Persona;
use joule_sdk::Pubkey;
use std::{ops::RangeInclusive, path::Path};

/// A whole job, and the slots in which it was.
async fn a_job(world: &World) -> (Pubkey, RangeInclusive<u64>) {
    let from = world.chain.slot().await.unwrap() + 1;
    let job = world.open(Persona::Alice).await;
    world.accept(Persona::North, job).await;
    world.submit(Persona::North, job).await;
    world.approve(Persona::Alice, job).await;
    (job, from..=world.chain.slot().await.unwrap())
}

/// As a node that was started from a snapshot behind them; `listed` if it still says that there are blocks.
fn forget(node: &Node, slots: RangeInclusive<u64>, listed: bool) {
    node.answers(move |method, params, answer| match method {
        "getBlock" if slots.contains(&params[0].as_u64().unwrap()) => {
            *answer = error(-32007, "Slot was skipped, or missing due to ledger jump to recent snapshot");
        }
        "getBlocks" if !listed => {
            answer["result"].as_array_mut().unwrap().retain(|slot| !slots.contains(&slot.as_u64().unwrap()));
        }
        "getSignaturesForAddress" => {
            answer["result"].as_array_mut().unwrap().retain(|info| !slots.contains(&info["slot"].as_u64().unwrap()));
        }
        _ => {}
    });
}

/// Says that the job's slots are missing for as long as the node does not have them, and then has everything.
async fn is_noticed(
    (world, database): (&World, &Path),
    following: Following,
    node: &Node,
    (job, slots): (Pubkey, RangeInclusive<u64>),
) {
    following.unwell(&format!("from slot {}", slots.start())).await;
    following.unwell("--accept-gap").await;
    node.answers(|_, _, _| {});
    following.well().await;
    let settled = following.job_is(job, JobStatus::Settled, Commitment::Confirmed).await;
    assert_eq!((settled.paid.provider + settled.paid.fee, settled.paid.client), (PRICE, BUDGET - PRICE));
    let totals = &following.client.totals().await.unwrap().mints[0];
    assert_eq!(totals.paid_in_fees, u128::from(totals.jobs_settled * settled.paid.fee));
    following.stop().await;
    world.equals_the_chain(database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hole_in_the_nodes_ledger_is_no_empty_slot_at_the_first_start() {
    let world = World::start(1_500).await;
    world.register(Persona::North).await;
    let (job, slots) = a_job(&world).await;
    for listed in [true, false] {
        let node = Node::before(world.localnet.rpc_url()).await;
        forget(&node, slots.clone(), listed);
        let database = world.folder.path().join(format!("{listed}.sqlite"));
        let following = world.follow_by(&database, &node.url).await;
        is_noticed((&world, &database), following, &node, (job, slots.clone())).await;
    }

    // Whoever wants to goes on without them.
    let node = Node::before(world.localnet.rpc_url()).await;
    forget(&node, slots, true);
    let settings = Settings { rpc: node.url.as_str().into(), accept_gap: true, ..world.settings(&world.database()) };
    let following = Following::start(&settings).await;
    following.well().await;
    assert!(following.client.job(&job.to_string()).await.unwrap_err().is_not_found());
    following.stop().await;
    world.localnet.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hole_in_the_nodes_ledger_is_no_empty_slot_in_a_gap() {
    let world = World::start(5).await;
    world.register(Persona::North).await;
    for listed in [true, false] {
        let node = Node::before(world.localnet.rpc_url()).await;
        let following = world.follow_by(&world.database(), &node.url).await;
        following.well().await;
        following.stop().await;
        let (job, slots) = a_job(&world).await;
        world.cannot_replay_from(*slots.end()).await;
        forget(&node, slots.clone(), listed);
        let following = world.follow_by(&world.database(), &node.url).await;
        is_noticed((&world, &world.database()), following, &node, (job, slots)).await;
    }
    world.localnet.stop().await.unwrap();
}
