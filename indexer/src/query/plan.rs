//! Plans.

use super::{Conditions, Filter};
use crate::types::Address;
use joule_api::{Plan, PlanStatus};

/// Which plans to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlanFilter {
    pub payer: Option<Address>,
    pub channel: Option<Address>,
    pub status: Option<PlanStatus>,
}

impl Filter for PlanFilter {
    type Noun = Plan;

    fn conditions(&self) -> Conditions {
        Conditions::default().name("status", self.status).address("payer", self.payer).address("channel", self.channel)
    }
}
