//! Settings: flags over environment over file over defaults.

use clap::{builder::FalseyValueParser, Args, Parser, Subcommand};
use joule_listen::Share;
use joule_settings::{File, FileError, Size, Span};
use serde::Deserialize;
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

/// The store's section of the file, and what it takes of that which all services share.
pub const SECTION: &str = "store";
const SHARED: [&str; 2] = ["artifacts", "json"];

/// Keeps artifacts (specs, modules, inputs and outputs of jobs) by their sha256 in a folder or an S3 bucket, and gives them out,
/// over HTTP, to whoever can reach it.
#[derive(Debug, Parser)]
#[command(name = "joule-store", version, about, long_about = None)]
pub struct Cli {
    #[command(flatten)]
    pub options: Options,
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve until stopped (the default).
    Run,
    /// Say what `run` would do with these settings. Exits with 1 if something that it needs does not work, with 2 if they are wrong.
    Check {
        /// Look at the form of the settings alone.
        #[arg(long)]
        offline: bool,
    },
}

/// Every option may also stand in the file, under the same name with underscores.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// A joule.toml; flags and variables come first [default: ./joule.toml, where there is one]
    #[arg(long, env = "JOULE_CONFIG", value_name = "FILE", global = true)]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// Where artifacts lie: a folder, or s3://bucket/prefix [default: .localnet/artifacts]
    #[arg(long, env = "JOULE_ARTIFACTS", value_name = "PLACE", global = true)]
    pub artifacts: Option<String>,
    /// Address to serve at [default: 127.0.0.1:7730]
    #[arg(long, env = "JOULE_STORE_LISTEN", value_name = "ADDRESS", global = true)]
    pub listen: Option<SocketAddr>,
    /// Longest artifact that is taken [default: 1 GiB]
    #[arg(long, env = "JOULE_STORE_MAX_ARTIFACT", value_name = "SIZE", global = true)]
    pub max_artifact: Option<Size>,
    /// All artifacts together [default: 100 GiB]
    #[arg(long, env = "JOULE_STORE_MAX_STORED", value_name = "SIZE", global = true)]
    pub max_stored: Option<Size>,
    /// What stays free on the disk of a folder [default: 1 GiB]
    #[arg(long, env = "JOULE_STORE_MIN_FREE", value_name = "SIZE", global = true)]
    pub min_free: Option<Size>,
    /// What is taken in within an hour, from all; a request counts for 64 KiB at least [default: 16 GiB]
    #[arg(long, env = "JOULE_STORE_HOURLY_IN", value_name = "SIZE", global = true)]
    pub hourly_in: Option<Size>,
    /// What is given out within an hour, to all; a request counts for 64 KiB at least [default: 256 GiB]
    #[arg(long, env = "JOULE_STORE_HOURLY_OUT", value_name = "SIZE", global = true)]
    pub hourly_out: Option<Size>,
    /// Connections at a time [default: 256]
    #[arg(long, env = "JOULE_STORE_CONNECTIONS", value_name = "NUMBER", global = true)]
    pub connections: Option<usize>,
    /// Percent of connections and hourly bytes that one IP address may have; a proxy on another machine needs 100 [default: 25, and 100 for
    /// loopback]
    #[arg(long, env = "JOULE_STORE_ADDRESS_SHARE", value_name = "PERCENT", global = true)]
    pub address_share: Option<u8>,
    /// For the head of a request, for the next bytes of a body that is not ahead of min_rate, and to take what is written [default: 30s]
    #[arg(long, env = "JOULE_STORE_IDLE", value_name = "TIME", global = true)]
    pub idle: Option<Span>,
    /// Bytes of a body that come in a second, on the whole [default: 16 KiB]
    #[arg(long, env = "JOULE_STORE_MIN_RATE", value_name = "SIZE", global = true)]
    pub min_rate: Option<Size>,
    /// Web pages that may store and read from a browser: "*", or scheme and host of each, with commas between [default: none]
    #[arg(long, env = "JOULE_STORE_CORS_ORIGINS", value_name = "ORIGINS", value_delimiter = ',', global = true)]
    pub cors_origins: Vec<String>,
    /// Log as JSON, one object a line
    #[arg(long, env = "JOULE_JSON", value_parser = FalseyValueParser::new(), global = true)]
    pub json: bool,
}

/// What the service runs with. Sizes are in bytes.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where artifacts lie.
    pub artifacts: String,
    pub listen: SocketAddr,
    pub max_artifact: u64,
    pub max_stored: u64,
    pub min_free: u64,
    pub hourly_in: u64,
    pub hourly_out: u64,
    pub connections: usize,
    /// Of connections and of hourly bytes.
    pub address_share: Share,
    pub idle: Duration,
    /// A second.
    pub min_rate: u64,
    /// As [`joule_cors::Cors`] has them.
    pub cors_origins: Vec<String>,
    pub json: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            artifacts: ".localnet/artifacts".to_owned(),
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7730),
            max_artifact: joule_artifacts::MAX_INPUT_BYTES,
            max_stored: 100 << 30,
            min_free: 1 << 30,
            hourly_in: 16 << 30,
            hourly_out: 256 << 30,
            connections: 256,
            address_share: Share::Usual,
            idle: Duration::from_secs(30),
            min_rate: 16 << 10,
            cors_origins: Vec::new(),
            json: false,
        }
    }
}

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("--{0} is 0: give more")]
    Nothing(&'static str),
    #[error("--address-share is {0}: give 1 to 100 percent")]
    Share(u8),
}

