//! Upstreams that fail, clients that go away, disks that are full.

use crate::support::*;
use joule_gateway::config::Config;
use std::time::Duration;

async fn asked(fault: Fault, body: &serde_json::Value) -> (World, Client, joule_x402::PaymentPayload, Reply) {
    let upstream = Upstream::start(fault).await;
    let world = World::start(&upstream.url).await;
    let mut client = world.client(10);
    let payment = client.pay(body);
    let reply = client.send(&payment, body).await;
    (world, client, payment, reply)
}

/// Waits until the account looks right.
async fn until(world: &World, what: &str, right: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
    for _ in 0..100 {
        let account = world.account(10).await;
        if right(&account) {
            return account;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never happened: {what}: {}", world.account(10).await);
}

#[tokio::test]
async fn failures_before_the_first_word_cost_nothing_and_the_order_is_good_again() {
    let cases = [
        (Fault::Hang, 504, "upstream_timeout"),
        (Fault::Fail, 502, "upstream_failed"),
        (Fault::Nonsense, 502, "upstream_nonsense"),
        (Fault::Huge, 502, "upstream_too_large"),
        (Fault::Refuse, 400, "no"),
    ];
    for (fault, status, code) in cases {
        let body = question("hello");
        let (world, client, payment, reply) = asked(fault, &body).await;
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{fault:?}");
        let account = world.account(10).await;
        assert_eq!((&account["receipts"], &account["serving"]), (&0.into(), &0.into()), "{fault:?}");
        let again = client.send(&payment, &body).await;
        assert_eq!(again.status, status, "{fault:?}: the order was not used up");
    }
}

#[tokio::test]
async fn an_upstream_that_is_not_there_costs_nothing() {
    let world = World::start("http://127.0.0.1:1/v1").await;
    let mut client = world.client(10);
    for body in [question("hello"), streamed("hello")] {
        let payment = client.pay(&body);
        let reply = client.send(&payment, &body).await;
        assert_eq!((reply.status, reply.code().as_str()), (502, "upstream_unreachable"));
    }
    assert_eq!(world.account(10).await["serving"], 0);
}

#[tokio::test]
async fn a_lie_about_usage_is_bounded_by_what_was_sent() {
    for body in [question("hello"), streamed("hello")] {
        let (_, mut client, payment, reply) = asked(Fault::Lie, &body).await;
        let amount = client.accept(&payment, &reply);
        let (bytes, text) = (body.to_string().len() as u64, WORDS.concat().len() as u64);
        assert_eq!(amount, 100 + bytes + 2 * (text + 1));
    }
}

#[tokio::test]
async fn without_usage_the_text_is_counted() {
    for body in [question("hello"), streamed("hello")] {
        let (_, mut client, payment, reply) = asked(Fault::Silent, &body).await;
        let text = WORDS.concat().len() as u64;
        assert_eq!(client.accept(&payment, &reply), 100 + 5_u64.div_ceil(4) + 2 * text.div_ceil(4));
    }
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_billed_for_what_was_sent() {
    for fault in [Fault::DieMidStream, Fault::HangMidStream] {
        let (world, mut client, payment, reply) = asked(fault, &streamed("hello")).await;
        let text = reply.text();
        assert!(text.contains("\"error\"") && !text.contains("[DONE]"), "{fault:?}: {text}");
        let sent = WORDS[..2].concat().len() as u64;
        assert_eq!(client.accept(&payment, &reply), 100 + 2 + 2 * sent.div_ceil(4), "{fault:?}");
        assert_eq!(world.account(10).await["receipts"], 1);
    }
}

#[tokio::test]
async fn a_client_that_goes_away_pays_for_what_it_got() {
    let upstream = Upstream::start(Fault::Endless).await;
    let world = World::start(&upstream.url).await;
    let mut client = world.client(10);
    let body = streamed("hello");
    let payment = client.pay(&body);
    let (status, read) = client.begin(&payment, &body, 2_000).await;
    assert_eq!(status, 200);
    let account = until(&world, "the request is billed", |account| account["receipts"] == 1).await;
    let billed: u64 = account["billed"].as_str().unwrap().parse().unwrap();
    let got = read.len() as u64 / 80 * "on and ".len() as u64;
    assert!(billed >= 100 + 2 * got / 4, "{billed} for at least {got} bytes of text");
    assert!(billed < 20_000, "and not for what it never got: {billed}");
    // It can still get its receipt, and must pay before it goes on for long.
    let again = client.send(&payment, &body).await;
    assert_eq!((again.status, again.code().as_str()), (409, "order_served"));
    let receipt = again.settlement().unwrap().0.extra.unwrap().receipt;
    client.session.accept_unseen(&payment.payload.order.unwrap().message, &receipt).unwrap();
}

#[tokio::test]
async fn a_client_that_stops_reading_does_not_hold_its_place() {
    let upstream = Upstream::start(Fault::Flood).await;
    let world = World::with(&upstream.url, |config| config.timeouts.total_ms = 60_000).await;
    let mut client = world.client(10);
    let body = streamed("hello");
    let payment = client.pay(&body);
    let call = world.http.post(format!("{}/v1/chat/completions", world.url));
    let call = call.header(joule_x402::PAYMENT_SIGNATURE, joule_x402::encode(&payment)).body(body.to_string());
    let unread = call.send().await.unwrap();
    until(&world, "the stream is given up", |account| account["serving"] == 0).await;
    drop(unread);
}

#[tokio::test]
async fn an_answer_without_end_is_cut_and_never_costs_more_than_the_order() {
    let (_, mut client, payment, reply) = asked(Fault::Endless, &streamed("hello")).await;
    assert!(client.accept(&payment, &reply) <= 20_000);
    assert!(!reply.text().contains("[DONE]"));
}

/// What does not fit on the disk is not given away.
#[tokio::test]
async fn a_full_disk_stops_the_sale_and_not_the_books() {
    let upstream = Upstream::start(Fault::None).await;
    let full = |config: &mut Config| config.ledger_max_bytes = Some(80 * 1_024);
    let world = World::with(&upstream.url, full).await;
    let mut client = world.client(10);
    let mut served: u64 = 0;
    let (payment, body) = loop {
        let body = if served % 2 == 0 { question("hello") } else { streamed("hello") };
        let payment = client.pay(&body);
        let reply = client.send(&payment, &body).await;
        if reply.status != 200 {
            assert_eq!((reply.status, reply.code().as_str()), (503, "ledger_unavailable"));
            break (payment, body);
        }
        let text = reply.text();
        if text.contains("ledger_unavailable") {
            assert!(reply.settlement().is_none() && !text.contains("[DONE]"), "{text}");
            break (payment, body);
        }
        client.accept(&payment, &reply);
        served += 1;
        assert!(served < 1_000, "the disk is never full");
    };
    assert!(served > 3);
    let health = world.http.get(format!("{}/healthz", world.url)).send().await.unwrap();
    assert_eq!(health.status(), 503);
    let account = world.account(10).await;
    assert_eq!(
        (&account["receipts"], &account["serving"]),
        (&served.into(), &0.into()),
        "nothing was billed that is not on disk"
    );
    // With room again it goes on where it stopped.
    let folder = world.stop().await;
    let world = World::on(folder, &upstream.url, |_| {}).await;
    assert_eq!(world.account(10).await["receipts"], served);
    let mut after = world.client(10);
    std::mem::swap(&mut after.session, &mut client.session);
    let again = after.send(&payment, &body).await;
    match again.status {
        200 => drop(after.accept(&payment, &again)),
        // A stream's order had been written before the disk was full.
        status => assert_eq!((status, again.code().as_str()), (409, "order_broken")),
    }
    after.ask(&question("hello")).await;
}

#[tokio::test]
async fn a_stopping_gateway_finishes_what_it_began() {
    let upstream = Upstream::start(Fault::Slow).await;
    let world = World::start(&upstream.url).await;
    let mut client = world.client(10);
    let body = streamed("hello");
    let payment = client.pay(&body);
    let gateway = world.gateway.clone();
    let (reply, ()) = tokio::join!(client.send(&payment, &body), async {
        tokio::time::sleep(Duration::from_millis(60)).await;
        gateway.stopping.cancel();
    });
    assert!(reply.whole && reply.text().ends_with("data: [DONE]\n\n"), "{}", reply.text());
    client.accept(&payment, &reply);
    let refused = world.http.get(format!("{}/healthz", world.url)).send().await;
    assert!(refused.is_err(), "nobody listens any more");
    world.stop().await;
}
