//! What the daemon is told: a TOML file, overridden by flags, which may come from the environment.

use crate::{
    chain::{Address, Verification},
    court::Duty,
    executor::Bounds,
    policy::{mode_name, Policy},
};
use clap::Args;
use serde::Deserialize;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// Where a value may come from; every field of the file has a flag and a variable of the same name.
#[derive(Debug, Clone, Default, Deserialize, Args)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// RPC of a Solana node [default: http://127.0.0.1:8899]
    #[arg(long, env = "JOULE_RPC_URL", value_name = "URL")]
    pub rpc_url: Option<String>,
    /// The indexer that knows the open jobs [default: http://127.0.0.1:7700]
    #[arg(long, env = "JOULE_INDEXER_URL", value_name = "URL")]
    pub indexer_url: Option<String>,
    /// Where specs, modules, inputs and outputs lie: a folder, or s3://bucket/prefix [default: .localnet/artifacts]
    #[arg(long, env = "JOULE_ARTIFACTS", value_name = "PLACE")]
    pub artifacts: Option<String>,
    /// The provider's authority: a Solana keypair file
    #[arg(long, env = "JOULE_KEYPAIR", value_name = "FILE")]
    pub keypair: Option<PathBuf>,
    /// A token that is taken as pay; give it several times for several tokens
    #[arg(long = "mint", env = "JOULE_MINTS", value_delimiter = ',', value_name = "ADDRESS")]
    #[serde(default)]
    pub mints: Vec<String>,
    /// Lowest price, in base units of the token [default: 1]
    #[arg(long, env = "JOULE_MIN_PRICE", value_name = "UNITS")]
    pub min_price: Option<u64>,
    /// Price of 10^9 units of the fuel that a job's spec allows, in base units; without it, a job's whole budget is asked
    #[arg(long, env = "JOULE_PRICE_PER_GIGAFUEL", value_name = "UNITS")]
    pub price_per_gigafuel: Option<u64>,
    /// Jobs that are taken at the same time, those won by bids aside [default: 2]
    #[arg(long, env = "JOULE_MAX_JOBS", value_name = "N")]
    pub max_jobs: Option<usize>,
    /// Open bids at the same time, in places of their own: if all of them win, so many jobs more run at once [default: 2]
    #[arg(long, env = "JOULE_MAX_BIDS", value_name = "N")]
    pub max_bids: Option<usize>,
    /// Largest fuel limit that is taken on [default: 10^12]
    #[arg(long, env = "JOULE_MAX_FUEL", value_name = "UNITS")]
    pub max_fuel: Option<u64>,
    /// Largest memory limit that is taken on, in bytes [default: 1 GiB]
    #[arg(long, env = "JOULE_MAX_MEMORY_BYTES", value_name = "BYTES")]
    pub max_memory_bytes: Option<u64>,
    /// Longest time limit that is taken on, in milliseconds [default: 600000]
    #[arg(long, env = "JOULE_MAX_TIMEOUT_MS", value_name = "MS")]
    pub max_timeout_ms: Option<u64>,
    /// Largest module that is fetched and compiled, in bytes [default: 16 MiB]
    #[arg(long, env = "JOULE_MAX_MODULE_BYTES", value_name = "BYTES")]
    pub max_module_bytes: Option<u64>,
    /// Largest input that is fetched, in bytes [default: 256 MiB]
    #[arg(long, env = "JOULE_MAX_INPUT_BYTES", value_name = "BYTES")]
    pub max_input_bytes: Option<u64>,
    /// How long compiling a module may take before its job is taken, in milliseconds [default: 15000]
    #[arg(long, env = "JOULE_MAX_COMPILE_MS", value_name = "MS")]
    pub max_compile_ms: Option<u64>,
    /// Price of a second of work, in base units; without it, jobs that are paid by the second are not taken
    #[arg(long, env = "JOULE_PRICE_PER_SECOND", value_name = "UNITS")]
    pub price_per_second: Option<u64>,
    /// How often to report the seconds worked, in seconds; each report is a transaction [default: 10]
    #[arg(long, env = "JOULE_REPORT_EVERY", value_name = "SECONDS")]
    pub report_every: Option<u64>,
    /// Ways of verifying that are put up with: review, quorum, panel [default: all]
    #[arg(long = "mode", env = "JOULE_MODES", value_delimiter = ',', value_name = "MODE")]
    #[serde(default)]
    pub modes: Vec<String>,
    /// The least time that jurors must have for each step, in seconds [default: 3600]
    #[arg(long, env = "JOULE_MIN_VOTE_WINDOW", value_name = "SECONDS")]
    pub min_vote_window: Option<u32>,
    /// The fewest votes that may decide about a result [default: 3]
    #[arg(long, env = "JOULE_MIN_QUORUM", value_name = "VOTES")]
    pub min_quorum: Option<u8>,
    /// The most that is locked of the bond for a job, in basis points of what the job can earn; a tenth of its budget is always
    /// locked, and as many percent of the whole budget as it wants where it is paid by the second [default: 20000]
    #[arg(long, env = "JOULE_MAX_BOND_BPS", value_name = "BPS")]
    pub max_bond_bps: Option<u16>,
    /// The longest that bids may be taken for a job that is bid for, in seconds [default: 3600]
    #[arg(long, env = "JOULE_MAX_BID_WINDOW", value_name = "SECONDS")]
    pub max_bid_window: Option<u32>,
    /// The longest that a bid may bind if nobody awards the job, in seconds [default: 86400]
    #[arg(long, env = "JOULE_MAX_ACCEPT_WINDOW", value_name = "SECONDS")]
    pub max_accept_window: Option<u32>,
    /// The longest that a client may review a result while the bond stays locked, in seconds [default: 30 days]
    #[arg(long, env = "JOULE_MAX_REVIEW_WINDOW", value_name = "SECONDS")]
    pub max_review_window: Option<u32>,
    /// Takes new jobs; `false` for a node that only verifies or votes [default: true]
    #[arg(long, env = "JOULE_PROVIDE", value_name = "BOOL")]
    pub provide: Option<bool>,
    /// Runs others' delivered jobs again, and challenges results that are wrong
    #[arg(long, env = "JOULE_VERIFY", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub verify: Option<bool>,
    /// Votes in disputes that a quorum decides
    #[arg(long, env = "JOULE_VOTE", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub vote: Option<bool>,
    /// Enrols for the panels of every coming epoch with this much of its bond, in base units, and votes whenever it is drawn; as
    /// much must stay free for the vote, and a seat's stake stays locked for up to 52 days
    #[arg(long, env = "JOULE_PANEL_STAKE", value_name = "UNITS")]
    pub panel_stake: Option<u64>,
    /// Asks for a second panel where a first one was wrong, running the job again says so, and it costs this node's money
    #[arg(long, env = "JOULE_APPEAL", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub appeal: Option<bool>,
    /// The most that an appeal may cost, in base units: twice the challenger's deposit, lost unless it is won; needed for appeals
    #[arg(long, env = "JOULE_MAX_APPEAL", value_name = "UNITS")]
    pub max_appeal: Option<u64>,
    /// The most that is put at risk in one dispute, as a challenger's deposit or behind a quorum's vote, in base units; needed for
    /// both
    #[arg(long, env = "JOULE_MAX_DEPOSIT", value_name = "UNITS")]
    pub max_deposit: Option<u64>,
    /// Where votes are written down before they are sent, which must survive a restart [default: beside the keypair, with
    /// `.votes` instead of its ending]
    #[arg(long, env = "JOULE_VOTES", value_name = "FOLDER")]
    pub votes: Option<PathBuf>,
    /// Where spec, module and input of promised jobs lie until nobody can need them [default: beside the keypair, with `.kept`
    /// instead of its ending]
    #[arg(long, env = "JOULE_KEPT", value_name = "FOLDER")]
    pub kept: Option<PathBuf>,
    /// Bytes kept there, beyond which nothing new is promised [default: 8 GiB]
    #[arg(long, env = "JOULE_MAX_KEPT_BYTES", value_name = "BYTES")]
    pub max_kept_bytes: Option<u64>,
    /// How often to look for work when the indexer's feed is silent, in milliseconds [default: 2000]
    #[arg(long, env = "JOULE_POLL_MS", value_name = "MS")]
    pub poll_ms: Option<u64>,
}

