//! The Yellowstone gRPC service as a Geyser plugin: what an indexer subscribes to.
//!
//! A validator (or anything that can call a [`GeyserPlugin`](agave_geyser_plugin_interface::geyser_plugin_interface::GeyserPlugin))
//! feeds it; any Yellowstone client reads it.
//!
//! - [`config`]: the JSON file a validator passes, and its defaults
//! - [`plugin`]: the `GeyserPlugin` callbacks
//! - [`convert`]: from Geyser's structs to wire messages
//! - [`message`]: what flows between the parts
//! - [`ring`]: recent slots: sealing, commitment levels, replay (pure)
//! - [`filter`]: what one subscriber asked for (pure)
//! - [`tip`]: the newest block per commitment, for the unary calls (pure)
//! - [`hub`]: from one feed to many subscribers
//! - [`service`], [`session`]: the gRPC side
//! - [`feed`]: a validator's part, for tests and replays

pub mod config;
pub mod convert;
pub mod feed;
pub mod filter;
pub mod hub;
pub mod message;
pub mod plugin;
pub mod ring;
pub mod service;
pub mod session;
pub mod tip;

pub use config::{GrpcConfig, PluginConfig};
pub use plugin::{Plugin, PluginError};

use agave_geyser_plugin_interface::geyser_plugin_interface::GeyserPlugin;

/// The symbol a validator looks up after loading the shared library.
///
/// # Safety
/// Ownership of the returned plugin passes to the caller, who must release it with `Box::from_raw`.
#[no_mangle]
#[allow(improper_ctypes_definitions)]
pub unsafe extern "C" fn _create_plugin() -> *mut dyn GeyserPlugin {
    Box::into_raw(Box::<Plugin>::default() as Box<dyn GeyserPlugin>)
}
