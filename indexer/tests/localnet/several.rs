//! Several endpoints at once: whichever fails, the others carry on, without a gap and without RPC.

use crate::{
    node::Node,
    relay::Relay,
    support::{Following, World},
};
use joule_api::{Commitment, Endpoint, JobStatus};
use joule_indexer::config::Settings;
use joule_localnet::Persona;
use joule_sdk::Pubkey;
use std::{collections::BTreeMap, time::Duration};

/// A chain, two servers of it, and an RPC node that counts.
struct Two {
    world: World,
    node: Node,
    one: Relay,
    other: Relay,
}

impl Two {
    async fn start() -> Self {
        let world = World::start(1_500).await;
        let node = Node::before(world.localnet.rpc_url()).await;
        let (one, other) = (
            Relay::start(world.localnet.grpc_url(), 1_000).await,
            Relay::start(world.localnet.grpc_url(), 7_001).await,
        );
        world.register(Persona::North).await;
        Self { world, node, one, other }
    }

    async fn follow(&self) -> Following {
        let settings = Settings {
            grpc: format!("{},{}", self.one.url(), self.other.url()).into(),
            rpc: self.node.url.as_str().into(),
            silence: Duration::from_secs(2),
            ..self.world.settings(&self.world.database())
        };
        Following::start(&settings).await
    }

    /// Until both are followed or not, as wanted.
    async fn lives(&self, following: &Following, one: bool, other: bool) {
        let wanted = [one, other];
        let is = |endpoints: &[Endpoint]| endpoints.iter().map(|it| it.live).collect::<Vec<_>>() == wanted;
        following
            .until(&format!("endpoints live: {wanted:?}"), |client| async move {
                client.health().await.is_ok_and(|health| is(&health.endpoints))
            })
            .await;
    }

    /// What was asked of history.
    fn history(&self) -> BTreeMap<String, usize> {
        let mut calls = self.node.calls();
        calls.retain(|method, _| method != "getGenesisHash");
        calls
    }

    async fn delivered(&self, job: Pubkey) {
        self.world.accept(Persona::North, job).await;
        self.world.submit(Persona::North, job).await;
    }

    async fn end(self, following: Following, asked: BTreeMap<String, usize>) {
        assert!(following.client.health().await.unwrap().ok);
        following.stop().await;
        assert_eq!(self.history(), asked, "RPC was asked");
        self.world.equals_the_chain(&self.world.database()).await;
        self.world.localnet.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_killed_is_missed_by_nobody_and_takes_over_when_it_is_back() {
    let two = Two::start().await;
    let following = two.follow().await;
    following.well().await;
    two.lives(&following, true, true).await;
    let asked = two.history();
    let (first, second) = (two.world.open(Persona::Alice).await, two.world.open(Persona::Bob).await);
    // In the midst of what happens.
    two.one.kill();
    two.delivered(first).await;
    following.job_is(first, JobStatus::Delivered, Commitment::Confirmed).await;
    following.endpoint_is_left(0, "gRPC").await;
    two.lives(&following, false, true).await;
    assert!(following.client.health().await.unwrap().ok);

    let back = two.one.again().await;
    two.lives(&following, true, true).await;
    two.other.kill();
    two.world.cancel(Persona::Bob, second).await;
    two.world.approve(Persona::Alice, first).await;
    following.job_is(first, JobStatus::Settled, Commitment::Confirmed).await;
    following.job_is(second, JobStatus::Refunded, Commitment::Confirmed).await;
    two.lives(&following, true, false).await;
    two.end(following, asked).await;
    drop(back);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_only_pings_is_given_up_and_the_other_carries_on() {
    let two = Two::start().await;
    let following = two.follow().await;
    following.well().await;
    two.lives(&following, true, true).await;
    let asked = two.history();
    two.other.silence();
    let job = two.world.open(Persona::Alice).await;
    two.delivered(job).await;
    following.job_is(job, JobStatus::Delivered, Commitment::Confirmed).await;
    following.endpoint_is_left(1, "silent").await;
    two.world.approve(Persona::Alice, job).await;
    following.job_is(job, JobStatus::Settled, Commitment::Confirmed).await;
    two.end(following, asked).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_behind_the_store_is_left_for_the_other_and_comes_in_when_it_has_caught_up() {
    let two = Two::start().await;
    let following = two.follow().await;
    following.well().await;
    let job = two.world.open(Persona::Alice).await;
    following.job_is(job, JobStatus::Open, Commitment::Confirmed).await;
    following.stop().await;
    let asked = two.history();

    // Restarted from a snapshot, say.
    two.one.reach(two.world.chain.slot().await.unwrap().saturating_sub(40));
    let following = two.follow().await;
    following.well().await;
    following.endpoint_is_left(0, "failed to get replay response").await;
    two.lives(&following, false, true).await;
    two.delivered(job).await;
    following.job_is(job, JobStatus::Delivered, Commitment::Confirmed).await;

    two.one.reach(u64::MAX);
    two.lives(&following, true, true).await;
    two.other.kill();
    two.world.approve(Persona::Alice, job).await;
    following.job_is(job, JobStatus::Settled, Commitment::Confirmed).await;
    two.end(following, asked).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_cannot_replay_the_other_does() {
    let two = Two::start().await;
    let following = two.follow().await;
    following.well().await;
    let job = two.world.open(Persona::Alice).await;
    following.job_is(job, JobStatus::Open, Commitment::Confirmed).await;
    let checkpoint = following.client.health().await.unwrap().checkpoint_slot;
    following.stop().await;
    let asked = two.history();

    while two.world.chain.slot().await.unwrap() < checkpoint + 20 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    two.delivered(job).await;
    two.one.replays(false);
    // The other takes its time.
    two.other.reach(checkpoint + 2);
    let following = two.follow().await;
    two.lives(&following, true, true).await;
    let missed = two.world.chain.slot().await.unwrap();
    following
        .until("the first is well beyond", |client| async move {
            client.health().await.is_ok_and(|health| health.endpoints[0].tip_slot > missed + 10)
        })
        .await;
    let health = following.client.health().await.unwrap();
    assert!(health.checkpoint_slot < missed, "{health:?}");
    two.other.reach(u64::MAX);
    following.well().await;
    following.job_is(job, JobStatus::Delivered, Commitment::Confirmed).await;
    two.world.approve(Persona::Alice, job).await;
    following.job_is(job, JobStatus::Settled, Commitment::Confirmed).await;
    two.end(following, asked).await;
}
