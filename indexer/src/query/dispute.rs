//! Disputes.

use super::{Conditions, Filter};
use joule_api::{Dispute, DisputeStatus};

/// Which disputes to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DisputeFilter {
    pub status: Option<DisputeStatus>,
}

impl Filter for DisputeFilter {
    type Noun = Dispute;

    fn conditions(&self) -> Conditions {
        Conditions::default().name("status", self.status)
    }
}
