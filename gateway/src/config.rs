//! What the gateway is told: the section `[gateway]` of `joule.toml`, with flags and variables over it, checked before anything
//! starts.

mod check;
mod model;
mod resolve;
mod settings;

pub use model::{AddLimit, Model};
pub use settings::{Settings, SECTION};

use joule_sdk::Pubkey;
use joule_settings::{Amount, AmountError, FileError, Token};
use serde::Deserialize;
use std::{net::SocketAddr, path::PathBuf, time::Duration};
use url::Url;

/// The section, without what is shared by all services. `joule.example.toml` shows every setting with its default. `A` is what
/// amounts are in: [`Amount`] as they were written, base units once the chain has said what the token is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "A: Money"))]
pub struct Config<A = u64> {
    pub listen: SocketAddr,
    /// Where clients reach the gateway, as the terms name it.
    pub public_url: Url,
    /// URL of a Solana RPC node.
    #[serde(default = "default_rpc")]
    pub rpc: String,
    /// The provider's authority, which signs receipts and `back`: a Solana key file.
    #[serde(default)]
    pub key: PathBuf,
    /// What people call the token.
    pub symbol: Option<String>,
    /// What amounts are shown in, once it is known.
    #[serde(skip)]
    pub token: Option<Token>,
    /// SQLite; every voucher that is not settled lies here.
    pub ledger: PathBuf,
    /// The most that the ledger may take of the disk, in bytes.
    #[serde(default, deserialize_with = "size")]
    pub ledger_max: Option<u64>,
    /// Logs as JSON, one object a line.
    #[serde(default)]
    pub json: bool,
    /// Web pages that may ask from a browser: `*`, or scheme and host of each; empty for none.
    #[serde(default = "default_origins")]
    pub cors_origins: Vec<String>,
    #[serde(default)]
    pub limits: Limits,
    #[serde(default)]
    pub timeouts: Timeouts,
    #[serde(default)]
    pub risk: Risk<A>,
    #[serde(default)]
    pub settle: Settle<A>,
    #[serde(default)]
    pub exact: Exact<A>,
    #[serde(rename = "model")]
    pub models: Vec<Model>,
}

/// An amount, as it was written or in base units.
pub trait Money: Sized + for<'de> Deserialize<'de> {
    /// So many of the token's, such as `0.0025`, where nobody says otherwise.
    fn usual(tokens: &str) -> Self;
}

impl Money for Amount {
    fn usual(tokens: &str) -> Self {
        Self::tokens(tokens)
    }
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
    #[serde(deserialize_with = "joule_settings::duration")]
    pub queue: Duration,
    /// Request line and headers, bytes, as the next three.
    #[serde(deserialize_with = "joule_settings::bytes")]
    pub header: usize,
    #[serde(deserialize_with = "joule_settings::bytes")]
    pub body: usize,
    /// Of all bodies that nobody is known to pay for, beyond the first 32 KiB of each.
    #[serde(deserialize_with = "joule_settings::bytes")]
    pub unpaid_bodies: usize,
    /// Of a plain answer, which is held until its receipt is on disk, and of one event of a stream.
    #[serde(deserialize_with = "joule_settings::bytes")]
    pub answer: usize,
    /// Of one payer, in the long run and at once.
    pub requests_per_second: u32,
    pub burst: u32,
    /// Questions to the chain for channels that are not known, each for as many as wait, a hundred at most; and tries of payments by
    /// `exact`.
    pub lookups_per_second: u32,
    /// Requests that are tried at a model for nothing, of whoever would pay for them, short ones; 0 turns it off.
    pub probes_per_minute: u32,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timeouts {
    /// A client's request line, headers and body.
    #[serde(deserialize_with = "joule_settings::duration")]
    pub request: Duration,
    #[serde(deserialize_with = "joule_settings::duration")]
    pub connect: Duration,
    /// From the request to the upstream's first byte.
    #[serde(deserialize_with = "joule_settings::duration")]
    pub first_byte: Duration,
    /// Between two pieces of an answer, from the upstream and to the client.
    #[serde(deserialize_with = "joule_settings::duration")]
    pub idle: Duration,
    /// One answer as a whole; what is sold by the second cannot cost more than this.
    #[serde(deserialize_with = "joule_settings::duration")]
    pub total: Duration,
    /// After SIGTERM.
    #[serde(deserialize_with = "joule_settings::duration")]
    pub drain: Duration,
}

/// What may be lost to a payer who stops paying.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default, deny_unknown_fields, bound(deserialize = "A: Money"))]
pub struct Risk<A = u64> {
    /// Requests of one owner, on all its channels, that are not paid, those being served included: one, and more as far as it has
    /// paid for as much before. 1 is strictly one by one.
    pub window: usize,
    /// What one owner may owe, with the most that its requests being served may cost.
    pub unpaid: A,
    /// What one channel's vouchers may promise beyond what is settled on chain.
    pub unsettled: A,
    /// Basis points of what is earned that a channel may want locked of the provider's bond.
    pub max_backing_bps: u16,
    /// Date and time, in Unix seconds here. A channel that was opened before and of which the ledger knows nothing is not served: after a ledger was
    /// lost, the moment of its loss.
    #[serde(deserialize_with = "joule_settings::unix_seconds")]
    pub channels_from: i64,
    /// Seconds of notice that a payer must give before a channel closes.
    #[serde(deserialize_with = "joule_settings::seconds")]
    pub min_grace: u32,
    /// Seconds that must be left to settle a voucher, when it is taken.
    #[serde(deserialize_with = "joule_settings::seconds")]
    pub settle_margin: i64,
    /// Seconds that a voucher must be good for when it is taken, if its session is: one that ends sooner would have to be settled
    /// by itself.
    #[serde(deserialize_with = "joule_settings::seconds")]
    pub voucher_life: i64,
    /// Seconds that an order may live.
    #[serde(deserialize_with = "joule_settings::seconds")]
    pub order_life: i64,
    /// How often channels are read from the chain again; much less than `min_grace`.
    #[serde(deserialize_with = "joule_settings::duration")]
    pub refresh: Duration,
}

/// Vouchers that a transaction without a version holds, and one of version 1.
pub const PLAIN_VOUCHERS: usize = 3;
pub const MOST_VOUCHERS: usize = 15;

/// When vouchers are brought on chain.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default, deny_unknown_fields, bound(deserialize = "A: Money"))]
pub struct Settle<A = u64> {
    pub enabled: bool,
    /// How often to look.
    #[serde(deserialize_with = "joule_settings::duration")]
    pub every: Duration,
    /// What of one channel is worth a transaction.
    pub amount: A,
    /// Seconds after which whatever is worth its fees is settled.
    #[serde(deserialize_with = "joule_settings::seconds")]
    pub age: i64,
    /// What it costs to settle and divide what one channel owes, by what the token is worth: three signatures. What is worth no
    /// more is not settled by itself, however urgent.
    pub fee: A,
    /// Vouchers in one transaction, at most; more than three need a cluster that takes version 1.
    pub per_transaction: usize,
    /// Whether what is earned is also backed and paid out.
    pub distribute: bool,
}

/// Being paid by x402's standard scheme `exact`, one transaction for one request.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields, bound(deserialize = "A: Money"))]
pub struct Exact<A = u64> {
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
    #[serde(deserialize_with = "joule_settings::duration")]
    pub confirm: Duration,
    /// What a house channel can still carry: below that it is filled up.
    pub low: A,
    /// What is added at once, as far as clients have paid so much.
    pub top_up: A,
}

fn default_origins() -> Vec<String> {
    vec!["*".into()]
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1_024,
            address_share: None,
            concurrent: 64,
            queue: Duration::from_secs(2),
            header: 64 << 10,
            body: 4 << 20,
            unpaid_bodies: 16 << 20,
            answer: 16 << 20,
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
            request: Duration::from_secs(10),
            connect: Duration::from_secs(2),
            first_byte: Duration::from_secs(60),
            idle: Duration::from_secs(30),
            total: Duration::from_secs(300),
            drain: Duration::from_secs(30),
        }
    }
}

