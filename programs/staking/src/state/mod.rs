//! The accounts, one noun a file.

mod bond;
mod claim;
mod pool;
mod service;
mod stake;
#[cfg(test)]
mod sums;

pub use bond::{Bond, Opening};
pub use claim::{Claim, Tranche, TRANCHES};
pub use pool::{Params, Pool, Tier, ONE};
pub use service::Service;
pub use stake::Stake;