/// Settings that make sense.
#[derive(Debug, Clone)]
pub struct Config {
    pub rpc_url: String,
    pub indexer_url: String,
    pub artifacts: String,
    pub keypair: PathBuf,
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
    pub max_kept_bytes: u64,
    pub poll: Duration,
}

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read {path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path}: {source}")]
    Toml { path: PathBuf, source: Box<toml::de::Error> },
    #[error("{field} is missing: give --{flag}, or {field} in the file")]
    Missing { field: &'static str, flag: &'static str },
    #[error("{field} {value:?} is not {wanted}")]
    Bad { field: &'static str, value: String, wanted: &'static str },
}

impl Settings {
    /// Reads a file; relative paths in it start from the file's folder.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.into(), source })?;
        let mut settings: Self = toml::from_str(&text)
            .map_err(|source| ConfigError::Toml { path: path.into(), source: Box::new(source) })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        settings.keypair = settings.keypair.map(|keypair| folder.join(keypair));
        settings.votes = settings.votes.map(|votes| folder.join(votes));
        settings.kept = settings.kept.map(|kept| folder.join(kept));
        settings.artifacts = settings.artifacts.map(|place| {
            if place.contains("://") {
                place
            } else {
                folder.join(place).display().to_string()
            }
        });
        Ok(settings)
    }

    /// These, and where they say nothing, `other`'s.
    pub fn or(self, other: Self) -> Self {
        Self {
            rpc_url: self.rpc_url.or(other.rpc_url),
            indexer_url: self.indexer_url.or(other.indexer_url),
            artifacts: self.artifacts.or(other.artifacts),
            keypair: self.keypair.or(other.keypair),
            mints: if self.mints.is_empty() { other.mints } else { self.mints },
            min_price: self.min_price.or(other.min_price),
            price_per_gigafuel: self.price_per_gigafuel.or(other.price_per_gigafuel),
            max_jobs: self.max_jobs.or(other.max_jobs),
            max_bids: self.max_bids.or(other.max_bids),
            max_fuel: self.max_fuel.or(other.max_fuel),
            max_memory_bytes: self.max_memory_bytes.or(other.max_memory_bytes),
            max_timeout_ms: self.max_timeout_ms.or(other.max_timeout_ms),
            max_module_bytes: self.max_module_bytes.or(other.max_module_bytes),
            max_input_bytes: self.max_input_bytes.or(other.max_input_bytes),
            max_compile_ms: self.max_compile_ms.or(other.max_compile_ms),
            price_per_second: self.price_per_second.or(other.price_per_second),
            report_every: self.report_every.or(other.report_every),
            modes: if self.modes.is_empty() { other.modes } else { self.modes },
            min_vote_window: self.min_vote_window.or(other.min_vote_window),
            min_quorum: self.min_quorum.or(other.min_quorum),
            max_bond_bps: self.max_bond_bps.or(other.max_bond_bps),
            max_bid_window: self.max_bid_window.or(other.max_bid_window),
            max_accept_window: self.max_accept_window.or(other.max_accept_window),
            max_review_window: self.max_review_window.or(other.max_review_window),
            provide: self.provide.or(other.provide),
            verify: self.verify.or(other.verify),
            vote: self.vote.or(other.vote),
            panel_stake: self.panel_stake.or(other.panel_stake),
            appeal: self.appeal.or(other.appeal),
            max_appeal: self.max_appeal.or(other.max_appeal),
            max_deposit: self.max_deposit.or(other.max_deposit),
            votes: self.votes.or(other.votes),
            kept: self.kept.or(other.kept),
            max_kept_bytes: self.max_kept_bytes.or(other.max_kept_bytes),
            poll_ms: self.poll_ms.or(other.poll_ms),
        }
    }

    /// Fills in the defaults and checks every value.
    pub fn resolve(self) -> Result<Config, ConfigError> {
        let web = |field, given: Option<String>, default: &str| {
            let value = given.unwrap_or_else(|| default.to_owned());
            match url::Url::parse(&value) {
                Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(value),
                _ => Err(ConfigError::Bad { field, value, wanted: "an http(s) address" }),
            }
        };
        let positive = |field, given: Option<u64>, default: u64| match given.unwrap_or(default) {
            0 => Err(ConfigError::Bad { field, value: "0".into(), wanted: "a number above zero" }),
            value => Ok(value),
        };
        if self.mints.is_empty() {
            return Err(ConfigError::Missing { field: "mints", flag: "mint" });
        }
        let mint = |text: &String| {
            let bad = |_| ConfigError::Bad { field: "mint", value: text.clone(), wanted: "a base58 address" };
            text.parse::<Address>().map_err(bad)
        };
        let (verify, vote) = (self.verify.unwrap_or(false), self.vote.unwrap_or(false));
        let max_deposit = match self.max_deposit {
            None if verify || vote => return Err(ConfigError::Missing { field: "max_deposit", flag: "max-deposit" }),
            most => most.unwrap_or(0),
        };
        let max_appeal = match self.max_appeal {
            None if self.appeal == Some(true) => {
                return Err(ConfigError::Missing { field: "max_appeal", flag: "max-appeal" });
            }
            most => most.filter(|_| self.appeal == Some(true)),
        };
        let panel_stake = self.panel_stake.map(|stake| positive("panel_stake", Some(stake), 1)).transpose()?;
        let mints = self.mints.iter().map(mint).collect::<Result<Vec<_>, _>>()?;
        let keypair = self.keypair.ok_or(ConfigError::Missing { field: "keypair", flag: "keypair" })?;
        let bounds = Bounds {
            max_fuel: positive("max_fuel", self.max_fuel, 1_000_000_000_000)?,
            max_memory_bytes: positive("max_memory_bytes", self.max_memory_bytes, 1 << 30)?,
            max_timeout_ms: positive("max_timeout_ms", self.max_timeout_ms, 600_000)?,
            max_module_bytes: positive("max_module_bytes", self.max_module_bytes, 16 << 20)?,
            max_input_bytes: positive("max_input_bytes", self.max_input_bytes, 256 << 20)?,
            max_compile: Duration::from_millis(positive("max_compile_ms", self.max_compile_ms, 15_000)?),
        };
        let max_kept_bytes = positive("max_kept_bytes", self.max_kept_bytes, 8 << 30)?;
        if max_kept_bytes < bounds.largest_job() {
            return Err(ConfigError::Bad {
                field: "max_kept_bytes",
                value: max_kept_bytes.to_string(),
                wanted: "room for a module and an input of the sizes that are taken",
            });
        }
        Ok(Config {
            votes: self.votes.unwrap_or_else(|| keypair.with_extension("votes")),
            kept: self.kept.unwrap_or_else(|| keypair.with_extension("kept")),
            max_kept_bytes,
            provide: self.provide.unwrap_or(true),
            duty: Duty { mints: mints.clone(), verify, vote, max_deposit, panel_stake, max_appeal },
            report_every: Duration::from_secs(positive("report_every", self.report_every, 10)?),
            rpc_url: web("rpc_url", self.rpc_url, "http://127.0.0.1:8899")?,
            indexer_url: web("indexer_url", self.indexer_url, "http://127.0.0.1:7700")?,
            artifacts: self.artifacts.unwrap_or_else(|| ".localnet/artifacts".into()),
            keypair,
            policy: Policy {
                mints,
                min_price: positive("min_price", self.min_price, 1)?,
                price_per_gigafuel: self.price_per_gigafuel,
                price_per_second: self
                    .price_per_second
                    .map(|price| positive("price_per_second", Some(price), 1))
                    .transpose()?,
                modes: modes(&self.modes)?,
                min_vote_window: self.min_vote_window.unwrap_or(3_600),
                min_quorum: self.min_quorum.unwrap_or(3),
                max_bond_bps: self.max_bond_bps.unwrap_or(20_000),
                max_bid_window: self.max_bid_window.unwrap_or(3_600),
                max_accept_window: self.max_accept_window.unwrap_or(86_400),
                max_review_window: self.max_review_window.unwrap_or(30 * 86_400),
            },
            max_jobs: positive("max_jobs", self.max_jobs.map(|n| n as u64), 2)?.min(1024) as usize,
            max_bids: self.max_bids.unwrap_or(2).min(1024),
            bounds,
            poll: Duration::from_millis(positive("poll_ms", self.poll_ms, 2000)?),
        })
    }
}

