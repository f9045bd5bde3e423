//! Requests that one transaction pays for, on a chain with every fault.

use crate::support::*;
use joule_gateway::config::Config;
use joule_units::Amount;
use joule_voucher::{Format as _, Receipt, Verifier};
use joule_x402::{decode, Settlement, PAYMENT_RESPONSE};
use std::{sync::Arc, time::Duration};

/// A gateway that is paid by `exact`, in front of a model and a chain.
struct Shop {
    world: World,
    upstream: Upstream,
    chain: Arc<Chain>,
}

async fn opened(world: World, chain: &Arc<Chain>) -> World {
    let channel = channel(HOUSE);
    let house = joule_gateway::Channel {
        owner: channel.authority,
        signer: channel.authority.to_bytes(),
        cap: Amount::new(ROOM),
        ..channel
    };
    world.chain.0.lock().unwrap().insert(house.address, house);
    world.gateway.sell_exact(vec![till::house()], chain.clone()).await.unwrap();
    world
}

fn patience(config: &mut Config) {
    config.exact.confirm = Duration::from_millis(400);
}

impl Shop {
    async fn open(fault: Fault, weather: Weather) -> Self {
        Self::before(Upstream::start(fault).await, weather).await
    }

    async fn before(upstream: Upstream, weather: Weather) -> Self {
        let chain = Chain::new(weather);
        let world = opened(World::with(&upstream.url, patience).await, &chain).await;
        Self { world, upstream, chain }
    }

    /// The same after a restart.
    async fn again(self) -> Self {
        let Self { world, upstream, chain } = self;
        let folder = world.stop().await;
        let world = opened(World::on(folder, &upstream.url, patience).await, &chain).await;
        Self { world, upstream, chain }
    }

    /// The house channel's cap is another one.
    fn widen(&self, cap: u64) {
        let account = self.world.gateway.accounts.known(&till::house().channel).unwrap();
        let cap = Amount::new(cap);
        account.chain_says(joule_gateway::Channel { cap, limit: cap, ..account.channel() });
    }

    async fn price(&self, body: &serde_json::Value) -> u64 {
        self.world.exact_terms(body).await.expect("it is sold so").amount.get()
    }

    async fn send(&self, transaction: &str, body: &serde_json::Value) -> Reply {
        self.world.client(10).post("/v1/chat/completions", Some(&payment(transaction)), body.to_string()).await
    }

    /// Whether nothing is billed, and nothing held.
    async fn untouched(&self) -> bool {
        let account = self.world.account(HOUSE).await;
        (&account["receipts"], &account["serving"]) == (&0.into(), &0.into())
    }
}

fn header(reply: &Reply) -> Settlement {
    decode(reply.headers[PAYMENT_RESPONSE].as_bytes()).unwrap()
}

#[tokio::test]
async fn the_terms_name_a_transfer_to_the_gateway_of_the_most_that_it_may_cost() {
    let shop = Shop::open(Fault::None, Weather::Fair).await;
    let terms = shop.world.exact_terms(&question("hello")).await.unwrap();
    let bytes = question("hello").to_string().len() as u64;
    assert_eq!(terms.amount, Amount::new(100 + bytes + 2 * 501));
    assert_eq!((terms.pay_to, terms.extra.fee_payer), (terms.extra.fee_payer, terms.pay_to));
    assert_eq!(terms.pay_to.0, channel(0).authority.to_bytes());
    assert_eq!(terms.asset.0, [4; 32]);
}

