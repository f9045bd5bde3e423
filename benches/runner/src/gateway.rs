//! What the gateway costs: requests a second and latency, beside the same requests sent straight to a trivial upstream.
//!
//! Every client has a channel of its own and asks one thing after the other, each with an order, the voucher for what came
//! before, and a check of the receipt. The ledger is on the disk, as always; the chain is a list. Clients, gateway and
//! upstream share this machine's cores, so that a gateway alone does better.

use crate::report;
use anyhow::{ensure, Context, Result};
use axum::{routing::post, Json, Router};
use futures::future::{try_join_all, BoxFuture};
use joule_gateway::{
    config::Config, telemetry, Channel, Channels, Cluster, Gateway, Ledger, PriceList, Seller, Server, Shop,
};
use joule_sdk::{
    units::{Amount, UnixTime},
    voucher::{hashv, Prices, SigningKey},
    Pubkey, SdkError,
};
use joule_x402::{decode, encode, session, Session, PAYMENT_RESPONSE, PAYMENT_SIGNATURE};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

const CLUSTER: Cluster = Cluster { genesis: [7; 32], program: Pubkey::new_from_array([8; 32]) };
const BODY: &str = r#"{"model":"echo","max_tokens":16,"messages":[{"role":"user","content":"hello"}]}"#;
const MAX_AMOUNT: u64 = 1_000;

#[derive(Serialize)]
struct Row {
    clients: usize,
    requests: usize,
    per_s: f64,
    p50_ms: f64,
    p99_ms: f64,
    direct_per_s: f64,
    added_p50_ms: f64,
    added_p99_ms: f64,
    /// Of the gateway's time for a request, the upstream's left out: making and checking signatures.
    signature_share: f64,
    /// Waiting for the disk.
    ledger_share: f64,
    cores: usize,
    commit: String,
    profile: &'static str,
}

pub fn run(seconds: u32) -> Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(measure(Duration::from_secs(seconds.into())))
}

/// The channels of the clients.
struct Open(HashMap<Pubkey, Channel>);

impl Channels for Open {
    fn channels<'a>(&'a self, addresses: &'a [Pubkey]) -> BoxFuture<'a, Result<Vec<Option<Channel>>, SdkError>> {
        let found = addresses.iter().map(|address| self.0.get(address).copied()).collect();
        Box::pin(async move { Ok(found) })
    }
}

fn address(number: usize) -> Pubkey {
    Pubkey::new_from_array(hashv(&[b"address", &number.to_le_bytes()]))
}

fn key(number: usize) -> SigningKey {
    SigningKey::from_bytes(&hashv(&[b"key", &number.to_le_bytes()]))
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()).cast_signed()
}

async fn measure(time: Duration) -> Result<()> {
    let upstream = upstream().await?;
    let folder = tempfile::tempdir()?;
    let until = UnixTime::new(now() + 86_400);
    let (gateway, url, metrics) = gateway(&upstream, folder.path(), until).await?;
    let mut rows = Vec::new();
    for clients in [1, 8, 32] {
        let direct =
            clock(clients, time, |_| Direct(reqwest::Client::new(), format!("{upstream}/chat/completions"))).await?;
        let before = seconds(&metrics.render());
        // Each round has channels of its own.
        let paid = clock(clients, time, |n| Paying::new(&url, clients * 100 + n, until)).await?;
        let spent = seconds(&metrics.render()) - before;
        let own = spent.requests - spent.upstream;
        let row = Row {
            clients,
            requests: paid.latencies.len(),
            per_s: paid.per_s(),
            p50_ms: paid.at(0.5),
            p99_ms: paid.at(0.99),
            direct_per_s: direct.per_s(),
            added_p50_ms: round(paid.at(0.5) - direct.at(0.5)),
            added_p99_ms: round(paid.at(0.99) - direct.at(0.99)),
            signature_share: round(spent.signatures / own),
            ledger_share: round(spent.ledger / own),
            cores: std::thread::available_parallelism()?.get(),
            commit: report::commit(),
            profile: if cfg!(debug_assertions) { "dev, curves and SQLite optimised" } else { "release" },
        };
        println!(
            "{clients} clients: {} requests/s, p50 {} ms, p99 {} ms; straight: {} requests/s; {} % of the gateway's time in signatures, {} % waiting for the disk",
            row.per_s, row.p50_ms, row.p99_ms, row.direct_per_s, round(row.signature_share * 100.0), round(row.ledger_share * 100.0)
        );
        rows.push(row);
    }
    gateway.stopping.cancel();
    report::write("gateway", &rows)
}

