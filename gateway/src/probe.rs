//! Whether a model takes a request, for somebody who would pay for it: tried at the upstream for nothing, until there is a first
//! word, and answered with nothing but that. Nobody has to put money aside to learn that a model is down or a prompt is bad.

use crate::{
    answer::{self, Question},
    gateway::Gateway,
    openai::{BadRequest, Endpoint, Request},
    quote,
    reply::Failure,
    telemetry,
};
use axum::{
    body::Bytes,
    response::{IntoResponse as _, Response},
    Json,
};
use serde_json::{json, Map, Value};
use std::sync::Arc;

/// Of a body. A longer one costs the upstream too much to be tried for nothing.
const MOST_BYTES: usize = 4 << 10;

enum Tried {
    /// It has begun to answer.
    Serves,
    /// What whoever pays would get instead of an answer.
    Refused(Response),
    /// Not now; it may be served all the same.
    Not(Failure),
}

impl<E: Into<Failure>> From<E> for Tried {
    fn from(error: E) -> Self {
        Self::Refused(error.into().response())
    }
}

/// `{"serves": true}`, or `false` with status and error that the request would end with. Another status says nothing of the
/// request.
pub async fn request(gateway: Arc<Gateway>, endpoint: Endpoint, body: Bytes) -> Response {
    let tried = tried(&gateway, endpoint, &body).await.unwrap_or_else(|found| found);
    metrics::counter!(telemetry::PROBES).increment(1);
    match tried {
        Tried::Serves => Json(json!({ "serves": true })).into_response(),
        Tried::Not(failure) => failure.response(),
        Tried::Refused(response) => {
            let status = response.status().as_u16();
            let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap_or_default();
            let json: Value = serde_json::from_slice(&body).unwrap_or_default();
            Json(json!({ "serves": false, "status": status, "error": json["error"] })).into_response()
        }
    }
}

async fn tried(gateway: &Gateway, endpoint: Endpoint, body: &Bytes) -> Result<Tried, Tried> {
    if body.len() > MOST_BYTES {
        return Err(Tried::Not(Failure::TooLarge(MOST_BYTES)));
    }
    // As a stream it can be left after its first word, and its upstream stops.
    let mut fields: Map<String, Value> =
        serde_json::from_slice(body).map_err(|error| BadRequest::NotJson(error.to_string()))?;
    fields.insert("stream".into(), true.into());
    let request = Request::read(endpoint, Value::Object(fields).to_string().into())?;
    let model = gateway.config.models.iter().find(|model| model.name == request.model);
    let model = model.ok_or_else(|| Failure::NoModel(request.model.clone()))?;
    request.check(model)?;
    let prices = gateway.shop.offered(model).prices;
    let most = quote::most(&request, model, &prices, gateway.config.timeouts.total());
    let (most, _) = most.map_err(|error| Failure::BadRequest(error.to_string()))?;
    gateway.rates.probe().map_err(|wait| Tried::Not(Failure::TooFast(wait)))?;
    // Whoever pays comes first: only a place that is free is taken.
    let _place = gateway.places.try_acquire().map_err(|_| Tried::Not(Failure::Busy))?;
    let refused = answer::probe(gateway, Question { model, request: &request, most }).await?;
    Ok(refused.map_or(Tried::Serves, Tried::Refused))
}
