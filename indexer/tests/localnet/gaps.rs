//! Gaps that only RPC can fill: of a few blocks by those blocks, of many by lists.

use crate::{node::Node, support::World};
use joule_api::{Commitment, JobStatus};
use joule_indexer::{
    decode::Program,
    store::{Sqlite, Store as _},
};
use joule_localnet::{Config, Persona};
use serde_json::json;
use std::sync::{
    atomic::{AtomicUsize, Ordering},
    Arc,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_short_gap_is_read_block_by_block_and_lists_are_asked_for_without_bytes() {
    // Whose server replays nothing, and whose slots are long: a loaded machine should not make many blocks of the gap.
    let world = World::start_with(|config| Config { replay_slots: 0, slot_ms: 400, ..config }).await;
    let node = Node::before(world.localnet.rpc_url()).await;
    world.register(Persona::North).await;
    let (settled, brief) = (world.open(Persona::Alice).await, world.open(Persona::Bob).await);
    let following = world.follow_by(&world.database(), &node.url).await;
    following.well().await;
    world.accept(Persona::North, settled).await;
    world.submit(Persona::North, settled).await;
    following.job_is(settled, JobStatus::Delivered, Commitment::Confirmed).await;
    following.stop().await;
    world.equals_the_chain(&world.database()).await;
    let before = node.calls();
    let (heads, whole) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    node.answers({
        let (heads, whole) = (heads.clone(), whole.clone());
        move |method, params, _| {
            if method == "getProgramAccounts" {
                let is_head = params[1]["dataSlice"]["length"] == 0;
                if is_head { &heads } else { &whole }.fetch_add(1, Ordering::Relaxed);
            }
        }
    });

    world.approve(Persona::Alice, settled).await;
    world.cancel(Persona::Bob, brief).await;
    let opened = world.open(Persona::Alice).await;
    let following = world.follow_by(&world.database(), &node.url).await;
    following.well().await;
    following.job_is(settled, JobStatus::Settled, Commitment::Confirmed).await;
    following.job_is(brief, JobStatus::Refunded, Commitment::Confirmed).await;
    following.job_is(opened, JobStatus::Open, Commitment::Confirmed).await;
    following.stop().await;
    world.equals_the_chain(&world.database()).await;
    let after = node.calls();
    for list in ["getSignaturesForAddress", "getTransaction"] {
        assert_eq!(after[list], before[list], "{list}");
    }
    // Whose lamports are others is all that no block of ours says.
    assert_eq!(whole.load(Ordering::Relaxed), 0);
    assert!(heads.load(Ordering::Relaxed) >= Program::ALL.len());
    assert!(after["getBlock"] > before["getBlock"] && after["getMultipleAccounts"] > 0);
    world.localnet.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_a_list_leaves_out_is_not_gone() {
    let world = World::start(0).await;
    let node = Node::before(world.localnet.rpc_url()).await;
    world.register(Persona::North).await;
    let (job, brief) = (world.open(Persona::Alice).await, world.open(Persona::Bob).await);
    let following = world.follow_by(&world.database(), &node.url).await;
    following.job_is(job, JobStatus::Open, Commitment::Confirmed).await;
    following.stop().await;

    world.cancel(Persona::Bob, brief).await;
    // A node that gives no blocks, and whose lists are empty.
    node.answers(|method, params, answer| match method {
        "getBlock" if params[1]["transactionDetails"] == "full" => {
            *answer = crate::node::error(-32603, "internal error")
        }
        "getProgramAccounts" => answer["result"]["value"] = json!([]),
        _ => {}
    });
    let following = world.follow_by(&world.database(), &node.url).await;
    following.well().await;
    following.job_is(brief, JobStatus::Refunded, Commitment::Confirmed).await;
    following.job_is(job, JobStatus::Open, Commitment::Confirmed).await;
    following.stop().await;
    let store = Sqlite::open_existing(world.database()).unwrap();
    let alive = |job: joule_sdk::Pubkey| {
        !store.account(&joule_indexer::types::Address(job.to_bytes())).unwrap().unwrap().closed
    };
    assert_eq!((alive(job), alive(brief)), (true, false));
    world.equals_the_chain(&world.database()).await;
    world.localnet.stop().await.unwrap();
}
