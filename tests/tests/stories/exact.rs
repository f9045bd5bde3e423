//! Whoever has no channel pays by x402's standard scheme: x402's own client through a real gateway, on the local validator, and the
//! money is divided among all who share.

use crate::support::{root, run, until, Market};
use joule_localnet::Persona;
use joule_sdk::Pubkey;
use joule_x402::{PAYMENT_RESPONSE, PAYMENT_SIGNATURE};
use serde_json::{json, Value};
use std::process::Command;

/// What the operator reserves at first, base units, and as `joule` is told.
const FLOAT: u64 = 100_000;
const FLOAT_IN_TOKENS: &str = "0.1";

fn install() {
    let folder = root().join("tests/x402");
    if folder.join("node_modules/@x402/svm").exists() {
        return;
    }
    let output =
        Command::new("npm").args(["ci", "--no-fund", "--no-audit", "--silent"]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "npm ci: {}", String::from_utf8_lossy(&output.stderr));
}

/// A market where north sells by `exact` too.
struct Shop {
    market: Market,
    house: Pubkey,
}

/// What x402's client sent and got.
struct Bought {
    status: u64,
    /// The payment's header, for whoever sends it again.
    sent: String,
    settled: Value,
    body: String,
}

impl Shop {
    async fn open() -> Self {
        tokio::task::spawn_blocking(install).await.unwrap();
        let market = Market::open().await;
        let (world, north) = (&market.world, market.world.address(Persona::North).to_string());
        let (model, state) = (market.model().to_string(), world.state_dir().display().to_string());
        let args = ["channel", "open", &model, FLOAT_IN_TOKENS, "--provider", &north, "--session-signer", &north];
        let more = ["--backing", "0", "--session", "365d", "--as", "north", "--yes", "--json", "--state-dir", &state];
        let output = run("joule", &[&args[..], &more[..]].concat()).await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let opened: Value = serde_json::from_slice(&output.stdout).unwrap();
        let house = opened["channel"].as_str().unwrap().parse().unwrap();
        Self { market, house }
    }

    /// In the gateway's settings, behind `more` of its `[settle]`.
    fn settings(&self, more: &str, exact: &str) -> String {
        format!("{more}\n[gateway.exact]\nchannels = ['{}']\n{exact}", self.house)
    }

    async fn buy(&self, url: &str, body: &Value) -> Bought {
        let (rpc, key) = (self.market.world.localnet.rpc_url().to_owned(), self.market.world.key_file(Persona::Alice));
        let (endpoint, body) = (format!("{url}/v1/chat/completions"), body.to_string());
        let output = tokio::task::spawn_blocking(move || {
            let pay = root().join("tests/x402/pay.mjs");
            Command::new("node").arg(pay).arg(rpc).arg(key).arg(endpoint).arg(body).output().unwrap()
        });
        let output = output.await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        let text = |field: &str| said[field].as_str().unwrap_or_default().to_owned();
        let status = said["status"].as_u64().unwrap();
        Bought { status, sent: text("sent"), settled: said["settled"].clone(), body: text("body") }
    }

    /// Somebody sends a payment again: the status, the word for it, and the answer.
    async fn replay(&self, url: &str, payment: &str, body: &Value) -> (u16, String, String) {
        let call = self.market.http.post(format!("{url}/v1/chat/completions")).header(PAYMENT_SIGNATURE, payment);
        let answer = call.body(body.to_string()).send().await.unwrap();
        let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
        let json: Value = serde_json::from_str(&text).unwrap_or_default();
        (status, json["error"]["code"].as_str().unwrap_or_default().to_owned(), text)
    }

    /// Of bob, who made the model, of the protocol, and of alice, who pays.
    async fn money(&self) -> [u64; 3] {
        let world = &self.market.world;
        [world.balance(Persona::Bob).await, world.fees().await, world.balance(Persona::Alice).await]
    }
}