#[tokio::test]
async fn an_answer_is_given_for_a_transaction_and_billed_to_the_house() {
    let shop = Shop::open(Fault::None, Weather::Fair).await;
    for (n, body) in (0..).zip([question("hello"), streamed("hello")]) {
        let price = shop.price(&body).await;
        let reply = shop.send(&transfer(10, price, n), &body).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert!(reply.text().contains("seven"));
        let paid = header(&reply);
        let sent = shop.chain.sent.lock().unwrap().last().unwrap().clone();
        assert!(paid.success);
        assert_eq!(paid.transaction, sent.signatures[0].to_string());
        assert_eq!(paid.payer.unwrap().0, key(10).verifying_key().to_bytes());
        let fee_payer = Verifier::new(&channel(0).authority.to_bytes()).unwrap();
        assert_eq!(fee_payer.verify(&sent.message.serialize(), sent.signatures[0].as_array()), Ok(()));
        // The receipt is for all that was bought; a stream's comes at its end.
        let receipt: Receipt = match n {
            0 => paid.extra.unwrap().receipt.message,
            _ => {
                assert!(paid.extra.is_none());
                let text = reply.text();
                let line = text.split(joule_x402::RECEIPT_COMMENT).nth(1).unwrap().lines().next().unwrap();
                let last: Settlement = decode(line.as_bytes()).unwrap();
                assert_eq!(last.transaction, paid.transaction);
                last.extra.unwrap().receipt.message
            }
        };
        assert_eq!(receipt.amount.get().get(), price);
        assert!(!receipt.overcharges(&PRICES), "nobody can show it against the provider");
        assert_eq!(receipt.output_tokens.get(), 501);
        assert_eq!(Receipt::LEN, receipt.as_bytes().len());
        let account = shop.world.account(HOUSE).await;
        assert_eq!(account["receipts"], n + 1);
        assert_eq!((&account["paid"], &account["paid_receipts"]), (&account["billed"], &(n + 1).into()));
    }
    // The same after a restart: it is on disk.
    let before = shop.world.account(HOUSE).await;
    let shop = shop.again().await;
    assert_eq!(shop.world.account(HOUSE).await, before);
}

#[tokio::test]
async fn nothing_is_sent_for_an_answer_that_does_not_come() {
    for (fault, status) in [(Fault::Fail, 502), (Fault::Nonsense, 502), (Fault::Hang, 504), (Fault::Refuse, 400)] {
        let shop = Shop::open(fault, Weather::Fair).await;
        let body = question("hello");
        let transaction = transfer(10, shop.price(&body).await, 0);
        // The same transaction again is as good as before.
        for _ in 0..2 {
            assert_eq!(shop.send(&transaction, &body).await.status, status, "{fault:?}");
        }
        assert_eq!((shop.chain.times_sent(), shop.upstream.times_asked()), (0, 2), "{fault:?}");
        assert!(shop.untouched().await, "{fault:?}");
    }
}

