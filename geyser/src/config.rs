//! The plugin's configuration: the JSON file a validator passes with `--geyser-plugin-config`.

use std::{net::SocketAddr, path::Path, time::Duration};

use serde::Deserialize;

/// Why a configuration file was refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read the Geyser configuration {path}: {source}; check the path given with --geyser-plugin-config")]
    Read { path: String, source: std::io::Error },
    #[error("the Geyser configuration {path} is not valid: {source}; compare it with geyser/README.md")]
    Parse { path: String, source: serde_json::Error },
    #[error("grpc.channel_capacity is 0; give at least 1, the number of batches a slow subscriber may lag behind")]
    NoCapacity,
}

/// The whole file. `libpath` is read by the validator, not by us.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PluginConfig {
    /// Path of the shared library; the validator needs it.
    pub libpath: Option<String>,
    /// Name shown by validator tooling; unused here.
    pub name: Option<String>,
    pub grpc: GrpcConfig,
}

/// The gRPC endpoint. Every size has a default that suits development.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GrpcConfig {
    /// Where to listen.
    pub address: SocketAddr,
    /// How many batches of updates a subscriber may lag behind before it is disconnected.
    pub channel_capacity: usize,
    /// How many slots `from_slot` can reach back. 0 turns replay off.
    pub replay_stored_slots: usize,
    /// Longest filter name, in bytes.
    pub filter_name_size_limit: usize,
    /// Largest request, in bytes.
    pub max_decoding_message_size: usize,
    /// If set, clients must send it as the `x-token` header.
    pub x_token: Option<String>,
    /// How often an open stream gets a ping, in milliseconds.
    pub ping_interval_ms: u64,
    /// Threads that serve clients.
    pub worker_threads: usize,
}

impl Default for GrpcConfig {
    fn default() -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], 10_000)),
            channel_capacity: 65_536,
            replay_stored_slots: 150,
            filter_name_size_limit: 128,
            max_decoding_message_size: 4 * 1024 * 1024,
            x_token: None,
            ping_interval_ms: 10_000,
            worker_threads: 2,
        }
    }
}

impl GrpcConfig {
    /// The ping interval as a duration; at least one millisecond.
    pub fn ping_interval(&self) -> Duration {
        Duration::from_millis(self.ping_interval_ms.max(1))
    }

    /// Checks what the types cannot.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if self.channel_capacity == 0 {
            return Err(ConfigError::NoCapacity);
        }
        Ok(())
    }
}

impl PluginConfig {
    /// Reads and checks a configuration file.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: shown.clone(), source })?;
        let config: Self = serde_json::from_str(&text).map_err(|source| ConfigError::Parse { path: shown, source })?;
        config.grpc.validate()?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_fill_what_the_file_leaves_out() {
        let config: PluginConfig =
            serde_json::from_str(r#"{"libpath": "x.so", "grpc": {"replay_stored_slots": 7}}"#).unwrap();
        assert_eq!(config.grpc.replay_stored_slots, 7);
        assert_eq!(config.grpc.address.port(), 10_000);
        assert!(config.grpc.address.ip().is_loopback());
    }

    #[test]
    fn the_pages_example_says_the_defaults() {
        let (_, rest) = include_str!("../README.md").split_once("```json\n").unwrap();
        let config: PluginConfig = serde_json::from_str(rest.split_once("```").unwrap().0).unwrap();
        assert_eq!(config.grpc.address, GrpcConfig::default().address);
        assert_eq!(config.grpc.replay_stored_slots, GrpcConfig::default().replay_stored_slots);
    }

    #[test]
    fn a_misspelt_setting_is_refused() {
        assert!(serde_json::from_str::<PluginConfig>(r#"{"grpc": {"adress": "127.0.0.1:1"}}"#).is_err());
    }

    #[test]
    fn a_missing_file_names_its_path() {
        let error = PluginConfig::load("/nonexistent/geyser.json").unwrap_err();
        assert!(error.to_string().contains("/nonexistent/geyser.json"));
    }
}
