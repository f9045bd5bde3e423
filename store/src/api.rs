//! The routes.

use crate::{
    config::Settings, failure::Failure, give, health::Health, receive, space::Space, telemetry, traffic::Traffic,
};
use axum::{
    body::Body,
    extract::{rejection::PathRejection, Extension, Path, State as From},
    http::{header, StatusCode},
    response::{IntoResponse as _, Response},
    routing::{get, put},
    Json, Router,
};
use joule_artifacts::{ArtifactStore, Hash};
use joule_listen::Peer;
use metrics_exporter_prometheus::PrometheusHandle;
use std::{sync::Arc, time::Duration};

/// What handlers need.
pub struct State {
    pub store: ArtifactStore,
    pub space: Arc<Space>,
    pub taken_in: Traffic,
    pub given_out: Traffic,
    pub health: Health,
    pub max_artifact: u64,
    pub idle: Duration,
    pub min_rate: u64,
    metrics: Option<PrometheusHandle>,
}

type Shared = From<Arc<State>>;
type Named = Result<Path<String>, PathRejection>;

impl State {
    pub fn new(
        store: ArtifactStore,
        space: Arc<Space>,
        settings: &Settings,
        metrics: Option<PrometheusHandle>,
    ) -> Self {
        Self {
            store,
            space,
            taken_in: Traffic::new(settings.hourly_in, settings.address_share),
            given_out: Traffic::new(settings.hourly_out, settings.address_share),
            health: Health::default(),
            max_artifact: settings.max_artifact,
            idle: settings.idle,
            min_rate: settings.min_rate,
            metrics,
        }
    }
}

pub fn router(state: Arc<State>) -> Router {
    Router::new()
        .route("/v1/artifacts", put(store))
        .route("/v1/artifacts/{hash}", get(fetch).head(look).put(store_as))
        .route("/healthz", get(health))
        .route("/metrics", get(metrics))
        .fallback(|| std::future::ready(Failure::NoRoute))
        .method_not_allowed_fallback(|| std::future::ready(Failure::Method))
        .with_state(state)
}

async fn store(From(state): Shared, Extension(peer): Extension<Peer>, body: Body) -> Response {
    counted("put", "stored", receive::receive(&state, peer, None, body).await)
}

async fn store_as(From(state): Shared, Extension(peer): Extension<Peer>, hash: Named, body: Body) -> Response {
    let stored = match named(hash) {
        Ok(hash) => receive::receive(&state, peer, Some(hash), body).await,
        Err(failure) => Err(failure),
    };
    counted("put", "stored", stored)
}

async fn fetch(From(state): Shared, Extension(peer): Extension<Peer>, hash: Named) -> Response {
    let given = match named(hash) {
        Ok(hash) => give::give(&state, peer, hash).await,
        Err(failure) => Err(failure),
    };
    counted("get", "given", given)
}

async fn look(From(state): Shared, Extension(peer): Extension<Peer>, hash: Named) -> Response {
    let told = match named(hash) {
        Ok(hash) => give::tell(&state, peer, hash).await,
        Err(failure) => Err(failure),
    };
    counted("head", "given", told)
}

fn named(hash: Named) -> Result<Hash, Failure> {
    let Path(text) = hash.map_err(|error| Failure::BadHash(error.body_text()))?;
    text.parse().map_err(|error: joule_artifacts::ParseHashError| Failure::BadHash(error.to_string()))
}

fn counted(method: &'static str, done: &'static str, result: Result<Response, Failure>) -> Response {
    let outcome = result.as_ref().map_or_else(Failure::code, |_| done);
    metrics::counter!(telemetry::REQUESTS, "method" => method, "outcome" => outcome).increment(1);
    result.unwrap_or_else(Failure::into_response)
}

/// 503 when nothing can be stored; what is there may be given out all the same.
async fn health(From(state): Shared) -> Response {
    let trouble = match state.space.is_full() {
        true => Some("no more artifacts fit: see max_stored and min_free".to_owned()),
        false => state.health.trouble(&state.store).await,
    };
    let status = if trouble.is_none() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = serde_json::json!({ "ok": trouble.is_none(), "reason": trouble, "stored_bytes": state.space.taken() });
    (status, Json(body)).into_response()
}

async fn metrics(From(state): Shared) -> Response {
    let Some(metrics) = &state.metrics else { return Failure::NoRoute.into_response() };
    telemetry::measure(&state.space);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics.render()).into_response()
}
