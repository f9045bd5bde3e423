//! `joule pay` against a real gateway and the real program: a client that is killed and goes on, and a gateway that asks for
//! too much.

use crate::support::{run, until, Market, Middleman, Process};
use joule_localnet::Persona::{Alice, Bob, North};
use joule_sdk::{billing::state::Payer, pda, Pubkey};
use joule_voucher::{SigningKey, Voucher};
use joule_x402::PaymentPayload;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

struct Shopping {
    market: Market,
    gateway: Process,
    middleman: Middleman,
}

impl Shopping {
    async fn start() -> Self {
        let market = Market::open().await;
        let (gateway, url) = market.gateway("enabled = false", None).await;
        let key = SigningKey::from_bytes(market.world.key(North).secret_bytes());
        let middleman = Middleman::before(&url, key).await;
        std::fs::write(
            market.world.folder.path().join("request.json"),
            crate::support::Buyer::question(1, false).to_string(),
        )
        .expect("a file");
        Self { market, gateway, middleman }
    }

    fn args(&self, requests: &str, channel: Option<&str>) -> Vec<String> {
        let body = self.market.world.folder.path().join("request.json").display().to_string();
        let model = self.market.model().to_string();
        let mut args: Vec<String> = [
            "pay",
            &self.middleman.url,
            "--model",
            &model,
            "--budget",
            "5",
            "--max-per-request",
            "0.1",
            "--requests",
            requests,
            "--body",
            &body,
            "--keep",
            "--yes",
            "--json",
        ]
        .map(str::to_owned)
        .into();
        args.extend(channel.iter().flat_map(|channel| ["--channel".to_owned(), (*channel).to_owned()]));
        args.extend(self.as_alice());
        args
    }

    fn as_alice(&self) -> [String; 4] {
        let state_dir = self.market.world.state_dir().display().to_string();
        ["--as".to_owned(), "alice".to_owned(), "--state-dir".to_owned(), state_dir]
    }

    /// What `joule pay` printed after success.
    async fn pay(&self, requests: &str, channel: Option<&str>) -> Value {
        let output = run("joule", &self.args(requests, channel)).await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    async fn joule(&self, args: &[&str]) -> std::process::Output {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).chain(self.as_alice()).collect();
        run("joule", &args).await
    }

    async fn finish(self) {
        self.gateway.stop().await;
        self.market.world.stop().await;
    }
}

