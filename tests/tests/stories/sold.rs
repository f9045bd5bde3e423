//! A model is sold by the request: real vouchers through a real gateway in front of a real model, settled by the real
//! program, and a gateway that dies at every point it can.

use crate::support::{until, Buyer, Market};
use joule_localnet::Persona;
use joule_sdk::{billing::state::Channel, instruction::billing as pay, Pubkey};

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_served_paid_and_settled_and_everything_adds_up() {
    let market = Market::open().await;
    let mut buyer = market.buyer(1, 10_000).await;
    let before = [
        market.world.balance(Persona::North).await,
        market.world.balance(Persona::Bob).await,
        market.world.fees().await,
    ];
    let (gateway, url) = market.gateway("amount = '0.02 JOULE'", None).await;
    buyer.url = url.clone();
    let mut billed = 0;
    for n in 0..20 {
        billed += buyer.buy(n, n % 2 == 1).await;
    }
    buyer.pay().await;
    assert_eq!(buyer.session.billed().get(), billed);
    // What is worth it comes on chain by itself; the rest when it is asked for.
    until("vouchers are settled by size", async || {
        (market.channel(&buyer.channel).await.settled.get() >= 20_000).then_some(())
    })
    .await;
    gateway.stop().await;
    let said = market.settle().await;
    assert!(said.contains("channels paid out"), "{said}");
    let channel = market.channel(&buyer.channel).await;
    assert_eq!((channel.settled.get(), channel.sequence.get()), (billed, 20));
    assert_eq!((channel.paid.get(), channel.collected.get(), channel.backed.get()), (billed, billed, billed));
    let after = [
        market.world.balance(Persona::North).await,
        market.world.balance(Persona::Bob).await,
        market.world.fees().await,
    ];
    let [north, bob, fees] = [0, 1, 2].map(|n| after[n] - before[n]);
    assert_eq!(north + bob + fees, billed, "every unit has gone to somebody");
    assert!(bob.abs_diff(billed * 2_000 / 10_000) <= 1 && fees.abs_diff(billed * 250 / 10_000) <= 1, "{bob} {fees}");
    the_account_goes_when_its_claim_ends(&market, &buyer.channel).await;
    market.world.stop().await;
}

