//! Metrics and logs.

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use std::sync::{Mutex, PoisonError};

/// Requests, by `model` and by `outcome`: `served`, `free`, or a refusal's code.
pub const REQUESTS: &str = "joule_gateway_requests_total";
/// Requests that were tried at a model for nothing.
pub const PROBES: &str = "joule_gateway_probes_total";
/// Base units billed, by `model`.
pub const BILLED: &str = "joule_gateway_billed_base_units_total";
/// Base units that accepted vouchers pay.
pub const PAID: &str = "joule_gateway_paid_base_units_total";
/// Base units brought on chain.
pub const SETTLED: &str = "joule_gateway_settled_base_units_total";
/// Transactions to the chain, by `kind` and `outcome`.
pub const TRANSACTIONS: &str = "joule_gateway_transactions_total";
/// Base units that vouchers promise and the chain has not settled.
pub const UNSETTLED: &str = "joule_gateway_unsettled_base_units";
/// Base units that the house channel of a `model` can still carry.
pub const EXACT_ROOM: &str = "joule_gateway_exact_room_base_units";
/// Base units that transactions of the scheme `exact` have paid.
pub const EXACT_PAID: &str = "joule_gateway_exact_paid_base_units_total";
/// 1 while the upstream of a `model` answers, otherwise 0.
pub const UPSTREAM_UP: &str = "joule_gateway_upstream_up";
/// Requests at the upstreams.
pub const SERVING: &str = "joule_gateway_serving";
/// Seconds from a request to the end of its answer.
pub const REQUEST: &str = "joule_gateway_request_seconds";
/// Seconds that the upstream took of it.
pub const UPSTREAM: &str = "joule_gateway_upstream_seconds";
/// Seconds in checks of signatures, and in making one.
pub const SIGNATURES: &str = "joule_gateway_signature_seconds";
/// Seconds that requests waited for the ledger to be on disk.
pub const LEDGER: &str = "joule_gateway_ledger_wait_seconds";
/// Seconds that one transaction of the ledger took.
pub const COMMIT: &str = "joule_gateway_commit_seconds";
/// Batches in one transaction of the ledger.
pub const BATCH: &str = "joule_gateway_commit_batches";
/// Transactions of the ledger that failed.
pub const LEDGER_FAILURES: &str = "joule_gateway_ledger_failures_total";

static HANDLE: Mutex<Option<PrometheusHandle>> = Mutex::new(None);

/// Starts collecting, once in a process.
pub fn metrics() -> Result<PrometheusHandle, BuildError> {
    let mut installed = HANDLE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = installed.as_ref() {
        return Ok(handle.clone());
    }
    let seconds = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 10.0];
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &seconds)?
        .set_buckets_for_metric(Matcher::Full(BATCH.to_owned()), &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0])?
        .install_recorder()?;
    metrics::describe_counter!(REQUESTS, "Requests, by model and outcome.");
    metrics::describe_counter!(PROBES, "Requests that were tried at a model for nothing.");
    metrics::describe_counter!(BILLED, "Base units billed, by model.");
    metrics::describe_counter!(PAID, "Base units that accepted vouchers pay.");
    metrics::describe_counter!(SETTLED, "Base units brought on chain.");
    metrics::describe_counter!(TRANSACTIONS, "Transactions to the chain, by kind and outcome.");
    metrics::describe_counter!(LEDGER_FAILURES, "Transactions of the ledger that failed.");
    metrics::describe_gauge!(UNSETTLED, "Base units that vouchers promise and the chain has not settled.");
    metrics::describe_gauge!(EXACT_ROOM, "Base units that the house channel of a model can still carry.");
    metrics::describe_counter!(EXACT_PAID, "Base units that transactions of the scheme exact have paid.");
    metrics::describe_gauge!(UPSTREAM_UP, "1 while the upstream of a model answers, otherwise 0.");
    metrics::describe_gauge!(SERVING, "Requests at the upstreams.");
    metrics::describe_histogram!(REQUEST, metrics::Unit::Seconds, "From a request to the end of its answer.");
    metrics::describe_histogram!(UPSTREAM, metrics::Unit::Seconds, "What the upstream took of it.");
    metrics::describe_histogram!(SIGNATURES, metrics::Unit::Seconds, "Checks of signatures, and making one.");
    metrics::describe_histogram!(LEDGER, metrics::Unit::Seconds, "Waiting for the ledger to be on disk.");
    metrics::describe_histogram!(COMMIT, metrics::Unit::Seconds, "One transaction of the ledger.");
    metrics::describe_histogram!(BATCH, "Batches in one transaction of the ledger.");
    // Present from the start, so that nobody takes a missing counter for zero or zero for a missing counter.
    for name in [PAID, SETTLED, EXACT_PAID, LEDGER_FAILURES, PROBES] {
        metrics::counter!(name).increment(0);
    }
    for kind in ["settle", "distribute", "close"] {
        for outcome in ["confirmed", "failed"] {
            metrics::counter!(TRANSACTIONS, "kind" => kind, "outcome" => outcome).increment(0);
        }
    }
    *installed = Some(handle.clone());
    Ok(handle)
}

/// Logs to standard error, as text or as one JSON object a line; `RUST_LOG` says how much.
pub fn logs(json: bool) {
    joule_logs::init(json, "info");
}
