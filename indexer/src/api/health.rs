//! How the indexer itself is doing.

use super::State;
use axum::{extract::State as From, http::header, http::StatusCode, response::IntoResponse, Json};
use joule_api::Health;

/// Whether the indexer follows the chain.
#[utoipa::path(get, path = "/healthz", operation_id = "get_health", tag = "service", responses(
    (status = 200, description = "It does", body = Health),
    (status = 503, description = "It does not, for the reason given; what it answers may be old", body = Health),
))]
pub async fn get(From(state): From<State>) -> impl IntoResponse {
    let report = state.health.report();
    let status = if report.ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(report))
}

/// Counters and histograms in Prometheus' text format.
#[utoipa::path(get, path = "/metrics", operation_id = "get_metrics", tag = "service", responses(
    (status = 200, description = "The metrics", body = String, content_type = "text/plain"),
))]
pub async fn metrics(From(state): From<State>) -> impl IntoResponse {
    state.health.measure();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], state.metrics.render())
}
