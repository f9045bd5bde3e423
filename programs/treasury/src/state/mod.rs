//! The accounts, one noun a file, and beside them what they do about fees, outflow and rewards.

mod accepted_mint;
mod fee;
mod outflow;
mod protocol;
mod rewards;

pub use accepted_mint::AcceptedMint;
pub use outflow::BreakerChange;
pub use protocol::{Protocol, Service};
