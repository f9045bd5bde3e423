//! Settings: flags over environment over file over defaults.

use crate::{
    crash::CrashAt,
    decode::{Upgrade, UpgradeError, Upgrades},
    export, rewind,
    source::{Endpoints, EndpointsError},
    store::Database,
};
use clap::{builder::FalseyValueParser, Args, Parser, Subcommand};
use joule_listen::Share;
use joule_settings::{File, FileError, Secret, Span, Url};
use serde::Deserialize;
use std::{net::SocketAddr, path::PathBuf, time::Duration};

const GRPC: &str = "http://127.0.0.1:10000";
const RPC: &str = "http://127.0.0.1:8899";
const DATABASE: &str = ".localnet/indexer.sqlite";
const SILENCE: Duration = Duration::from_secs(15);
const CONNECTIONS: usize = 1_024;
const IDLE: Duration = Duration::from_secs(30);
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 7700);

/// The indexer's section of the file, and what it takes of that which all services share.
pub const SECTION: &str = "indexer";
const SHARED: [&str; 3] = ["rpc", "grpc", "json"];

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
    /// Say what `run` would do with these settings. Exits with 1 if something that it needs does not work, with 2 if they are wrong.
    Check {
        /// Look at the form of the settings alone.
        #[arg(long)]
        offline: bool,
    },
    /// Compare every live account of the store with the chain, byte for byte. Exits with 1 if they differ.
    Verify {
        /// Look again for this many seconds while they differ, since a chain moves while one looks.
        #[arg(long, default_value_t = 0)]
        wait: u64,
    },
    /// Decode again what could not be decoded before, and ask the RPC node again for transactions that could not be read.
    Redecode,
    /// Put the database back: forget everything that happened after a slot, and have the next start go on from there. For a cluster that was
    /// started again from an older slot, and for a stretch that was indexed wrongly. Says what goes, and asks.
    Rewind(rewind::Options),
    /// Copy the database into a new file, while an indexer writes or none does. An indexer that is started on the copy goes on from there.
    Backup {
        /// The copy, which must not be there yet.
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
    /// Write what is stored to a file, as CSV or Parquet: a noun's rows, events, accounts, or the trail of one account. While an indexer
    /// writes or none does; everything in it is as of one moment.
    Export(export::Options),
    /// Print the OpenAPI 3.1 document.
    Openapi,
    /// Print the tables of rows, for questions in SQL, and what exports have: every column with its unit and meaning.
    Schema,
}

