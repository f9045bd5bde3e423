//! What is counted, for Prometheus.

use crate::chain::Address;
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use std::sync::{Mutex, PoisonError};

/// Steps that jobs of this provider took, by `step`: `accepted`, `delivered`, `paid`, `refused`, `dropped` or `missed`.
pub const JOBS: &str = "joule_node_jobs_total";
/// Jobs and bids as they stand, by `state`: `working`, `delivered` or `bid`.
pub const STANDING: &str = "joule_node_jobs";
/// Bids, by `outcome`: `placed`, `won` or `lost`.
pub const BIDS: &str = "joule_node_bids_total";
/// Acts in disputes, by `act`: `checked`, `challenged`, `committed`, `revealed` or `appealed`.
pub const COURT: &str = "joule_node_court_total";
/// Looks at the chain that failed.
pub const RPC_ERRORS: &str = "joule_node_rpc_errors_total";
/// Unix seconds of the indexer's last answer.
pub const INDEXER: &str = "joule_node_indexer_last_contact_seconds";
/// Seconds in which jobs were run.
pub const WORKED: &str = "joule_node_worked_seconds_total";
/// Base units that jobs have paid, the protocol's fee included, by `mint`.
pub const EARNED: &str = "joule_node_earned_base_units_total";
/// Base units of the bond, by `mint` and `part`: `free`, `locked` or `unbonding`.
pub const BOND: &str = "joule_node_bond_base_units";
/// 1 while nothing of `part` is wrong, otherwise 0: `rpc`, `indexer`, `disputes`, `provider`, `seat` or `disk`.
pub const WORKS: &str = "joule_node_works";

static HANDLE: Mutex<Option<PrometheusHandle>> = Mutex::new(None);

/// Starts collecting, once in a process.
pub fn metrics() -> Result<PrometheusHandle, BuildError> {
    let mut installed = HANDLE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = installed.as_ref() {
        return Ok(handle.clone());
    }
    let handle = PrometheusBuilder::new().install_recorder()?;
    metrics::describe_counter!(JOBS, "Steps that jobs of this provider took.");
    metrics::describe_gauge!(STANDING, "Jobs and bids as they stand.");
    metrics::describe_counter!(BIDS, "Bids, by outcome.");
    metrics::describe_counter!(COURT, "Acts in disputes.");
    metrics::describe_counter!(RPC_ERRORS, "Looks at the chain that failed.");
    metrics::describe_gauge!(INDEXER, metrics::Unit::Seconds, "Unix seconds of the indexer's last answer.");
    metrics::describe_counter!(WORKED, metrics::Unit::Seconds, "Seconds in which jobs were run.");
    metrics::describe_counter!(EARNED, "Base units that jobs have paid, the fee included, by mint.");
    metrics::describe_gauge!(BOND, "Base units of the bond, by mint and part.");
    metrics::describe_gauge!(WORKS, "1 while nothing of a part is wrong, otherwise 0.");
    // Present from the start, so that nobody takes a missing counter for zero or zero for a missing counter.
    for step in ["accepted", "delivered", "paid", "refused", "dropped", "missed"] {
        metrics::counter!(JOBS, "step" => step).increment(0);
    }
    for outcome in ["placed", "won", "lost"] {
        metrics::counter!(BIDS, "outcome" => outcome).increment(0);
    }
    for act in ["checked", "challenged", "committed", "revealed", "appealed"] {
        metrics::counter!(COURT, "act" => act).increment(0);
    }
    for name in [RPC_ERRORS, WORKED] {
        metrics::counter!(name).increment(0);
    }
    *installed = Some(handle.clone());
    Ok(handle)
}

pub fn job(step: &'static str) {
    metrics::counter!(JOBS, "step" => step).increment(1);
}

pub fn bid(outcome: &'static str) {
    metrics::counter!(BIDS, "outcome" => outcome).increment(1);
}

pub fn court(act: &'static str) {
    metrics::counter!(COURT, "act" => act).increment(1);
}

/// A job was paid; the protocol's fee is in it.
pub fn paid(mint: &Address, units: u64) {
    job("paid");
    metrics::counter!(EARNED, "mint" => mint.to_string()).increment(units);
}
