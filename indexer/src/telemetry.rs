//! Metrics and logs.

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

/// Messages received, by `kind`.
pub const UPDATES: &str = "joule_indexer_updates_total";
/// Events stored for the first time.
pub const EVENTS: &str = "joule_indexer_events_total";
/// Messages of the stream that name neither account nor transaction, and so could not even be kept.
pub const UNREADABLE: &str = "joule_indexer_unreadable_updates_total";
/// Questions to the RPC node, by `method`.
pub const RPC_CALLS: &str = "joule_indexer_rpc_calls_total";
/// Those that were not answered, or with an error, by `method`.
pub const RPC_ERRORS: &str = "joule_indexer_rpc_errors_total";
/// Accounts, events and transactions that could not be decoded.
pub const DEAD_LETTERS: &str = "joule_indexer_dead_letters_total";
/// Connections to an `endpoint` that were made after one was lost, by the `reason` of the loss.
pub const RECONNECTS: &str = "joule_indexer_reconnects_total";
/// Connections to an `endpoint` that came to nothing, by `reason`.
pub const REFUSALS: &str = "joule_indexer_refusals_total";
/// 1 while an `endpoint` is followed, otherwise 0.
pub const ENDPOINT_LIVE: &str = "joule_indexer_endpoint_live";
/// The newest slot that an `endpoint` has told of.
pub const ENDPOINT_SLOT: &str = "joule_indexer_endpoint_slot";
/// Endpoints that are followed.
pub const ENDPOINTS_LIVE: &str = "joule_indexer_endpoints_live";
/// Gaps that had to be filled by RPC.
pub const GAPS: &str = "joule_indexer_gaps_total";
/// Banks that were shown and will never be confirmed: dead forks.
pub const DISCARDED: &str = "joule_indexer_discarded_banks_total";
/// Seconds that a block took through each `stage`: `queued` until it is taken from its source's queue, `ordered` until it is confirmed and
/// its turn, both from when its end was received; `stored` from there until it is in the store.
pub const STAGE: &str = "joule_indexer_stage_seconds";
/// Share of a gap's history that is read, from 0 to 1; 1 while none is.
pub const HISTORY: &str = "joule_indexer_history_ratio";
/// 1 while the indexer follows the chain and nothing is wrong, otherwise 0.
pub const LIVE: &str = "joule_indexer_live";
/// 1 for the `phase` in which the indexer is, 0 for the others.
pub const PHASE: &str = "joule_indexer_phase";
/// Seconds since the last update of the stream.
pub const LAST_UPDATE: &str = "joule_indexer_last_update_seconds";
/// Slots of the gap that is open; 0 when none is.
pub const OPEN_GAP: &str = "joule_indexer_open_gap_slots";
/// Slots from the checkpoint to where the cluster must be by the clock.
pub const LAG: &str = "joule_indexer_lag_slots";
/// Messages of an `endpoint` received and not processed.
pub const QUEUE: &str = "joule_indexer_queue_depth";
/// Updates held until they are confirmed.
pub const HELD: &str = "joule_indexer_held_updates";
/// Seconds that one transaction of the store took.
pub const COMMIT: &str = "joule_indexer_commit_seconds";
/// Blocks in one transaction of the store.
pub const BATCH: &str = "joule_indexer_commit_blocks";
/// Unix seconds of the last backup; 0 if none is known.
pub const LAST_BACKUP: &str = "joule_indexer_last_backup_timestamp_seconds";
/// The newest stored slot.
pub const CHECKPOINT: &str = "joule_indexer_checkpoint_slot";

static HANDLE: Mutex<Option<PrometheusHandle>> = Mutex::new(None);

/// Starts collecting, once in a process.
pub fn metrics() -> Result<PrometheusHandle, BuildError> {
    let mut installed = HANDLE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = installed.as_ref() {
        return Ok(handle.clone());
    }
    let seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
    // A confirmation alone takes most of a second, and one that comes with finality a quarter of a minute.
    let stages = [0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 30.0, 60.0];
    let blocks = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0];
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(COMMIT.to_owned()), &seconds)?
        .set_buckets_for_metric(Matcher::Full(STAGE.to_owned()), &stages)?
        .set_buckets_for_metric(Matcher::Full(BATCH.to_owned()), &blocks)?
        .install_recorder()?;
    metrics::describe_counter!(UPDATES, "Messages received from the stream.");
    metrics::describe_counter!(EVENTS, "Events stored for the first time.");
    metrics::describe_counter!(DEAD_LETTERS, "Accounts, events and transactions that could not be decoded.");
    metrics::describe_counter!(UNREADABLE, "Messages of the stream that could not even be kept.");
    metrics::describe_counter!(RPC_CALLS, "Questions to the RPC node.");
    metrics::describe_counter!(RPC_ERRORS, "Questions to the RPC node that were not answered, or with an error.");
    metrics::describe_counter!(
        RECONNECTS,
        "Connections to an endpoint that were made after one was lost, by why it was."
    );
    metrics::describe_counter!(REFUSALS, "Connections to an endpoint that came to nothing, by why.");
    metrics::describe_gauge!(ENDPOINT_LIVE, "1 while an endpoint is followed.");
    metrics::describe_gauge!(ENDPOINT_SLOT, "The newest slot that an endpoint has told of.");
    metrics::describe_gauge!(ENDPOINTS_LIVE, "Endpoints that are followed.");
    metrics::describe_counter!(DISCARDED, "Banks that were shown and will never be confirmed.");
    metrics::describe_histogram!(STAGE, metrics::Unit::Seconds, "Time of a block in each stage.");
    metrics::describe_gauge!(HISTORY, "Share of a gap's history that is read; 1 while none is.");
    metrics::describe_counter!(GAPS, "Gaps that had to be filled by RPC.");
    metrics::describe_gauge!(LIVE, "1 while the indexer follows the chain and nothing is wrong.");
    metrics::describe_gauge!(PHASE, "1 for the phase in which the indexer is.");
    metrics::describe_gauge!(LAST_UPDATE, metrics::Unit::Seconds, "Time since the last update of the stream.");
    metrics::describe_gauge!(OPEN_GAP, "Slots of the gap that is open.");
    metrics::describe_gauge!(LAG, "Slots from the checkpoint to where the cluster must be by the clock.");
    metrics::describe_gauge!(QUEUE, "Messages received and not processed.");
    metrics::describe_gauge!(HELD, "Updates held until they are confirmed.");
    metrics::describe_gauge!(
        LAST_BACKUP,
        metrics::Unit::Seconds,
        "When the database was last backed up; 0 if that is not known."
    );
    metrics::describe_gauge!(CHECKPOINT, "The newest stored slot.");
    metrics::describe_histogram!(COMMIT, metrics::Unit::Seconds, "Time of one transaction of the store.");
    metrics::describe_histogram!(BATCH, "Blocks in one transaction of the store.");
    // Present from the start, so that nobody takes a missing counter for zero or zero for a missing counter.
    for name in [EVENTS, DEAD_LETTERS, UNREADABLE, GAPS, DISCARDED] {
        metrics::counter!(name).increment(0);
    }
    metrics::gauge!(HISTORY).set(1.0);
    *installed = Some(handle.clone());
    Ok(handle)
}

/// The time of a block in a stage, which began then.
pub fn stage(stage: &'static str, began: Instant) {
    metrics::histogram!(STAGE, "stage" => stage).record(began.elapsed().as_secs_f64());
}

/// Logs to standard error, as text or as one JSON object a line; `RUST_LOG` says how much.
pub fn logs(json: bool) {
    joule_logs::init(json, "info");
}
