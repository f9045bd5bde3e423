//! A gateway with its ledger in a temporary folder, upstreams with every fault, and a client that pays.

use axum::{
    body::{Body, Bytes},
    extract::State,
    response::IntoResponse as _,
    routing::post,
    Router,
};
use futures::future::BoxFuture;
use joule_gateway::{
    config::Config, telemetry, Channel, Channels, Cluster, Gateway, Ledger, PriceList, Seller, Server, Shop,
};
use joule_sdk::{Pubkey, SdkError};
use joule_units::{Amount, UnixTime};
use joule_voucher::{hashv, Prices, SigningKey};
use joule_x402::{
    decode, encode, session, PaymentPayload, Session, Settlement, PAYMENT_RESPONSE, PAYMENT_SIGNATURE, RECEIPT_COMMENT,
};
use serde_json::{json, Value};
use std::{
    collections::HashMap,
    net::SocketAddr,
    path::Path,
    sync::{Arc, LazyLock, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::net::TcpListener;
use tokio_stream::StreamExt as _;

pub const PRICES: Prices = Prices {
    per_request: Amount::new(100),
    per_million_input: Amount::new(1_000_000),
    per_million_output: Amount::new(2_000_000),
    per_image: Amount::new(500),
    per_second: Amount::new(0),
};
pub const CAP: u64 = 1_000_000;
pub const WINDOW: usize = 3;

pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed()
}

/// Of every session; the same for both sides.
static SESSION_END: LazyLock<i64> = LazyLock::new(|| now() + 86_400);

pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn address(seed: u8) -> Pubkey {
    Pubkey::new_from_array([seed; 32])
}

pub const CLUSTER: Cluster = Cluster { genesis: [7; 32], program: Pubkey::new_from_array([8; 32]) };

/// The channels that there are.
#[derive(Default)]
pub struct Book(pub Mutex<HashMap<Pubkey, Channel>>);

impl Channels for Book {
    fn channel<'a>(&'a self, address: &'a Pubkey) -> BoxFuture<'a, Result<Option<Channel>, SdkError>> {
        let found = self.0.lock().unwrap().get(address).copied();
        Box::pin(async move { Ok(found) })
    }
}

/// A channel that everything is right with; its session's key has the same seed.
pub fn channel(seed: u8) -> Channel {
    Channel {
        address: address(seed),
        payer: address(100 + seed),
        owner: address(50 + seed),
        provider: address(1),
        authority: Pubkey::new_from_array(key(200).verifying_key().to_bytes()),
        model: address(2),
        prices: address(3),
        mint: address(4),
        signer: key(seed).verifying_key().to_bytes(),
        cap: Amount::new(CAP),
        limit: Amount::new(CAP),
        session_expires_at: UnixTime::new(*SESSION_END),
        staged_at: UnixTime::default(),
        settled: Amount::default(),
        sequence: 0,
        grace: 7_200,
        closes_at: UnixTime::default(),
        collected: Amount::default(),
    }
}

/// A running gateway.
pub struct World {
    pub gateway: Arc<Gateway>,
    pub url: String,
    pub http: reqwest::Client,
    pub chain: Arc<Book>,
    running: Option<tokio::task::JoinHandle<()>>,
    pub folder: Arc<tempfile::TempDir>,
}

pub fn config(folder: &Path, upstream: &str) -> String {
    format!(
        "listen = '127.0.0.1:0'\npublic_url = 'http://127.0.0.1/'\nrpc_url = 'http://127.0.0.1:1'\nkeypair = 'unused.json'\n\
         ledger = '{ledger}'\n[limits]\nrequests_per_second = 1000\nburst = 1000\nbody_bytes = 65536\nanswer_bytes = 65536\n\
         queue_ms = 300\nconcurrent = 16\n[timeouts]\nfirst_byte_ms = 500\nidle_ms = 500\ntotal_ms = 5000\nrequest_ms = 1000\n\
         connect_ms = 500\ndrain_ms = 3000\n[risk]\nwindow = {WINDOW}\nunpaid = 100000\n[[model]]\nname = 'digits'\n\
         model = '{model}'\nprices = ['{prices}']\nupstream = '{upstream}'\nmax_output_tokens = 500\n",
        ledger = folder.join("gateway.sqlite").display(),
        model = address(2),
        prices = address(3),
    )
}

impl World {
    pub async fn start(upstream: &str) -> Self {
        Self::with(upstream, |_| {}).await
    }

    pub async fn with(upstream: &str, change: impl FnOnce(&mut Config)) -> Self {
        Self::on(Arc::new(tempfile::tempdir().unwrap()), upstream, change).await
    }

    /// On a folder that may hold a ledger already.
    pub async fn on(folder: Arc<tempfile::TempDir>, upstream: &str, change: impl FnOnce(&mut Config)) -> Self {
        let mut config: Config = toml::from_str(&config(folder.path(), upstream)).unwrap();
        change(&mut config);
        config.check().unwrap();
        let seller = Seller { provider: address(1), authority: channel(0).authority, pay_to: address(5) };
        let lists = HashMap::from([(address(3), PriceList { model: address(2), mint: address(4), prices: PRICES })]);
        let shop = Shop::new(&config, CLUSTER, seller, lists).unwrap();
        let chain = Arc::new(Book(Mutex::new((10..20).map(|seed| (address(seed), channel(seed))).collect())));
        let ledger = Ledger::open(&config.ledger, config.ledger_max_bytes).unwrap();
        let gateway = Gateway::new(config, shop, key(200), chain.clone(), ledger).unwrap();
        let server = Server::bind(gateway.clone(), telemetry::metrics().unwrap()).await.unwrap();
        let url = format!("http://{}", server.address().unwrap());
        let running = Some(tokio::spawn(server.run()));
        Self { gateway, url, http: reqwest::Client::new(), chain, running, folder }
    }

    /// Drains, and gives the folder back for a next life.
    pub async fn stop(mut self) -> Arc<tempfile::TempDir> {
        self.gateway.stopping.cancel();
        self.running.take().unwrap().await.unwrap();
        self.folder.clone()
    }

    pub fn client(&self, seed: u8) -> Client {
        let channel = channel(seed);
        let session = session::Channel {
            address: channel.address.to_bytes(),
            program: CLUSTER.program.to_bytes(),
            genesis: CLUSTER.genesis,
            authority: channel.authority.to_bytes(),
            prices: PRICES,
            session_expires_at: channel.session_expires_at,
        };
        Client {
            url: self.url.clone(),
            http: self.http.clone(),
            session: Session::new(session, key(seed), now().unsigned_abs() * 1_000).unwrap(),
        }
    }

    pub async fn account(&self, seed: u8) -> Value {
        self.http
            .get(format!("{}/joule/v1/channels/{}", self.url, address(seed)))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }
}

pub struct Client {
    url: String,
    http: reqwest::Client,
    pub session: Session,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Vec<u8>,
    /// Whether the body came to its end.
    pub whole: bool,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&self.body)))
    }

    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The receipt, and the hash of what it is for.
    pub fn settlement(&self) -> Option<(Settlement, [u8; 32])> {
        if let Some(header) = self.headers.get(PAYMENT_RESPONSE) {
            return Some((decode(header.as_bytes()).unwrap(), hashv(&[&self.body])));
        }
        let text = self.text();
        let at = text.find(RECEIPT_COMMENT)?;
        let line = text[at + RECEIPT_COMMENT.len()..].lines().next()?;
        Some((decode(line.as_bytes()).unwrap(), hashv(&[&self.body[..at]])))
    }
}