impl<A: Money> Default for Risk<A> {
    fn default() -> Self {
        Self {
            window: 4,
            unpaid: A::usual("1"),
            unsettled: A::usual("50"),
            max_backing_bps: 10_000,
            channels_from: 0,
            min_grace: 3_600,
            settle_margin: 600,
            voucher_life: 4_200,
            order_life: 300,
            refresh: Duration::from_secs(5),
        }
    }
}

impl<A: Money> Default for Settle<A> {
    fn default() -> Self {
        Self {
            enabled: true,
            every: Duration::from_secs(5),
            amount: A::usual("10"),
            age: 3_600,
            fee: A::usual("0.0025"),
            per_transaction: MOST_VOUCHERS,
            distribute: true,
        }
    }
}

impl<A: Money> Default for Exact<A> {
    fn default() -> Self {
        Self {
            channels: Vec::new(),
            max_unit_price: 10_000,
            max_unit_limit: 100_000,
            failed_per_hour: 60,
            confirm: Duration::from_secs(90),
            low: A::usual("5"),
            top_up: A::usual("10"),
        }
    }
}

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(
        "there are no settings: name a joule.toml with a section [gateway] by --config; joule.example.toml shows one"
    )]
    NoFile,
    #[error("{field} is {value}: {wanted}")]
    Bad { field: String, value: String, wanted: &'static str },
    #[error("the price lists are in {0} tokens: say amounts in base units, such as \"2500000 units\"")]
    Tokens(usize),
    #[error("{field}: {source}")]
    Amount { field: &'static str, source: AmountError },
}

impl Config {
    /// Base units as people read them.
    pub fn show(&self, units: u64) -> String {
        self.token.as_ref().map_or_else(|| format!("{units} units"), |token| token.show(units))
    }
}

/// What the example says.
#[cfg(test)]
pub fn example() -> Config {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../joule.example.toml");
    let settings = Settings { config: Some(path.into()), ..Settings::default() };
    settings.read().and_then(|config| config.resolve(&Token::new("JOULE", 6))).unwrap()
}

impl Timeouts {
    /// Of one answer, rounded up.
    pub fn whole_seconds(&self) -> u64 {
        self.total.as_secs() + u64::from(self.total.subsec_nanos() > 0)
    }
}

fn default_rpc() -> String {
    "http://127.0.0.1:8899".into()
}

fn size<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    joule_settings::bytes(from).map(Some)
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
