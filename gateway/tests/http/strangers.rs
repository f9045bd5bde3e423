//! Whoever has nothing to pay with, and what they cost those who have.

use crate::support::*;
use joule_units::{Amount, UnixTime};
use joule_voucher::{sign, Domain, Format as _};
use joule_x402::{encode, session, Base58, PaymentPayload, Session, Signed};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

async fn world(lookups: u32) -> (World, Upstream) {
    let upstream = Upstream::start(Fault::None).await;
    (World::with(&upstream.url, |config| config.limits.lookups_per_second = lookups).await, upstream)
}

/// A payment from a channel that there is not, in every other respect as it should be.
pub fn made_up(number: u32, body: &serde_json::Value) -> PaymentPayload {
    let mut address = [77; 32];
    address[..4].copy_from_slice(&number.to_le_bytes());
    let channel = session::Channel {
        address,
        program: CLUSTER.program.to_bytes(),
        genesis: CLUSTER.genesis,
        authority: channel(0).authority.to_bytes(),
        prices: PRICES,
        session_expires_at: UnixTime::new(now() + 86_400),
    };
    let mut session = Session::new(channel, key(99), 1).unwrap();
    session.order(body.to_string().as_bytes(), Amount::new(20_000), UnixTime::new(now() + 60))
}

#[tokio::test]
async fn what_can_be_checked_without_the_chain_is_checked_first() {
    let (world, _) = world(50).await;
    let body = question("hello");
    let client = world.client(10);
    type Twist = fn(&mut joule_voucher::Order);
    let cases: [(&str, Twist); 3] = [
        ("order_context", |order| order.context = made_up(7, &question("x")).payload.order.unwrap().message.context),
        ("order_expired", |order| order.expires_at = UnixTime::new(now() - 2).into()),
        ("order_too_long", |order| order.expires_at = UnixTime::new(now() + 1_000).into()),
    ];
    let asked = world.chain.times_asked();
    for (code, change) in cases {
        let mut payment = made_up(1, &body);
        let mut order = payment.payload.order.unwrap().message;
        change(&mut order);
        payment.payload.order = Some(Signed { message: order, signature: sign(&key(99), order.as_bytes()) });
        assert_eq!(client.send(&payment, &body).await.code(), code);
    }
    assert_eq!(client.send(&made_up(1, &body), &question("another")).await.code(), "order_request");
    assert_eq!(world.chain.times_asked(), asked, "nobody asked the chain");
    assert_eq!(client.send(&made_up(1, &body), &body).await.code(), "unknown_channel");
    assert_eq!(world.chain.times_asked(), asked + 1);
    // An account that nobody here knows of is not looked for either.
    let of_nobody = format!("{}/joule/v1/channels/{}", world.url, Base58(made_up(5, &body).payload.channel.0));
    let standing: serde_json::Value = world.http.get(of_nobody).send().await.unwrap().json().await.unwrap();
    assert_eq!(standing["receipts"], 0);
    assert_eq!(world.chain.times_asked(), asked + 1);
    assert_ne!(made_up(1, &body).payload.order.unwrap().message.context, client.session.context(Domain::Order));
}

/// Made-up payments without end, as good as they can be made up, and beside them clients whose channels nobody has asked for before.
#[tokio::test]
async fn garbage_does_not_lock_out_a_client_with_a_new_channel() {
    let (world, _) = world(10).await;
    let body = question("hello");
    let stop = tokio_util::sync::CancellationToken::new();
    let flood: Vec<_> = (0..16)
        .map(|thread: u32| {
            let (client, body, stop) = (world.client(10), body.clone(), stop.clone());
            tokio::spawn(async move {
                let mut sent = 0;
                while !stop.is_cancelled() {
                    let payment = encode(&made_up(thread << 24 | sent, &body));
                    client.post("/v1/chat/completions", Some(&payment), body.to_string()).await;
                    sent += 1;
                }
                sent
            })
        })
        .collect();
    for seed in 11..20 {
        let mut client = world.client(seed);
        for _ in 0..3 {
            client.ask(&body).await;
        }
    }
    stop.cancel();
    let sent: u32 = futures::future::join_all(flood).await.into_iter().map(Result::unwrap).sum();
    assert!(sent > 2 * 16, "each of them again and again: {sent}");
}

#[tokio::test]
async fn channels_of_the_ledger_are_known_from_the_start() {
    let (world, upstream) = world(1).await;
    let body = question("hello");
    let mut client = world.client(10);
    client.ask(&body).await;
    let folder = world.stop().await;
    let world = World::on(folder, &upstream.url, |config| config.limits.lookups_per_second = 1).await;
    let asked = world.chain.times_asked();
    let mut after = world.client(10);
    std::mem::swap(&mut after.session, &mut client.session);
    after.ask(&body).await;
    assert_eq!(world.account(10).await["receipts"], 2);
    assert_eq!(world.chain.times_asked(), asked, "they were read before anybody asked");
}

/// Bytes of a body that one connection sends, and never more.
const SLOW: usize = 50_000;

