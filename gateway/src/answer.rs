//! From the upstream to the client, by way of the ledger.

use crate::{
    config::Model,
    crash,
    forward::Answer,
    gateway::Gateway,
    hold::Hold,
    ledger::LedgerError,
    meter::{Meter, Piece},
    openai::Request,
    reply::{with_header, Failure},
    serve::Unserved,
    stream::Passing,
    telemetry,
};
use axum::{
    body::Body,
    http::{header, StatusCode},
    response::{IntoResponse as _, Response},
};
use joule_voucher::hashv;
use joule_x402::{encode, PAYMENT_RESPONSE};
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use tokio_stream::wrappers::ReceiverStream;

/// Has the request answered, and passes the answer on; until it is billed, everything may still fail for free.
pub async fn give(
    gateway: &Arc<Gateway>,
    model: &Model,
    request: &Request,
    mut hold: Hold,
    place: OwnedSemaphorePermit,
) -> Result<(Response, &'static str), Unserved> {
    let meter = Meter::new(request, model.bytes_per_token);
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
        gateway.upstreams.send(model, request)
    );
    let answer = answer?;
    stored.map_err(unwritten)?;
    crash::point(crash::Point::AfterOrderStored);
    if !answer.status().is_success() {
        return failed(gateway, answer).await;
    }
    if request.stream && answer.is_stream() {
        let include_usage = request.include_usage;
        let passing = Passing { gateway: gateway.clone(), hold, answer, meter, include_usage, place };
        return stream(gateway, passing).await;
    }
    plain(gateway, hold, answer, meter, place).await
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
    gateway: &Arc<Gateway>,
    mut hold: Hold,
    answer: Answer,
    mut meter: Meter,
    place: OwnedSemaphorePermit,
) -> Result<(Response, &'static str), Unserved> {
    let sent_at = answer.sent_at;
    let body = gateway.upstreams.collect(answer).await?;
    let took = sent_at.elapsed();
    metrics::histogram!(telemetry::UPSTREAM).record(took.as_secs_f64());
    drop(place);
    let json: serde_json::Value = serde_json::from_slice(&body).map_err(|_| Failure::UpstreamNonsense)?;
    meter.sent(&Piece::weigh(&json));
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

/// What an upstream says of the request itself goes through, free of charge; its other failures are the provider's affair.
async fn failed(gateway: &Gateway, answer: Answer) -> Result<(Response, &'static str), Unserved> {
    let status = answer.status().as_u16();
    match StatusCode::from_u16(status) {
        Ok(code @ (StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY)) => {
            let body = gateway.upstreams.collect(answer).await?;
            Ok(((code, [(header::CONTENT_TYPE, "application/json")], body).into_response(), "free"))
        }
        _ => Err(Failure::Upstream(status).into()),
    }
}
