//! One chain a database, one indexer a database.

use crate::{
    node::{nobody, Node},
    support::{Following, World},
};
use joule_api::{Commitment, JobStatus};
use joule_indexer::{config::Settings, redecode, source::rpc::Rpc, store::Sqlite, verify, Indexer};
use joule_localnet::Persona;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_another_chain_is_refused_before_anything_is_answered_from_it() {
    let dead = World::start(1_500).await;
    let job = dead.open(Persona::Alice).await;
    let database = dead.database();
    let following = dead.follow(&database).await;
    following.job_is(job, JobStatus::Open, Commitment::Confirmed).await;
    following.stop().await;
    dead.localnet.stop().await.unwrap();

    // A chain of surfpool's has the second of its birth for a genesis.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let fresh = World::start(1_500).await;
    let error = Indexer::start(&fresh.settings(&database), CancellationToken::new()).await.err().unwrap();
    let error = format!("{error:#}");
    assert!(error.contains("genesis hash") && error.contains("--database"), "{error}");
    let rpc = Rpc::new(fresh.localnet.rpc_url().to_owned(), false);
    let store = Sqlite::open_existing(&database).unwrap();
    let error = verify::run(&store, &rpc, Duration::ZERO).await.unwrap_err().to_string();
    assert!(error.contains("genesis hash"), "{error}");
    redecode::run(&store, &rpc).await.expect("there is nothing to ask a node for");

    let following = fresh.follow(&fresh.database()).await;
    following.well().await;
    assert!(following.client.job(&job.to_string()).await.unwrap_err().is_not_found());
    following.stop().await;
    fresh.localnet.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_indexer_on_the_same_database_is_refused_and_the_first_goes_on() {
    let world = World::start(1_500).await;
    let database = world.database();
    let following = world.follow(&database).await;
    following.well().await;
    let link = world.folder.path().join("by another name.sqlite");
    std::os::unix::fs::symlink(&database, &link).unwrap();
    for name in [&database, &link] {
        let error = Indexer::start(&world.settings(name), CancellationToken::new()).await.err().unwrap();
        assert!(format!("{error:#}").contains("another indexer uses"), "{error:#}");
    }
    let job = world.open(Persona::Alice).await;
    following.job_is(job, JobStatus::Open, Commitment::Confirmed).await;
    following.stop().await;
    let following = world.follow(&link).await;
    following.well().await;
    following.stop().await;
    world.localnet.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_rpc_node_that_is_down_at_the_start_is_said_at_once_and_waited_for() {
    let world = World::start(1_500).await;
    let nobody = nobody();
    let settings = Settings {
        rpc: format!("http://{}", nobody.local_addr().unwrap()).into(),
        ..world.settings(&world.database())
    };
    let following = Following::start(&settings).await;
    let health = following.client.health().await.unwrap();
    assert!(!health.ok && health.reason.as_ref().is_some_and(|why| why.contains(settings.rpc.expose())), "{health:?}");
    let error = following.client.jobs(&[]).await.unwrap_err().to_string();
    assert!(
        error.contains("503") && error.contains("not been read"),
        "an empty list would say that there are none: {error}"
    );
    let node = Node::before_on(world.localnet.rpc_url(), nobody);
    following.well().await;
    assert_eq!(following.client.jobs(&[]).await.unwrap().items, []);
    assert_eq!(node.calls()["getGenesisHash"], 1);
    following.stop().await;
    world.localnet.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_rpc_node_of_another_chain_than_the_stream_fills_no_gap() {
    let world = World::start(1_500).await;
    let node = Node::before(world.localnet.rpc_url()).await;
    node.answers(|method, _, answer| {
        if method == "getBlock" {
            answer["result"]["blockhash"] = serde_json::json!("11111111111111111111111111111111");
        }
    });
    let following = world.follow_by(&world.database(), &node.url).await;
    following.unwell("--rpc and --grpc are of two chains").await;
    assert!(!node.calls().contains_key("getProgramAccounts"));
    node.answers(|_, _, _| {});
    following.well().await;
    following.stop().await;
    world.localnet.stop().await.unwrap();
}
