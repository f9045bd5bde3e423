//! Jobs.

use super::{Conditions, Filter};
use crate::types::Address;
use joule_api::{Job, JobStatus};

/// Which jobs to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFilter {
    pub status: Option<JobStatus>,
    pub client: Option<Address>,
    pub provider: Option<Address>,
    pub mint: Option<Address>,
}

impl Filter for JobFilter {
    type Noun = Job;

    fn conditions(&self) -> Conditions {
        Conditions::default()
            .name("status", self.status)
            .address("client", self.client)
            .address("provider", self.provider)
            .address("mint", self.mint)
    }
}