/// The cap is free as soon as the channel is over; the account is evidence until the provider's claim ends, and then the gateway
/// closes it.
async fn the_account_goes_when_its_claim_ends(market: &Market, channel: &Pubkey) {
    let world = &market.world;
    let end = pay::request_close(world.address(Persona::North), *channel);
    let close = pay::close(*channel, &market.channel(channel).await);
    world.send("end the channel", Persona::North, &[end, close]).await;
    let state = market.channel(channel).await;
    assert_eq!(state.cap, state.settled, "what was not spent is free at once");
    let said = market.settle().await;
    assert!(said.contains("0 accounts closed"), "{said}");
    world.after(state.claimed_until.get()).await;
    let said = market.settle().await;
    assert!(said.contains("1 accounts closed"), "{said}");
    assert_eq!(world.chain.find::<Channel>(channel).await.unwrap().map(|_| ()), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_closes_is_settled_at_once_and_serves_no_more() {
    let market = Market::open().await;
    let mut buyer = market.buyer(1, 0).await;
    let (gateway, url) = market.gateway("", None).await;
    buyer.url = url;
    let first = buyer.buy(0, false).await;
    buyer.buy(1, false).await;
    let close = pay::request_close(market.world.address(Persona::Alice), buyer.channel);
    market.world.send("close the channel", Persona::Alice, &[close]).await;
    until("the voucher is settled before the grace ends", async || {
        (market.channel(&buyer.channel).await.settled.get() == first).then_some(())
    })
    .await;
    let body = Buyer::question(2, false);
    let payment = buyer.order(&body);
    let (status, answer, _) = buyer.send(&payment, &body).await.expect("an answer");
    assert_eq!(status, 402);
    assert!(String::from_utf8_lossy(&answer).contains("channel_closing"));
    // The voucher of that refused request was good all the same: the second request is paid.
    let billed = buyer.session.billed().get();
    until("the last voucher is settled too", async || {
        (market.channel(&buyer.channel).await.settled.get() == billed).then_some(())
    })
    .await;
    gateway.stop().await;
    market.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_without_a_bond_waits_for_its_share_and_nobody_else_does() {
    let market = Market::open_without_bond().await;
    let mut buyer = market.buyer(1, 10_000).await;
    let (gateway, url) = market.gateway("enabled = false", None).await;
    buyer.url = url;
    let billed = buyer.buy(0, false).await;
    buyer.pay().await;
    gateway.stop().await;
    let world = &market.world;
    let before = [world.balance(Persona::North).await, world.balance(Persona::Bob).await];
    let tried = market.try_settle().await;
    assert!(!tried.status.success(), "{}", String::from_utf8_lossy(&tried.stdout));
    let now = [world.balance(Persona::North).await, world.balance(Persona::Bob).await];
    assert_eq!([now[0] - before[0], now[1] - before[1]], [0, billed * 2_000 / 10_000]);
    world.open_bond(Persona::North).await;
    let before = world.balance(Persona::North).await;
    market.settle().await;
    let state = market.channel(&buyer.channel).await;
    assert_eq!((state.collected.get(), state.backed.get()), (billed, billed));
    assert!(world.balance(Persona::North).await > before);
    market.world.stop().await;
}

/// The gateway dies at each of its points, is started again, and the client goes on: what the client was given and what
/// it can be billed for never differ by more than the one request that was on its way.
#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_killed_anywhere_costs_neither_side_more_than_a_request() {
    let market = Market::open().await;
    let points = [
        ("after-admission:3", false),
        ("after-admission:3", true),
        ("after-order-stored:3", true),
        ("mid-stream:12", true),
        ("before-commit:4", false),
        ("before-commit:5", true),
        ("after-commit:4", false),
        ("after-commit:5", true),
        ("before-receipt-sent:3", false),
        ("before-receipt-sent:3", true),
    ];
    for (seed, (point, stream)) in (1..).zip(points) {
        let mut buyer = market.buyer(seed, 0).await;
        let (mut mortal, url) = market.gateway("enabled = false", Some(point)).await;
        buyer.url = url;
        let mut served = 0;
        let lost = loop {
            let body = Buyer::question(served, stream);
            let payment = buyer.order(&body);
            let Ok((200, _, Some((settlement, hash)))) = buyer.send(&payment, &body).await else {
                break (payment, body);
            };
            let order = payment.payload.order.expect("an order").message;
            buyer.session.accept(&order, &hash, &settlement).expect("a good receipt");
            served += 1;
            assert!(served < 20, "{point}: it never died");
        };
        assert!(!mortal.ended().await.success(), "{point}");
        let (gateway, url) = market.gateway("enabled = false", None).await;
        buyer.url = url.clone();
        let account = market.account(&url, &buyer.channel).await;
        let receipts = account["receipts"].as_u64().expect("a number");
        let had = buyer.session.receipts();
        assert!(receipts == had || receipts == had + 1, "{point}: {receipts} are billed, the client has {had}");
        // The voucher for all but the last receipt that the client had was on disk before it got that receipt.
        assert!(account["paid_receipts"].as_u64().expect("a number") + 1 >= had, "{point}: {account}");
        // The same order again: served now, or its receipt, or it is void and costs nothing.
        let (payment, body) = lost;
        let order = payment.payload.order.expect("an order").message;
        let (status, answer, settlement) = buyer.send(&payment, &body).await.expect("an answer");
        match (status, settlement) {
            (200, Some((settlement, hash))) => {
                assert_eq!(receipts, had, "{point}: it was billed already");
                buyer.session.accept(&order, &hash, &settlement).expect("a good receipt");
            }
            (409, Some((settlement, _))) if settlement.success => {
                assert_eq!(receipts, had + 1, "{point}");
                let receipt = settlement.extra.expect("a receipt").receipt;
                buyer.session.accept_unseen(&order, &receipt).expect("a good receipt");
            }
            (409, _) => assert!(stream && receipts == had, "{point}: {}", String::from_utf8_lossy(&answer)),
            other => panic!("{point}: {other:?}: {}", String::from_utf8_lossy(&answer)),
        }
        for n in 100..103 {
            buyer.buy(n, stream).await;
        }
        buyer.pay().await;
        let account = market.account(&url, &buyer.channel).await;
        assert_eq!(account["paid"], buyer.session.billed().get().to_string(), "{point}");
        gateway.stop().await;
    }
    market.settle().await;
    market.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_killed_after_settling_settles_nothing_twice() {
    let market = Market::open().await;
    let mut buyer = market.buyer(1, 0).await;
    let (mut mortal, url) = market.gateway("amount = '1 unit'", Some("after-settle-sent")).await;
    buyer.url = url;
    buyer.buy(0, false).await;
    buyer.pay().await;
    assert!(!mortal.ended().await.success());
    let billed = buyer.session.billed().get();
    assert_eq!(market.channel(&buyer.channel).await.settled.get(), billed);
    let (gateway, url) = market.gateway("amount = '1 unit'", None).await;
    until("what was earned is paid out", async || {
        (market.channel(&buyer.channel).await.collected.get() == billed).then_some(())
    })
    .await;
    buyer.url = url;
    buyer.buy(1, false).await;
    gateway.stop().await;
    market.world.stop().await;
}
