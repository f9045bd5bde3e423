//! The commands, one noun a file.

pub mod attest;
pub mod bond;
pub mod channel;
pub mod config;
pub mod dispute;
pub mod index;
pub mod job;
pub mod localnet;
pub mod model;
pub mod pay;
pub mod provider;
pub mod revenue;
pub mod stake;
