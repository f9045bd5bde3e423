//! From the upstream to the client, by way of the ledger.

use crate::{
    bought::Bought,
    complaint::Complaint,
    config::Model,
    crash,
    forward::Answer,
    gateway::Gateway,
    hold::Hold,
    ledger::LedgerError,
    meter::{Meter, Piece},
    openai::{error_body, Endpoint, Request},
    reply::{with_header, Failure, ABOUT_THE_REQUEST},
    serve::Unserved,
    stream::{Opening, Passing, Reader},
    telemetry,
};
use axum::{
    body::{Body, Bytes},
    http::{header, StatusCode},
    response::{IntoResponse as _, Response},
    Json,
};
use joule_voucher::{hashv, Usage};
use joule_x402::{encode, PAYMENT_RESPONSE};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::sync::OwnedSemaphorePermit;
use tokio_stream::wrappers::ReceiverStream;

/// What is asked of a model, and the most that it may use.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    pub model: &'a Model,
    pub request: &'a Request,
    pub most: Usage,
}

/// What an upstream has begun to say.
enum Begun {
    Stream(Opening),
    Whole(Whole),
    /// That it does not answer this; nobody owes anything.
    Refused(Response),
}

/// All of an answer.
struct Whole {
    body: Bytes,
    weight: Piece,
    took: Duration,
}

/// Has the request answered, and passes the answer on. Until there is something of it, everything may still fail for free.
pub async fn give(
    gateway: &Arc<Gateway>,
    question: Question<'_>,
    mut hold: Hold,
    place: OwnedSemaphorePermit,
) -> Result<(Response, &'static str), Unserved> {
    let meter = Meter::new(question.request, question.model.bytes_per_token);
    match begin(gateway, question, &mut hold).await {
        Ok(Begun::Stream(opening)) => {
            stream(gateway, Passing { gateway: gateway.clone(), hold, opening, meter, place }).await
        }
        Ok(Begun::Whole(whole)) => {
            drop(place);
            plain(gateway, hold, whole, meter).await
        }
        Ok(Begun::Refused(response)) => {
            hold.free();
            Ok((response, "free"))
        }
        Err(failure) => {
            hold.free();
            Err(failure.into())
        }
    }
}

/// Waits until there is something to give: the first word of a stream, or the whole.
async fn begin(gateway: &Gateway, question: Question<'_>, hold: &mut Hold) -> Result<Begun, Failure> {
    let Question { model, request, most } = question;
    let bought = Bought::of(request, &most, model.bytes_per_token);
    // The disk and the model work at the same time; nothing of a stream is sent before both are ready.
    let (stored, answer) = tokio::join!(
        async {
            // Of a transaction too: what cannot be written down is not paid for.
            if request.stream || hold.is_charged() {
                hold.store().await
            } else {
                Ok(())
            }
        },
        gateway.upstreams.send(model, request, &gateway.alive)
    );
    let answer = answer?;
    stored.map_err(unwritten)?;
    crash::point(crash::Point::AfterOrderStored);
    if !answer.status().is_success() {
        return refused(gateway, answer).await.map(Begun::Refused);
    }
    if request.stream && !answer.is_json() {
        let reader = Reader::new(answer, bought, request.include_usage, gateway.config.limits.answer);
        return Ok(Begun::Stream(Opening::wait(reader).await?));
    }
    let sent_at = answer.sent_at;
    let body = gateway.upstreams.collect(answer).await?;
    let took = sent_at.elapsed();
    metrics::histogram!(telemetry::UPSTREAM).record(took.as_secs_f64());
    let (body, weight) = read(request, body, bought)?;
    Ok(Begun::Whole(Whole { body, weight, took }))
}

/// Whether the model takes a request that nobody pays for: begins it, and leaves it at its first word. `Some` is what it is
/// refused with.
pub async fn probe(gateway: &Gateway, question: Question<'_>) -> Result<Option<Response>, Failure> {
    let Question { model, request, most } = question;
    let answer = gateway.upstreams.send(model, request, &gateway.alive).await?;
    if !answer.status().is_success() {
        return refused(gateway, answer).await.map(Some);
    }
    if answer.is_json() {
        let body = gateway.upstreams.collect(answer).await?;
        let json: Value = serde_json::from_slice(&body).map_err(|_| Failure::UpstreamNonsense)?;
        return Complaint::of(&json).map_or(Ok(None), |complaint| Err(complaint.into()));
    }
    let bought = Bought::of(request, &most, model.bytes_per_token);
    let reader = Reader::new(answer, bought, request.include_usage, gateway.config.limits.answer);
    Opening::wait(reader).await.map(|_| None)
}

