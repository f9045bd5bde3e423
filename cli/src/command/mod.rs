//! The commands, one noun a file.

pub mod index;
pub mod job;
pub mod localnet;
pub mod provider;
