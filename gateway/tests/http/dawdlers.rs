//! Whoever holds what others need: connections, room for bodies, places at a model.

use crate::{
    strangers::{dawdle_from, generous, is_waited_for, long, made_up, status},
    support::*,
};
use joule_gateway::config::Config;
use joule_x402::{encode, PAYMENT_SIGNATURE};
use serde_json::json;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Whose sockets and bodies fill a gateway, and somebody else.
const HOSTILE: &str = "127.0.0.1";
const OTHER: &str = "127.0.0.2";

fn patient(config: &mut Config) {
    config.timeouts.request = Duration::from_secs(60);
    config.limits.unpaid_bodies = 65_536;
}

#[tokio::test]
async fn idle_connections_of_one_address_shut_nobody_else_out() {
    let upstream = Upstream::start(Fault::None).await;
    let world = World::with(&upstream.url, |config| {
        patient(config);
        (config.limits.connections, config.limits.address_share) = (16, Some(50));
    })
    .await;
    let mut idle = Vec::new();
    for _ in 0..100 {
        idle.push(connect_from(HOSTILE, &world.url).await);
    }
    let mut other = connect_from(OTHER, &world.url).await;
    other.write_all(b"GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert_eq!(status(&mut other).await, 200);
}

/// Garbage on as many connections as one address gets, as fast as it is answered; beside it channels that nobody has asked for.
#[tokio::test]
async fn garbage_on_every_connection_of_an_address_locks_no_new_channel_out() {
    let upstream = Upstream::start(Fault::None).await;
    let world = World::with(&upstream.url, |config| {
        (config.limits.connections, config.limits.address_share, config.limits.lookups_per_second) = (64, Some(50), 5);
    })
    .await;
    let body = question("hello");
    let stop = tokio_util::sync::CancellationToken::new();
    let flood: Vec<_> = (0..100)
        .map(|thread: u32| {
            let (url, body, stop) = (world.url.clone(), body.clone(), stop.clone());
            tokio::spawn(async move {
                let mut sent = 0;
                while !stop.is_cancelled() {
                    let payment = encode(&made_up(thread << 24 | sent, &body));
                    let mut stream = connect_from(HOSTILE, &url).await;
                    let body = body.to_string();
                    let head = format!(
                        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n{PAYMENT_SIGNATURE}: {payment}\r\ncontent-length: {}\r\n\r\n",
                        body.len()
                    );
                    let _ = stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).await;
                    let _ = stream.read(&mut [0; 1_024]).await;
                    sent += 1;
                }
            })
        })
        .collect();
    for seed in 11..15 {
        let mut client = world.client_from(OTHER, seed);
        for _ in 0..2 {
            client.ask(&body).await;
        }
    }
    stop.cancel();
    futures::future::join_all(flood).await;
}

#[tokio::test]
async fn unpaid_bodies_of_one_address_leave_room_for_others() {
    let upstream = Upstream::start(Fault::None).await;
    let world = World::with(&upstream.url, |config| {
        patient(config);
        config.limits.address_share = Some(50);
    })
    .await;
    let mut slow = Vec::new();
    for _ in 0..10 {
        slow.push(dawdle_from(HOSTILE, &world, None).await);
    }
    assert!(is_waited_for(&mut slow[0]).await);
    assert_eq!(status(&mut slow[9]).await, 503);
    let mut new = world.client_from(OTHER, 12);
    let order = generous(&mut new, &long(60_000));
    assert_eq!(new.send(&order, &long(60_000)).await.status, 200);
}

/// A channel that is known costs next to nothing, as long as nothing was paid through it.
#[tokio::test]
async fn a_body_of_a_channel_that_never_paid_is_anybodys() {
    let upstream = Upstream::start(Fault::None).await;
    let world = World::with(&upstream.url, patient).await;
    let mut channels: Vec<_> = (10..16).map(|seed| world.client(seed)).collect();
    let body = question("hello");
    let mut slow = Vec::new();
    for client in &mut channels {
        client.ask(&body).await;
        slow.push(dawdle_from(HOSTILE, &world, Some(&encode(&client.pay(&body)))).await);
    }
    let mut refused = 0;
    for stream in &mut slow {
        refused += usize::from(!is_waited_for(stream).await);
    }
    assert_eq!(refused, 6 - 3, "three fit into the budget");
    // The next of a client whose first answer is paid is the payer's.
    let mut payer = world.client(16);
    payer.ask(&body).await;
    payer.ask(&body).await;
    let order = generous(&mut payer, &long(60_000));
    assert_eq!(payer.send(&order, &long(60_000)).await.status, 200);
}

/// Its connection takes nothing, and events wait for it.
#[tokio::test]
async fn whoever_does_not_read_keeps_a_place_no_longer_than_an_answer_may_take() {
    let padding = "x".repeat(30_000);
    let word = json!({"padding": padding, "choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": null}]});
    let upstream = Upstream::says(Script::stream((0..600).map(|_| format!("data: {word}\n\n")))).await;
    let world = World::with(&upstream.url, |config| {
        config.limits.concurrent = 1;
        (config.timeouts.idle, config.timeouts.total) = (Duration::from_secs(600), Duration::from_secs(2));
    })
    .await;
    let body = streamed("hello");
    let (mut slow, mut other) = (world.client(10), world.client(11));
    let (first, second) = (slow.pay(&body), other.pay(&body));
    let call = world.http.post(format!("{}/v1/chat/completions", world.url)).header(PAYMENT_SIGNATURE, encode(&first));
    let unread = call.body(body.to_string()).send().await.unwrap();
    assert_eq!(unread.status(), 200);
    is_served_soon(async || other.begin(&second, &body, 1).await.0).await;
    drop(unread);
}
