//! What the gateway is told: a TOML file, checked before anything starts.

mod check;

use crate::fields;
use joule_sdk::Pubkey;
use serde::Deserialize;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use url::Url;

/// The file. `gateway.example.toml` shows every setting with its default.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub listen: SocketAddr,
    /// Where clients reach the gateway, as the terms name it.
    pub public_url: Url,
    /// RPC of a Solana node.
    pub rpc_url: String,
    /// The provider's authority, which signs receipts and `back`: a Solana keypair file.
    pub keypair: PathBuf,
    /// SQLite; every voucher that is not settled lies here.
    pub ledger: PathBuf,
    /// The most that the ledger may take of the disk.
    pub ledger_max_bytes: Option<u64>,
    #[serde(default)]
    pub log_json: bool,
    /// Web pages that may ask from a browser: `*`, or scheme and host of each; empty for none.
    #[serde(default = "default_origins")]
    pub cors_origins: Vec<String>,
    #[serde(default)]
    pub limits: Limits,
    #[serde(default)]
    pub timeouts: Timeouts,
    #[serde(default)]
    pub risk: Risk,
    #[serde(default)]
    pub settle: Settle,
    #[serde(default)]
    pub exact: Exact,
    #[serde(rename = "model")]
    pub models: Vec<Model>,
}

/// How much at once.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Open connections.
    pub connections: usize,
    /// Percent of connections, unpaid bodies and probes that one IP address may have: 25 if nothing is said, and all for whoever is on
    /// this machine.
    pub address_share: Option<u8>,
    /// Requests at the upstreams.
    pub concurrent: usize,
    /// How long a request may wait for its turn.
    pub queue_ms: u64,
    /// Request line and headers, bytes.
    pub header_bytes: usize,
    pub body_bytes: usize,
    /// Of all bodies that nobody is known to pay for, beyond the first 32 KiB of each.
    pub unpaid_bytes: usize,
    /// Of a plain answer, which is held until its receipt is on disk, and of one event of a stream.
    pub answer_bytes: usize,
    /// Of one payer, in the long run and at once.
    pub requests_per_second: u32,
    pub burst: u32,
    /// Questions to the chain for channels that are not known, each for as many as wait, a hundred at most; and tries of payments by
    /// `exact`.
    pub lookups_per_second: u32,
    /// Requests that are tried at a model for nothing, of whoever would pay for them, short ones; 0 turns it off.
    pub probes_per_minute: u32,
}

/// All in milliseconds.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timeouts {
    /// A client's request line, headers and body.
    pub request_ms: u64,
    pub connect_ms: u64,
    /// From the request to the upstream's first byte.
    pub first_byte_ms: u64,
    /// Between two pieces of an answer, from the upstream and to the client.
    pub idle_ms: u64,
    /// One answer as a whole; what is sold by the second cannot cost more than this.
    pub total_ms: u64,
    /// After SIGTERM.
    pub drain_ms: u64,
}

/// What may be lost to a payer who stops paying.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Risk {
    /// Requests of one owner, on all its channels, that are not paid, those being served included: one, and more as far as it has
    /// paid for as much before. 1 is strictly one by one.
    pub window: usize,
    /// Base units that one owner may owe, with the most that its requests being served may cost.
    pub unpaid: u64,
    /// Base units that one channel's vouchers may promise beyond what is settled on chain.
    pub unsettled: u64,
    /// Basis points of what is earned that a channel may want locked of the provider's bond.
    pub max_backing_bps: u16,
    /// Unix seconds. A channel that was opened before and of which the ledger knows nothing is not served: after a ledger was
    /// lost, the moment of its loss.
    pub channels_from: i64,
    /// Seconds of notice that a payer must give before a channel closes.
    pub min_grace: u32,
    /// Seconds that must be left to settle a voucher, when it is taken.
    pub settle_margin: i64,
    /// Seconds that a voucher must be good for when it is taken, if its session is: one that ends sooner would have to be settled
    /// by itself.
    pub voucher_life: i64,
    /// Seconds that an order may live.
    pub order_life: i64,
    /// How often channels are read from the chain again; much less than `min_grace`.
    pub refresh_ms: u64,
}

/// Vouchers that a transaction without a version holds, and one of version 1.
pub const PLAIN_VOUCHERS: usize = 3;
pub const MOST_VOUCHERS: usize = 15;

/// When vouchers are brought on chain.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settle {
    pub enabled: bool,
    /// How often to look.
    pub every_ms: u64,
    /// Base units of one channel that are worth a transaction.
    pub amount: u64,
    /// Seconds after which whatever is worth its fees is settled.
    pub age: i64,
    /// Base units that it costs to settle and divide what one channel owes, by what the token is worth: three signatures. What is
    /// worth no more is not settled by itself, however urgent.
    pub fee: u64,
    /// Vouchers in one transaction, at most; more than three need a cluster that takes version 1.
    pub per_transaction: usize,
    /// Whether what is earned is also backed and paid out.
    pub distribute: bool,
}

/// Being paid by x402's standard scheme `exact`, one transaction for one request.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Exact {
    /// House channels, one for each model that is sold so; none turns it off.
    #[serde(with = "addresses")]
    pub channels: Vec<Pubkey>,
    /// Micro-lamports for a compute unit, of a transaction whose fee the gateway pays.
    pub max_unit_price: u64,
    /// Compute units of such a transaction.
    pub max_unit_limit: u32,
    /// Payments that may fail in a block, at the cost of their fees, some 11,000 lamports each: half of them with guards of wallets.
    /// Then nothing more is sold so for a while.
    pub failed_per_hour: u32,
    /// How long to wait until one is confirmed; a blockhash lives a minute to one and a half.
    pub confirm_ms: u64,
    /// Base units that a house channel can still carry: below that it is filled up.
    pub low: u64,
    /// Base units that are added at once, as far as clients have paid so much.
    pub top_up: u64,
}

