//! What people set: flags over environment over the section `[localnet]` of `joule.toml`.

use crate::{config::Config, deploy, ports::Reserved};
use clap::Args;
use joule_settings::{File, FileError, Report, Span, SpanError};
use serde::Deserialize;
use std::path::PathBuf;

/// The local network's section of the file, and what it takes of that which all services share.
pub const SECTION: &str = "localnet";
const SHARED: [&str; 2] = ["state_dir", "json"];

/// Every option may also stand in the file, under the same name with underscores.
#[derive(Debug, Default, Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Port of the JSON-RPC server; 0 picks a free one [default: 8899]
    #[arg(long, env = "JOULE_LOCALNET_RPC_PORT", value_name = "PORT")]
    pub rpc_port: Option<u16>,
    /// Port of the WebSocket server; 0 picks a free one [default: 8900]
    #[arg(long, env = "JOULE_LOCALNET_WS_PORT", value_name = "PORT")]
    pub ws_port: Option<u16>,
    /// Port of the Yellowstone gRPC server; 0 picks a free one [default: 10000]
    #[arg(long, env = "JOULE_LOCALNET_GRPC_PORT", value_name = "PORT")]
    pub grpc_port: Option<u16>,
    /// Port of the artifact service; 0 picks a free one [default: 7730]
    #[arg(long, env = "JOULE_LOCALNET_STORE_PORT", value_name = "PORT")]
    pub store_port: Option<u16>,
    /// Time between blocks [default: 400ms]
    #[arg(long, env = "JOULE_LOCALNET_SLOT_TIME", value_name = "TIME")]
    pub slot_time: Option<Span>,
    /// Folder for keys and localnet.json [default: .localnet]
    #[arg(long, env = "JOULE_STATE_DIR", value_name = "FOLDER")]
    pub state_dir: Option<PathBuf>,
    /// Folder with the programs' .so files [default: target/deploy]
    #[arg(long, env = "JOULE_LOCALNET_PROGRAMS_DIR", value_name = "FOLDER")]
    pub programs_dir: Option<PathBuf>,
    #[arg(skip)]
    pub json: Option<bool>,
}

impl Settings {
    /// What a file says to the local network; relative paths in it start from the file's folder.
    pub fn read(file: &File) -> Result<Self, FileError> {
        let mut settings: Self = file.section(SECTION, &SHARED)?;
        for path in [&mut settings.state_dir, &mut settings.programs_dir] {
            *path = path.take().map(|path| file.join(&path));
        }
        Ok(settings)
    }

    /// These, and where they say nothing, `other`'s.
    pub fn or(self, other: Self) -> Self {
        Self {
            rpc_port: self.rpc_port.or(other.rpc_port),
            ws_port: self.ws_port.or(other.ws_port),
            grpc_port: self.grpc_port.or(other.grpc_port),
            store_port: self.store_port.or(other.store_port),
            slot_time: self.slot_time.or(other.slot_time),
            state_dir: self.state_dir.or(other.state_dir),
            programs_dir: self.programs_dir.or(other.programs_dir),
            json: self.json.or(other.json),
        }
    }

    /// What it would do with them; the shape alone, if `offline`.
    pub fn check(self, offline: bool) -> Report {
        let mut report = Report::new("localnet");
        let config = match self.config(false) {
            Ok(config) if config.slot_ms > 0 => config,
            Ok(_) => {
                report.wrong("slot_time", "it is 0", "give at least 1ms");
                return report;
            }
            Err(error) => {
                report.wrong("slot_time", error, "");
                return report;
            }
        };
        if offline {
            report.good("settings", "their form is good; --offline looks at nothing else");
            return report;
        }
        for (of, port, flag) in [
            ("rpc_port", config.rpc_port, "--rpc-port"),
            ("ws_port", config.ws_port, "--ws-port"),
            ("grpc_port", config.grpc_port, "--grpc-port"),
            ("store_port", config.store_port, "--store-port"),
        ] {
            match Reserved::take(of, port, flag) {
                Ok(_) => report.good(of, format_args!("127.0.0.1:{port} is free")),
                Err(error) => report.failed(of, error, ""),
            }
        }
        joule_checks::writable(&mut report, "state_dir", &config.state_dir);
        match config.programs_dir.as_deref().map(deploy::read_all).transpose() {
            Ok(_) => report.good("programs_dir", "all programs are there"),
            Err(error) => report.failed("programs_dir", error, ""),
        }
        report
    }

    /// With the defaults. Blocks come every so many milliseconds.
    pub fn config(self, reset: bool) -> Result<Config, SpanError> {
        let usual = Config::default();
        let slot_ms = match self.slot_time {
            None => usual.slot_ms,
            Some(time) => u64::try_from(time.0.as_millis()).map_err(|_| SpanError::TooMuch(time.to_string()))?,
        };
        Ok(Config {
            rpc_port: self.rpc_port.unwrap_or(usual.rpc_port),
            ws_port: self.ws_port.unwrap_or(usual.ws_port),
            grpc_port: self.grpc_port.unwrap_or(usual.grpc_port),
            store_port: self.store_port.unwrap_or(usual.store_port),
            slot_ms,
            state_dir: self.state_dir.unwrap_or(usual.state_dir),
            programs_dir: self.programs_dir.or(usual.programs_dir),
            reset,
            ..Config::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_comments_are_the_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("joule.toml");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            Settings::read(&File::read(&path).unwrap()).unwrap().config(false).unwrap()
        };
        let mut config = read(&joule_settings::uncommented(SECTION, &[]));
        config.state_dir = config.state_dir.strip_prefix(folder.path()).unwrap().into();
        config.programs_dir = config.programs_dir.map(|path| path.strip_prefix(folder.path()).unwrap().into());
        assert_eq!(format!("{config:?}"), format!("{:?}", Config::default()));
    }

    #[test]
    fn flags_go_over_the_file_and_the_file_over_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("joule.toml");
        std::fs::write(&path, "state_dir = 'net'\nrpc = 'http://a'\n[localnet]\nslot_time = '50ms'\nrpc_port = 1\n")
            .unwrap();
        let file = Settings::read(&File::read(&path).unwrap()).unwrap();
        let config = Settings { rpc_port: Some(2), ..Settings::default() }.or(file).config(false).unwrap();
        assert_eq!((config.rpc_port, config.ws_port, config.slot_ms), (2, 8_900, 50));
        assert_eq!(config.state_dir, folder.path().join("net"));
        std::fs::write(&path, "[localnet]\nslot_time = 400\n").unwrap();
        let error = Settings::read(&File::read(&path).unwrap()).unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("says no unit"), "{error}");
    }
}
