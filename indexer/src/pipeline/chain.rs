//! Nothing is followed before it is known which chain it is.

use super::Shared;
use crate::{patience::patiently, source::History, store::StoreError};
use anyhow::Context as _;
use backon::{BackoffBuilder, ExponentialBuilder};
use joule_settings::Causes;
use std::time::Duration;
use tokio::sync::oneshot;

/// Asks until the RPC node answers. An error if it serves another chain than the store has; false if the indexer is stopped first.
/// `first` hears of the first answer: whether it is of another chain.
pub(super) async fn known(
    history: &impl History,
    shared: &Shared,
    first: oneshot::Sender<bool>,
) -> anyhow::Result<bool> {
    let mut first = Some(first);
    let mut delays = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(Duration::from_secs(5))
        .without_max_times()
        .build();
    loop {
        let asked = tokio::select! {
            () = shared.stop.cancelled() => return Ok(false),
            asked = history.genesis() => asked,
        };
        let reason = match asked {
            Ok(genesis) => {
                let Shared { store, health, stop, .. } = shared.clone();
                let is_passing = |error: &StoreError| matches!(error, StoreError::Away(_) | StoreError::Database(_));
                let bind = move || patiently(&health, &stop, is_passing, || store.bind(&genesis));
                let bound = tokio::task::spawn_blocking(bind).await?;
                if let Some(first) = first {
                    // Who started it may have stopped waiting.
                    let _ = first.send(bound.is_err());
                }
                bound.context("nothing is followed")?;
                shared.health.history_failed(None);
                return Ok(true);
            }
            Err(error) => Causes(error.as_ref()).to_string(),
        };
        tracing::error!(reason, "the RPC node does not answer; trying again");
        shared.health.history_failed(Some(format!(
            "nothing is followed before the RPC node says which chain it serves: {reason}"
        )));
        drop(first.take());
        tokio::select! {
            () = shared.stop.cancelled() => return Ok(false),
            () = tokio::time::sleep(delays.next().unwrap_or(Duration::from_secs(5))) => {}
        }
    }
}
