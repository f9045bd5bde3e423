//! Requests that go well, and what they cost.

use crate::support::*;
use joule_units::{Amount, UnixTime};
use joule_x402::{decode, PaymentRequired, PAYMENT_REQUIRED};

#[tokio::test]
async fn without_a_payment_the_terms_are_given() {
    let upstream = Upstream::start(Fault::None).await;
    let world = World::start(&upstream.url).await;
    let client = world.client(10);
    let reply = client.post("/v1/chat/completions", None, question("hello").to_string()).await;
    assert_eq!(reply.status, 402);
    let terms: PaymentRequired = decode(reply.headers[PAYMENT_REQUIRED].as_bytes()).unwrap();
    assert_eq!(serde_json::to_value(&terms).unwrap(), reply.json());
    let offer = terms.accepts[0].channel().unwrap();
    assert_eq!((terms.x402_version, offer.scheme.as_str()), (2, "joule-channel"));
    assert!(offer.network.starts_with("solana:"));
    assert_eq!(offer.extra.prices, PRICES);
    // Every byte of the body a token, and the longest answer.
    let bytes = question("hello").to_string().len() as u64;
    assert_eq!(offer.amount, Amount::new(100 + bytes + 2 * 501));
    assert_eq!(upstream.times_asked(), 0);
}

#[tokio::test]
async fn each_request_pays_for_the_one_before() {
    let upstream = Upstream::start(Fault::None).await;
    let world = World::start(&upstream.url).await;
    let mut client = world.client(10);
    let mut total = 0;
    for round in 1..=20 {
        let body = if round % 2 == 0 { question("hello") } else { streamed("hello") };
        let (reply, amount) = client.ask(&body).await;
        // 100 + 10 in + 4 out, as the upstream says.
        assert_eq!(amount, 118);
        assert!(reply.text().contains("seven"));
        total += amount;
        let account = world.account(10).await;
        assert_eq!(account["receipts"], round);
        assert_eq!(account["billed"], total.to_string());
        assert_eq!(account["paid_receipts"], round - 1);
        assert_eq!(account["paid"], (total - amount).to_string());
    }
    // The last one has nobody after it.
    let last = joule_x402::encode(&client.session.payment());
    let reply = client.post("/joule/v1/vouchers", Some(&last), "").await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(world.account(10).await["paid"], total.to_string());
    assert_eq!(upstream.times_asked(), 20);
}

#[tokio::test]
async fn a_stream_ends_with_its_receipt_and_then_done() {
    let upstream = Upstream::start(Fault::None).await;
    let world = World::start(&upstream.url).await;
    let mut client = world.client(10);
    let (reply, _) = client.ask(&streamed("hello")).await;
    let text = reply.text();
    assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
    assert!(text.rfind(": payment-response ").unwrap() < text.rfind("data: [DONE]").unwrap());
    assert!(!text.contains("prompt_tokens"), "usage was not asked for: {text}");
    let mut body = streamed("hello");
    body["stream_options"] = serde_json::json!({"include_usage": true});
    let (reply, _) = client.ask(&body).await;
    assert!(reply.text().contains("prompt_tokens"));
}

#[tokio::test]
async fn the_account_survives_a_restart() {
    let upstream = Upstream::start(Fault::None).await;
    let world = World::start(&upstream.url).await;
    let mut client = world.client(10);
    for _ in 0..5 {
        client.ask(&question("hello")).await;
    }
    let before = world.account(10).await;
    let folder = world.stop().await;
    let world = World::on(folder, &upstream.url, |_| {}).await;
    assert_eq!(world.account(10).await, before);
    let mut after = world.client(10);
    std::mem::swap(&mut after.session, &mut client.session);
    after.ask(&question("hello")).await;
    assert_eq!(world.account(10).await["receipts"], 6);
}

#[tokio::test]
async fn a_client_that_lost_a_receipt_gets_it_again() {
    let upstream = Upstream::start(Fault::None).await;
    let world = World::start(&upstream.url).await;
    let mut client = world.client(10);
    let body = question("hello");
    let payment = client.pay(&body);
    let lost = client.send(&payment, &body).await;
    assert_eq!(lost.status, 200);
    let again = client.send(&payment, &body).await;
    assert_eq!((again.status, again.code().as_str()), (409, "order_served"));
    let (settlement, _) = again.settlement().unwrap();
    let receipt = settlement.extra.unwrap().receipt;
    client.session.accept_unseen(&payment.payload.order.unwrap().message, &receipt).unwrap();
    client.ask(&body).await;
    assert_eq!(upstream.times_asked(), 2, "the same order is served once");
    assert_eq!(world.account(10).await["receipts"], 2);
}

#[tokio::test]
async fn what_a_receipt_asks_is_never_more_than_the_order_allows() {
    let upstream = Upstream::start(Fault::None).await;
    let world = World::start(&upstream.url).await;
    let mut client = world.client(10);
    let body = question("hello");
    let quote = 100 + body.to_string().len() as u64 + 2 * 501;
    let small = client.session.order(body.to_string().as_bytes(), Amount::new(quote - 1), UnixTime::new(now() + 60));
    let reply = client.send(&small, &body).await;
    assert_eq!((reply.status, reply.code().as_str()), (402, "order_too_small"));
    let enough = client.session.order(body.to_string().as_bytes(), Amount::new(quote), UnixTime::new(now() + 60));
    assert_eq!(client.send(&enough, &body).await.status, 200);
}