/// The same for errors that come inside of an answer, and for answers that never begin.
#[tokio::test]
async fn nothing_is_sent_for_an_error_inside_a_200() {
    let error = r#"{"error":{"message":"out of memory"}}"#;
    let event = format!("data: {error}\n\n");
    let streams = [
        Script::stream([event.clone(), script::DONE.into()]),
        Script::stream([script::role(), event]),
        Script::stream([": PROCESSING\n\n", ": PROCESSING\n\n"]),
        Script::stream([": PROCESSING\n\n"]).then(script::End::Hang),
        Script::plain(200, error),
    ];
    let plain = [Script::plain(200, error), Script::plain(200, r#"{"choices":null}"#)];
    let cases = streams.map(|script| (script, streamed("hello"))).into_iter();
    for (script, body) in cases.chain(plain.map(|script| (script, question("hello")))) {
        let shop = Shop::before(Upstream::says(script.clone()).await, Weather::Fair).await;
        let reply = shop.send(&transfer(10, shop.price(&body).await, 0), &body).await;
        assert!(reply.status >= 500 && !reply.text().contains("[DONE]"), "{script:?}: {}", reply.text());
        assert_eq!(shop.chain.times_sent(), 0, "{script:?}");
        assert!(shop.untouched().await, "{script:?}");
    }
}

#[tokio::test]
async fn a_transaction_that_would_fail_gets_no_answer_and_asks_nobody() {
    let shop = Shop::open(Fault::None, Weather::Forbidding).await;
    let body = question("hello");
    let reply = shop.send(&transfer(10, shop.price(&body).await, 0), &body).await;
    assert_eq!((reply.status, reply.code().as_str()), (402, "exact_would_fail"));
    assert_eq!(header(&reply).error_reason.as_deref(), Some("exact_would_fail"));
    assert!(reply.headers.contains_key(joule_x402::PAYMENT_REQUIRED), "how to do better");
    assert_eq!((shop.chain.times_sent(), shop.upstream.times_asked()), (0, 0));
}

/// A payer that spends its tokens elsewhere while the model works gets nothing.
#[tokio::test]
async fn a_transaction_that_fails_after_all_gets_no_answer() {
    for (weather, body) in [Weather::Fickle, Weather::Failing].into_iter().zip([question("hello"), streamed("hello")]) {
        let shop = Shop::open(Fault::None, weather).await;
        let reply = shop.send(&transfer(10, shop.price(&body).await, 0), &body).await;
        assert_eq!((reply.status, reply.code().as_str()), (402, "transaction_failed"));
        assert!(!reply.text().contains("seven"));
        assert!(shop.untouched().await);
    }
}

#[tokio::test]
async fn a_transaction_whose_fate_nobody_knows_is_given_nothing_and_taken_no_more() {
    let shop = Shop::open(Fault::None, Weather::Silent).await;
    let body = question("hello");
    let transaction = transfer(10, shop.price(&body).await, 0);
    let reply = shop.send(&transaction, &body).await;
    assert_eq!((reply.status, reply.code().as_str()), (503, "transaction_unconfirmed"));
    assert!(!reply.text().contains("seven"));
    *shop.chain.weather.lock().unwrap() = Weather::Fair;
    let again = shop.send(&transaction, &body).await;
    assert_eq!((again.status, again.code().as_str()), (402, "duplicate_settlement"));
    assert_eq!((shop.chain.times_sent(), shop.upstream.times_asked()), (1, 1));
    assert!(shop.untouched().await);
}

#[tokio::test]
async fn a_node_that_breaks_off_is_asked_what_became_of_it() {
    let shop = Shop::open(Fault::None, Weather::Breaking).await;
    let body = question("hello");
    let reply = shop.send(&transfer(10, shop.price(&body).await, 0), &body).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(shop.chain.times_sent(), 1);
}

#[tokio::test]
async fn while_the_chain_is_down_nothing_is_served() {
    let shop = Shop::open(Fault::None, Weather::Down).await;
    let body = question("hello");
    let reply = shop.send(&transfer(10, shop.price(&body).await, 0), &body).await;
    assert_eq!((reply.status, reply.code().as_str()), (503, "chain_unavailable"));
    assert_eq!(shop.upstream.times_asked(), 0);
}

/// Payments as they should be in every respect, from accounts that have nothing: they take no turn from whoever has.
#[tokio::test]
async fn payments_from_empty_accounts_keep_no_payer_waiting() {
    let (upstream, chain) = (Upstream::start(Fault::None).await, Chain::new(Weather::Fair));
    let few = |config: &mut Config| config.limits.lookups_per_second = 5;
    let world = opened(World::with(&upstream.url, few).await, &chain).await;
    let shop = Shop { world, upstream, chain };
    let body = question("hello");
    let price = shop.price(&body).await;
    let poor: Vec<_> = (till::POOR..till::POOR + 100).map(|client| transfer(client, price, 0)).collect();
    let replies = futures::future::join_all(poor.iter().map(|payment| shop.send(payment, &body))).await;
    assert!(replies.iter().all(|reply| (reply.status, reply.code().as_str()) == (402, "exact_funds")));
    assert_eq!(shop.chain.times_rehearsed(), 0);
    assert_eq!(shop.send(&transfer(10, price, 0), &body).await.status, 200);
}

/// The race that the specification warns of.
#[tokio::test]
async fn one_transaction_sent_many_times_at_once_is_served_once() {
    let shop = Shop::open(Fault::None, Weather::Fair).await;
    let body = question("hello");
    let transaction = transfer(10, shop.price(&body).await, 0);
    let all = (0..10).map(|_| shop.send(&transaction, &body));
    let codes: Vec<_> = futures::future::join_all(all).await.iter().map(|reply| (reply.status, reply.code())).collect();
    assert_eq!(codes.iter().filter(|(status, _)| *status == 200).count(), 1, "{codes:?}");
    assert!(codes.iter().all(|(status, code)| *status == 200 || code == "duplicate_settlement"), "{codes:?}");
    assert_eq!((shop.chain.times_sent(), shop.upstream.times_asked()), (1, 1));
    let shop = shop.again().await;
    let late = shop.send(&transaction, &body).await;
    assert_eq!((late.status, late.code().as_str()), (402, "exact_used"), "a restart forgets nothing");
    assert_eq!(shop.upstream.times_asked(), 1);
}

#[tokio::test]
async fn a_payment_for_another_price_is_refused_with_the_terms() {
    let shop = Shop::open(Fault::None, Weather::Fair).await;
    let (short, long) = (question("hello"), question("hello, and so much more"));
    let reply = shop.send(&transfer(10, shop.price(&short).await, 0), &long).await;
    assert_eq!((reply.status, reply.code().as_str()), (402, "exact_amount"));
    assert_eq!(shop.upstream.times_asked(), 0);
}

#[tokio::test]
async fn a_house_without_room_offers_nothing_and_sends_nothing() {
    let shop = Shop::open(Fault::None, Weather::Fair).await;
    let body = question("hello");
    let price = shop.price(&body).await;
    let times = u8::try_from(ROOM / price).unwrap();
    for n in 0..times {
        assert_eq!(shop.send(&transfer(10, price, n), &body).await.status, 200);
    }
    assert!(shop.world.exact_terms(&body).await.is_none(), "what cannot be carried is not offered");
    let reply = shop.send(&transfer(10, price, times), &body).await;
    assert_eq!((reply.status, reply.code().as_str()), (503, "exact_no_room"));
    assert_eq!(shop.chain.times_sent(), usize::from(times));
    // Filled up, as the settling loop does, it goes on.
    shop.widen(2 * ROOM);
    assert_eq!(shop.send(&transfer(10, price, times), &body).await.status, 200);
}

/// Of many at once no more are let in than there is room for.
#[tokio::test]
async fn requests_at_once_share_the_room() {
    let shop = Shop::open(Fault::None, Weather::Fair).await;
    let body = question("hello");
    let price = shop.price(&body).await;
    let transactions: Vec<_> = (0..12).map(|n| transfer(10 + n, price, n)).collect();
    let replies = futures::future::join_all(transactions.iter().map(|each| shop.send(each, &body))).await;
    let served = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!(served as u64, ROOM / price);
    assert_eq!(shop.chain.times_sent(), served);
    let account = shop.world.account(HOUSE).await;
    assert_eq!(account["receipts"], served);
    assert_eq!(account["paid"], account["billed"]);
}

#[tokio::test]
async fn a_payer_in_haste_waits() {
    let upstream = Upstream::start(Fault::None).await;
    let chain = Chain::new(Weather::Fair);
    let slow = |config: &mut Config| (config.limits.requests_per_second, config.limits.burst) = (1, 1);
    let world = opened(World::with(&upstream.url, slow).await, &chain).await;
    let shop = Shop { world, upstream, chain };
    let body = question("hello");
    let price = shop.price(&body).await;
    let (one, other) = (transfer(10, price, 0), transfer(10, price, 1));
    let (one, other) = tokio::join!(shop.send(&one, &body), shop.send(&other, &body));
    assert_eq!((one.status.min(other.status), one.status.max(other.status)), (200, 429));
    assert_eq!(shop.send(&transfer(11, price, 2), &body).await.status, 200, "another payer is not concerned");
}

#[tokio::test]
async fn a_client_that_goes_away_from_a_paid_stream_is_billed_all_the_same() {
    let shop = Shop::open(Fault::Slow, Weather::Fair).await;
    let body = streamed("hello");
    let call = shop.world.http.post(format!("{}/v1/chat/completions", shop.world.url)).body(body.to_string());
    let transaction = transfer(10, shop.price(&body).await, 0);
    let unread = call.header(joule_x402::PAYMENT_SIGNATURE, payment(&transaction)).send().await.unwrap();
    assert_eq!(unread.status(), 200);
    drop(unread);
    for _ in 0..100 {
        if shop.world.account(HOUSE).await["paid_receipts"] == 1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the money came, and nobody's share of it");
}

/// What cannot be written down is not paid for; and when the last receipt does not fit, what was paid for is given.
#[tokio::test]
async fn a_full_disk_takes_no_money_for_nothing() {
    let (upstream, chain) = (Upstream::start(Fault::None).await, Chain::new(Weather::Fair));
    let full = |config: &mut Config| {
        (config.ledger_max, config.limits.lookups_per_second) = (Some(80 * 1_024), 10_000);
    };
    let world = opened(World::with(&upstream.url, full).await, &chain).await;
    let shop = Shop { world, upstream, chain };
    shop.widen(u64::MAX);
    let body = question("hello");
    let price = shop.price(&body).await;
    let mut served = 0_u16;
    let reply = loop {
        let (client, nonce) = (served / 250, served % 250);
        let reply = shop.send(&transfer(10 + client as u8, price, nonce as u8), &body).await;
        if reply.status != 200 {
            break reply;
        }
        assert!(header(&reply).success && reply.text().contains("seven"));
        served += 1;
    };
    assert_eq!((reply.status, reply.code().as_str()), (503, "ledger_unavailable"), "after {served}");
    assert!(served > 3);
    assert_eq!(shop.chain.times_sent(), usize::from(served));
    let account = shop.world.account(HOUSE).await;
    let billed = account["receipts"].as_u64().unwrap();
    assert!((u64::from(served) - 1..=u64::from(served)).contains(&billed), "{billed} of {served}");
    assert_eq!((&account["serving"], &account["paid"]), (&0.into(), &account["billed"]));
}

#[tokio::test]
async fn a_gateway_that_does_not_sell_so_says_so() {
    let upstream = Upstream::start(Fault::None).await;
    let world = World::start(&upstream.url).await;
    assert!(world.exact_terms(&question("hello")).await.is_none());
    let client = world.client(10);
    let exact = payment(&transfer(10, 1, 0));
    let reply = client.post("/v1/chat/completions", Some(&exact), question("hello").to_string()).await;
    assert_eq!((reply.status, reply.code().as_str()), (402, "exact_not_sold"));
    let reply = client.post("/joule/v1/vouchers", Some(&exact), "").await;
    assert_eq!((reply.status, reply.code().as_str()), (400, "bad_payment"), "it is no voucher");
}

/// It would go through when it is tried, and fails in the block: by a guard, for nothing; without, by tokens that are spent meanwhile.
#[tokio::test]
async fn payments_that_fail_in_a_block_cost_the_gateway_so_many_fees_and_no_more() {
    let (upstream, chain) = (Upstream::start(Fault::None).await, Chain::new(Weather::Failing));
    let few = |config: &mut Config| {
        patience(config);
        config.exact.failed_per_hour = 4;
    };
    let world = opened(World::with(&upstream.url, few).await, &chain).await;
    let shop = Shop { world, upstream, chain };
    let body = question("hello");
    let price = shop.price(&body).await;
    let mut said = Vec::new();
    for (nonce, guards) in (0..10).map(|nonce| (nonce, 1)).chain((10..20).map(|nonce| (nonce, 0))) {
        let reply = shop.send(&guarded(nonce, price, nonce, guards), &body).await;
        said.push((reply.status, reply.code()));
    }
    let times = |status, code: &str| said.iter().filter(|it| (it.0, it.1.as_str()) == (status, code)).count();
    assert_eq!((shop.chain.times_sent(), times(402, "transaction_failed")), (4, 4), "{said:?}");
    assert_eq!((times(402, "exact_guards_paused"), times(503, "exact_paused")), (8, 8), "{said:?}");
    assert_eq!(shop.upstream.times_asked(), 4, "nor does the model work for them");
    // It is not even offered.
    assert!(shop.world.exact_terms(&body).await.is_none());
    assert!(shop.untouched().await);
}