/// A whole answer, as far as it was bought.
fn read(request: &Request, body: Bytes, mut bought: Bought) -> Result<(Bytes, Piece), Failure> {
    let mut json: Value = serde_json::from_slice(&body).map_err(|_| Failure::UpstreamNonsense)?;
    if let Some(complaint) = Complaint::of(&json) {
        return Err(complaint.into());
    }
    // Whoever asks for a stream reads nothing else.
    if request.stream || !is_answer(request.endpoint, &json) {
        return Err(Failure::UpstreamNonsense);
    }
    let is_cut = bought.cut(&mut json);
    let weight = Piece::weigh(&json);
    if is_cut {
        tracing::warn!(model = %request.model, "the upstream said more than it was asked for; the rest is cut off");
        return Ok((json.to_string().into(), weight));
    }
    Ok((body, weight))
}

/// Whether it has what whoever asked will look for.
fn is_answer(endpoint: Endpoint, answer: &Value) -> bool {
    let (list, items): (_, &[&str]) = match endpoint {
        Endpoint::Chat => ("choices", &["message"]),
        Endpoint::Completions => ("choices", &["text"]),
        Endpoint::Embeddings => ("data", &["embedding"]),
        Endpoint::Images => ("data", &["url", "b64_json"]),
    };
    let has = |item: &Value| items.iter().any(|field| item.get(field).is_some_and(|value| !value.is_null()));
    answer.get(list).and_then(Value::as_array).is_some_and(|list| !list.is_empty() && list.iter().all(has))
}

/// An answer that is passed on while it comes, once it is paid if a transaction is to pay for it.
async fn stream(gateway: &Gateway, mut passing: Passing) -> Result<(Response, &'static str), Unserved> {
    // On a task of its own: what was paid is billed, whether the client is still there or not.
    let begun = gateway.answers.spawn(async move {
        passing.hold.take().await?;
        let paid = passing.hold.paid();
        Ok::<_, Unserved>((passing.start(), paid))
    });
    let (events, paid) = begun.await.unwrap_or_else(|_| Err(Failure::Stopping.into()))?;
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-cache")];
    let response = (headers, Body::from_stream(ReceiverStream::new(events))).into_response();
    Ok(match paid {
        Some(paid) => (with_header(response, PAYMENT_RESPONSE, &encode(&paid)), "served"),
        None => (response, "served"),
    })
}

/// An answer that is held until its receipt is on disk.
async fn plain(
    gateway: &Gateway,
    mut hold: Hold,
    whole: Whole,
    mut meter: Meter,
) -> Result<(Response, &'static str), Unserved> {
    let Whole { body, weight, took } = whole;
    meter.sent(&weight);
    let hash = hashv(&[&body]);
    // On a task of its own: a client that goes away now does not leave the account half written.
    let billed = gateway.answers.spawn(async move {
        hold.take().await?;
        hold.begun();
        hold.bill(hash, meter.usage(took)).await.map_err(|error| Unserved::from(unwritten(error)))
    });
    let settlement = billed.await.unwrap_or_else(|_| Err(unwritten(LedgerError::Stopped).into()))?;
    crash::point(crash::Point::BeforeReceiptSent);
    let response = ([(header::CONTENT_TYPE, "application/json")], body).into_response();
    Ok((with_header(response, PAYMENT_RESPONSE, &encode(&settlement)), "served"))
}

fn unwritten(error: LedgerError) -> Failure {
    tracing::error!(%error, "nothing was served that could not be written");
    Failure::Ledger
}

/// What an upstream says of the request itself goes through, free of charge, and so does when it wants to be asked again; its
/// other failures are the provider's affair.
async fn refused(gateway: &Gateway, answer: Answer) -> Result<Response, Failure> {
    let status = answer.status().as_u16();
    if matches!(status, 429 | 503) {
        return Err(Failure::UpstreamBusy { status, retry_after: answer.retry_after() });
    }
    let body = match gateway.upstreams.collect(answer).await {
        Err(_) if !ABOUT_THE_REQUEST.contains(&status) => return Err(Failure::Upstream(status)),
        body => body?,
    };
    let json: Value = serde_json::from_slice(&body).unwrap_or_default();
    if !ABOUT_THE_REQUEST.contains(&status) {
        let said = Complaint::of(&json).map(|said| Complaint { status: Some(status), ..said });
        return Err(said.map_or(Failure::Upstream(status), Failure::from));
    }
    let json = match json.get("error") {
        Some(Value::Object(_)) => json,
        _ => {
            let said = Complaint::named(&String::from_utf8_lossy(&body));
            error_body(&said.message, "invalid_request_error", "upstream_refused", None)
        }
    };
    Ok((StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST), Json(json)).into_response())
}
