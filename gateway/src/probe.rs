//! Whether a model takes a request, for somebody who would pay for it: tried at the upstream for nothing, until there is a first
//! word, and answered with nothing but that. Nobody has to put money aside to learn that a model is down or a prompt is bad.

use crate::{
    answer::{self, Question},
    config::Model,
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
use joule_listen::Peer;
use serde_json::{json, Map, Value};
use std::sync::Arc;

/// Of its answer, and one alone: whoever hides what it says, or says all of it at once, is not stopped before.
const MOST_TOKENS: u64 = 16;
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
pub async fn request(gateway: Arc<Gateway>, endpoint: Endpoint, peer: Peer, body: Bytes) -> Response {
    let tried = tried(&gateway, endpoint, peer, &body).await.unwrap_or_else(|found| found);
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

async fn tried(gateway: &Gateway, endpoint: Endpoint, peer: Peer, body: &Bytes) -> Result<Tried, Tried> {
    if body.len() > MOST_BYTES {
        return Err(Tried::Not(Failure::TooLarge(MOST_BYTES)));
    }
    // As a stream it can be left after its first word, and its upstream stops.
    let mut fields: Map<String, Value> =
        serde_json::from_slice(body).map_err(|error| BadRequest::NotJson(error.to_string()))?;
    fields.insert("stream".into(), true.into());
    let request = Request::read(endpoint, text(&fields))?;
    let model = gateway.config.models.iter().find(|model| model.name == request.model);
    let model = model.ok_or_else(|| Failure::NoModel(request.model.clone()))?;
    request.check(model)?;
    let prices = gateway.shop.offered(model).prices;
    let total = gateway.config.timeouts.total;
    let bad = |error: quote::TooMuch| Failure::BadRequest(error.to_string());
    quote::most(&request, model, &prices, total).map_err(bad)?;
    let short = Request::read(endpoint, text(&shorten(fields, model)))?;
    let most = quote::usage(&short, model, total).map_err(bad)?;
    gateway.rates.probe(peer).map_err(|wait| Tried::Not(Failure::TooFast(wait)))?;
    // Whoever pays comes first: only a place that is free is taken.
    let _place = gateway.places.try_acquire().map_err(|_| Tried::Not(Failure::Busy))?;
    let refused = answer::probe(gateway, Question { model, request: &short, most }).await?;
    Ok(refused.map_or(Tried::Serves, Tried::Refused))
}

fn text(fields: &Map<String, Value>) -> Bytes {
    serde_json::to_vec(fields).unwrap_or_default().into()
}

/// The same request for the beginning of one answer.
fn shorten(mut fields: Map<String, Value>, model: &Model) -> Map<String, Value> {
    fields.retain(|field, _| field != "n" && field != "best_of");
    if let Some(Value::Array(prompts)) = fields.get_mut("prompt") {
        // A list of numbers is one prompt.
        if !prompts.iter().all(Value::is_number) {
            prompts.truncate(1);
        }
    }
    let limits = ["max_tokens", "max_completion_tokens"];
    let mut asked = limits.iter().filter(|limit| fields.get(**limit).is_some_and(|most| !most.is_null())).peekable();
    let limits: Vec<_> = match asked.peek() {
        Some(_) => asked.map(|limit| (*limit).to_owned()).collect(),
        None => model.add_limit.field().map(str::to_owned).into_iter().collect(),
    };
    for limit in limits {
        let most = fields.get(&limit).and_then(Value::as_u64).unwrap_or(model.max_output_tokens);
        fields.insert(limit, most.min(MOST_TOKENS).into());
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shortened(body: Value, more: &str) -> Value {
        let model = toml::from_str(&format!(
            "name = 'm'\nmodel = '11111111111111111111111111111111'\nprices = ['11111111111111111111111111111111']\n\
             upstream = 'http://127.0.0.1:1/v1'\nmax_output_tokens = 500\n{more}"
        ));
        let Value::Object(fields) = body else { unreachable!() };
        Value::Object(shorten(fields, &model.unwrap()))
    }

    #[test]
    fn one_answer_is_begun_and_no_more_of_it_made_than_a_few_tokens() {
        let of = |body| shortened(body, "");
        assert_eq!(of(json!({"n": 128, "best_of": 128})), json!({"max_tokens": 16}));
        assert_eq!(of(json!({"max_tokens": 500})), json!({"max_tokens": 16}));
        assert_eq!(of(json!({"max_completion_tokens": 500})), json!({"max_completion_tokens": 16}));
        assert_eq!(
            of(json!({"max_tokens": 7, "max_completion_tokens": 500})),
            json!({"max_tokens": 7, "max_completion_tokens": 16})
        );
        assert_eq!(of(json!({"max_tokens": null})), json!({"max_tokens": 16}));
        assert_eq!(of(json!({"prompt": ["a", "b"], "max_tokens": 0})), json!({"prompt": ["a"], "max_tokens": 0}));
        assert_eq!(of(json!({"prompt": [1, 2], "max_tokens": 1})), json!({"prompt": [1, 2], "max_tokens": 1}));
        let renamed = "add_limit = 'max_completion_tokens'";
        assert_eq!(shortened(json!({}), renamed), json!({"max_completion_tokens": 16}));
        assert_eq!(shortened(json!({}), "add_limit = 'none'"), json!({}), "what it does not take, it is not sent");
    }
}