impl Client {
    pub fn pay(&mut self, body: &Value) -> PaymentPayload {
        self.session.order(body.to_string().as_bytes(), Amount::new(20_000), UnixTime::new(now() + 60))
    }

    pub async fn send(&self, payment: &PaymentPayload, body: &Value) -> Reply {
        self.post("/v1/chat/completions", Some(&encode(payment)), body.to_string()).await
    }

    pub async fn post(&self, path: &str, payment: Option<&str>, body: impl Into<reqwest::Body>) -> Reply {
        let mut call = self.http.post(format!("{}{path}", self.url)).body(body);
        if let Some(payment) = payment {
            call = call.header(PAYMENT_SIGNATURE, payment);
        }
        let mut response = call.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let (mut body, mut whole) = (Vec::new(), true);
        loop {
            match response.chunk().await {
                Ok(Some(piece)) => body.extend_from_slice(&piece),
                Ok(None) => break,
                Err(_) => {
                    whole = false;
                    break;
                }
            }
        }
        Reply { status, headers, body, whole }
    }

    /// One request, paid for what came before, checked and accepted.
    pub async fn ask(&mut self, body: &Value) -> (Reply, u64) {
        let payment = self.pay(body);
        let reply = self.send(&payment, body).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let amount = self.accept(&payment, &reply);
        (reply, amount)
    }

    pub fn accept(&mut self, payment: &PaymentPayload, reply: &Reply) -> u64 {
        let (settlement, hash) = reply.settlement().expect("a receipt");
        let order = payment.payload.order.expect("an order").message;
        let receipt = self.session.accept(&order, &hash, &settlement).expect("a receipt that is right");
        receipt.amount.get().get()
    }

