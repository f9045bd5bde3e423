//! How much may be unpaid: one answer, and then as much as was paid for, over all channels of an owner.

use crate::support::*;
use joule_units::{Amount, UnixTime};
use joule_x402::PaymentPayload;
use std::time::Duration;

async fn world() -> (World, Upstream) {
    let upstream = Upstream::start(Fault::None).await;
    (World::start(&upstream.url).await, upstream)
}

/// An order that allows as little as it may.
fn cheap(client: &mut Client, body: &serde_json::Value) -> PaymentPayload {
    let most = 100 + body.to_string().len() as u64 + 2 * 501;
    client.session.order(body.to_string().as_bytes(), Amount::new(most), UnixTime::new(now() + 60))
}

#[tokio::test]
async fn until_the_first_voucher_one_answer_is_unpaid() {
    let (world, upstream) = world().await;
    let mut client = world.client(10);
    let body = question("hello");
    let payment = client.pay(&body);
    assert_eq!(client.send(&payment, &body).await.status, 200);
    for _ in 0..3 {
        let payment = client.pay(&body);
        let reply = client.send(&payment, &body).await;
        assert_eq!((reply.status, reply.code().as_str()), (402, "unpaid"));
        // What it owes comes with the refusal, in case that it lost it.
        let terms: joule_x402::PaymentRequired =
            joule_x402::decode(reply.headers[joule_x402::PAYMENT_REQUIRED].as_bytes()).unwrap();
        assert_eq!(terms.accepts[0].channel().unwrap().extra.unpaid.len(), 1);
    }
    assert_eq!(upstream.times_asked(), 1);
    // Another owner does not suffer from it.
    world.client(11).ask(&body).await;
}

#[tokio::test]
async fn more_is_unpaid_at_once_as_far_as_it_was_paid_for() {
    let held = Held::start().await;
    let world = held.world(|_| {}).await;
    let mut client = world.client(10);
    let (body, mut served) = (streamed("hello"), Vec::new());
    let most = 100 + body.to_string().len() as u64 + 2 * 501;
    for round in 0..30 {
        let payments: Vec<_> = (0..WINDOW + 2).map(|_| cheap(&mut client, &body)).collect();
        let replies = held.at_once(payments.iter().map(|payment| client.send(payment, &body))).await;
        let paid: u64 = world.account(10).await["paid"].as_str().unwrap().parse().unwrap();
        let given: Vec<_> = replies.iter().zip(&payments).filter(|(reply, _)| reply.status == 200).collect();
        // As many as were paid for, one at least, and the settings' window at most.
        assert_eq!(given.len() as u64, (paid / most).clamp(1, WINDOW as u64), "round {round}, {paid} paid");
        served.push(given.len());
        assert!(replies.iter().filter(|reply| reply.status != 200).all(|reply| reply.code() == "window_full"));
        let mut receipts: Vec<_> =
            given.iter().map(|(reply, payment)| (reply.settlement().unwrap(), *payment)).collect();
        receipts.sort_by_key(|((settlement, _), _)| settlement.extra.as_ref().unwrap().receipt.message.sequence.get());
        for ((settlement, hash), payment) in receipts {
            client.session.accept(&payment.payload.order.unwrap().message, &hash, &settlement).unwrap();
        }
    }
    assert_eq!((served.first(), served.last()), (Some(&1), Some(&WINDOW)), "{served:?}");
}

/// Three channels, or one after the other: it is always the same owner that has not paid.
#[tokio::test]
async fn channels_of_one_owner_are_trusted_together() {
    let (world, upstream) = world().await;
    let owner = channel(10).owner;
    for seed in [11, 12] {
        world.change(seed, |channel| channel.owner = owner);
    }
    let body = question("hello");
    let mut first = world.client(10);
    let payment = first.pay(&body);
    let reply = first.send(&payment, &body).await;
    assert_eq!(reply.status, 200);
    for seed in [11, 12] {
        let mut other = world.client(seed);
        let payment = other.pay(&body);
        let reply = other.send(&payment, &body).await;
        assert_eq!((reply.status, reply.code().as_str()), (402, "unpaid_elsewhere"));
    }
    assert_eq!(upstream.times_asked(), 1);
    // Once it is paid on the one, the others are served.
    first.accept(&payment, &reply);
    let voucher = joule_x402::encode(&first.session.payment());
    assert_eq!(first.post("/joule/v1/vouchers", Some(&voucher), "").await.status, 200);
    world.client(11).ask(&body).await;
}

