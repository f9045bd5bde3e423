//! Every way of not doing what a request asks for.

use crate::traffic::Wait;
use axum::{
    http::{header, StatusCode},
    response::{IntoResponse, Response},
    Json,
};
use joule_api::ErrorBody;
use joule_artifacts::{ArtifactError, Hash};
use joule_settings::{Size, Span};
use std::time::Duration;

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("{0}: ask for /v1/artifacts/ and the sha256 of what you want")]
    BadHash(String),
    #[error("what came hashes to {actual}, and not to {expected}: nothing is stored; send the whole artifact to its own hash, or to /v1/artifacts")]
    OtherHash { expected: Hash, actual: Hash },
    #[error("the body broke off: {0}; nothing is stored, send it again")]
    BrokeOff(String),
    #[error("artifacts have {} at most here (max_artifact)", Size(*.0))]
    TooLarge(u64),
    #[error("the body comes too slowly: send {} a second at least", Size(*.0))]
    TooSlow(u64),
    #[error("this address has moved as many bytes as it may within an hour: try again in {}", Span(Duration::from_secs(.0.0.as_secs() + 1)))]
    TooMuch(Wait),
    #[error("no more artifacts fit here: try again later, or store it elsewhere; whoever runs this finds max_stored and min_free in [store]")]
    Full,
    #[error("artifact {0} is not here")]
    NotFound(Hash),
    #[error("artifact {0} is damaged here: whoever has it may store it again")]
    Damaged(Hash),
    #[error("the place where artifacts lie does not answer: try again later")]
    Store(ArtifactError),
    #[error("there is nothing here: artifacts are at /v1/artifacts/ and their sha256")]
    NoRoute,
    #[error("an artifact is stored by PUT /v1/artifacts and read by GET /v1/artifacts/ and its sha256; nothing changes or removes it")]
    Method,
}

impl Failure {
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadHash(_) => "bad_hash",
            Self::OtherHash { .. } => "other_hash",
            Self::BrokeOff(_) => "broke_off",
            Self::TooLarge(_) => "too_large",
            Self::TooSlow(_) => "too_slow",
            Self::TooMuch(_) => "too_much",
            Self::Full => "full",
            Self::NotFound(_) => "not_found",
            Self::Damaged(_) => "damaged",
            Self::Store(_) => "store_unavailable",
            Self::NoRoute => "no_route",
            Self::Method => "method_not_allowed",
        }
    }

    const fn status(&self) -> StatusCode {
        match self {
            Self::BadHash(_) | Self::OtherHash { .. } | Self::BrokeOff(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow(_) => StatusCode::REQUEST_TIMEOUT,
            Self::TooMuch(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Full => StatusCode::INSUFFICIENT_STORAGE,
            Self::NotFound(_) | Self::NoRoute => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Damaged(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl From<Wait> for Failure {
    fn from(wait: Wait) -> Self {
        Self::TooMuch(wait)
    }
}

impl From<ArtifactError> for Failure {
    fn from(error: ArtifactError) -> Self {
        match error {
            ArtifactError::NotFound { hash, .. } => Self::NotFound(hash),
            error => Self::Store(error),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match &self {
            Self::Store(error) => tracing::error!(%error, "cannot answer"),
            Self::Damaged(hash) => tracing::error!(%hash, "an artifact is damaged: its bytes hash to something else"),
            _ => {}
        }
        let body = ErrorBody { code: self.code().to_owned(), message: self.to_string() };
        let mut response = (self.status(), Json(body)).into_response();
        if let Self::TooMuch(Wait(wait)) = self {
            response.headers_mut().insert(header::RETRY_AFTER, (wait.as_secs() + 1).into());
        }
        response
    }
}
