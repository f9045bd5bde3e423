//! What clients are told when there is no answer.

use crate::{
    openai::{error_body, BadRequest},
    refusal::Refusal,
};
use axum::{
    http::{header::RETRY_AFTER, HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse as _, Response},
    Json,
};
use std::time::Duration;

/// Why a request fails that no payment would mend; nothing is charged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("{0}")]
    BadRequest(String),
    #[error(transparent)]
    BadBody(#[from] BadRequest),
    #[error("the payment-signature header cannot be read: {0}")]
    BadPayment(String),
    #[error("there is no model {0:?} here; GET /v1/models lists them")]
    NoModel(String),
    #[error("the body is longer than {0} bytes")]
    TooLarge(usize),
    #[error("the body did not come in time")]
    TooSlow,
    #[error("too many long bodies come from clients that this gateway does not know; come with the signed order of a channel that has paid here, with a shorter body, or again soon")]
    Crowded,
    #[error("too many requests; wait {} ms", .0.as_millis())]
    TooFast(Duration),
    #[error("every place is taken; try again soon")]
    Busy,
    #[error("the gateway is stopping; try again soon")]
    Stopping,
    #[error("the chain cannot be asked now; try again soon")]
    Chain,
    #[error("nothing can be written down now, so nothing is served; try again later")]
    Ledger,
    #[error("requests that are paid by exact cannot be taken now; nothing was sent to the chain: try again soon")]
    NoRoom,
    #[error("too many payments by the scheme exact have failed; pay from a channel, or come again later")]
    Paused,
    #[error("transaction {0} was sent and is not confirmed: it may have paid or not, and no request is served for it")]
    Unconfirmed(String),
    #[error("the model cannot be reached")]
    Unreachable,
    #[error("the model did not answer in time")]
    UpstreamTimeout,
    #[error("the model's answer broke off")]
    UpstreamBroke,
    #[error("the model's answer is longer than {0} bytes")]
    UpstreamTooLarge(usize),
    #[error("the model's answer is not what the API says")]
    UpstreamNonsense,
    #[error("the model's answer is empty")]
    UpstreamEmpty,
    #[error("the model failed with status {0}")]
    Upstream(u16),
    /// Of a status that passes, with what it said of when to come again.
    #[error("the model is too busy; try again later")]
    UpstreamBusy { status: u16, retry_after: Option<HeaderValue> },
    /// Inside of an answer whose status was another.
    #[error("the model says: {message}")]
    Said { status: u16, message: String },
}

/// What an upstream says of the request itself, and not of its own affairs.
pub const ABOUT_THE_REQUEST: [u16; 4] = [400, 404, 413, 422];

impl Failure {
    pub fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) | Self::BadBody(_) | Self::BadPayment(_) => StatusCode::BAD_REQUEST,
            Self::NoModel(_) => StatusCode::NOT_FOUND,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::TooFast(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Crowded
            | Self::Busy
            | Self::Stopping
            | Self::Chain
            | Self::Ledger
            | Self::NoRoom
            | Self::Paused
            | Self::Unconfirmed(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::UpstreamTimeout => StatusCode::GATEWAY_TIMEOUT,
            Self::Unreachable
            | Self::UpstreamBroke
            | Self::UpstreamTooLarge(_)
            | Self::UpstreamNonsense
            | Self::UpstreamEmpty
            | Self::Upstream(_) => StatusCode::BAD_GATEWAY,
            Self::UpstreamBusy { status, .. } => StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_GATEWAY),
            Self::Said { status, .. } => match StatusCode::from_u16(*status) {
                Ok(said) if ABOUT_THE_REQUEST.contains(status) || matches!(status, 429 | 503) => said,
                _ => StatusCode::BAD_GATEWAY,
            },
        }
    }

    /// One word for it, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadBody(BadRequest::Unknown(_)) => "unknown_parameter",
            Self::BadRequest(_) | Self::BadBody(_) => "bad_request",
            Self::BadPayment(_) => "bad_payment",
            Self::NoModel(_) => "model_not_found",
            Self::TooLarge(_) => "body_too_large",
            Self::TooSlow => "body_too_slow",
            Self::Crowded => "unpaid_bodies",
            Self::TooFast(_) => "rate_limit_exceeded",
            Self::Busy => "busy",
            Self::Stopping => "stopping",
            Self::Chain => "chain_unavailable",
            Self::Ledger => "ledger_unavailable",
            Self::NoRoom => "exact_no_room",
            Self::Paused => "exact_paused",
            Self::Unconfirmed(_) => "transaction_unconfirmed",
            Self::Unreachable => "upstream_unreachable",
            Self::UpstreamTimeout => "upstream_timeout",
            Self::UpstreamBroke => "upstream_broke",
            Self::UpstreamTooLarge(_) => "upstream_too_large",
            Self::UpstreamNonsense => "upstream_nonsense",
            Self::UpstreamEmpty => "upstream_empty",
            Self::Upstream(_) => "upstream_failed",
            Self::UpstreamBusy { .. } | Self::Said { status: 429 | 503, .. } => "upstream_busy",
            Self::Said { status, .. } if ABOUT_THE_REQUEST.contains(status) => "upstream_refused",
            Self::Said { .. } => "upstream_error",
        }
    }

    pub fn body(&self) -> serde_json::Value {
        let kind = match self.status().as_u16() {
            429 => "rate_limit_error",
            400..=499 => "invalid_request_error",
            _ => "server_error",
        };
        let field = match self {
            Self::BadBody(bad) => bad.field(),
            _ => None,
        };
        error_body(&self.to_string(), kind, self.code(), field)
    }

    pub fn response(&self) -> Response {
        let mut response = (self.status(), Json(self.body())).into_response();
        if let Self::UpstreamBusy { retry_after: Some(when), .. } = self {
            response.headers_mut().insert(RETRY_AFTER, when.clone());
        }
        let wait = match self {
            Self::TooFast(wait) => Some(wait.as_secs() + 1),
            Self::Crowded | Self::Busy | Self::Stopping | Self::Chain => Some(1),
            Self::Ledger | Self::NoRoom => Some(10),
            Self::Paused => Some(60),
            _ => None,
        };
        if let Some(seconds) = wait {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// A refusal's body; the headers say the rest.
pub fn refusal_body(refusal: &Refusal) -> serde_json::Value {
    error_body(&refusal.to_string(), "payment_required", refusal.code(), None)
}

/// Adds one of the payment headers.
pub fn with_header(mut response: Response, name: &'static str, value: &str) -> Response {
    // Base64 is always a header's value.
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
    response
}
