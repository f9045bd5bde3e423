//! The accounts, one noun a file, and beside the channel what it does about money, its end and disputes.

mod channel;
mod closing;
mod cluster;
mod dispute;
mod dues;
mod payer;
mod plan;
mod session;

pub use channel::{Channel, ChannelTerms, Opening, Promise};
pub use cluster::Cluster;
pub use dispute::Verdict;
pub use dues::{pay_or_owe, Division, PARTIES};
pub use payer::Payer;
pub use plan::{Plan, PlanStatus, Starting};
pub use session::Session;
