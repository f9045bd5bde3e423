//! The REST API: one noun a file, described by an OpenAPI 3.1 document that is made from the handlers.

mod account;
mod answer;
mod bond;
mod channel;
mod dispute;
mod distribution;
mod error;
mod extract;
mod feed;
mod health;
mod job;
mod model;
mod page;
mod payer;
mod plan;
mod provider;
mod revenue;
mod root;
mod synced;
#[cfg(test)]
mod tests;
mod totals;

pub use error::ApiError;

use crate::{feed::Feed, health::Health, query::View, scheduler::Scheduler};
use axum::{body::Bytes, http::header, middleware, response::Html, routing::get, Router};
use metrics_exporter_prometheus::PrometheusHandle;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

/// What handlers need.
#[derive(Clone)]
pub struct State {
    pub view: View,
    pub feed: Arc<Feed>,
    pub health: Arc<Health>,
    pub scheduler: Arc<Scheduler>,
    pub metrics: PrometheusHandle,
    /// Places for readers of the feed, who do not leave by themselves.
    pub readers: Arc<Semaphore>,
    /// Ends the streams of the feed.
    pub stop: CancellationToken,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Joule indexer",
        description = "Jobs, disputes, providers, bonds, models and their history, as the chain has them. Money and ids are decimal strings of \
                       u64 base units, times are Unix seconds, addresses base58, hashes lower-case hex. Rows say by \
                       `commitment` how sure the chain is of them: `processed` ones may still be undone by a fork. \
                       Totals, the counters of providers, distributions and revenue are of confirmed state only."
    ),
    tags(
        (name = "jobs", description = "Work that clients posted, and what is said against it."),
        (name = "providers", description = "Who does work, and what they answer with."),
        (name = "models", description = "What requests are made to, what they cost, and who shares in that."),
        (name = "billing", description = "Requests paid one by one: deposits, channels, plans, and what was earned."),
        (name = "chain", description = "Accounts, totals, the live feed."),
        (name = "service", description = "The indexer itself.")
    )
)]
struct Document;

fn described() -> OpenApiRouter<State> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(job::list))
        .routes(routes!(job::get))
        .routes(routes!(job::bids))
        .routes(routes!(dispute::list))
        .routes(routes!(dispute::get))
        .routes(routes!(provider::list))
        .routes(routes!(provider::get))
        .routes(routes!(provider::open_jobs))
        .routes(routes!(provider::refused_jobs))
        .routes(routes!(bond::list))
        .routes(routes!(model::list))
        .routes(routes!(model::get))
        .routes(routes!(model::prices))
        .routes(routes!(payer::get))
        .routes(routes!(channel::list))
        .routes(routes!(channel::get))
        .routes(routes!(plan::list))
        .routes(routes!(distribution::list))
        .routes(routes!(revenue::get))
        .routes(routes!(account::get))
        .routes(routes!(totals::get))
        .routes(routes!(feed::get))
        .routes(routes!(health::get))
        .routes(routes!(health::metrics))
}

/// The OpenAPI document.
pub fn document() -> utoipa::openapi::OpenApi {
    described().split_for_parts().1
}

/// Every route, errors as JSON included.
pub fn router(state: State) -> Router {
    let (router, document) = described().split_for_parts();
    let index = Bytes::from(root::page(&document));
    // Written once, and never copied.
    let document = Bytes::from(document.to_json().unwrap_or_default());
    let json = [(header::CONTENT_TYPE, "application/json")];
    router
        .route("/openapi.json", get(move || std::future::ready((json, document.clone()))))
        .route("/", get(move || std::future::ready(Html(index.clone()))))
        .fallback(|| std::future::ready(ApiError::NoRoute))
        .method_not_allowed_fallback(|| std::future::ready(ApiError::Method))
        .layer(middleware::from_fn_with_state(state.clone(), synced::check))
        .with_state(state)
}
