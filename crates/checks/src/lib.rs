//! What several services look at before they start, each with what to do about what is wrong.

mod disk;
mod provider;

pub use disk::{key, writable};
pub use joule_sdk::refusal::last_cause;
pub use provider::{bond, cluster, fees, registered};
