//! The accounts, one noun a file.

mod bid;
mod client;
mod dispute;
mod draw;
mod dues;
mod engagement;
mod job;
mod panel;
mod terms;
mod vote;

pub use bid::Bid;
pub use client::Client;
pub use dispute::{Dispute, DisputeStatus, Round, Verdict, MEMBERS};
pub use dues::Dues;
pub use engagement::Engagement;
pub use job::{Job, JobStatus, Opening, RefundReason};
pub use panel::{epoch_at, Lottery, Panel, Resolver};
pub use terms::{Pricing, Terms, Verification};
pub use vote::{commitment, Vote};
