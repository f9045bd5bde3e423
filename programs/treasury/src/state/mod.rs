//! The accounts, one noun a file.

mod accepted_mint;
mod protocol;

pub use accepted_mint::AcceptedMint;
pub use protocol::{Protocol, Service};