fn question(stream: bool) -> Value {
    let rows = ["...##...", "..#..#..", ".#....#.", ".#....#.", ".#....#.", ".#....#.", "..#..#..", "...##..."];
    json!({"model": "digits", "stream": stream, "messages": [{"role": "user", "content": rows.join("\n")}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_without_a_channel_pays_by_exact_and_everybody_gets_their_share() {
    let shop = Shop::open().await;
    let market = &shop.market;
    let before = shop.money().await;
    let indexer = market.world.indexer("indexer", None).await;
    let settings = shop.settings("", &format!("low = '{FLOAT} units'\ntop_up = '0.05 JOULE'"));
    let (gateway, url) = market.gateway(&settings, None).await;

    let plain = shop.buy(&url, &question(false)).await;
    assert_eq!(plain.status, 200, "{}", plain.body);
    let answer: Value = serde_json::from_str(&plain.body).unwrap();
    assert!(answer["choices"][0]["message"]["content"].as_str().is_some_and(|text| !text.is_empty()));
    assert_eq!(plain.settled["success"], true);
    assert_eq!(plain.settled["payer"], market.world.address(Persona::Alice).to_string());
    assert!(!plain.settled["extra"]["receipt"].is_null(), "our receipt comes with it");
    let streamed = shop.buy(&url, &question(true)).await;
    assert_eq!(streamed.status, 200, "{}", streamed.body);
    assert!(streamed.body.ends_with("data: [DONE]\n\n") && streamed.body.contains(": payment-response "));
    assert_eq!(streamed.settled["success"], true);
    assert_ne!(streamed.settled["transaction"], plain.settled["transaction"]);
    let paid = before[2] - shop.money().await[2];
    let account = market.account(&url, &shop.house).await;
    assert_eq!((&account["receipts"], &account["paid_receipts"]), (&2.into(), &2.into()));
    assert_eq!((&account["billed"], &account["paid"]), (&paid.to_string().into(), &paid.to_string().into()));

    // Nothing is served twice for one transaction, neither now nor after a restart.
    for (bought, body) in [(&plain, question(false)), (&streamed, question(true))] {
        let (status, code, _) = shop.replay(&url, &bought.sent, &body).await;
        assert_eq!((status, code.as_str()), (402, "duplicate_settlement"));
    }
    until("the house channel is filled up with what came in", async || {
        (market.channel(&shop.house).await.cap.get() > FLOAT).then_some(())
    })
    .await;
    gateway.stop().await;
    let (gateway, url) = market.gateway(&settings, None).await;
    for (bought, body) in [(&plain, question(false)), (&streamed, question(true))] {
        let (status, code, text) = shop.replay(&url, &bought.sent, &body).await;
        assert_eq!((status, code.as_str()), (402, "exact_used"), "{text}");
    }
    assert_eq!(market.account(&url, &shop.house).await["receipts"], 2);
    gateway.stop().await;

    market.settle().await;
    let channel = market.channel(&shop.house).await;
    assert_eq!((channel.settled.get(), channel.sequence.get()), (paid, 2));
    assert_eq!((channel.paid.get(), channel.collected.get()), (paid, paid));
    let after = shop.money().await;
    let (bob, fees) = (after[0] - before[0], after[1] - before[1]);
    assert!(
        bob.abs_diff(paid * 2_000 / 10_000) <= 1 && fees.abs_diff(paid * 250 / 10_000) <= 1,
        "{paid}: {bob} {fees}"
    );
    until("the indexer counts it as what the model has earned", async || {
        let report = indexer.api.revenue(&[("by", "model".to_owned())]).await.ok()?;
        let row = report.rows.into_iter().find(|row| row.key == Some(market.model().to_string()))?;
        ((row.amount, row.requests) == (paid.into(), 2)).then_some(())
    })
    .await;
    indexer.process.stop().await;
    shop.market.world.stop().await;
}

/// Whoever is killed with a payment in hand costs the other side at most that one request.
#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_killed_with_a_payment_in_hand_sells_no_transaction_twice() {
    let shop = Shop::open().await;
    let market = &shop.market;
    let alice = Persona::Alice;
    for (point, stream) in [("before-exact-sent", false), ("after-exact-taken", false), ("after-exact-taken", true)] {
        let before = market.world.balance(alice).await;
        let (gateway, url) = market.gateway(&shop.settings("enabled = false", ""), None).await;
        let receipts = market.account(&url, &shop.house).await["receipts"].clone();
        // Made by x402's client, and caught on its way.
        let payment = caught(&shop, &url, &question(stream)).await;
        gateway.stop().await;
        let (mut mortal, url) = market.gateway(&shop.settings("enabled = false", ""), Some(point)).await;
        let call = market.http.post(format!("{url}/v1/chat/completions")).header(PAYMENT_SIGNATURE, &payment);
        let answer = call.body(question(stream).to_string()).send().await;
        assert!(answer.is_err(), "{point}: it was answered");
        assert!(!mortal.ended().await.success(), "{point}");
        let (gateway, url) = market.gateway(&shop.settings("enabled = false", ""), None).await;
        let (status, code, text) = shop.replay(&url, &payment, &question(stream)).await;
        let paid = before - market.world.balance(alice).await;
        let account = market.account(&url, &shop.house).await;
        if point == "before-exact-sent" {
            assert_eq!(status, 200, "nothing was sent, so the same transaction is good: {text}");
            assert_eq!(account["receipts"], receipts.as_u64().unwrap() + 1);
        } else {
            assert_eq!((status, code.as_str()), (402, "exact_used"), "{point}: {text}");
            assert_eq!(account["receipts"], receipts, "{point}: it is paid, and not billed");
        }
        assert!(paid > 0, "{point}");
        gateway.stop().await;
    }
    shop.market.world.stop().await;
}

/// The payment that x402's client would send for a request, from somebody who takes it and answers nothing of use.
async fn caught(shop: &Shop, url: &str, body: &Value) -> String {
    let terms =
        shop.market.http.post(format!("{url}/v1/chat/completions")).body(body.to_string()).send().await.unwrap();
    assert_eq!(terms.status(), 402);
    let terms = terms.headers()[joule_x402::PAYMENT_REQUIRED].to_str().unwrap().to_owned();
    let router = axum::Router::new().fallback(move |headers: axum::http::HeaderMap| {
        let terms = terms.clone();
        async move {
            let settled = joule_x402::encode(&json!({"success": true, "transaction": "", "network": "solana:x"}));
            match headers.contains_key(PAYMENT_SIGNATURE) {
                true => (axum::http::StatusCode::OK, [(PAYMENT_RESPONSE, settled)]),
                false => (axum::http::StatusCode::PAYMENT_REQUIRED, [(joule_x402::PAYMENT_REQUIRED, terms)]),
            }
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    shop.buy(&url, body).await.sent
}
