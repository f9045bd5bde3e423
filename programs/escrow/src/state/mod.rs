//! The accounts, one noun a file.

mod client;
mod job;
mod terms;

pub use client::Client;
pub use job::{Dues, Job, JobStatus, Opening, RefundReason};
pub use terms::{Terms, Verification};
