//! Providers.

use super::{Conditions, Filter};
use joule_api::{Provider, ProviderStatus};

/// Which providers to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProviderFilter {
    pub status: Option<ProviderStatus>,
}

impl Filter for ProviderFilter {
    type Noun = Provider;

    fn conditions(&self) -> Conditions {
        Conditions::default().name("status", self.status)
    }
}
