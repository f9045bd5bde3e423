//! Distributions.

use super::{Conditions, Filter};
use crate::{row::distribution::Divided, types::Address};

/// Which distributions to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DistributionFilter {
    pub channel: Option<Address>,
    pub payer: Option<Address>,
    pub provider: Option<Address>,
    pub model: Option<Address>,
}

impl Filter for DistributionFilter {
    type Noun = Divided;

    fn conditions(&self) -> Conditions {
        Conditions::default()
            .address("channel", self.channel)
            .address("payer", self.payer)
            .address("provider", self.provider)
            .address("model", self.model)
    }
}
