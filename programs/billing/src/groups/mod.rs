//! Accounts that several instructions share, and what is done with them.

mod condemned;
mod locking;

pub use condemned::*;
pub use locking::*;
