//! Connections: accepted while there are places, read with limits, ended gracefully.

use crate::{
    bodies::Whose, book::Book, config, gateway::Gateway, line, openai::Endpoint, pay, probe, reply::Failure, serve,
};
use axum::{
    body::Body,
    extract::{Extension, Path, State},
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse as _, Response},
    routing::{get, post},
    Json, Router,
};
use joule_cors::Cors;
use joule_listen::BindError;
use joule_x402::{Base58, PAYMENT_REQUIRED, PAYMENT_RESPONSE};
use metrics_exporter_prometheus::PrometheusHandle;
use std::{net::SocketAddr, sync::Arc};
use tokio::{net::TcpListener, time::timeout};

/// A gateway that listens.
pub struct Server {
    gateway: Arc<Gateway>,
    listener: TcpListener,
    metrics: PrometheusHandle,
}

#[derive(Clone)]
struct Shared {
    gateway: Arc<Gateway>,
    metrics: PrometheusHandle,
}

impl Server {
    pub async fn bind(gateway: Arc<Gateway>, metrics: PrometheusHandle) -> Result<Self, BindError> {
        let listener = joule_listen::bind(gateway.config.listen, "--listen or `listen` in [gateway]").await?;
        Ok(Self { gateway, listener, metrics })
    }

    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until the gateway is told to stop; returns when the requests that were begun have ended, or their time has.
    pub async fn run(self) {
        let Self { gateway, listener, metrics } = self;
        let (limits, timeouts) = (&gateway.config.limits, &gateway.config.timeouts);
        let limits = joule_listen::Limits {
            connections: limits.connections,
            share: limits.address_share.into(),
            header_bytes: limits.header,
            header: timeouts.request,
            write: timeouts.idle,
        };
        let router = router(Shared { gateway: gateway.clone(), metrics });
        let connections = joule_listen::serve(listener, router, limits, gateway.stopping.clone()).await;
        crate::crash::point(crate::crash::Point::WhileDraining);
        gateway.answers.close();
        let all = async {
            connections.wait().await;
            gateway.answers.wait().await;
        };
        if timeout(gateway.config.timeouts.drain, all).await.is_err() {
            tracing::warn!(
                connections = connections.len(),
                "requests are cut off: they took longer than timeouts.drain"
            );
        }
    }
}

/// Headers of ours that web pages may read.
const EXPOSED: [&str; 4] = [PAYMENT_REQUIRED, PAYMENT_RESPONSE, "retry-after", line::HEADER];

fn router(shared: Shared) -> Router {
    let mut sold = Router::new()
        .route("/v1/models", get(models))
        // Names may have slashes in them.
        .route("/v1/models/{*name}", get(model))
        .route("/joule/v1/vouchers", post(hand_in))
        .route("/joule/v1/channels/{address}", get(channel));
    for endpoint in Endpoint::ALL {
        let handler = move |State(shared): State<Shared>, Extension(peer), headers: HeaderMap, body: Body| async move {
            serve::request(shared.gateway, endpoint, peer, headers, body).await
        };
        sold = sold.route(&format!("/v1{}", endpoint.path()), post(handler));
    }
    for endpoint in [Endpoint::Chat, Endpoint::Completions] {
        let handler = move |State(shared): State<Shared>, Extension(peer), body: Body| async move {
            match shared.gateway.bodies.read(body, Whose::Anybodys(peer)).await {
                Ok(body) => probe::request(shared.gateway, endpoint, peer, body.bytes).await,
                Err(failure) => failure.response(),
            }
        };
        sold = sold.route(&format!("/joule/v1/probe{}", endpoint.path()), post(handler));
    }
    let cors = Cors::new(&shared.gateway.config.cors_origins, &EXPOSED).ok().flatten();
    let sold = sold.fallback(unknown).method_not_allowed_fallback(wrong_method).with_state(shared.clone());
    let sold = match cors {
        Some(cors) => cors.around(sold),
        None => sold,
    };
    // The operator's own.
    let own = Router::new()
        .route("/healthz", get(healthz))
        .route("/metrics", get(async |State(shared): State<Shared>| shared.metrics.render()))
        .with_state(shared);
    sold.merge(own)
}

async fn models(State(Shared { gateway, .. }): State<Shared>) -> Response {
    let models: Vec<_> = gateway.config.models.iter().map(|model| described(&gateway, model)).collect();
    Json(serde_json::json!({ "object": "list", "data": models })).into_response()
}

async fn model(State(Shared { gateway, .. }): State<Shared>, Path(name): Path<String>) -> Response {
    match gateway.config.models.iter().find(|model| model.name == name) {
        Some(model) => Json(described(&gateway, model)).into_response(),
        None => Failure::NoModel(name).response(),
    }
}

fn described(gateway: &Gateway, model: &config::Model) -> serde_json::Value {
    let list = gateway.shop.offered(model);
    serde_json::json!({
        "id": model.name, "object": "model", "created": 0, "owned_by": gateway.shop.seller.provider.to_string(),
        "joule": { "model": model.model.to_string(), "price_list": model.prices[0].to_string(), "mint": list.mint.to_string() },
    })
}

async fn hand_in(State(Shared { gateway, .. }): State<Shared>, headers: HeaderMap) -> Response {
    pay::hand_in(gateway, headers).await
}

/// Where a channel's account stands, for a client that has lost its own. Anybody may ask, so that the chain is not asked for
/// channels that nothing is known of.
async fn channel(State(Shared { gateway, .. }): State<Shared>, Path(address): Path<String>) -> Response {
    let Ok(Base58(address)) = address.parse() else {
        return Failure::BadRequest(format!("{address:?} is not an address")).response();
    };
    let known = match gateway.recall(&joule_sdk::Pubkey::new_from_array(address)).await {
        Ok(known) => known,
        Err(failure) => return failure.response(),
    };
    Json(match known {
        Some(account) => standing(&account.book()),
        None => standing(&Book::default()),
    })
    .into_response()
}

fn standing(book: &Book) -> serde_json::Value {
    let paid = book.voucher().map(|voucher| voucher.message);
    serde_json::json!({
        "receipts": book.last().sequence,
        "billed": book.last().billed.get().to_string(),
        "paid_receipts": paid.map_or(0, |voucher| voucher.sequence.get()),
        "paid": paid.map_or(0, |voucher| voucher.cumulative.get().get()).to_string(),
        "serving": book.serving(),
        "unpaid": book.unpaid(),
    })
}

async fn healthz(State(Shared { gateway, .. }): State<Shared>) -> Response {
    let ledger = gateway.ledger.trouble();
    let stopping = gateway.stopping.is_cancelled();
    let is_good = ledger.is_none() && !stopping && !gateway.alive.is_none_left();
    let status = if is_good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let upstreams = gateway.alive.report();
    let body = serde_json::json!({ "ok": is_good, "ledger": ledger, "stopping": stopping, "upstreams": upstreams });
    (status, Json(body)).into_response()
}

async fn unknown(method: Method, uri: Uri) -> Response {
    let message = format!("there is nothing at {method} {}", uri.path());
    let body = crate::openai::error_body(&message, "invalid_request_error", "not_found", None);
    (StatusCode::NOT_FOUND, Json(body)).into_response()
}

async fn wrong_method(method: Method, uri: Uri) -> Response {
    let message = format!("{} does not take {method}", uri.path());
    let body = crate::openai::error_body(&message, "invalid_request_error", "method_not_allowed", None);
    (StatusCode::METHOD_NOT_ALLOWED, Json(body)).into_response()
}
