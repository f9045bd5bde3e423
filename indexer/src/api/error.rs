//! Every way of not answering.

use crate::store::StoreError;
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
    Json,
};
use joule_api::ErrorBody;
use utoipa::IntoResponses;

#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    #[error("{0}")]
    BadRequest(String),
    #[error("this is not a cursor of this list; leave it out to start at the beginning")]
    BadCursor,
    #[error("{text:?} is not an address; give 32 bytes in base58")]
    BadAddress { text: String },
    #[error("there is no {what} at {address}, or it was never seen")]
    NotFound { what: &'static str, address: String },
    #[error("there is nothing here; GET / lists what there is")]
    NoRoute,
    #[error("everything here is read with GET")]
    Method,
    #[error("the chain has not been read for the first time yet; GET /healthz says how far it is")]
    NotSynced,
    #[error("as many read the feed as may; try again later, or ask for what you need")]
    TooManyReaders,
    #[error("{0}")]
    TooMuch(StoreError),
    #[error("the store cannot be read; GET /healthz says more")]
    Store(StoreError),
    #[error("the answer could not be made; the log says why")]
    Internal,
}

/// How a question is refused, for the OpenAPI document.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "answers are `ApiError`")]
pub enum Refused {
    /// A parameter that cannot be, or a question that would go through too much of what is stored.
    #[response(status = 400)]
    Bad(ErrorBody),
    /// The store cannot be read, or the chain was not read for the first time yet.
    #[response(status = 503)]
    Unavailable(ErrorBody),
}

/// Where one thing is asked for.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "answers are `ApiError`")]
pub enum NotThere {
    /// There is nothing at this address, or it was never seen.
    #[response(status = 404)]
    NotFound(ErrorBody),
}

/// Where the answer has a tag.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "made by `answer::tagged`")]
pub enum Unchanged {
    /// Unchanged since the ETag in If-None-Match.
    #[response(status = 304)]
    NotModified,
}

impl ApiError {
    const fn code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::BadRequest(_) => (StatusCode::BAD_REQUEST, "bad_request"),
            Self::BadCursor => (StatusCode::BAD_REQUEST, "bad_cursor"),
            Self::BadAddress { .. } => (StatusCode::BAD_REQUEST, "bad_address"),
            Self::TooMuch(_) => (StatusCode::BAD_REQUEST, "too_much"),
            Self::NotFound { .. } => (StatusCode::NOT_FOUND, "not_found"),
            Self::NoRoute => (StatusCode::NOT_FOUND, "no_route"),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::NotSynced => (StatusCode::SERVICE_UNAVAILABLE, "not_synced"),
            Self::TooManyReaders => (StatusCode::SERVICE_UNAVAILABLE, "too_many_readers"),
            Self::Store(_) => (StatusCode::SERVICE_UNAVAILABLE, "store_unavailable"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::TooMuch => Self::TooMuch(error),
            error => Self::Store(error),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if let Self::Store(error) = &self {
            tracing::error!(%error, "cannot answer");
        }
        let (status, code) = self.code();
        let body = ErrorBody { code: code.to_owned(), message: self.to_string() };
        (status, Json(body)).into_response()
    }
}
