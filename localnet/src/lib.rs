//! A local validator in one process: RPC, WebSocket and a Yellowstone gRPC endpoint on loopback,
//! with Joule's programs deployed, a token, and funded personas.
//!
//! ```text
//! let localnet = Localnet::start(Config::ephemeral("target/deploy", "/tmp/state")).await?;
//! println!("{} {}", localnet.rpc_url(), localnet.grpc_url());
//! localnet.stop().await
//! ```
//!
//! - [`config`]: ports, slot time, folders
//! - [`settings`]: those that people write
//! - [`error`]: what can go wrong, and what to do
//! - [`ports`]: free ports, taken ports
//! - [`chain`]: surfpool, started and stopped
//! - [`feeder`]: surfpool's Geyser events, completed to what a real node sends
//! - [`deploy`]: programs with their upgrade authority
//! - [`persona`]: who takes part, and their keys
//! - [`bootstrap`]: SOL, the token, the protocol
//! - [`state`]: the files other programs read

pub mod bootstrap;
pub mod chain;
pub mod config;
pub mod deploy;
pub mod error;
pub mod feeder;
mod localnet;
pub mod persona;
pub mod ports;
pub mod settings;
pub mod state;
mod store;

pub use config::Config;
pub use error::LocalnetError;
pub use localnet::Localnet;
pub use persona::{Persona, Personas};
pub use settings::Settings;