/// Answers at once.
async fn upstream() -> Result<String> {
    let answer = serde_json::json!({
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": "hello yourself" }, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": 3, "completion_tokens": 3 },
    });
    let router = Router::new().route("/v1/chat/completions", post(async move || Json(answer)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/v1", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(url)
}

async fn gateway(
    upstream: &str,
    folder: &std::path::Path,
    until: UnixTime,
) -> Result<(Arc<Gateway>, String, PrometheusHandle)> {
    let config: Config<joule_settings::Amount> = toml::from_str(&format!(
        "listen = '127.0.0.1:0'\npublic_url = 'http://127.0.0.1/'\nrpc = 'http://127.0.0.1:1'\nkey = 'none'\n\
         ledger = '{}'\n[limits]\nrequests_per_second = 1000000\nburst = 1000000\nlookups_per_second = 1000000\n\
         [risk]\nwindow = 1\n[[model]]\nname = 'echo'\nmodel = '{}'\nprices = ['{}']\nupstream = '{upstream}'\n",
        folder.join("gateway.sqlite").display(),
        address(0),
        address(1),
    ))?;
    let config = config.resolve(&joule_settings::Token::new("JOULE", 6))?;
    let authority = Pubkey::new_from_array(key(0).verifying_key().to_bytes());
    let seller = Seller { provider: address(2), authority, pay_to: address(3) };
    let list = PriceList { model: address(0), mint: address(4), prices: prices() };
    let shop = Shop::new(&config, CLUSTER, seller, HashMap::from([(address(1), list)]))?;
    let channel = |number: usize| Channel {
        address: address(number),
        payer: address(number + 1_000_000),
        owner: address(number + 2_000_000),
        provider: seller.provider,
        authority,
        model: list.model,
        prices: address(1),
        mint: list.mint,
        signer: key(number).verifying_key().to_bytes(),
        cap: Amount::new(u64::MAX >> 1),
        limit: Amount::new(u64::MAX >> 1),
        session_expires_at: until,
        staged_at: UnixTime::default(),
        settled: Amount::default(),
        sequence: 0,
        opened_at: UnixTime::default(),
        backing_bps: 0,
        grace: 86_400,
        closes_at: UnixTime::default(),
    };
    let open = Open((100..10_000).map(|number| (address(number), channel(number))).collect());
    let ledger = Ledger::open(&config.ledger, None)?;
    let metrics = telemetry::metrics()?;
    let gateway = Gateway::new(config, shop, key(0), Arc::new(open), ledger)?;
    let server = Server::bind(gateway.clone(), metrics.clone()).await?;
    let url = format!("http://{}", server.address()?);
    tokio::spawn(server.run());
    Ok((gateway, url, metrics))
}

fn prices() -> Prices {
    Prices { per_request: Amount::new(1), per_million_output: Amount::new(1_000_000), ..Prices::default() }
}

/// One that asks again and again.
trait Client: Send + 'static {
    fn ask(&mut self) -> impl std::future::Future<Output = Result<()>> + Send;
}

struct Direct(reqwest::Client, String);

