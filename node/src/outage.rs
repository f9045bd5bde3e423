//! Says once that something stopped working, and once that it works again; and to whoever asks, what does not work now.

use crate::telemetry;
use std::{
    collections::BTreeMap,
    fmt::Display,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tracing::{info, warn};

/// What does not work, by part, with the reason that was given last.
#[derive(Debug, Clone, Default)]
pub struct Outages(Arc<Mutex<BTreeMap<&'static str, String>>>);

impl Outages {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn now(&self) -> BTreeMap<&'static str, String> {
        self.lock().clone()
    }

    /// Watches a part; `what` is how the log calls it.
    pub fn of(&self, part: &'static str, what: &'static str) -> Outage {
        metrics::gauge!(telemetry::WORKS, "part" => part).set(1.0);
        Outage { part, what, all: self.clone() }
    }
}

#[derive(Debug)]
pub struct Outage {
    part: &'static str,
    what: &'static str,
    all: Outages,
}

impl Outage {
    pub fn began(&mut self, reason: &dyn Display) {
        let reason = reason.to_string();
        if self.all.lock().insert(self.part, reason.clone()).is_none() {
            metrics::gauge!(telemetry::WORKS, "part" => self.part).set(0.0);
            warn!(%reason, "{} fails; trying again until it works", self.what);
        }
    }

    pub fn lasts(&self) -> bool {
        self.all.lock().contains_key(self.part)
    }

    pub fn over(&mut self) {
        if self.all.lock().remove(self.part).is_some() {
            metrics::gauge!(telemetry::WORKS, "part" => self.part).set(1.0);
            info!("{} works again", self.what);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_work_is_known_until_it_does() {
        let all = Outages::default();
        let mut rpc = all.of("rpc", "the RPC node");
        assert!(!rpc.lasts() && all.now().is_empty());
        rpc.began(&"refused");
        rpc.began(&"silent");
        assert!(rpc.lasts());
        assert_eq!(all.now().get("rpc").map(String::as_str), Some("silent"));
        rpc.over();
        assert!(!rpc.lasts() && all.now().is_empty());
    }
}
