//! Models.

use super::{Conditions, Filter};
use crate::types::Address;
use joule_api::{Model, ModelStatus};

/// Which models to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelFilter {
    pub status: Option<ModelStatus>,
    pub creator: Option<Address>,
    /// Only what derives from this model, without another between.
    pub base: Option<Address>,
}

impl Filter for ModelFilter {
    type Noun = Model;

    fn conditions(&self) -> Conditions {
        Conditions::default().name("status", self.status).address("creator", self.creator).address("base", self.base)
    }
}