impl Client for Direct {
    async fn ask(&mut self) -> Result<()> {
        let answer = self.0.post(&self.1).header("content-type", "application/json").body(BODY).send().await?;
        ensure!(answer.status() == 200, "the upstream answered {}", answer.status());
        answer.bytes().await?;
        Ok(())
    }
}

struct Paying {
    http: reqwest::Client,
    url: String,
    session: Session,
}

impl Paying {
    fn new(url: &str, number: usize, session_expires_at: UnixTime) -> Self {
        let channel = session::Channel {
            address: address(number).to_bytes(),
            program: CLUSTER.program.to_bytes(),
            genesis: CLUSTER.genesis,
            authority: key(0).verifying_key().to_bytes(),
            prices: prices(),
            session_expires_at,
        };
        let session = Session::new(channel, key(number), 1).expect("key 0 is a key");
        Self { http: reqwest::Client::new(), url: format!("{url}/v1/chat/completions"), session }
    }
}

impl Client for Paying {
    async fn ask(&mut self) -> Result<()> {
        let payment = self.session.order(BODY.as_bytes(), Amount::new(MAX_AMOUNT), UnixTime::new(now() + 60));
        let answer = self.http.post(&self.url).header(PAYMENT_SIGNATURE, encode(&payment)).body(BODY).send().await?;
        let (status, receipt) = (answer.status(), answer.headers().get(PAYMENT_RESPONSE).cloned());
        let body = answer.bytes().await?;
        ensure!(status == 200, "the gateway answered {status}: {}", String::from_utf8_lossy(&body));
        let receipt = decode(receipt.context("an answer without a receipt")?.as_bytes())?;
        let order = payment.payload.order.context("an order")?.message;
        self.session.accept(&order, &hashv(&[&body]), &receipt)?;
        Ok(())
    }
}

struct Measured {
    took: Duration,
    /// Sorted.
    latencies: Vec<Duration>,
}

impl Measured {
    fn per_s(&self) -> f64 {
        round(self.latencies.len() as f64 / self.took.as_secs_f64())
    }

    /// Milliseconds.
    fn at(&self, part: f64) -> f64 {
        let at = (self.latencies.len() as f64 * part) as usize;
        round(self.latencies[at.min(self.latencies.len() - 1)].as_secs_f64() * 1_000.0)
    }
}

async fn clock<C: Client>(clients: usize, time: Duration, client: impl Fn(usize) -> C) -> Result<Measured> {
    let started = Instant::now();
    let tasks = (0..clients).map(|number| {
        let mut client = client(number);
        tokio::spawn(async move {
            let mut latencies = Vec::new();
            while started.elapsed() < time {
                let asked = Instant::now();
                client.ask().await?;
                latencies.push(asked.elapsed());
            }
            Ok::<_, anyhow::Error>(latencies)
        })
    });
    let mut latencies = Vec::new();
    for done in try_join_all(tasks).await? {
        latencies.extend(done?);
    }
    let took = started.elapsed();
    latencies.sort_unstable();
    Ok(Measured { took, latencies })
}

/// What the gateway's histograms add up to.
#[derive(Clone, Copy)]
struct Spent {
    requests: f64,
    upstream: f64,
    signatures: f64,
    ledger: f64,
}

impl std::ops::Sub for Spent {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            requests: self.requests - before.requests,
            upstream: self.upstream - before.upstream,
            signatures: self.signatures - before.signatures,
            ledger: self.ledger - before.ledger,
        }
    }
}

fn seconds(metrics: &str) -> Spent {
    let sum = |name: &str| {
        let line = metrics.lines().find_map(|line| line.strip_prefix(&format!("{name}_sum ")));
        line.and_then(|number| number.parse().ok()).unwrap_or(0.0)
    };
    Spent {
        requests: sum(telemetry::REQUEST),
        upstream: sum(telemetry::UPSTREAM),
        signatures: sum(telemetry::SIGNATURES),
        ledger: sum(telemetry::LEDGER),
    }
}

fn round(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0
}
