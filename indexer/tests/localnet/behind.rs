//! Servers that have not come as far as the store.

use crate::silence::{follower, next, slot};
use joule_geyser::{GrpcConfig, Plugin};
use joule_indexer::source::{Frontier, Source as _, SourceEvent, Update};
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_behind_is_waited_for_and_nothing_is_left_out() {
    let config = GrpcConfig { address: ([127, 0, 0, 1], 0).into(), ..GrpcConfig::default() };
    let plugin = Plugin::start(config).unwrap();
    for at in 5..10 {
        slot(&plugin, at);
    }
    let grpc = follower(&plugin, Duration::from_secs(60));
    let (out, mut events) = mpsc::channel(1_000);
    let stop = CancellationToken::new();
    let source = tokio::spawn(grpc.run(Arc::new(Frontier::new(Some(20))), out, stop.clone()));
    // Whatever else may end a connection on a busy machine, this does again and again.
    let is_behind = |event: &SourceEvent| matches!(event, SourceEvent::Disconnected { reason } if reason.contains("failed to get replay response"));
    for _ in 0..3 {
        next(&mut events, is_behind).await;
    }
    for at in 10..25 {
        slot(&plugin, at);
    }
    // From the store's slot on, without one left out.
    let mut heard = Vec::new();
    while heard.last() != Some(&24) {
        let update = next(&mut events, |event| matches!(event, SourceEvent::Update(Update::BlockMeta { .. }))).await;
        let SourceEvent::Update(Update::BlockMeta { bank, .. }) = update else { unreachable!() };
        heard.push(bank.slot);
    }
    assert_eq!(heard, (20..25).collect::<Vec<_>>());
    stop.cancel();
    source.await.unwrap();
}
