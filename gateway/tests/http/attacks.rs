//! Whoever wants something for nothing.

use crate::support::*;
use joule_units::{Amount, UnixTime};
use joule_x402::{encode, PaymentPayload};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

async fn world() -> (World, Upstream) {
    let upstream = Upstream::start(Fault::None).await;
    (World::start(&upstream.url).await, upstream)
}

async fn refused(client: &Client, payment: &PaymentPayload, body: &serde_json::Value) -> String {
    let reply = client.send(payment, body).await;
    assert_eq!(reply.status, 402, "{}", reply.text());
    reply.code()
}

#[tokio::test]
async fn a_replayed_order_is_never_served_or_charged_twice() {
    let (world, upstream) = world().await;
    let mut client = world.client(10);
    let body = question("hello");
    let payment = client.pay(&body);
    assert_eq!(client.send(&payment, &body).await.status, 200);
    let before = world.account(10).await;
    let replays: Vec<_> = (0..10).map(|_| client.send(&payment, &body)).collect();
    for reply in futures::future::join_all(replays).await {
        assert_eq!((reply.status, reply.code().as_str()), (409, "order_served"));
    }
    assert_eq!(world.account(10).await, before);
    let folder = world.stop().await;
    let world = World::on(folder, &upstream.url, |_| {}).await;
    let after = world.client(10);
    assert_eq!(after.send(&payment, &body).await.status, 409, "a restart forgets nothing");
    assert_eq!(upstream.times_asked(), 1);
}

#[tokio::test]
async fn one_order_sent_many_times_at_once_is_served_once() {
    let held = Held::start().await;
    let world = held.world(|_| {}).await;
    let mut client = world.client(10);
    let body = streamed("hello");
    let payment = client.pay(&body);
    let replies = held.at_once((0..10).map(|_| client.send(&payment, &body))).await;
    let served = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!(served, 1);
    let mut refused = replies.iter().filter(|reply| reply.status != 200);
    assert!(refused.all(|reply| (reply.status, reply.code().as_str()) == (409, "order_being_served")));
    assert_eq!(held.upstream.times_asked(), 1);
}

#[tokio::test]
async fn what_is_being_served_counts_against_window_and_deposit() {
    let held = Held::start().await;
    let world = held.world(|_| {}).await;
    // A deposit for one request and a half.
    world.chain.0.lock().unwrap().get_mut(&channel(10).address).unwrap().cap = Amount::new(30_000);
    let mut client = world.client(10);
    let body = streamed("hello");
    let payments: Vec<_> = (0..5).map(|_| client.pay(&body)).collect();
    let replies = held.at_once(payments.iter().map(|payment| client.send(payment, &body))).await;
    let served = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!(served, 1);
    assert!(replies.iter().filter(|reply| reply.status != 200).all(|reply| reply.code() == "deposit"));
    let mut new = world.client(11);
    let payments: Vec<_> = (0..5).map(|_| new.pay(&body)).collect();
    let replies = held.at_once(payments.iter().map(|payment| new.send(payment, &body))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
    assert!(replies.iter().filter(|reply| reply.status != 200).all(|reply| reply.code() == "window_full"));
}

#[tokio::test]
async fn channels_that_cannot_pay_are_refused() {
    let (world, upstream) = world().await;
    let body = question("hello");
    type Twist<'a> = &'a dyn Fn(&mut joule_gateway::Channel);
    let cases: [(&str, Twist); 8] = [
        ("channel_closing", &|channel| channel.closes_at = UnixTime::new(now() + 100_000)),
        ("short_grace", &|channel| channel.grace = 3_599),
        ("session_ends", &|channel| channel.session_expires_at = UnixTime::new(now() + 599)),
        ("session_ends", &|channel| channel.staged_at = UnixTime::new(now() + 599)),
        ("other_provider", &|channel| channel.provider = channel.mint),
        ("other_model", &|channel| channel.prices = channel.mint),
        ("deposit", &|channel| channel.limit = Amount::new(19_999)),
        ("order_signature", &|channel| channel.signer = key(99).verifying_key().to_bytes()),
    ];
    for (seed, (code, change)) in (10..).zip(cases) {
        change(world.chain.0.lock().unwrap().get_mut(&channel(seed).address).unwrap());
        let mut client = world.client(seed);
        let payment = client.pay(&body);
        assert_eq!(refused(&client, &payment, &body).await, code);
    }
    let mut nobody = world.client(30);
    let payment = nobody.pay(&body);
    assert_eq!(refused(&nobody, &payment, &body).await, "unknown_channel");
    assert_eq!(upstream.times_asked(), 0);
}

#[tokio::test]
async fn nonces_that_are_forgotten_are_not_new() {
    let (world, upstream) = world().await;
    let body = question("hello");
    let mut client = world.client(10);
    let first = client.pay(&body);
    client.accept(&first, &client.send(&first, &body).await);
    for _ in 0..1_030 {
        client.ask(&body).await;
    }
    assert_eq!(refused(&client, &first, &body).await, "old_nonce");
    assert_eq!(upstream.times_asked(), 1_031);
    let folder = world.stop().await;
    let world = World::on(folder, &upstream.url, |_| {}).await;
    assert_eq!(refused(&world.client(10), &first, &body).await, "old_nonce");
}

#[tokio::test]
async fn what_is_no_request_is_refused_without_harm() {
    let (world, upstream) = world().await;
    let mut client = world.client(10);
    let body = question("hello");
    let payment = encode(&client.pay(&body));
    let path = "/v1/chat/completions";
    let too_long = format!("{{\"model\":\"digits\",\"x\":\"{}\"}}", "x".repeat(70_000));
    let cases = [
        (400, "bad_request", path, "{\"model\":".to_owned()),
        (400, "bad_request", path, "[".repeat(60_000)),
        (400, "bad_request", path, "{\"model\":7}".to_owned()),
        (404, "model_not_found", path, "{\"model\":\"gpt\"}".to_owned()),
        (413, "body_too_large", path, too_long),
        (404, "not_found", "/v1/files", String::new()),
    ];
    for (status, code, path, body) in cases {
        let reply = client.post(path, Some(&payment), body).await;
        assert_eq!((reply.status, reply.code().as_str()), (status, code));
    }
    for header in ["", "%", "e30=", &payment[..payment.len() - 8]] {
        let reply = client.post(path, Some(header), body.to_string()).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, "bad_payment"), "{header}");
    }
    assert_eq!(upstream.times_asked(), 0);
    assert_eq!(client.post(path, Some(&payment), body.to_string()).await.status, 200);
}