/// Every option may also stand in the file, under the same name with underscores.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// A joule.toml; flags and variables come first [default: ./joule.toml, where there is one]
    #[arg(long, env = "JOULE_CONFIG", value_name = "FILE", global = true)]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// Yellowstone gRPC endpoint, https for TLS; or several with commas between, all of which are followed at once [default: http://127.0.0.1:10000]
    #[arg(long, env = "JOULE_GRPC", value_name = "URLS", hide_env_values = true, global = true)]
    pub grpc: Option<Endpoints>,
    /// Token that the gRPC endpoint asks for; of several endpoints one for each, in their order, with commas between and nothing for one that asks for none
    #[arg(long, env = "JOULE_INDEXER_X_TOKEN", value_name = "TOKENS", hide_env_values = true, global = true)]
    pub x_token: Option<Secret>,
    /// PEM certificates that gRPC endpoints are trusted by, instead of the system's
    #[arg(long, env = "JOULE_INDEXER_GRPC_CA", value_name = "FILE", global = true)]
    pub grpc_ca: Option<PathBuf>,
    /// URL of a Solana RPC node of the same cluster, for snapshots and gaps [default: http://127.0.0.1:8899]
    #[arg(long, env = "JOULE_RPC", value_name = "URL", hide_env_values = true, global = true)]
    pub rpc: Option<Url>,
    /// SQLite file, or postgres://USER:PASSWORD@HOST/NAME, or clickhouse://USER:PASSWORD@HOST:PORT/NAME?cluster=NAME [default: .localnet/indexer.sqlite]
    #[arg(long, env = "JOULE_INDEXER_DATABASE", value_name = "FILE|URL", hide_env_values = true, global = true)]
    pub database: Option<Database>,
    /// Address of the API [default: 127.0.0.1:7700]
    #[arg(long, env = "JOULE_INDEXER_LISTEN", value_name = "ADDRESS", global = true)]
    pub listen: Option<SocketAddr>,
    /// Log as JSON, one object a line
    #[arg(long, env = "JOULE_JSON", value_parser = FalseyValueParser::new(), global = true)]
    pub json: bool,
    /// Go on without events that the RPC node no longer has, instead of waiting for one that does.
    #[arg(long, env = "JOULE_INDEXER_ACCEPT_GAP", global = true)]
    pub accept_gap: bool,
    /// When a gRPC stream that tells nothing is given up for a new one [default: 15s]
    #[arg(long, env = "JOULE_INDEXER_SILENCE", value_name = "TIME", global = true)]
    pub silence: Option<Span>,
    /// Connections to the API at a time; of them half may be readers of the feed [default: 1024]
    #[arg(long, env = "JOULE_INDEXER_CONNECTIONS", value_name = "NUMBER", global = true)]
    pub connections: Option<usize>,
    /// Percent of these that one IP address may have; a proxy on another machine needs 100 [default: 25, and 100 for loopback]
    #[arg(long, env = "JOULE_INDEXER_ADDRESS_SHARE", value_name = "PERCENT", global = true)]
    pub address_share: Option<u8>,
    /// Web pages that may read the API from a browser: "*", or scheme and host of each, with commas between [default: none]
    #[arg(long, env = "JOULE_INDEXER_CORS_ORIGINS", value_name = "ORIGINS", value_delimiter = ',', global = true)]
    pub cors_origins: Vec<String>,
    /// How long a connection to the API may take for the head of a request, or to take what is written [default: 30s]
    #[arg(long, env = "JOULE_INDEXER_IDLE", value_name = "TIME", global = true)]
    pub idle: Option<Span>,
    /// Upgrades of our programs on this cluster that changed what they write, each as program and first slot, with commas between, such
    /// as billing@312000001 [default: none]
    #[arg(long, env = "JOULE_INDEXER_UPGRADES", value_name = "PROGRAM@SLOT", value_delimiter = ',', global = true)]
    pub upgrades: Vec<Upgrade>,
    #[arg(long, env = "JOULE_CRASH_AT", hide = true, global = true)]
    #[serde(skip)]
    pub crash_at: Option<CrashAt>,
}