/// Begins to send a body of 60,000 bytes, and stops.
async fn dawdle(world: &World, payment: Option<&str>) -> TcpStream {
    dawdle_from("127.0.0.1", world, payment).await
}

pub async fn dawdle_from(address: &str, world: &World, payment: Option<&str>) -> TcpStream {
    let mut stream = connect_from(address, &world.url).await;
    let payment = payment.map_or_else(String::new, |payment| format!("payment-signature: {payment}\r\n"));
    let head = format!("POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n{payment}content-length: 60000\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    // It may be refused before it is read.
    let _ = stream.write_all(&vec![b' '; SLOW]).await;
    stream
}

pub async fn status(stream: &mut TcpStream) -> u16 {
    let mut answer = [0; 12];
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_exact(&mut answer)).await;
    read.expect("an answer").expect("a status");
    std::str::from_utf8(&answer[9..]).unwrap().parse().unwrap()
}

/// Whether nothing is said for a moment: the rest of the body is waited for.
pub async fn is_waited_for(stream: &mut TcpStream) -> bool {
    tokio::time::timeout(Duration::from_millis(200), stream.read(&mut [0])).await.is_err()
}

/// An order for a long body.
pub fn generous(client: &mut Client, body: &serde_json::Value) -> PaymentPayload {
    client.session.order(body.to_string().as_bytes(), Amount::new(90_000), UnixTime::new(now() + 60))
}

pub fn long(words: usize) -> serde_json::Value {
    question(&"x".repeat(words))
}

async fn patient() -> (World, Upstream) {
    let upstream = Upstream::start(Fault::None).await;
    let patient = |config: &mut joule_gateway::config::Config| {
        (config.timeouts.request, config.limits.unpaid_bodies) = (Duration::from_secs(60), 65_536);
    };
    (World::with(&upstream.url, patient).await, upstream)
}

#[tokio::test]
async fn bodies_that_nobody_pays_for_share_a_budget() {
    let (world, _) = patient().await;
    let mut client = world.client(10);
    for _ in 0..2 {
        client.ask(&question("hello")).await;
    }
    let mut slow = Vec::new();
    // Of each, what is beyond 32 KiB counts.
    for _ in 0..65_536 / (SLOW - 32_768) {
        let mut stream = dawdle(&world, None).await;
        assert!(is_waited_for(&mut stream).await);
        slow.push(stream);
    }
    for _ in 0..10 {
        assert_eq!(status(&mut dawdle(&world, None).await).await, 503);
    }
    // Whoever has paid here is not concerned, and a short question of anybody neither.
    let order = generous(&mut client, &long(60_000));
    assert_eq!(client.send(&order, &long(60_000)).await.status, 200);
    world.client(11).ask(&question("hello")).await;
    let new = generous(&mut world.client(12), &long(60_000));
    let crowded = world.client(12).send(&new, &long(60_000)).await;
    assert_eq!((crowded.status, crowded.code().as_str()), (503, "unpaid_bodies"));
    assert!(crowded.headers.contains_key("retry-after"));
    // When they are gone, their bytes are others'.
    drop(slow);
    is_served_soon(async || world.client(12).send(&new, &long(60_000)).await.status).await;
}

#[tokio::test]
async fn a_made_up_payment_is_looked_at_before_its_body_is_read() {
    let (world, _) = patient().await;
    // As many as fit, with payments that are worth nothing; then there is no room for another.
    let made_up = encode(&made_up(1, &question("hello")));
    let mut slow = Vec::new();
    for payment in ["e30=", &made_up, &made_up] {
        slow.push(dawdle(&world, Some(payment)).await);
    }
    assert!(is_waited_for(&mut slow[2]).await);
    assert_eq!(status(&mut dawdle(&world, Some(&made_up)).await).await, 503);
}

/// Each has room, but one order is for one body, and an owner has few at a time.
#[tokio::test]
async fn bodies_of_a_payer_are_as_many_as_its_orders_and_few() {
    let (world, _) = patient().await;
    let mut client = world.client(10);
    client.ask(&question("hello")).await;
    let body = question("hello");
    let orders: Vec<_> = (0..=WINDOW).map(|_| encode(&client.pay(&body))).collect();
    let mut slow = Vec::new();
    for order in &orders[..WINDOW] {
        slow.push(dawdle(&world, Some(order)).await);
    }
    for stream in &mut slow {
        assert!(is_waited_for(stream).await);
    }
    let again = client.post("/v1/chat/completions", Some(&orders[0]), body.to_string()).await;
    assert_eq!((again.status, again.code().as_str()), (409, "order_being_served"));
    let more = client.post("/v1/chat/completions", Some(&orders[WINDOW]), body.to_string()).await;
    assert_eq!((more.status, more.code().as_str()), (402, "window_full"));
    drop(slow);
    is_served_soon(async || client.post("/v1/chat/completions", Some(&orders[0]), body.to_string()).await.status).await;
}

#[tokio::test]
async fn a_body_that_says_that_it_is_too_long_is_not_read() {
    let (world, _) = patient().await;
    let mut stream = TcpStream::connect(world.url.trim_start_matches("http://")).await.unwrap();
    let head = "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 65537\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(status(&mut stream).await, 413);
}
