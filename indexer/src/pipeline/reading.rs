//! While history is read: a bar on a terminal, a line in the log elsewhere, and a gauge.

use crate::{source::Progress, telemetry};
use std::{sync::Arc, time::Duration};

/// Shorter readings are not shown.
const SHORT: Duration = Duration::from_secs(1);
const REDRAWN: Duration = Duration::from_millis(200);
const LOGGED: Duration = Duration::from_secs(10);
/// Of a bar.
const STEPS: u64 = 1_000;

/// Shows it until it is dropped.
pub(super) struct Shown(tokio::task::JoinHandle<()>);

impl Shown {
    /// Must be called within a Tokio runtime.
    pub fn of(progress: Arc<Progress>) -> Self {
        Self(tokio::spawn(async move {
            let measured = measured(progress.clone());
            tokio::select! {
                () = measured => {}
                () = drawn(&progress) => {}
            }
        }))
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.0.abort();
        metrics::gauge!(telemetry::HISTORY).set(1.0);
    }
}

async fn measured(progress: Arc<Progress>) {
    loop {
        metrics::gauge!(telemetry::HISTORY).set(progress.share().1);
        tokio::time::sleep(REDRAWN).await;
    }
}

async fn drawn(progress: &Progress) {
    tokio::time::sleep(SHORT).await;
    let Some(bar) = joule_logs::bar(STEPS) else {
        loop {
            tokio::time::sleep(LOGGED - SHORT).await;
            let (step, share) = progress.share();
            tracing::info!(percent = percent(share), step = step.name(), "reading history by RPC");
            tokio::time::sleep(SHORT).await;
        }
    };
    loop {
        let (step, share) = progress.share();
        bar.at((share * STEPS as f64) as u64, step.name());
        tokio::time::sleep(REDRAWN).await;
    }
}

fn percent(share: f64) -> u64 {
    (share * 100.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_whole_percents() {
        assert_eq!([0.0, 0.004, 0.5, 0.999, 1.0].map(percent), [0, 0, 50, 99, 100]);
    }
}
