//! Whoever has nothing to pay with, and what they cost those who have.

use crate::support::*;
use joule_units::{Amount, UnixTime};
use joule_voucher::{sign, Domain, Format as _};
use joule_x402::{encode, session, Base58, PaymentPayload, Session, Signed};

async fn world(lookups: u32) -> (World, Upstream) {
    let upstream = Upstream::start(Fault::None).await;
    (World::with(&upstream.url, |config| config.limits.lookups_per_second = lookups).await, upstream)
}

/// A payment from a channel that there is not, in every other respect as it should be.
fn made_up(number: u32, body: &serde_json::Value) -> PaymentPayload {
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
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
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
    assert!(sent > 100, "{sent}");
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