#[tokio::test]
async fn two_channels_of_one_owner_at_once_are_served_one_by_one() {
    let held = Held::start().await;
    let world = held.world(|_| {}).await;
    let seeds = 10..16;
    for seed in seeds.clone() {
        world.change(seed, |channel| channel.owner = super::support::channel(10).owner);
    }
    let body = streamed("hello");
    let mut clients: Vec<_> = seeds.map(|seed| world.client(seed)).collect();
    let payments: Vec<_> = clients.iter_mut().map(|client| client.pay(&body)).collect();
    let replies =
        held.at_once(clients.iter().zip(&payments).map(|(client, payment)| client.send(payment, &body))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
    assert!(replies.iter().filter(|reply| reply.status != 200).all(|reply| reply.code() == "window_full"));
    assert_eq!(held.upstream.times_asked(), 1);
}

#[tokio::test]
async fn whoever_closes_and_starts_again_still_owes() {
    let (world, upstream) = world().await;
    let body = question("hello");
    let gone = joule_gateway::Channel { owner: channel(11).owner, ..channel(20) };
    world.chain.0.lock().unwrap().insert(gone.address, gone);
    let mut client = world.client(20);
    let payment = client.pay(&body);
    assert_eq!(client.send(&payment, &body).await.status, 200);
    // On the chain that the next gateway finds, the channel is closed.
    let mut folder = world.stop().await;
    for other in [12, 13] {
        let world = World::on(folder, &upstream.url, |_| {}).await;
        let mut again = world.client(11);
        let payment = again.pay(&body);
        let reply = again.send(&payment, &body).await;
        assert_eq!((reply.status, reply.code().as_str()), (402, "unpaid_elsewhere"));
        world.client(other).ask(&body).await;
        folder = world.stop().await;
    }
}

#[tokio::test]
async fn what_was_paid_before_a_restart_counts_after_it() {
    let (world, upstream) = world().await;
    let body = question("hello");
    let mut client = world.client(10);
    for _ in 0..30 {
        client.ask(&body).await;
    }
    let folder = world.stop().await;
    let world = World::on(folder, &upstream.url, |_| {}).await;
    let mut after = world.client(10);
    std::mem::swap(&mut after.session, &mut client.session);
    // The last of them is paid with the first of these; the second may be unpaid beside it.
    for _ in 0..2 {
        let payment = cheap(&mut after, &body);
        assert_eq!(after.send(&payment, &body).await.status, 200);
    }
}

/// Whoever breaks off what it asked for, again and again, would have the model work for nothing.
#[tokio::test]
async fn an_answer_that_was_broken_off_counts_until_its_order_is_over_or_comes_again() {
    let upstream = Upstream::start(Fault::Hang).await;
    let world = World::with(&upstream.url, |config| config.timeouts.first_byte = Duration::from_secs(60)).await;
    let mut client = world.client(10);
    let body = question("hello");
    let (payment, new) = (client.pay(&body), client.pay(&body));
    let break_off = async |payment: &PaymentPayload, asked: usize| {
        let answered = tokio::select! {
            reply = client.send(payment, &body) => Some(reply),
            () = wait_until("it is asked", || upstream.times_asked() == asked) => None,
        };
        assert!(answered.is_none());
        for _ in 0..100 {
            if world.account(10).await["serving"] == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the gateway never noticed");
    };
    break_off(&payment, 1).await;
    let reply = client.send(&new, &body).await;
    assert_eq!((reply.status, reply.code().as_str()), (402, "window_full"));
    break_off(&payment, 2).await;
    break_off(&payment, 3).await;
    let reply = client.send(&payment, &body).await;
    assert_eq!((reply.status, reply.code().as_str()), (409, "order_broken"));
    assert_eq!(upstream.times_asked(), 3, "no more than so often");
    assert_eq!(world.account(10).await["receipts"], 0, "and it costs nothing");
}
