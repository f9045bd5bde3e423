//! Channels.

use super::{Conditions, Filter};
use crate::types::Address;
use joule_api::{Against, Channel, ChannelStatus};

/// Which channels to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChannelFilter {
    pub payer: Option<Address>,
    pub provider: Option<Address>,
    pub model: Option<Address>,
    pub status: Option<ChannelStatus>,
    /// Who was proven wrong about a bill, alone or not.
    pub lost_by: Option<Against>,
}

/// Whoever has lost has done so alone or with the other.
const fn lost_by(who: Against) -> &'static [&'static str] {
    match who {
        Against::Provider => &["provider", "both"],
        Against::Payer => &["payer", "both"],
        Against::Both => &["both"],
    }
}

impl Filter for ChannelFilter {
    type Noun = Channel;

    fn conditions(&self) -> Conditions {
        Conditions::default()
            .name("status", self.status)
            .one_of("dispute_against", self.lost_by.map(lost_by))
            .address("payer", self.payer)
            .address("provider", self.provider)
            .address("model", self.model)
    }
}
