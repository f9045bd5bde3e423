//! Metrics.

use crate::space::Space;
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use std::sync::{Mutex, PoisonError};

/// Requests, by `method` and by `outcome`: `stored`, `given`, or why not.
pub const REQUESTS: &str = "joule_store_requests_total";
/// Bytes of artifacts that came in.
pub const RECEIVED: &str = "joule_store_received_bytes_total";
/// Bytes of artifacts that went out.
pub const SENT: &str = "joule_store_sent_bytes_total";
/// Bytes that are stored, or have room while they come.
const STORED: &str = "joule_store_stored_bytes";
/// 1 if nothing more fits, otherwise 0.
const FULL: &str = "joule_store_full";
/// Bytes that are free on the disk of a folder.
const FREE: &str = "joule_store_free_bytes";

static HANDLE: Mutex<Option<PrometheusHandle>> = Mutex::new(None);

/// Starts collecting, once in a process.
pub fn metrics() -> Result<PrometheusHandle, BuildError> {
    let mut installed = HANDLE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = installed.as_ref() {
        return Ok(handle.clone());
    }
    let handle = PrometheusBuilder::new().install_recorder()?;
    metrics::describe_counter!(REQUESTS, "Requests, by method and outcome.");
    metrics::describe_counter!(RECEIVED, "Bytes of artifacts that came in.");
    metrics::describe_counter!(SENT, "Bytes of artifacts that went out.");
    metrics::describe_gauge!(STORED, "Bytes that are stored, or have room while they come.");
    metrics::describe_gauge!(FULL, "1 if nothing more fits, otherwise 0.");
    metrics::describe_gauge!(FREE, "Bytes that are free on the disk of a folder.");
    // Present from the start, so that nobody takes a missing counter for zero or zero for a missing counter.
    for name in [RECEIVED, SENT] {
        metrics::counter!(name).increment(0);
    }
    for (method, outcome) in [("put", "stored"), ("put", "store_unavailable"), ("get", "given"), ("get", "damaged")] {
        metrics::counter!(REQUESTS, "method" => method, "outcome" => outcome).increment(0);
    }
    *installed = Some(handle.clone());
    Ok(handle)
}

/// What is measured when somebody asks.
pub fn measure(space: &Space) {
    metrics::gauge!(STORED).set(space.taken() as f64);
    metrics::gauge!(FULL).set(f64::from(u8::from(space.is_full())));
    if let Some(free) = space.free() {
        metrics::gauge!(FREE).set(free as f64);
    }
}
