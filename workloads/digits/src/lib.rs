//! A job for Joule: reads 8x8 images of handwritten digits, answers which digit each one shows.
//!
//! Integers only, so that every provider reaches the same bytes. `format` is what goes in and out, `network` the
//! arithmetic, `abi` the three exports that a node calls.

#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

#[cfg(target_arch = "wasm32")]
mod abi;
mod format;
mod network;

use alloc::string::String;

pub use format::{InputError, IMAGE_BYTES, MAX_IMAGES};
pub use network::{Network, Prediction, WeightsError};

/// The trained network, as `train.py` wrote it.
const WEIGHTS: &[u8] = include_bytes!("../data/weights.bin");

/// The whole job: images in, JSON out. An input that cannot be read gives `{"error":"..."}`, which is the result of
/// the job like any other: the provider did its work, and the client reads what was wrong.
pub fn answer(input: &[u8]) -> String {
    let network = match Network::parse(WEIGHTS) {
        Ok(network) => network,
        Err(error) => return format::error_json(&error),
    };
    match format::images(input) {
        Ok(images) => format::predictions_json(images.map(|image| network.predict(image))),
        Err(error) => format::error_json(&error),
    }
}
