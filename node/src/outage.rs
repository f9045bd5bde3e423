//! Says once that something stopped working, and once that it works again.

use std::fmt::Display;
use tracing::{info, warn};

#[derive(Debug)]
pub struct Outage {
    what: &'static str,
    /// The last reason given, while it lasts.
    reason: Option<String>,
}

impl Outage {
    pub fn new(what: &'static str) -> Self {
        Self { what, reason: None }
    }

    pub fn began(&mut self, reason: &dyn Display) {
        let reason = reason.to_string();
        if self.reason.is_none() {
            warn!(%reason, "{} fails; trying again until it works", self.what);
        }
        self.reason = Some(reason);
    }

    pub fn lasts(&self) -> bool {
        self.reason.is_some()
    }

    pub fn over(&mut self) {
        if self.reason.take().is_some() {
            info!("{} works again", self.what);
        }
    }
}
