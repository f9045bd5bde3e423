//! The accounts, one noun a file.

mod bid;
mod client;
mod dispute;
mod draw;
mod dues;
mod engagement;
mod job;
mod panel;
mod round;
mod terms;
mod vote;

pub use bid::Bid;
pub use client::Client;
pub use dispute::{Dispute, DisputeStatus, Verdict, MEMBERS};
pub use draw::tickets;
pub use dues::Dues;
pub use engagement::Engagement;
pub(crate) use job::is_zero;
pub use job::{Job, JobStatus, Opening, RefundReason};
pub use panel::{epoch_at, Lottery, Panel, Resolver};
pub use round::{Round, Third};
pub use terms::{Pricing, Terms, Verification};
pub use vote::{commitment, Vote};