/// All of them where none is named.
fn modes(named: &[String]) -> Result<Vec<Verification>, ConfigError> {
    const ALL: [Verification; 3] = [Verification::Review, Verification::Quorum, Verification::Panel];
    if named.is_empty() {
        return Ok(ALL.to_vec());
    }
    let mode = |name: &String| {
        let bad = ConfigError::Bad { field: "mode", value: name.clone(), wanted: "review, quorum or panel" };
        ALL.into_iter().find(|mode| mode_name(*mode) == name).ok_or(bad)
    };
    named.iter().map(mode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINT: &str = "So11111111111111111111111111111111111111112";

    fn minimal() -> Settings {
        Settings { keypair: Some("key.json".into()), mints: vec![MINT.into()], ..Settings::default() }
    }

    #[test]
    fn a_keypair_and_a_mint_are_enough() {
        let config = minimal().resolve().unwrap();
        assert_eq!(config.rpc_url, "http://127.0.0.1:8899");
        assert_eq!(config.policy.mints[0].to_string(), MINT);
        assert_eq!((config.max_jobs, config.poll), (2, Duration::from_secs(2)));
        assert_eq!((config.policy.modes.len(), config.policy.min_vote_window, config.policy.min_quorum), (3, 3_600, 3));
        assert_eq!((config.duty.verify, config.duty.vote, config.votes), (false, false, "key.votes".into()));
    }

    #[test]
    fn flags_come_before_the_file() {
        let file = Settings { min_price: Some(5), max_jobs: Some(7), ..minimal() };
        let flags = Settings { min_price: Some(9), ..Settings::default() };
        let config = flags.or(file).resolve().unwrap();
        assert_eq!((config.policy.min_price, config.max_jobs), (9, 7));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let message = |settings: Settings| settings.resolve().unwrap_err().to_string();
        assert!(message(Settings { keypair: None, ..minimal() }).contains("--keypair"));
        assert!(message(Settings { mints: Vec::new(), ..minimal() }).contains("--mint"));
        assert!(message(Settings { mints: vec!["joule".into()], ..minimal() }).contains("\"joule\""));
        assert!(message(Settings { rpc_url: Some("localhost:8899".into()), ..minimal() }).contains("rpc_url"));
        assert!(message(Settings { max_jobs: Some(0), ..minimal() }).contains("max_jobs"));
        assert!(message(Settings { modes: vec!["trust".into()], ..minimal() }).contains("\"trust\""));
        assert!(message(Settings { vote: Some(true), ..minimal() }).contains("--max-deposit"));
        assert!(message(Settings { appeal: Some(true), ..minimal() }).contains("--max-appeal"));
        assert!(message(Settings { panel_stake: Some(0), ..minimal() }).contains("panel_stake"));
        assert!(message(Settings { max_kept_bytes: Some(256 << 20), ..minimal() }).contains("room for a module"));
    }

    #[test]
    fn a_limit_alone_appeals_nothing() {
        let limited = Settings { max_appeal: Some(5), panel_stake: Some(7), ..minimal() };
        let duty = limited.clone().resolve().unwrap().duty;
        assert_eq!((duty.max_appeal, duty.panel_stake, duty.vote), (None, Some(7), false));
        let told = Settings { appeal: Some(true), ..limited };
        assert_eq!(told.resolve().unwrap().duty.max_appeal, Some(5));
    }

    #[test]
    fn a_file_is_read_strictly_and_its_paths_start_from_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.toml");
        std::fs::write(&path, format!("keypair = \"k.json\"\nartifacts = \"store\"\nmints = [\"{MINT}\"]\n")).unwrap();
        let config = Settings::read(&path).unwrap().resolve().unwrap();
        assert_eq!(config.keypair, folder.path().join("k.json"));
        assert_eq!(config.artifacts, folder.path().join("store").display().to_string());
        std::fs::write(&path, "min_prize = 3\n").unwrap();
        assert!(Settings::read(&path).unwrap_err().to_string().contains("min_prize"));
        assert!(matches!(Settings::read(&folder.path().join("none")), Err(ConfigError::Read { .. })));
    }
}
