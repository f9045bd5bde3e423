//! Settings: flags over environment over file over defaults.

use crate::crash::CrashAt;
use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use joule_listen::Share;
use serde::Deserialize;
use std::{net::SocketAddr, path::PathBuf, time::Duration};

const GRPC: &str = "http://127.0.0.1:10000";
const RPC: &str = "http://127.0.0.1:8899";
const DATABASE: &str = ".localnet/indexer.sqlite";
const SILENCE: Duration = Duration::from_secs(15);
const CONNECTIONS: usize = 1_024;
const IDLE: Duration = Duration::from_secs(30);
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 7700);

/// Follows Joule's programs through a Yellowstone gRPC stream, keeps what they say in SQLite, and answers over REST.
#[derive(Debug, Parser)]
#[command(name = "joule-indexer", version, about, long_about = None)]
pub struct Cli {
    #[command(flatten)]
    pub options: Options,
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Follow the chain and serve the API until stopped (the default).
    Run,
    /// Compare every live account of the store with the chain, byte for byte. Exits with 1 if they differ.
    Verify {
        /// Look again for this many seconds while they differ, since a chain moves while one looks.
        #[arg(long, default_value_t = 0)]
        wait: u64,
    },
    /// Decode again what could not be decoded before, and ask the RPC node again for transactions that could not be read.
    Redecode,
    /// Copy the database into a new file, while an indexer writes or none does. An indexer that is started on the copy goes on from there.
    Backup {
        /// The copy, which must not be there yet.
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
    /// Print the OpenAPI 3.1 document.
    Openapi,
}

/// Every option may also stand in the file, under the same name with underscores.
#[derive(Debug, Default, Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// A TOML file with any of these options.
    #[arg(long, env = "JOULE_INDEXER_CONFIG", global = true)]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// Yellowstone gRPC endpoint; https for TLS [default: http://127.0.0.1:10000]
    #[arg(long, env = "JOULE_GRPC", global = true)]
    pub grpc: Option<String>,
    /// Token that the gRPC endpoint asks for.
    #[arg(long, env = "JOULE_X_TOKEN", hide_env_values = true, global = true)]
    pub x_token: Option<String>,
    /// JSON-RPC endpoint of the same cluster, for snapshots and gaps [default: http://127.0.0.1:8899]
    #[arg(long, env = "JOULE_RPC", global = true)]
    pub rpc: Option<String>,
    /// SQLite file [default: .localnet/indexer.sqlite]
    #[arg(long, env = "JOULE_INDEXER_DATABASE", global = true)]
    pub database: Option<PathBuf>,
    /// Address of the API [default: 127.0.0.1:7700]
    #[arg(long, env = "JOULE_INDEXER_LISTEN", global = true)]
    pub listen: Option<SocketAddr>,
    /// Log one JSON object a line.
    #[arg(long, env = "JOULE_LOG_JSON", global = true)]
    pub log_json: bool,
    /// Go on without events that the RPC node no longer has, instead of waiting for one that does.
    #[arg(long, env = "JOULE_INDEXER_ACCEPT_GAP", global = true)]
    pub accept_gap: bool,
    /// Seconds after which a gRPC stream that tells nothing is given up for a new one [default: 15]
    #[arg(long, env = "JOULE_INDEXER_SILENCE", value_name = "SECONDS", global = true)]
    pub silence: Option<u64>,
    /// Connections to the API at a time; of them half may be readers of the feed [default: 1024]
    #[arg(long, env = "JOULE_INDEXER_CONNECTIONS", value_name = "NUMBER", global = true)]
    pub connections: Option<usize>,
    /// Percent of these that one IP address may have; a proxy on another machine needs 100 [default: 25, and 100 for loopback]
    #[arg(long, env = "JOULE_INDEXER_ADDRESS_SHARE", value_name = "PERCENT", global = true)]
    pub address_share: Option<u8>,
    /// Web pages that may read the API from a browser: "*", or scheme and host of each, with commas between [default: none]
    #[arg(long, env = "JOULE_INDEXER_CORS_ORIGINS", value_name = "ORIGINS", value_delimiter = ',', global = true)]
    pub cors_origins: Vec<String>,
    /// Seconds that a connection to the API may take for the head of a request, or to take what is written [default: 30]
    #[arg(long, env = "JOULE_INDEXER_IDLE", value_name = "SECONDS", global = true)]
    pub idle: Option<u64>,
    #[arg(long, env = "JOULE_CRASH_AT", hide = true, global = true)]
    #[serde(skip)]
    pub crash_at: Option<CrashAt>,
}

