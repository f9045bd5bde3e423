//! What the operator's tools ask: `/healthz` and `/metrics`.

use crate::{config::Listen, outage::Outages, telemetry};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::get,
    Json, Router,
};
use metrics_exporter_prometheus::PrometheusHandle;
use std::{net::SocketAddr, time::Duration};
use tokio_util::sync::CancellationToken;

/// These are asked by a few, one after the other.
const LIMITS: joule_listen::Limits = joule_listen::Limits {
    connections: 32,
    share: joule_listen::Share::Usual,
    header_bytes: 16 << 10,
    header: Duration::from_secs(10),
    write: Duration::from_secs(10),
};

#[derive(Clone)]
struct Shared {
    outages: Outages,
    metrics: PrometheusHandle,
    stopping: CancellationToken,
}

/// Answers until `stopped`; `stopping` is when the node takes nothing new. Returns where, unless it is off.
pub async fn start(
    listen: Listen,
    outages: Outages,
    stopping: CancellationToken,
    stopped: CancellationToken,
) -> anyhow::Result<Option<SocketAddr>> {
    let metrics = telemetry::metrics()?;
    let Listen::At(address) = listen else { return Ok(None) };
    let listener = joule_listen::bind(address, "--listen or `listen` in [node]; \"off\" turns it off").await?;
    let address = listener.local_addr()?;
    let router = Router::new()
        .route("/healthz", get(healthz))
        .route("/metrics", get(async |State(shared): State<Shared>| shared.metrics.render()))
        .with_state(Shared { outages, metrics, stopping });
    tokio::spawn(joule_listen::serve(listener, router, LIMITS, stopped));
    Ok(Some(address))
}

/// Not well while jobs cannot be done: without the chain, without the indexer, or unregistered.
async fn healthz(State(Shared { outages, stopping, .. }): State<Shared>) -> Response {
    let (outages, stopping) = (outages.now(), stopping.is_cancelled());
    let is_good = outages.is_empty() && !stopping;
    let status = if is_good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(serde_json::json!({ "ok": is_good, "stopping": stopping, "failing": outages }))).into_response()
}
