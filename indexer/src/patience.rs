//! Waiting for a store that fails, since asking it again may help.

use crate::{
    health::Health,
    store::{Result, StoreError},
};
use backon::{BlockingRetryable as _, ExponentialBuilder};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Acts again, each time after a longer wait, while `is_passing` says so of the error, until `stop`; the API's health says why.
/// Call it from a blocking thread.
pub fn patiently<T>(
    health: &Health,
    stop: &CancellationToken,
    is_passing: impl Fn(&StoreError) -> bool,
    act: impl FnMut() -> Result<T>,
) -> Result<T> {
    let delays = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(50))
        .with_max_delay(Duration::from_secs(5))
        .without_max_times();
    let done = act
        .retry(delays)
        .sleep(std::thread::sleep)
        .when(|error| is_passing(error) && !stop.is_cancelled())
        .notify(|error, delay| {
            tracing::error!(%error, delay_ms = delay.as_millis(), "the store fails; trying again");
            health.store_failed(Some(error.to_string()));
        })
        .call()?;
    health.store_failed(None);
    Ok(done)
}