    /// Begins a stream, and reads some of it.
    pub async fn begin(&self, payment: &PaymentPayload, body: &Value, bytes: usize) -> (u16, Vec<u8>) {
        let call =
            self.http.post(format!("{}/v1/chat/completions", self.url)).header(PAYMENT_SIGNATURE, encode(payment));
        let mut response = call.body(body.to_string()).send().await.unwrap();
        let mut read = Vec::new();
        while read.len() < bytes {
            match response.chunk().await.unwrap() {
                Some(piece) => read.extend_from_slice(&piece),
                None => break,
            }
        }
        (response.status().as_u16(), read)
    }
}

pub fn question(text: &str) -> Value {
    json!({"model": "digits", "messages": [{"role": "user", "content": text}]})
}

pub fn streamed(text: &str) -> Value {
    json!({"model": "digits", "stream": true, "messages": [{"role": "user", "content": text}]})
}

/// What an upstream does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    /// Says nothing at all.
    Hang,
    /// Falls silent in the middle of a stream.
    HangMidStream,
    /// Closes the connection in the middle.
    DieMidStream,
    /// Says that it used more than it can have.
    Lie,
    /// Sends no usage.
    Silent,
    /// Answers with something else than JSON.
    Nonsense,
    /// Answers without end.
    Endless,
    /// The same, and a lot of it.
    Flood,
    /// An answer longer than anybody wants.
    Huge,
    /// 500.
    Fail,
    /// 400, as for a request that the model does not like.
    Refuse,
    /// A word every 30 ms.
    Slow,
}

pub const WORDS: [&str; 4] = ["The ", "digit ", "is ", "seven"];

/// An OpenAI-compatible server with a fault; counts how often it was asked.
pub struct Upstream {
    pub url: String,
    pub asked: Arc<std::sync::atomic::AtomicUsize>,
}

impl Upstream {
    pub async fn start(fault: Fault) -> Self {
        let asked = Arc::<std::sync::atomic::AtomicUsize>::default();
        let router = Router::new().route("/v1/chat/completions", post(answer)).with_state((fault, asked.clone()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url: format!("http://{address}/v1"), asked }
    }

    pub fn times_asked(&self) -> usize {
        self.asked.load(std::sync::atomic::Ordering::SeqCst)
    }
}

fn event(choices: Value, usage: Value) -> Bytes {
    format!("data: {}\n\n", json!({"choices": choices, "usage": usage})).into()
}

async fn answer(
    State((fault, asked)): State<(Fault, Arc<std::sync::atomic::AtomicUsize>)>,
    body: Bytes,
) -> axum::response::Response {
    asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    let request: Value = serde_json::from_slice(&body).expect("the gateway sends JSON");
    let usage = match fault {
        Fault::Lie => json!({"prompt_tokens": 1_000_000, "completion_tokens": 1_000_000}),
        Fault::Silent => Value::Null,
        _ => json!({"prompt_tokens": 10, "completion_tokens": 4}),
    };
    match fault {
        Fault::Hang => std::future::pending::<()>().await,
        Fault::Nonsense => return "so many words".into_response(),
        Fault::Huge => return "x".repeat(1 << 20).into_response(),
        Fault::Fail => return axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Fault::Refuse => return (axum::http::StatusCode::BAD_REQUEST, "{\"error\":{\"code\":\"no\"}}").into_response(),
        _ => {}
    }
    if request["stream"] != true {
        let message = json!({"role": "assistant", "content": WORDS.concat()});
        return axum::Json(json!({"choices": [{"index": 0, "message": message}], "usage": usage})).into_response();
    }
    let delta = |word: &str| event(json!([{"index": 0, "delta": {"content": word}}]), Value::Null);
    let mut events: Vec<_> = WORDS.iter().map(|word| delta(word)).collect();
    match fault {
        Fault::DieMidStream | Fault::HangMidStream => events.truncate(2),
        Fault::Endless => events = vec![delta("on and "); 100_000],
        Fault::Flood => events = vec![delta(&"on and ".repeat(5_000)); 100_000],
        _ => {
            events.push(event(json!([]), usage));
            events.push("data: [DONE]\n\n".into());
        }
    }
    let pace = match fault {
        Fault::Slow => Duration::from_millis(30),
        Fault::Endless | Fault::Flood => Duration::from_millis(1),
        _ => Duration::ZERO,
    };
    let stream = tokio_stream::iter(events).then(move |event| async move {
        tokio::time::sleep(pace).await;
        Ok::<_, std::io::Error>(event)
    });
    let end = tokio_stream::once(()).then(move |()| async move {
        match fault {
            Fault::HangMidStream => std::future::pending().await,
            Fault::DieMidStream => {
                // What was sent before is on its way.
                tokio::time::sleep(Duration::from_millis(100)).await;
                Err(std::io::Error::other("dead"))
            }
            _ => Ok(Bytes::new()),
        }
    });
    ([("content-type", "text/event-stream")], Body::from_stream(stream.chain(end))).into_response()
}