impl Options {
    /// What a file says to the store; a folder in it starts from the file's.
    fn read(file: &File) -> Result<Self, FileError> {
        let mut options: Self = file.section(SECTION, &SHARED)?;
        options.artifacts = options.artifacts.map(|place| file.place(place));
        Ok(options)
    }

    /// Adds what the file says, and the defaults.
    pub fn settings(self) -> Result<Settings, ConfigError> {
        let file = match File::find(self.config.as_deref())? {
            None => Self::default(),
            Some(file) => Self::read(&file)?,
        };
        let default = Settings::default();
        let size = |one: Option<Size>, other: Option<Size>, usual| one.or(other).map_or(usual, |size| size.0);
        let share = self.address_share.or(file.address_share);
        if let Some(percent) = share.filter(|percent| !(1..=100).contains(percent)) {
            return Err(ConfigError::Share(percent));
        }
        let settings = Settings {
            artifacts: self.artifacts.or(file.artifacts).unwrap_or(default.artifacts),
            listen: self.listen.or(file.listen).unwrap_or(default.listen),
            max_artifact: size(self.max_artifact, file.max_artifact, default.max_artifact),
            max_stored: size(self.max_stored, file.max_stored, default.max_stored),
            min_free: size(self.min_free, file.min_free, default.min_free),
            hourly_in: size(self.hourly_in, file.hourly_in, default.hourly_in),
            hourly_out: size(self.hourly_out, file.hourly_out, default.hourly_out),
            connections: self.connections.or(file.connections).unwrap_or(default.connections),
            address_share: share.into(),
            idle: self.idle.or(file.idle).map_or(default.idle, |span| span.0),
            min_rate: size(self.min_rate, file.min_rate, default.min_rate),
            cors_origins: if self.cors_origins.is_empty() { file.cors_origins } else { self.cors_origins },
            json: self.json || file.json,
        };
        for (name, is_nothing) in [
            ("max-artifact", settings.max_artifact == 0),
            ("max-stored", settings.max_stored == 0),
            ("hourly-in", settings.hourly_in == 0),
            ("hourly-out", settings.hourly_out == 0),
            ("connections", settings.connections == 0),
            ("idle", settings.idle.is_zero()),
            ("min-rate", settings.min_rate == 0),
        ] {
            if is_nothing {
                return Err(ConfigError::Nothing(name));
            }
        }
        Ok(settings)
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
    fn flags_go_over_the_file_and_the_section_over_what_is_shared() {
        let (folder, options) = file(
            "artifacts = 'http://127.0.0.1:7730'\n[store]\nartifacts = 'kept'\nmax_artifact = '2 MiB'\nidle = '5s'\n",
        );
        let path = options.config.unwrap();
        let cli = Cli::parse_from(["joule-store", "--config", path.to_str().unwrap(), "--max-artifact", "3 MiB"]);
        let settings = cli.options.settings().unwrap();
        assert_eq!(settings.artifacts, folder.path().join("kept").display().to_string());
        assert_eq!((settings.max_artifact, settings.idle), (3 << 20, Duration::from_secs(5)));
    }

    #[test]
    fn the_examples_comments_are_the_defaults() {
        let read = |text: &str| {
            let (folder, options) = file(text);
            let mut settings = options.settings().unwrap();
            let place = folder.path().display().to_string();
            settings.artifacts = settings.artifacts.strip_prefix(&place).unwrap().trim_start_matches('/').to_owned();
            format!("{settings:?}")
        };
        assert_eq!(read(&joule_settings::uncommented(SECTION, &["address_share"])), read(joule_settings::EXAMPLE));
        assert_eq!(read(joule_settings::EXAMPLE), format!("{:?}", Settings::default()));
    }

    #[test]
    fn limits_that_let_nothing_through_are_refused_by_name() {
        for (flag, nothing) in [
            ("--max-artifact", "0 B"),
            ("--max-stored", "0 B"),
            ("--hourly-in", "0 B"),
            ("--hourly-out", "0 B"),
            ("--connections", "0"),
            ("--idle", "0s"),
            ("--min-rate", "0 B"),
            ("--address-share", "0"),
            ("--address-share", "101"),
        ] {
            let cli = Cli::parse_from(["joule-store", flag, nothing]);
            assert!(cli.options.settings().unwrap_err().to_string().contains(flag), "{flag}");
        }
        assert!(Cli::parse_from(["joule-store", "--min-free", "0 B"]).options.settings().is_ok());
    }

    #[test]
    fn a_file_with_an_unknown_option_is_refused() {
        let (_folder, options) = file("[store]\nmax_artefact = '1 MiB'");
        let error = options.settings().unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("did you mean \"max_artifact\"?"), "{error}");
    }
}