/// Every voucher by its number; two that differ fail.
fn vouchers(payments: &[PaymentPayload]) -> BTreeMap<u64, Voucher> {
    let mut vouchers = BTreeMap::new();
    for signed in payments.iter().filter_map(|payment| payment.payload.voucher) {
        let number = signed.message.sequence.get();
        let before = vouchers.insert(number, signed.message);
        assert!(before.is_none_or(|before| before == signed.message), "two vouchers of number {number}");
    }
    vouchers
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_killed_goes_on_and_signs_nothing_twice() {
    let shopping = Shopping::start().await;
    let mut channel: Option<String> = None;
    for life in 1..=4_usize {
        let args = shopping.args("1000", channel.as_deref());
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let mut client = Process::start(shopping.market.world.folder.path(), "client", "joule", &args, &[]);
        until("some requests are paid", async || (shopping.middleman.payments().len() >= 15 * life).then_some(()))
            .await;
        client.kill();
        channel = Some(shopping.middleman.payments()[0].payload.channel.to_string());
    }
    let bought = shopping.pay("3", channel.as_deref()).await;
    assert_eq!(bought["requests"], 3, "{bought}");
    assert_eq!(bought["mint"], shopping.market.world.localnet.mint().to_string());

    let payments = shopping.middleman.payments();
    let vouchers = vouchers(&payments);
    let (_, last) = vouchers.last_key_value().expect("a voucher");
    let orders: Vec<_> = payments.iter().filter_map(|payment| payment.payload.order).collect();
    let nonces: BTreeMap<_, _> = orders.iter().map(|order| (order.message.nonce.get(), order.message)).collect();
    assert!(orders.iter().all(|order| nonces[&order.message.nonce.get()] == order.message), "a nonce was used twice");
    let channels: BTreeSet<_> = payments.iter().map(|payment| payment.payload.channel).collect();
    assert_eq!(channels.len(), 1);

    // Both sides, and then the chain, say the same.
    let address: Pubkey = channel.as_deref().expect("a channel").parse().expect("an address");
    let account = shopping.market.account(&shopping.middleman.url, &address).await;
    let billed = last.cumulative.get().get();
    assert_eq!(
        (account["receipts"].as_u64(), account["paid_receipts"].as_u64()),
        (Some(last.sequence.get()), Some(last.sequence.get()))
    );
    assert_eq!(account["billed"], billed.to_string());
    shopping.market.settle().await;
    let state = shopping.market.channel(&address).await;
    assert_eq!((state.settled.get(), state.sequence.get()), (billed, last.sequence.get()));
    assert_eq!((state.paid.get(), state.collected.get()), (billed, billed));
    shopping.finish().await;
}

/// Honest ones before the first overcharge. The proof of the last of 256 has eight hashes, and does not fit into a transaction
/// without a version; that of the last of 201 has three.
const RECEIPTS: u64 = 255;

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_overcharges_is_caught_and_pays_for_it() {
    let shopping = Shopping::start().await;
    let (market, world) = (&shopping.market, &shopping.market.world);
    let honest = shopping.pay(&RECEIPTS.to_string(), None).await;
    let channel = honest["channel"].as_str().expect("a channel").to_owned();
    let address: Pubkey = channel.parse().expect("an address");
    market.settle().await;
    let settled: u64 = honest["spent"].as_str().and_then(|spent| spent.parse().ok()).expect("an amount");
    assert_eq!(market.channel(&address).await.backed.get(), settled);
    let early = shopping.joule(&["channel", "dispute", &channel]).await;
    assert_eq!(early.status.code(), Some(3), "nothing is wrong yet");

    shopping.middleman.be_greedy();
    let output = run("joule", &shopping.args("5", Some(&channel))).await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(6), "{said}");
    assert!(said.contains("the provider was caught") && said.contains("the price of its usage"), "{said}");
    let paid = vouchers(&shopping.middleman.payments());
    assert_eq!(
        paid.last_key_value().map(|(number, voucher)| (*number, voucher.cumulative.get().get())),
        Some((RECEIPTS, settled))
    );
    // It is not asked again.
    let before = shopping.middleman.payments().len();
    assert_eq!(run("joule", &shopping.args("5", Some(&channel))).await.status.code(), Some(6));
    let orders = shopping.middleman.payments().split_off(before);
    assert!(orders.iter().all(|payment| payment.payload.order.is_none()), "{orders:?}");

    let deposit = async || {
        world.chain.get::<Payer>(&pda::payer(&world.address(Alice), &world.localnet.mint())).await.expect("a deposit")
    };
    let free = |payer: &Payer| payer.balance.get() - payer.reserved.get();
    let (bond, payer, bob) = (world.bond(North).await, deposit().await, world.balance(Bob).await);
    let proven = shopping.joule(&["channel", "dispute", &channel, "--json"]).await;
    assert!(proven.status.success(), "{}", String::from_utf8_lossy(&proven.stderr));
    let proven: Value = serde_json::from_slice(&proven.stdout).expect("JSON");
    let state = market.channel(&address).await;
    assert_eq!((state.disputed, state.sequence.get()), (1, RECEIPTS + 1));
    let now = world.chain.now().await.expect("the time");
    assert!((1..=now).contains(&state.closes_at.get()), "it closes at {}, now it is {now}", state.closes_at.get());
    // All that stood behind the bills is gone, and most of it is the payer's.
    let slashed = bond.amount.get() - world.bond(North).await.amount.get();
    assert_eq!(slashed, settled);
    let now = deposit().await;
    assert!(free(&now) > free(&payer), "{} is free, and was {}", free(&now), free(&payer));
    assert_eq!(world.balance(Bob).await, bob, "nobody else pays for it");
    // Once.
    assert_eq!(shopping.joule(&["channel", "dispute", &channel]).await.status.code(), Some(4));
    // It was longer than a transaction without a version, and needed no table all the same.
    assert_eq!(proven["table"], Value::Null);
    let signature = proven["signature"].as_str().and_then(|signature| signature.parse().ok()).expect("a signature");
    assert_eq!(crate::support::sent(&world.chain, &signature).await[0], 0x81, "version 1");
    let closed = shopping.joule(&["channel", "close", &channel]).await;
    assert!(closed.status.success(), "{}", String::from_utf8_lossy(&closed.stderr));
    assert_eq!(free(&deposit().await), 0, "it all came back");
    shopping.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_signs_two_receipts_of_one_number_is_caught_and_pays_for_it() {
    let shopping = Shopping::start().await;
    let (market, world) = (&shopping.market, &shopping.market.world);
    let honest = shopping.pay("3", None).await;
    let channel = honest["channel"].as_str().expect("a channel").to_owned();
    market.settle().await;

    shopping.middleman.be_forgetful();
    let output = run("joule", &shopping.args("1", Some(&channel))).await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(6), "{said}");
    assert!(said.contains("the receipt has number 3; only 4 to 4 can be new"), "{said}");

    let (bond, address) = (world.bond(North).await, channel.parse().expect("an address"));
    let proven = shopping.joule(&["channel", "dispute", &channel]).await;
    assert!(proven.status.success(), "{}", String::from_utf8_lossy(&proven.stderr));
    let state = market.channel(&address).await;
    assert_eq!((state.disputed, state.sequence.get()), (1, 3), "nothing more was paid to show it");
    assert_eq!(bond.amount.get() - world.bond(North).await.amount.get(), state.backed.get());
    shopping.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_reserved_for_a_model_that_is_down_or_a_prompt_that_it_does_not_take() {
    let mut shopping = Shopping::start().await;
    let untouched = async |shopping: &Shopping| {
        let world = &shopping.market.world;
        let payer = pda::payer(&world.address(Alice), &world.localnet.mint());
        let payer: Payer = world.chain.get(&payer).await.expect("a deposit");
        assert_eq!((payer.next_channel.get(), payer.reserved.get()), (0, 0));
        assert!(shopping.middleman.payments().is_empty(), "nothing was signed");
    };
    let model = shopping.market.model().to_string();
    let bad = ["pay", &shopping.middleman.url, "--model", &model, "--budget", "5", "--yes", "--prompt", "Hello"];
    let output = shopping.joule(&bad).await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("the model answers with status 400") && said.contains("picture"), "{said}");
    untouched(&shopping).await;

    shopping.market.lose_model();
    let output = run("joule", &shopping.args("1", None)).await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains("the model cannot be reached (upstream_unreachable)"), "{said}");
    untouched(&shopping).await;
    shopping.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_gateway_says_of_a_model_that_went_down_is_said_at_once_and_at_the_end() {
    let mut shopping = Shopping::start().await;
    let channel = shopping.pay("1", None).await["channel"].as_str().expect("a channel").to_owned();
    shopping.market.lose_model();
    let mut args = shopping.args("1", Some(&channel));
    args.retain(|arg| arg != "--json");
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut client = Process::start(shopping.market.world.folder.path(), "client", "joule", &args, &[]);
    let why = "the model cannot be reached (upstream_unreachable)";
    let news = format!("the provider says: {why}; trying again");
    until("it says why it waits", async || client.log().contains(&news).then_some(())).await;
    assert!(client.status().is_none(), "it still tries: {}", client.log());
    assert_eq!(client.ended().await.code(), Some(5));
    let log = client.log();
    assert_eq!(log.matches(&news).count(), 1, "once: {log}");
    assert!(log.contains(&format!("error: the provider cannot serve this now: {why}")), "{log}");
    shopping.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_never_delivered_are_paid_for_a_few_times_and_no_run_succeeds() {
    let shopping = Shopping::start().await;
    shopping.middleman.be_lossy(true);
    let mut channel: Option<String> = None;
    for run in 1..=20 {
        let output = crate::support::run("joule", &shopping.args("1", channel.as_deref())).await;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(6), "{run}: {said}");
        let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        if run <= 4 {
            assert!(said.contains("of 1 answers 1 were lost on their way after they had been served"), "{run}: {said}");
            assert_eq!((&report["lost"], &report["missed_in_a_row"]), (&1.into(), &run.into()), "{report}");
        } else {
            assert!(said.contains("4 answers in a row never came and had to be paid"), "{run}: {said}");
            assert_eq!((&report["requests"], &report["missed_in_a_row"]), (&0.into(), &4.into()), "{report}");
        }
        channel = Some(report["channel"].as_str().expect("a channel").to_owned());
    }
    let address = channel.as_deref().expect("a channel").parse().expect("an address");
    let account = shopping.market.account(&shopping.middleman.url, &address).await;
    assert_eq!((account["receipts"].as_u64(), account["paid_receipts"].as_u64()), (Some(4), Some(4)), "{account}");
    // The rest is the payer's.
    let closed = shopping.joule(&["channel", "close", channel.as_deref().expect("a channel")]).await;
    assert!(closed.status.success(), "{}", String::from_utf8_lossy(&closed.stderr));
    shopping.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_forgives_those_that_were_lost_in_earlier_runs() {
    let shopping = Shopping::start().await;
    let channel = shopping.pay("1", None).await["channel"].as_str().expect("a channel").to_owned();
    for _ in 0..3 {
        shopping.middleman.be_lossy(true);
        for missed in 1..=3 {
            let output = run("joule", &shopping.args("1", Some(&channel))).await;
            let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
            assert_eq!((output.status.code(), &report["missed_in_a_row"]), (Some(6), &missed.into()), "{report}");
        }
        shopping.middleman.be_lossy(false);
        assert_eq!(shopping.pay("1", Some(&channel)).await["missed_in_a_row"], 0);
    }
    shopping.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_ctrl_c_does_not_wait_for_a_gateway_that_says_nothing() {
    let shopping = Shopping::start().await;
    let (args, folder) = (shopping.args("1000", None), shopping.market.world.folder.path());
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut client = Process::start(folder, "client", "joule", &args, &[]);
    until("some requests are paid", async || (shopping.middleman.payments().len() >= 5).then_some(())).await;
    shopping.middleman.be_silent(true);
    // What was being answered comes; the next one does not.
    until("an answer stays away", async || (shopping.middleman.withheld() > 0).then_some(())).await;
    let asked = shopping.middleman.payments().len();
    client.interrupt();
    until("it says that it waits", async || client.log().contains("Ctrl-C again").then_some(())).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(client.status().is_none(), "it waits for what is under way: {}", client.log());
    client.interrupt();
    assert_eq!(client.ended().await.code(), Some(130));
    let payments = shopping.middleman.payments();
    assert_eq!(payments.len(), asked, "nothing more was asked for");
    // The one under way was served; the next run finds its receipt and pays for it.
    shopping.middleman.be_silent(false);
    let channel = payments[0].payload.channel.to_string();
    assert_eq!(shopping.pay("1", Some(&channel)).await["requests"], 1);
    let account = shopping.market.account(&shopping.middleman.url, &channel.parse().expect("an address")).await;
    assert_eq!(account["receipts"], account["paid_receipts"]);
    let orders = shopping.middleman.payments().iter().filter(|payment| payment.payload.order.is_some()).count();
    assert_eq!(account["receipts"].as_u64(), Some(orders as u64), "each order was served once");
    vouchers(&shopping.middleman.payments());
    shopping.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_not_agreed_to_is_not_paid_in() {
    let shopping = Shopping::start().await;
    let mut args = shopping.args("1", None);
    args.extend(["--mint".to_owned(), shopping.market.model().to_string()]);
    let output = run("joule", &args).await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("wants to be paid in token"), "{said}");
    assert!(shopping.middleman.payments().is_empty());
    shopping.finish().await;
}
