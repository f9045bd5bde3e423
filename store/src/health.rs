//! Whether artifacts can be stored and read again, found out by doing it.

use joule_artifacts::{ArtifactError, ArtifactStore};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// It is no stranger's to have it found out more often.
const EVERY: Duration = Duration::from_secs(15);
const PROBE: &[u8] = b"joule-store";

#[derive(Debug, Default)]
pub struct Health(Mutex<Option<(Instant, Option<String>)>>);

impl Health {
    /// What is wrong.
    pub async fn trouble(&self, store: &ArtifactStore) -> Option<String> {
        let mut known = self.0.lock().await;
        match &*known {
            Some((at, trouble)) if at.elapsed() < EVERY => trouble.clone(),
            _ => {
                // Where it lies is nothing for strangers.
                let trouble = probe(store).await.err().map(|error| {
                    tracing::error!(%error, "artifacts cannot be stored and read again");
                    "the place where artifacts lie does not answer: the log says why".to_owned()
                });
                *known = Some((Instant::now(), trouble.clone()));
                trouble
            }
        }
    }
}

/// Stores something, and reads it.
pub async fn probe(store: &ArtifactStore) -> Result<(), ArtifactError> {
    let hash = store.put(PROBE).await?;
    store.get(hash, PROBE.len() as u64).await.map(drop)
}