/// What the indexer runs with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// All are followed at once.
    pub grpc: Endpoints,
    pub rpc: Url,
    pub database: Database,
    pub listen: SocketAddr,
    pub json: bool,
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
    /// Of our programs, on the cluster that is followed.
    pub upgrades: Upgrades,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            grpc: GRPC.into(),
            rpc: RPC.into(),
            database: PathBuf::from(DATABASE).into(),
            listen: LISTEN,
            json: false,
            accept_gap: false,
            silence: SILENCE,
            connections: CONNECTIONS,
            address_share: Share::Usual,
            idle: IDLE,
            cors_origins: Vec::new(),
            upgrades: Upgrades::default(),
        }
    }
}

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Endpoints(#[from] EndpointsError),
    #[error("--{0} is 0: give more")]
    Nothing(&'static str),
    #[error("--address-share is {0}: give 1 to 100 percent")]
    Share(u8),
    #[error(transparent)]
    Upgrades(#[from] UpgradeError),
}

impl Options {
    /// What a file says to the indexer; relative paths in it start from the file's folder.
    fn read(file: &File) -> Result<Self, FileError> {
        let mut options: Self = file.section(SECTION, &SHARED)?;
        options.database = options.database.map(|database| database.within(|path| file.join(path)));
        options.grpc_ca = options.grpc_ca.map(|path| file.join(&path));
        options.grpc = options.grpc.map(|grpc| grpc.within(file));
        Ok(options)
    }

    /// Adds what the file says, and the defaults.
    pub fn settings(self) -> Result<Settings, ConfigError> {
        let file = match File::find(self.config.as_deref())? {
            None => Self::default(),
            Some(file) => Self::read(&file)?,
        };
        let default = Settings::default();
        let connections = self.connections.or(file.connections).unwrap_or(default.connections);
        let time = |one: Option<Span>, other: Option<Span>, usual| one.or(other).map_or(usual, |span| span.0);
        let idle = time(self.idle, file.idle, default.idle);
        let silence = time(self.silence, file.silence, default.silence);
        for (name, is_nothing) in
            [("connections", connections == 0), ("idle", idle.is_zero()), ("silence", silence.is_zero())]
        {
            if is_nothing {
                return Err(ConfigError::Nothing(name));
            }
        }
        let share = self.address_share.or(file.address_share);
        if let Some(percent) = share.filter(|percent| !(1..=100).contains(percent)) {
            return Err(ConfigError::Share(percent));
        }
        let grpc = self.grpc.or(file.grpc).unwrap_or(default.grpc);
        let tokens = self.x_token.or(file.x_token);
        Ok(Settings {
            grpc: grpc.complete(tokens.as_ref(), self.grpc_ca.or(file.grpc_ca))?,
            address_share: share.into(),
            rpc: self.rpc.or(file.rpc).unwrap_or(default.rpc),
            database: self.database.or(file.database).unwrap_or(default.database),
            listen: self.listen.or(file.listen).unwrap_or(default.listen),
            json: self.json || file.json,
            accept_gap: self.accept_gap || file.accept_gap,
            connections,
            idle,
            cors_origins: if self.cors_origins.is_empty() { file.cors_origins } else { self.cors_origins },
            upgrades: Upgrades::new(if self.upgrades.is_empty() { &file.upgrades } else { &self.upgrades })?,
            silence,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, Options) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("joule.toml");
        std::fs::write(&path, text).unwrap();
        (folder, Options { config: Some(path), ..Options::default() })
    }

    #[test]
    fn flags_go_over_the_file_and_the_file_over_defaults() {
        let (folder, options) =
            file("rpc = 'https://b'\njson = true\n[indexer]\ngrpc = 'https://a'\ndatabase = 'i.sqlite'\nidle = '5s'\n");
        let path = options.config.unwrap();
        let cli = Cli::parse_from(["joule-indexer", "--config", path.to_str().unwrap(), "--rpc", "http://c"]);
        let settings = cli.options.settings().unwrap();
        assert_eq!((settings.grpc, settings.rpc), ("https://a".into(), "http://c".into()));
        assert_eq!((settings.json, settings.idle), (true, Duration::from_secs(5)));
        assert_eq!((settings.listen, settings.database), (LISTEN, folder.path().join("i.sqlite").into()));
    }

    #[test]
    fn the_examples_comments_are_the_defaults() {
        let read = |text: &str| {
            let (folder, options) = file(text);
            let mut settings = options.settings().unwrap();
            settings.database = settings.database.within(|path| path.strip_prefix(folder.path()).unwrap().to_owned());
            format!("{settings:?}")
        };
        assert_eq!(
            read(&joule_settings::uncommented(SECTION, &["x_token", "grpc_ca", "address_share"])),
            read(joule_settings::EXAMPLE)
        );
        assert_eq!(read(joule_settings::EXAMPLE), format!("{:?}", Settings::default()));
    }

    #[test]
    fn endpoints_are_one_or_several_each_with_its_token() {
        let read = |text: &str| file(text).1.settings().map(|settings| settings.grpc.0);
        let shown = |all: Vec<crate::source::Endpoint>| -> Vec<(String, Option<String>)> {
            all.iter().map(|it| (it.url.expose().into(), it.x_token.as_ref().map(|it| it.expose().into()))).collect()
        };
        let pair = |url: &str, token: Option<&str>| (url.to_owned(), token.map(str::to_owned));
        for (text, expected) in [
            ("grpc = 'http://a'\n[indexer]\nx_token = 't'", vec![pair("http://a", Some("t"))]),
            ("grpc = 'http://a,http://b'", vec![pair("http://a", None), pair("http://b", None)]),
            (
                "grpc = ['http://a', { url = 'https://b', x_token = 't' }]",
                vec![pair("http://a", None), pair("https://b", Some("t"))],
            ),
            (
                "[indexer]\ngrpc = ['http://a', 'http://b']\nx_token = ',t'",
                vec![pair("http://a", None), pair("http://b", Some("t"))],
            ),
        ] {
            assert_eq!(shown(read(text).unwrap()), expected, "{text}");
        }
        for (text, words) in [
            ("grpc = ['http://a', 'http://b']\n[indexer]\nx_token = 't'", "1 tokens for 2 gRPC endpoints"),
            ("grpc = []", "no gRPC endpoint"),
            ("grpc = 3", "an address, or a list"),
            ("grpc = ['http://a,http://b']", "no commas"),
            ("grpc = [{ ulr = 'http://a' }]", "unknown setting `ulr`"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
        let (folder, options) =
            file("[indexer]\ngrpc_ca = 'all.pem'\ngrpc = ['http://a', { url = 'http://b', ca = 'b.pem' }]");
        let cas: Vec<_> = options.settings().unwrap().grpc.0.into_iter().map(|it| it.ca.unwrap()).collect();
        assert_eq!(cas, [folder.path().join("all.pem"), folder.path().join("b.pem")]);
    }

    #[test]
    fn the_samples_of_the_page_are_read() {
        let page = include_str!("../README.md");
        let samples: Vec<_> = page.split("```toml\n").skip(1).map(|rest| rest.split_once("```").unwrap().0).collect();
        let all: Vec<_> = samples.iter().map(|text| file(text).1.settings().unwrap()).collect();
        assert!(all.iter().any(|settings| settings.grpc.0.len() == 2), "several endpoints");
        assert!(all.iter().any(|settings| settings.upgrades != Settings::default().upgrades), "an upgrade");
    }

    #[test]
    fn nothing_shows_secrets() {
        let secret = "s3cret";
        let (_folder, options) = file(
            "rpc = 'https://node/?api-key=s3cret'\n[indexer]\ngrpc = ['https://a/s3cret', { url = 'http://u:s3cret@b', x_token = 's3cret' }]",
        );
        let cli = Cli::parse_from([
            "joule-indexer",
            "--x-token",
            "s3cret",
            "--grpc",
            "https://c/s3cret",
            "--rpc",
            "https://s3cret@c",
        ]);
        for shown in [format!("{cli:?}"), format!("{options:?}"), format!("{:?}", options.settings().unwrap())] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }

    #[test]
    fn limits_of_nothing_are_refused_by_name() {
        for (name, nothing, some) in [("connections", "0", "1"), ("idle", "0s", "1s"), ("silence", "0s", "1s")] {
            let flag = format!("--{name}");
            let cli = Cli::parse_from(["joule-indexer", &flag, nothing]);
            assert!(cli.options.settings().unwrap_err().to_string().contains(&flag));
            let cli = Cli::parse_from(["joule-indexer", &flag, some]);
            assert!(cli.options.settings().is_ok());
        }
    }

    #[test]
    fn the_share_of_an_address_is_so_many_percent() {
        let share = |text: &str| file(text).1.settings().map(|settings| settings.address_share);
        assert_eq!(share("[indexer]").unwrap(), Share::Usual);
        assert_eq!(share("[indexer]\naddress_share = 100").unwrap(), Share::Percent(100));
        for wrong in [0, 101] {
            assert!(share(&format!("[indexer]\naddress_share = {wrong}")).is_err());
        }
    }

    #[test]
    fn upgrades_are_named_by_program_and_slot_and_only_those_of_known_layouts() {
        let said =
            |text: &str| file(text).1.settings().map(|settings| settings.upgrades).map_err(|error| error.to_string());
        let known = said("[indexer]\nupgrades = ['billing@312_000_001']").unwrap();
        assert_eq!(known.began(crate::decode::Program::Billing, 1), Some(312_000_001));
        for (upgrades, why) in [
            ("'escrow@7'", "knows 1 layout(s) of escrow"),
            ("'billing@7', 'billing@8'", "knows 2 layout(s) of billing"),
            ("'billing@7', 'billing@7'", "comes after a later slot"),
            ("'bank@7'", "no upgrade: write a program and the first slot"),
            ("'billing'", "such as billing@312000001"),
        ] {
            let error = said(&format!("[indexer]\nupgrades = [{upgrades}]")).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn a_file_with_an_unknown_option_is_refused() {
        let (_folder, options) = file("[indexer]\ngprc = 'typo'");
        let error = options.settings().unwrap_err().to_string();
        assert!(error.contains("line 2: unknown setting `gprc`: did you mean \"grpc\"?"), "{error}");
    }
}
