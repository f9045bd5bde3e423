//! One request from its first byte to its answer.

use crate::{
    account::Account,
    admit::Asked,
    answer::{self, Question},
    bodies::{Held, Whose},
    config::Model,
    crash, exact,
    gateway::Gateway,
    hold::Hold,
    line::Line,
    openai::{Endpoint, Request},
    pay::{self, Presented, Reading},
    quote,
    refusal::Refusal,
    reply::{refusal_body, with_header, Failure},
    telemetry,
};
use axum::{
    body::Body,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
    Json,
};
use joule_listen::Peer;
use joule_voucher::hashv;
use joule_x402::{encode, PaymentPayload, PaymentRequired, Settlement, Terms, PAYMENT_REQUIRED, PAYMENT_RESPONSE};
use std::{sync::Arc, time::Instant};
use tokio::{sync::OwnedSemaphorePermit, time::timeout};

/// Why a request is not served.
pub enum Unserved {
    Failed(Failure),
    /// With the account, when the client has shown that it is its.
    Refused(Refusal, Option<Arc<Account>>),
}

impl From<Failure> for Unserved {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Refusal> for Unserved {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal, None)
    }
}

/// A request that costs something.
pub async fn request(
    gateway: Arc<Gateway>,
    endpoint: Endpoint,
    peer: Peer,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let (started, line) = (Instant::now(), Line::new());
    let (response, outcome, name) = line.clone().around(answered(&gateway, endpoint, peer, &headers, body)).await;
    line.answered(&name, response.status(), outcome);
    metrics::counter!(telemetry::REQUESTS, "model" => name, "outcome" => outcome).increment(1);
    metrics::histogram!(telemetry::REQUEST).record(started.elapsed().as_secs_f64());
    line.told(response).await
}

async fn answered(
    gateway: &Arc<Gateway>,
    endpoint: Endpoint,
    peer: Peer,
    headers: &HeaderMap,
    body: Body,
) -> (Response, &'static str, String) {
    let failed = |failure: Failure| (failure.response(), failure.code(), String::new());
    let presented = pay::look(gateway, headers);
    let whose = match &presented {
        Presented::Known(_, reading) if reading.account.tab().has_paid() => Whose::APayers,
        _ => Whose::Anybodys(peer),
    };
    let body = match gateway.bodies.read(body, whose).await {
        Ok(body) => body,
        Err(failure) => return failed(failure),
    };
    let request = match Request::read(endpoint, body.bytes.clone()) {
        Ok(request) => request,
        Err(error) => return failed(error.into()),
    };
    match gateway.config.models.iter().find(|model| model.name == request.model) {
        None => failed(Failure::NoModel(request.model)),
        Some(model) => {
            let (response, outcome) = for_model(gateway, model, &request, presented, body).await;
            (response, outcome, model.name.clone())
        }
    }
}

async fn for_model(
    gateway: &Arc<Gateway>,
    model: &Model,
    request: &Request,
    presented: Presented,
    body: Held,
) -> (Response, &'static str) {
    let path = format!("/v1{}", request.endpoint.path());
    let terms = |amount, error: &str, unpaid| {
        let mut terms = gateway.shop.terms(&gateway.config, model, &path, amount, error, unpaid);
        terms.accepts.extend(gateway.exact_terms(model, request).map(Terms::Exact));
        terms
    };
    if let Err(error) = request.check(model) {
        let failure = Failure::from(error);
        return (failure.response(), failure.code());
    }
    let offered = gateway.shop.offered(model).prices;
    let amount = match quote::most(request, model, &offered, gateway.config.timeouts.total) {
        Ok((_, amount)) => amount,
        Err(error) => return (Failure::BadRequest(error.to_string()).response(), "bad_request"),
    };
    let served = match presented {
        Presented::Nothing => {
            let wanted = "the payment-signature header is required";
            let terms = terms(amount, wanted, Vec::new());
            let response = (StatusCode::PAYMENT_REQUIRED, Json(&terms)).into_response();
            return (with_header(response, PAYMENT_REQUIRED, &encode(&terms)), "terms");
        }
        Presented::Bad(unserved) => Err(unserved),
        Presented::Exact(payment) => exact::paid(gateway, model, request, &payment.payload, body).await,
        Presented::Channel(payment) => by_voucher(gateway, model, request, *payment, None, body).await,
        Presented::Known(payment, reading) => by_voucher(gateway, model, request, *payment, Some(reading), body).await,
    };
    match served {
        Ok((response, outcome)) => (response, outcome),
        Err(Unserved::Failed(failure)) => (failure.response(), failure.code()),
        Err(Unserved::Refused(refusal, account)) => {
            let unpaid = account.as_ref().map_or_else(Vec::new, |account| account.book().unpaid().to_vec());
            let response =
                refused(gateway, &refusal, account.as_deref(), || terms(amount, &refusal.to_string(), unpaid));
            (response, refusal.code())
        }
    }
}

