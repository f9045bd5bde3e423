//! From a validator's event to an answer: when the server sends a job's change, and when the API shows it.

use crate::{
    kinds,
    serve::Hook,
    wire::{Fields, Look, Value},
};
use anyhow::Result;
use std::{
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc, Mutex, PoisonError,
    },
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// Between two questions, so that asking is not what is measured.
const REST: Duration = Duration::from_millis(5);
/// A change that does not show for so long is counted as lost.
const PATIENCE: Duration = Duration::from_secs(10);

/// A change that was sent.
struct Sent {
    job: [u8; 32],
    slot: u64,
    at: Instant,
}

/// Watches what is sent, one change at a time.
#[derive(Default)]
pub struct Probe {
    wanted: AtomicBool,
    sent: Mutex<Option<Sent>>,
    there: Notify,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    pub times: Vec<Duration>,
    /// Changes that never showed.
    pub lost: u64,
}

impl Found {
    fn add(&mut self, time: Option<Duration>) {
        match time {
            Some(time) => self.times.push(time),
            None => self.lost += 1,
        }
    }

    /// In milliseconds.
    pub fn at(&self, share: f64) -> Option<f64> {
        let mut times = self.times.clone();
        times.sort_unstable();
        let last = times.len().checked_sub(1)?;
        Some((times[(last as f64 * share).round() as usize].as_secs_f64() * 100_000.0).round() / 100.0)
    }
}

impl Probe {
    pub fn hook(self: &Arc<Self>) -> Hook {
        let probe = self.clone();
        Box::new(move |update| {
            if probe.wanted.load(Ordering::Relaxed) {
                probe.sent(update);
            }
        })
    }

    fn sent(&self, update: &[u8]) {
        let Look::Account(fields) = Look::of(update) else { return };
        let Some(info) = fields.get(1).map(|info| Fields(info.bytes())) else { return };
        let is_job = info.get(6).is_some_and(|data| kinds::account(data.bytes()) == Some("Job"));
        let job = info.get(1).and_then(|key| key.bytes().try_into().ok());
        let (true, Some(job), Some(slot)) = (is_job, job, fields.get(2).map(Value::number)) else { return };
        if self.wanted.swap(false, Ordering::Relaxed) {
            *self.sent.lock().unwrap_or_else(PoisonError::into_inner) = Some(Sent { job, slot, at: Instant::now() });
            self.there.notify_one();
        }
    }

    /// Asks the API at `url` again and again. Ends when it is dropped; what it found is in `found`.
    pub async fn ask(self: Arc<Self>, url: String, found: Arc<Mutex<Found>>) -> Result<()> {
        let client = reqwest::Client::new();
        loop {
            self.wanted.store(true, Ordering::Relaxed);
            self.there.notified().await;
            let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner).take();
            let Some(Sent { job, slot, at }) = sent else { continue };
            let url = format!("{url}/v1/jobs/{}", bs58::encode(job).into_string());
            let shown = loop {
                let answer = client.get(&url).send().await?;
                if answer.status().is_success() {
                    let job: serde_json::Value = answer.json().await?;
                    if job["slot"].as_u64() >= Some(slot) {
                        break true;
                    }
                }
                if at.elapsed() > PATIENCE {
                    break false;
                }
            };
            found.lock().unwrap_or_else(PoisonError::into_inner).add(shown.then(|| at.elapsed()));
            tokio::time::sleep(REST).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_what_was_found_are_in_milliseconds() {
        let times = (1..=101).map(Duration::from_millis).rev().collect();
        let found = Found { times, lost: 0 };
        assert_eq!([0.0, 0.5, 0.99, 1.0].map(|share| found.at(share).unwrap()), [1.0, 51.0, 100.0, 101.0]);
        assert_eq!(Found::default().at(0.5), None);
    }
}
