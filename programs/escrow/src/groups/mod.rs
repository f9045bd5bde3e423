//! Accounts that several instructions share, and what is done with them.

mod backing;
mod candidate;
mod earnings;
mod locking;
mod refund;

pub use backing::*;
pub use candidate::*;
pub use earnings::*;
pub use locking::*;
pub use refund::*;
