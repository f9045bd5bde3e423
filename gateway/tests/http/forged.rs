//! Orders and vouchers with something wrong in them, signed or not.

use crate::support::*;
use joule_units::{Amount, UnixTime};
use joule_voucher::{sign, Format as _, Order, Voucher};
use joule_x402::{PaymentPayload, Signed};

async fn world() -> (World, Upstream) {
    let upstream = Upstream::start(Fault::None).await;
    (World::start(&upstream.url).await, upstream)
}

async fn refused(client: &Client, payment: &PaymentPayload, body: &serde_json::Value) -> String {
    let reply = client.send(payment, body).await;
    assert_eq!(reply.status, 402, "{}", reply.text());
    reply.code()
}

/// Every byte of the order and of its signature.
#[tokio::test]
async fn an_order_altered_anywhere_is_refused() {
    let (world, upstream) = world().await;
    let mut client = world.client(10);
    let body = question("hello");
    client.ask(&body).await;
    let payment = client.pay(&body);
    let bytes = payment.payload.order.unwrap().bytes();
    for at in 0..bytes.len() {
        let mut altered = bytes.clone();
        altered[at] ^= 1;
        let mut payment = payment.clone();
        payment.payload.order = Signed::read(&altered);
        assert_eq!(refused(&client, &payment, &body).await, "order_signature", "byte {at}");
    }
    assert_eq!(upstream.times_asked(), 1);
}

#[tokio::test]
async fn an_order_that_is_signed_and_wrong_is_refused() {
    let (world, upstream) = world().await;
    let mut client = world.client(10);
    let body = question("hello");
    let good = client.pay(&body);
    let changed = |change: &dyn Fn(&mut Order)| {
        let mut payment = good.clone();
        let mut order = payment.payload.order.unwrap().message;
        change(&mut order);
        payment.payload.order = Some(Signed { message: order, signature: sign(&key(10), order.as_bytes()) });
        payment
    };
    let other_channel = world.client(11).session.context(joule_voucher::Domain::Order);
    let cases: [(&str, PaymentPayload); 6] = [
        ("order_context", changed(&|order| order.context = other_channel)),
        ("order_request", changed(&|order| order.request_hash = [1; 32])),
        ("order_expired", changed(&|order| order.expires_at = UnixTime::new(now() - 2).into())),
        ("order_too_long", changed(&|order| order.expires_at = UnixTime::new(now() + 1_000).into())),
        ("order_too_small", changed(&|order| order.max_amount = Amount::new(99).into())),
        ("risk", changed(&|order| order.max_amount = Amount::new(100_001).into())),
    ];
    for (code, payment) in cases {
        assert_eq!(refused(&client, &payment, &body).await, code);
    }
    let none = PaymentPayload { payload: joule_x402::Payload { order: None, ..good.payload.clone() }, ..good.clone() };
    assert_eq!(refused(&client, &none, &body).await, "no_order");
    assert_eq!(refused(&client, &good, &question("another")).await, "order_request");
    assert_eq!(upstream.times_asked(), 0);
    assert_eq!(client.send(&good, &body).await.status, 200);
}

/// Every byte of the voucher and of its signature.
#[tokio::test]
async fn a_voucher_altered_anywhere_is_refused() {
    let (world, upstream) = world().await;
    let mut client = world.client(10);
    let body = question("hello");
    client.ask(&body).await;
    let payment = client.pay(&body);
    let bytes = payment.payload.voucher.unwrap().bytes();
    for at in 0..bytes.len() {
        let mut altered = bytes.clone();
        altered[at] ^= 1;
        let mut payment = payment.clone();
        payment.payload.voucher = Signed::read(&altered);
        assert_eq!(refused(&client, &payment, &body).await, "voucher_signature", "byte {at}");
    }
    assert_eq!(world.account(10).await["paid_receipts"], 0);
    assert_eq!(upstream.times_asked(), 1);
}

#[tokio::test]
async fn a_voucher_that_is_signed_and_wrong_is_refused() {
    let (world, _) = world().await;
    let mut client = world.client(10);
    let body = question("hello");
    client.ask(&body).await;
    let good = client.pay(&body);
    let changed = |change: &dyn Fn(&mut Voucher)| {
        let mut payment = good.clone();
        let mut voucher = payment.payload.voucher.unwrap().message;
        change(&mut voucher);
        payment.payload.voucher = Some(Signed { message: voucher, signature: sign(&key(10), voucher.as_bytes()) });
        payment
    };
    let other_channel = world.client(11).session.context(joule_voucher::Domain::Voucher);
    let cases: [(&str, PaymentPayload); 10] = [
        ("voucher_context", changed(&|voucher| voucher.context = other_channel)),
        ("voucher_ahead", changed(&|voucher| voucher.sequence = 2.into())),
        ("voucher_conflict", changed(&|voucher| voucher.sequence = 0.into())),
        ("voucher_sum", changed(&|voucher| voucher.cumulative = Amount::new(117).into())),
        ("voucher_sum", changed(&|voucher| voucher.cumulative = Amount::new(119).into())),
        ("voucher_units", changed(&|voucher| voucher.units = 1.into())),
        ("voucher_root", changed(&|voucher| voucher.usage_root = [0; 32])),
        ("voucher_expires", changed(&|voucher| voucher.expires_at = UnixTime::new(now() + 599).into())),
        // Good for long enough to be settled, and so short that it has to be by itself.
        ("voucher_expires", changed(&|voucher| voucher.expires_at = UnixTime::new(now() + 4_190).into())),
        ("voucher_outlives_session", changed(&|voucher| voucher.expires_at = UnixTime::new(now() + 90_000).into())),
    ];
    for (code, payment) in cases {
        assert_eq!(refused(&client, &payment, &body).await, code);
    }
    assert_eq!(client.send(&good, &body).await.status, 200);
    // The same sequence again with other contents is what payers lose their channel for.
    let later = changed(&|voucher| voucher.expires_at = UnixTime::new(now() + 10_000).into());
    assert_eq!(refused(&client, &later, &body).await, "voucher_conflict");
}

/// No voucher can outlive its session, so that one of a session which ends soon may end soon.
#[tokio::test]
async fn a_voucher_as_long_as_its_short_session_is_taken() {
    let (world, _) = world().await;
    let end = UnixTime::new(now() + 1_000);
    world.change(12, |channel| channel.session_expires_at = end);
    let mut client = world.client(12);
    let body = question("hello");
    client.ask(&body).await;
    let mut payment = client.pay(&body);
    let mut voucher = payment.payload.voucher.unwrap().message;
    voucher.expires_at = end.into();
    payment.payload.voucher = Some(Signed { message: voucher, signature: sign(&key(12), voucher.as_bytes()) });
    let reply = client.send(&payment, &body).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}
