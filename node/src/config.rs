//! What the daemon is told: `joule.toml`, overridden by flags, which may come from the environment.

mod resolve;
mod settings;

use crate::{court::Duty, executor::Bounds, policy::Policy};
use joule_settings::{AmountError, FileError, SpanError};
use serde::{Deserialize, Deserializer};
pub use settings::Settings;
use std::{net::SocketAddr, path::PathBuf, str::FromStr, time::Duration};

/// The node's section of the file.
pub const SECTION: &str = "node";

/// What the node takes of that which all services share.
const SHARED: [&str; 7] = ["rpc", "indexer", "artifacts", "key", "mint", "symbol", "json"];

/// Where artifacts lie if nobody says.
pub const ARTIFACTS: &str = ".localnet/artifacts";

/// Settings that make sense, amounts in base units.
#[derive(Debug, Clone)]
pub struct Config {
    pub rpc: String,
    pub indexer: String,
    pub artifacts: String,
    pub key: PathBuf,
    pub policy: Policy,
    /// Whether new jobs are taken.
    pub provide: bool,
    pub duty: Duty,
    pub votes: PathBuf,
    pub report_every: Duration,
    pub max_jobs: usize,
    pub max_bids: usize,
    pub bounds: Bounds,
    pub kept: PathBuf,
    /// Bytes.
    pub max_kept: u64,
    pub listen: Listen,
    pub poll: Duration,
}

/// An address, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listen {
    At(SocketAddr),
    Off,
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self::Off),
            address => address
                .parse()
                .map(Self::At)
                .map_err(|_| format!("{text:?} is no address such as \"127.0.0.1:7720\", nor \"off\"")),
        }
    }
}

impl<'de> Deserialize<'de> for Listen {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{field} is missing: give --{flag}, or {field} in the section [node] of joule.toml")]
    Missing { field: &'static str, flag: &'static str },
    #[error("{field} {value:?} is not {wanted}")]
    Bad { field: &'static str, value: String, wanted: &'static str },
    #[error("{field}: {source}")]
    Amount { field: &'static str, source: AmountError },
    #[error("{field}: {source}")]
    Span { field: &'static str, source: SpanError },
    #[error("{field} {amount:?}: with several tokens, say it in base units, such as \"2500000 units\"")]
    Tokens { field: &'static str, amount: String },
}
