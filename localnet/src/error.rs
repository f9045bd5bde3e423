//! What can go wrong with a local network, and what to do about it.

use std::path::PathBuf;

/// See the module.
#[derive(Debug, thiserror::Error)]
pub enum LocalnetError {
    #[error("{what} port {port} on 127.0.0.1 is already in use; stop the program that uses it, or choose another with {flag} (0 picks a free one)")]
    PortTaken { what: &'static str, port: u16, flag: &'static str },
    #[error("cannot use {what} port {port} on 127.0.0.1: {source}; choose another with {flag}")]
    Port { what: &'static str, port: u16, flag: &'static str, source: std::io::Error },
    #[error("the slot time is 0; give --slot-time at least 1ms")]
    SlotTime,
    #[error(transparent)]
    Grpc(#[from] joule_geyser::PluginError),
    #[error("artifacts cannot be served: {0}")]
    Artifacts(String),
    #[error("the local chain did not start: {0}")]
    Chain(String),
    #[error("the local chain did not stop within {0} s; its ports may stay in use until this process ends")]
    Stop(u64),
    #[error("the program {path} cannot be read: {source}; build the programs first (make build), or name their folder with --programs-dir")]
    Program { path: PathBuf, source: std::io::Error },
    #[error("the program {path} cannot be loaded: {reason}; rebuild it (make build)")]
    Load { path: PathBuf, reason: String },
    #[error("{path}: {source}; check that --state-dir can be written")]
    State { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Key(#[from] joule_sdk::SdkError),
    #[error("{what} failed: {source}")]
    Rpc { what: &'static str, source: Box<solana_client::client_error::ClientError> },
    #[error("{what} was not confirmed within {seconds} s; the machine may be overloaded")]
    NotConfirmed { what: &'static str, seconds: u64 },
    #[error("{what} failed on chain: {reason}")]
    OnChain { what: &'static str, reason: String },
    #[error("cannot travel to {to}: the chain's clock is already at {now}; choose a later time")]
    PastTime { to: i64, now: i64 },
}

impl LocalnetError {
    pub(crate) fn rpc(what: &'static str) -> impl Fn(solana_client::client_error::ClientError) -> Self {
        move |source| Self::Rpc { what, source: Box::new(source) }
    }

    pub(crate) fn state(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::State { path, source }
    }
}
