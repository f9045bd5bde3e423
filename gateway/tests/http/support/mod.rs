//! A gateway with its ledger in a temporary folder, upstreams with every fault, and a client that pays.

mod client;
mod held;
pub mod script;
pub mod till;
mod upstream;

pub use client::{Client, Reply};
pub use held::{wait_until, Held};
pub use script::Script;
pub use till::{guarded, payment, transfer, Chain, Weather, HOUSE, ROOM};
pub use upstream::{Fault, Upstream, WORDS};

use futures::future::BoxFuture;
use joule_gateway::{
    config::Config, telemetry, Channel, Channels, Cluster, Gateway, Ledger, PriceList, Seller, Server, Shop,
};
use joule_sdk::{Pubkey, SdkError};
use joule_settings::Token;
use joule_units::{Amount, UnixTime};
use joule_voucher::{Prices, SigningKey};
use joule_x402::{session, Session};
use serde_json::{json, Value};
use std::{
    collections::HashMap,
    path::Path,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc, LazyLock, Mutex,
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::net::{TcpSocket, TcpStream};

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

/// The channels that there are, and how many questions were asked.
#[derive(Default)]
pub struct Book(pub Mutex<HashMap<Pubkey, Channel>>, AtomicUsize);

impl Book {
    pub fn times_asked(&self) -> usize {
        self.1.load(Ordering::SeqCst)
    }
}

impl Channels for Book {
    fn channels<'a>(&'a self, addresses: &'a [Pubkey]) -> BoxFuture<'a, Result<Vec<Option<Channel>>, SdkError>> {
        self.1.fetch_add(1, Ordering::SeqCst);
        let all = self.0.lock().unwrap();
        let found = addresses.iter().map(|address| all.get(address).copied()).collect();
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
        opened_at: UnixTime::default(),
        backing_bps: 0,
        grace: 7_200,
        closes_at: UnixTime::default(),
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
        "listen = '127.0.0.1:0'\npublic_url = 'http://127.0.0.1/'\nrpc = 'http://127.0.0.1:1'\nkey = 'unused.json'\n\
         ledger = '{ledger}'\n[limits]\nrequests_per_second = 1000\nburst = 1000\nbody = '64 KiB'\nanswer = '64 KiB'\n\
         queue = '300ms'\nconcurrent = 16\n[timeouts]\nfirst_byte = '500ms'\nidle = '500ms'\ntotal = '5s'\nrequest = '1s'\n\
         connect = '500ms'\ndrain = '3s'\n[risk]\nwindow = {WINDOW}\nunpaid = '0.1 JOULE'\n[[model]]\nname = 'digits'\n\
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
        let written: Config<joule_settings::Amount> = toml::from_str(&config(folder.path(), upstream)).unwrap();
        let mut config = written.resolve(&Token::new("JOULE", 6)).unwrap();
        change(&mut config);
        config.check().unwrap();
        let seller = Seller { provider: address(1), authority: channel(0).authority, pay_to: address(5) };
        let lists = HashMap::from([(address(3), PriceList { model: address(2), mint: address(4), prices: PRICES })]);
        let shop = Shop::new(&config, CLUSTER, seller, lists).unwrap();
        let channels = (10..20).map(|seed| (address(seed), channel(seed))).collect();
        let chain = Arc::new(Book(Mutex::new(channels), AtomicUsize::default()));
        let ledger = Ledger::open(&config.ledger, config.ledger_max).unwrap();
        let gateway = Gateway::new(config, shop, key(200), chain.clone(), ledger).unwrap();
        gateway.load().await.unwrap();
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

    /// One at an address of this machine.
    pub fn client_from(&self, address: &str, seed: u8) -> Client {
        let http = reqwest::Client::builder().local_address(Some(address.parse().unwrap())).build().unwrap();
        Client { http, ..self.client(seed) }
    }

    /// What the chain says of a channel from now on.
    pub fn change(&self, seed: u8, change: impl FnOnce(&mut Channel)) {
        change(self.chain.0.lock().unwrap().get_mut(&address(seed)).unwrap());
    }

    pub fn channel_url(&self, seed: u8) -> String {
        format!("{}/joule/v1/channels/{}", self.url, address(seed))
    }

    pub async fn account(&self, seed: u8) -> Value {
        self.http.get(self.channel_url(seed)).send().await.unwrap().json().await.unwrap()
    }
}

/// A connection from one of this machine's own addresses.
pub async fn connect_from(address: &str, url: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{address}:0").parse().unwrap()).unwrap();
    socket.connect(url.trim_start_matches("http://").parse().unwrap()).await.unwrap()
}

pub fn question(text: &str) -> Value {
    json!({"model": "digits", "messages": [{"role": "user", "content": text}]})
}

pub fn streamed(text: &str) -> Value {
    json!({"model": "digits", "stream": true, "messages": [{"role": "user", "content": text}]})
}

/// Asks until it is served: what others held comes back a moment after they are gone.
pub async fn is_served_soon(ask: impl AsyncFn() -> u16) {
    for _ in 0..100 {
        if ask().await == 200 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("what others held never came back");
}
