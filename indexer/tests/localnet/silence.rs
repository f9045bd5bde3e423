//! Streams that say nothing any more.

use crate::support::{World, PATIENCE};
use joule_geyser::{
    feed::{Feed, SlotStatus},
    GrpcConfig, Plugin,
};
use joule_indexer::source::{grpc::Grpc, Frontier, Source as _, SourceEvent, Update};
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub fn slot(plugin: &Plugin, slot: u64) {
    let feed = Feed(plugin);
    feed.entry(slot, 0).unwrap();
    feed.block(slot, slot - 1, 0).unwrap();
    feed.status(slot, slot - 1, SlotStatus::Confirmed).unwrap();
}

/// Follows it alone.
pub fn follower(plugin: &Plugin, silence: Duration) -> Grpc {
    let url = format!("http://{}", plugin.address().unwrap());
    Grpc { endpoint: url.as_str().into(), name: "it".to_owned(), silence }
}

/// The next event that is one of those.
pub async fn next(events: &mut mpsc::Receiver<SourceEvent>, which: impl Fn(&SourceEvent) -> bool) -> SourceEvent {
    let found = async {
        loop {
            let event = events.recv().await.expect("it goes on for as long as it is not stopped");
            if which(&event) {
                return event;
            }
        }
    };
    tokio::time::timeout(PATIENCE, found).await.expect("it comes")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_only_pings_is_given_up_for_another() {
    // Its connection is well: HTTP/2 pings are answered, and Yellowstone's come by the second.
    let config = GrpcConfig { address: ([127, 0, 0, 1], 0).into(), ping_interval_ms: 50, ..GrpcConfig::default() };
    let plugin = Plugin::start(config).unwrap();
    let grpc = follower(&plugin, Duration::from_millis(500));
    let (out, mut events) = mpsc::channel(1_000);
    let stop = CancellationToken::new();
    let source = tokio::spawn(grpc.run(Arc::new(Frontier::new(None)), out, stop.clone()));
    let mut slots = 5..;
    for _ in 0..2 {
        next(&mut events, |event| matches!(event, SourceEvent::Connected { .. })).await;
        // The server may take its time to begin.
        let mut heard = false;
        while !heard {
            slot(&plugin, slots.next().unwrap());
            tokio::time::sleep(Duration::from_millis(20)).await;
            heard = matches!(events.try_recv(), Ok(SourceEvent::Update(Update::Slot { .. })));
        }
        let lost = next(&mut events, |event| matches!(event, SourceEvent::Disconnected { .. })).await;
        let SourceEvent::Disconnected { reason } = lost else { unreachable!() };
        assert!(reason.contains("silent for 0.5 s"), "{reason}");
    }
    stop.cancel();
    source.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_stream_is_down_health_and_metrics_say_so_and_the_lag_grows() {
    let world = World::start(1_500).await;
    let following = world.follow(&world.database()).await;
    following.well().await;
    let metric = async |name: &str| {
        let text = reqwest::get(format!("{}/metrics", following.client.base())).await.unwrap().text().await.unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
        value.unwrap_or_else(|| panic!("no {name} in {text}"))
    };
    assert_eq!(metric("joule_indexer_live ").await, 1.0);
    assert_eq!(metric("joule_indexer_phase{phase=\"live\"} ").await, 1.0);
    assert_eq!(metric("joule_indexer_open_gap_slots ").await, 0.0);

    world.localnet.stop().await.unwrap();
    following.unwell("gRPC").await;
    following
        .until("lags", |client| async move {
            client.health().await.is_ok_and(|health| health.lag_slots > 5 && health.silent_seconds > 1)
        })
        .await;
    assert_eq!(metric("joule_indexer_live ").await, 0.0);
    assert_eq!(metric("joule_indexer_phase{phase=\"reconnecting\"} ").await, 1.0);
    assert!(metric("joule_indexer_lag_slots ").await > 5.0);
    assert!(metric("joule_indexer_last_update_seconds ").await > 1.0);
    following.stop().await;
}