/// One that is sold.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// What clients ask for.
    pub name: String,
    /// Address of the registry's `Model`.
    #[serde(with = "address")]
    pub model: Pubkey,
    /// Addresses of its `PriceList`s that are taken; the first is offered.
    #[serde(with = "addresses")]
    pub prices: Vec<Pubkey>,
    /// An OpenAI-compatible server, with its path up to `/v1`.
    pub upstream: Url,
    /// What the upstream calls it, if not the same.
    pub upstream_name: Option<String>,
    /// A file with the upstream's API key.
    pub key_file: Option<PathBuf>,
    /// Of one answer: the most that a client may ask for, and what it gets when it does not say.
    #[serde(default = "default_output")]
    pub max_output_tokens: u64,
    /// Of one request.
    #[serde(default = "default_images")]
    pub max_images: u64,
    /// Bytes of text that count as a token where the upstream does not say.
    #[serde(default = "default_token")]
    pub bytes_per_token: u64,
    /// Fields of a request that go on to the upstream, beside those that its price is made from.
    #[serde(default = "default_fields")]
    pub fields: Vec<String>,
    /// What is added to a request that does not limit its answer.
    #[serde(default)]
    pub add_limit: AddLimit,
    /// Whether every stream asks for its usage.
    #[serde(default = "default_usage")]
    pub add_usage: bool,
}

/// Under which name `max_output_tokens` goes to an upstream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddLimit {
    #[default]
    MaxTokens,
    MaxCompletionTokens,
    None,
}

impl AddLimit {
    pub fn field(self) -> Option<&'static str> {
        match self {
            Self::MaxTokens => Some("max_tokens"),
            Self::MaxCompletionTokens => Some("max_completion_tokens"),
            Self::None => None,
        }
    }
}

fn default_origins() -> Vec<String> {
    vec!["*".into()]
}

fn default_output() -> u64 {
    1_024
}

fn default_images() -> u64 {
    4
}

fn default_token() -> u64 {
    4
}

fn default_fields() -> Vec<String> {
    fields::USUAL.map(str::to_owned).into()
}

fn default_usage() -> bool {
    true
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1_024,
            address_share: None,
            concurrent: 64,
            queue_ms: 2_000,
            header_bytes: 65_536,
            body_bytes: 4 << 20,
            unpaid_bytes: 16 << 20,
            answer_bytes: 16 << 20,
            requests_per_second: 50,
            burst: 100,
            lookups_per_second: 50,
            probes_per_minute: 10,
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            request_ms: 10_000,
            connect_ms: 2_000,
            first_byte_ms: 60_000,
            idle_ms: 30_000,
            total_ms: 300_000,
            drain_ms: 30_000,
        }
    }
}

impl Default for Risk {
    fn default() -> Self {
        Self {
            window: 4,
            unpaid: 1_000_000,
            unsettled: 50_000_000,
            max_backing_bps: 10_000,
            channels_from: 0,
            min_grace: 3_600,
            settle_margin: 600,
            voucher_life: 4_200,
            order_life: 300,
            refresh_ms: 5_000,
        }
    }
}

impl Default for Settle {
    fn default() -> Self {
        Self {
            enabled: true,
            every_ms: 5_000,
            amount: 10_000_000,
            age: 3_600,
            fee: 2_500,
            per_transaction: MOST_VOUCHERS,
            distribute: true,
        }
    }
}

impl Default for Exact {
    fn default() -> Self {
        Self {
            channels: Vec::new(),
            max_unit_price: 10_000,
            max_unit_limit: 100_000,
            failed_per_hour: 60,
            confirm_ms: 90_000,
            low: 5_000_000,
            top_up: 10_000_000,
        }
    }
}

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read {path}: {source}; check --config")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path}: {source}")]
    Toml { path: PathBuf, source: Box<toml::de::Error> },
    #[error("{field} is {value}: {wanted}")]
    Bad { field: String, value: String, wanted: &'static str },
}

impl Config {
    /// Reads a file; relative paths in it start from the file's folder.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.into(), source })?;
        let mut config: Self = toml::from_str(&text)
            .map_err(|source| ConfigError::Toml { path: path.into(), source: Box::new(source) })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        config.keypair = folder.join(&config.keypair);
        config.ledger = folder.join(&config.ledger);
        for model in &mut config.models {
            model.key_file = model.key_file.take().map(|file| folder.join(file));
        }
        config.check()?;
        Ok(config)
    }
}

impl Model {
    /// What the upstream calls it.
    pub fn upstream_name(&self) -> &str {
        self.upstream_name.as_deref().unwrap_or(&self.name)
    }
}

impl Timeouts {
    pub fn total(&self) -> Duration {
        Duration::from_millis(self.total_ms)
    }

    pub fn first_byte(&self) -> Duration {
        Duration::from_millis(self.first_byte_ms)
    }

    pub fn idle(&self) -> Duration {
        Duration::from_millis(self.idle_ms)
    }
}

fn parse<'de, D: serde::Deserializer<'de>>(text: &str) -> Result<Pubkey, D::Error> {
    text.parse().map_err(|_| serde::de::Error::custom(format!("{text:?} is not an address: give it in base58")))
}

mod address {
    use super::*;

    pub fn deserialize<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Pubkey, D::Error> {
        super::parse::<D>(&String::deserialize(from)?)
    }
}

mod addresses {
    use super::*;

    pub fn deserialize<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<Pubkey>, D::Error> {
        Vec::<String>::deserialize(from)?.iter().map(|text| super::parse::<D>(text)).collect()
    }
}