/// What the indexer runs with.
#[derive(Debug, Clone)]
pub struct Settings {
    pub grpc: String,
    pub x_token: Option<String>,
    pub rpc: String,
    pub database: PathBuf,
    pub listen: SocketAddr,
    pub log_json: bool,
    pub accept_gap: bool,
    /// How long a stream may tell nothing.
    pub silence: Duration,
    /// Connections to the API at a time.
    pub connections: usize,
    /// Of these, those of one address.
    pub address_share: Share,
    /// How long one of them may be idle.
    pub idle: Duration,
    /// Web pages that may read it, as [`joule_cors::Cors`] has them.
    pub cors_origins: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            grpc: GRPC.to_owned(),
            x_token: None,
            rpc: RPC.to_owned(),
            database: DATABASE.into(),
            listen: LISTEN,
            log_json: false,
            accept_gap: false,
            silence: SILENCE,
            connections: CONNECTIONS,
            address_share: Share::Usual,
            idle: IDLE,
            cors_origins: Vec::new(),
        }
    }
}

impl Options {
    /// Adds what the file says, and the defaults.
    pub fn settings(self) -> anyhow::Result<Settings> {
        let file = match &self.config {
            None => Self::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("cannot read {}; check --config", path.display()))?;
                toml::from_str(&text).with_context(|| format!("{} is not a configuration", path.display()))?
            }
        };
        let default = Settings::default();
        let share = self.address_share.or(file.address_share);
        if let Some(percent) = share.filter(|percent| !(1..=100).contains(percent)) {
            anyhow::bail!("--address-share is {percent}: give 1 to 100 percent");
        }
        Ok(Settings {
            address_share: share.into(),
            grpc: self.grpc.or(file.grpc).unwrap_or(default.grpc),
            x_token: self.x_token.or(file.x_token),
            rpc: self.rpc.or(file.rpc).unwrap_or(default.rpc),
            database: self.database.or(file.database).unwrap_or(default.database),
            listen: self.listen.or(file.listen).unwrap_or(default.listen),
            log_json: self.log_json || file.log_json,
            accept_gap: self.accept_gap || file.accept_gap,
            connections: self.connections.or(file.connections).unwrap_or(default.connections).max(1),
            idle: self.idle.or(file.idle).map_or(default.idle, Duration::from_secs),
            cors_origins: if self.cors_origins.is_empty() { file.cors_origins } else { self.cors_origins },
            silence: self.silence.or(file.silence).map_or(default.silence, Duration::from_secs),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_go_over_the_file_and_the_file_over_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("indexer.toml");
        std::fs::write(&path, "grpc = 'https://a'\nrpc = 'https://b'\nlog_json = true\n").unwrap();
        let cli = Cli::parse_from(["joule-indexer", "--config", path.to_str().unwrap(), "--rpc", "http://c"]);
        let settings = cli.options.settings().unwrap();
        assert_eq!((settings.grpc.as_str(), settings.rpc.as_str()), ("https://a", "http://c"));
        assert!(settings.log_json);
        assert_eq!(settings.listen, LISTEN);
    }

    #[test]
    fn a_file_with_an_unknown_option_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("indexer.toml");
        std::fs::write(&path, "gprc = 'typo'").unwrap();
        let options = Options { config: Some(path), ..Options::default() };
        assert!(format!("{:#}", options.settings().unwrap_err()).contains("gprc"));
    }
}