#[tokio::test]
async fn a_megabyte_of_headers_is_431() {
    let (world, _) = world().await;
    let address = world.url.trim_start_matches("http://");
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!("POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "x".repeat(1 << 20));
    // The gateway may hang up before it has read all of it.
    let _ = stream.write_all(head.as_bytes()).await;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 431");
    world.client(10).ask(&question("hello")).await;
}

#[tokio::test]
async fn a_client_that_dawdles_is_hung_up_on() {
    let (world, _) = world().await;
    let address = world.url.trim_start_matches("http://");
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    let mut rest = Vec::new();
    tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await.expect("an end").unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{").await.unwrap();
    let mut answer = [0; 12];
    tokio::time::timeout(Duration::from_secs(5), stream.read_exact(&mut answer)).await.expect("an answer").unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
}

#[tokio::test]
async fn a_payer_in_a_hurry_is_slowed_down() {
    let upstream = Upstream::start(Fault::None).await;
    let world = World::with(&upstream.url, |config| {
        config.limits.requests_per_second = 1;
        config.limits.burst = 2;
    })
    .await;
    let mut client = world.client(10);
    let body = question("hello");
    let payments: Vec<_> = (0..3).map(|_| client.pay(&body)).collect();
    let replies = futures::future::join_all(payments.iter().map(|payment| client.send(payment, &body))).await;
    let slowed: Vec<_> = replies.iter().filter(|reply| reply.status == 429).collect();
    assert_eq!(slowed.len(), 1, "two at once are no hurry");
    assert_eq!(slowed[0].code(), "rate_limit_exceeded");
    assert!(slowed[0].headers.contains_key("retry-after"));
    world.client(11).ask(&body).await;
}

/// A clock that jumps ahead refuses what it must; nothing is lost, and nothing that was served is served again.
#[tokio::test]
async fn a_clock_that_jumps_refuses_and_forgets_nothing() {
    let (world, upstream) = world().await;
    let mut client = world.client(10);
    let body = question("hello");
    let first = client.pay(&body);
    client.accept(&first, &client.send(&first, &body).await);
    let before = world.account(10).await;
    world.gateway.clock.chain_says(now() + 1_000);
    let late = client.pay(&body);
    assert_eq!(refused(&client, &late, &body).await, "order_expired");
    assert_eq!(client.send(&first, &body).await.code(), "order_served");
    world.gateway.clock.chain_says(now() + 10 * 86_400);
    let signed =
        client.session.order(body.to_string().as_bytes(), Amount::new(20_000), UnixTime::new(now() + 10 * 86_400 + 60));
    assert_eq!(refused(&client, &signed, &body).await, "session_ends");
    assert_eq!(world.account(10).await["billed"], before["billed"]);
    // After a restart the clock is right again.
    let folder = world.stop().await;
    let world = World::on(folder, &upstream.url, |_| {}).await;
    let mut after = world.client(10);
    std::mem::swap(&mut after.session, &mut client.session);
    after.ask(&body).await;
    assert_eq!(after.send(&first, &body).await.code(), "order_served");
}