/// A refusal says why, and how to do better: what is unpaid, and the terms.
fn refused(
    gateway: &Gateway,
    refusal: &Refusal,
    account: Option<&Account>,
    terms: impl FnOnce() -> PaymentRequired,
) -> Response {
    let settlement = match (refusal, account) {
        (Refusal::Served(receipt), Some(account)) => gateway.settlement(account, receipt),
        _ => Settlement {
            success: false,
            error_reason: Some(refusal.code().to_owned()),
            payer: None,
            transaction: String::new(),
            network: gateway.shop.network.clone(),
            extra: None,
        },
    };
    let response = (refusal.status(), Json(refusal_body(refusal))).into_response();
    let response = with_header(response, PAYMENT_RESPONSE, &encode(&settlement));
    if refusal.status() != StatusCode::PAYMENT_REQUIRED {
        return response;
    }
    with_header(response, PAYMENT_REQUIRED, &encode(&terms()))
}

async fn by_voucher(
    gateway: &Arc<Gateway>,
    model: &Model,
    request: &Request,
    payment: PaymentPayload,
    known: Option<Reading>,
    mut body: Held,
) -> Result<(Response, &'static str), Unserved> {
    let request_hash = hashv(&[&body.bytes]);
    let order = payment.payload.order.ok_or(Refusal::NoOrder)?;
    let account = match &known {
        Some(reading) => reading.account.clone(),
        None => {
            let account = pay::account(gateway, &payment, Some(&request_hash)).await?;
            pay::verify(&account, Some(&order), &payment)?;
            account
        }
    };
    let channel = account.channel();
    let prices = gateway.shop.prices(model, &channel)?.prices;
    let (most, quote) = quote::most(request, model, &prices, gateway.config.timeouts.total)
        .map_err(|error| Failure::BadRequest(error.to_string()))?;
    gateway.rates.payer(&channel.payer).map_err(Failure::TooFast)?;
    let place = place(gateway).await?;

    let asked = Asked { order: &order.message, request_hash, quote };
    let paid = match pay::let_in(gateway, &account, payment.payload.voucher.as_ref(), &asked) {
        Ok(paid) => paid,
        Err(refusal) => return Err(Unserved::Refused(refusal, Some(account))),
    };
    let hold = Hold::new(gateway.clone(), account.clone(), order.message, prices, model.name.clone(), paid);
    drop(known);
    body.is_paid();
    crash::point(crash::Point::AfterAdmission);
    answer::give(gateway, Question { model, request, most }, hold, place).await
}

/// A place at the upstreams, or nothing after a while.
pub async fn place(gateway: &Gateway) -> Result<OwnedSemaphorePermit, Failure> {
    if gateway.stopping.is_cancelled() {
        return Err(Failure::Stopping);
    }
    let queue = gateway.config.limits.queue;
    match timeout(queue, gateway.places.clone().acquire_owned()).await {
        Ok(Ok(place)) => Ok(place),
        _ => Err(Failure::Busy),
    }
}
