//! The indexer on a real chain: the programs' own binaries, RPC, and the Yellowstone gRPC stream.
//!
//! Needs `target/deploy/*.so` (`make build`).

mod behind;
mod followed;
mod gaps;
mod holes;
mod identity;
mod late;
mod node;
mod pages;
mod relay;
mod secret;
mod several;
mod silence;
mod support;
mod versions;
