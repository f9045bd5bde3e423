//! Quantities that must not be mixed up, and the arithmetic that money is divided with.
//!
//! Everything here is pure, `no_std`, and the same on chain and off.

#![no_std]

mod amount;
mod breaker;
pub mod decay;
pub mod split;
mod time;
mod wide;

pub use amount::{Amount, Bps};
pub use breaker::Breaker;
pub use time::{Seconds, UnixTime};
pub use wide::{halves, product, sum, times};
