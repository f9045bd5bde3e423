//! Upstreams that fail, clients that go away, disks that are full.

use crate::support::*;
use joule_gateway::config::Config;
use joule_units::UnixTime;
use joule_voucher::Receipt;
use joule_x402::Signed;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

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
    let again = loop {
        let again = client.send(&payment, &body).await;
        // Billed, and not on disk yet.
        if again.code() != "order_being_served" {
            break again;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!((again.status, again.code().as_str()), (409, "order_served"));
    let receipt = again.settlement().unwrap().0.extra.unwrap().receipt;
    client.session.accept_unseen(&payment.payload.order.unwrap().message, &receipt).unwrap();
}

#[tokio::test]
async fn a_client_that_stops_reading_does_not_hold_its_place() {
    let upstream = Upstream::start(Fault::Flood).await;
    let world = World::with(&upstream.url, |config| config.timeouts.total = Duration::from_secs(60)).await;
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
    let mut body = streamed("hello");
    body["max_tokens"] = 50.into();
    let (_, mut client, payment, reply) = asked(Fault::Endless, &body).await;
    assert!(client.accept(&payment, &reply) <= 20_000);
    let text = reply.text();
    assert!(text.contains("\"finish_reason\":\"length\"") && text.len() < 100_000, "{} bytes", text.len());
}

/// What does not fit on the disk is not given away.
#[tokio::test]
async fn a_full_disk_stops_the_sale_and_not_the_books() {
    let upstream = Upstream::start(Fault::None).await;
    let full = |config: &mut Config| config.ledger_max = Some(80 * 1_024);
    let world = World::with(&upstream.url, full).await;
    let mut client = world.client(10);
    let mut served: u64 = 0;
    let (payment, body) = loop {
        let body = if served.is_multiple_of(2) { question("hello") } else { streamed("hello") };
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

/// Two receipts of one number cost the provider its bond; a receipt that a failed write takes back must not have been seen.
#[tokio::test]
async fn whatever_fails_on_the_disk_nobody_sees_two_receipts_of_one_number() {
    let upstream = Upstream::start(Fault::None).await;
    let world = World::with(&upstream.url, |config| config.ledger_max = Some(80 * 1_024)).await;
    let seen = Arc::new(Mutex::new(HashMap::<u64, Receipt>::new()));
    let see = |seen: &Mutex<HashMap<u64, Receipt>>, receipt: Receipt| {
        let first = *seen.lock().unwrap().entry(receipt.sequence.get()).or_insert(receipt);
        assert_eq!(first, receipt, "two receipts of one number");
    };
    let looking = {
        let (http, url, seen) = (world.http.clone(), world.channel_url(10), seen.clone());
        tokio::spawn(async move {
            loop {
                let Ok(answer) = http.get(&url).send().await else { return };
                let account: serde_json::Value = answer.json().await.unwrap();
                let unpaid: Vec<Signed<Receipt>> = serde_json::from_value(account["unpaid"].clone()).unwrap();
                unpaid.into_iter().for_each(|receipt| see(&seen, receipt.message));
            }
        })
    };
    let mut client = world.client(10);
    let mut failed = 0;
    for n in 0..400 {
        let body = question(&format!("hello {n}"));
        let payment = client.pay(&body);
        // The second one is told about the first.
        let (reply, other) = tokio::join!(client.send(&payment, &body), client.send(&payment, &body));
        for reply in [&reply, &other] {
            let receipt = reply.settlement().and_then(|(settlement, _)| settlement.extra);
            receipt.into_iter().for_each(|it| see(&seen, it.receipt.message));
        }
        let served = [&reply, &other].into_iter().find(|reply| reply.status == 200);
        match served {
            Some(reply) => drop(client.accept(&payment, reply)),
            None => failed += 1,
        }
        if failed == 20 {
            break;
        }
    }
    assert_eq!(failed, 20, "the disk is never full");
    assert!(!looking.is_finished(), "{:?}", looking.await);
    looking.abort();
    assert!(seen.lock().unwrap().len() > 3);
}

/// A gateway that has lost its ledger would give the numbers of its receipts a second time.
#[tokio::test]
async fn a_lost_ledger_signs_nothing_twice() {
    let upstream = Upstream::start(Fault::None).await;
    let world = World::start(&upstream.url).await;
    world.client(10).ask(&question("hello")).await;
    world.stop().await;
    // Settled on chain, or known to be older than the loss.
    let world = World::with(&upstream.url, |config| config.risk.channels_from = now()).await;
    world.change(10, |channel| channel.sequence = 1);
    world.change(11, |channel| channel.opened_at = UnixTime::new(now() - 10));
    for (seed, code) in [(10, "channel_ahead"), (11, "channel_too_old")] {
        let mut client = world.client(seed);
        let body = question("hello");
        let payment = client.pay(&body);
        let reply = client.send(&payment, &body).await;
        assert_eq!((reply.status, reply.code().as_str()), (402, code));
        assert_eq!(world.account(seed).await["receipts"], 0);
    }
}

#[tokio::test]
async fn a_stopping_gateway_finishes_what_it_began() {
    let held = Held::start().await;
    let world = held.world(|_| {}).await;
    let mut client = world.client(10);
    let body = streamed("hello");
    let payment = client.pay(&body);
    let gateway = world.gateway.clone();
    let (reply, ()) = tokio::join!(client.send(&payment, &body), async {
        wait_until("it is begun", || held.upstream.times_asked() == 1).await;
        gateway.stopping.cancel();
        held.answer(1);
    });
    assert!(reply.whole && reply.text().ends_with("data: [DONE]\n\n"), "{}", reply.text());
    client.accept(&payment, &reply);
    let refused = world.http.get(format!("{}/healthz", world.url)).send().await;
    assert!(refused.is_err(), "nobody listens any more");
    world.stop().await;
}
