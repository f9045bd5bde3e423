//! What a local network is started with.

use std::path::PathBuf;

/// Ports, slot time, folders.
#[derive(Debug, Clone)]
pub struct Config {
    /// JSON-RPC over HTTP; 0 picks a free port.
    pub rpc_port: u16,
    /// RPC subscriptions over WebSocket; 0 picks a free port.
    pub ws_port: u16,
    /// Yellowstone gRPC; 0 picks a free port.
    pub grpc_port: u16,
    /// Artifacts over HTTP; 0 picks a free one.
    pub store_port: u16,
    /// Time between blocks, in milliseconds.
    pub slot_ms: u64,
    /// Where keys and `localnet.json` are written.
    pub state_dir: PathBuf,
    /// Where the programs' `.so` files are; `None` starts a chain without them.
    pub programs_dir: Option<PathBuf>,
    /// Initialise the protocol and have it take the token; without it, that is left to a deploy step.
    pub initialize: bool,
    /// Forget the keys and artifacts of earlier runs first.
    pub reset: bool,
    /// Slots that gRPC's `from_slot` can reach back.
    pub replay_slots: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            rpc_port: 8899,
            ws_port: 8900,
            grpc_port: 10_000,
            store_port: 7730,
            slot_ms: 400,
            state_dir: PathBuf::from(".localnet"),
            programs_dir: Some(PathBuf::from("target/deploy")),
            initialize: true,
            reset: false,
            replay_slots: 1_500,
        }
    }
}

impl Config {
    /// For tests: free ports, quick blocks.
    pub fn ephemeral(programs_dir: impl Into<PathBuf>, state_dir: impl Into<PathBuf>) -> Self {
        Self { programs_dir: Some(programs_dir.into()), ..Self::bare(state_dir) }
    }

    /// For tests that need no programs: free ports, quick blocks, the token and the personas.
    pub fn bare(state_dir: impl Into<PathBuf>) -> Self {
        Self {
            rpc_port: 0,
            ws_port: 0,
            grpc_port: 0,
            store_port: 0,
            slot_ms: 100,
            state_dir: state_dir.into(),
            programs_dir: None,
            ..Self::default()
        }
    }
}
