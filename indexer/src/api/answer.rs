//! Answering: off the async threads, with an entity tag where one thing was asked for.

use super::ApiError;
use axum::{
    http::{header, HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Runs something that reads the store.
pub async fn read<T: Send + 'static>(
    act: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(act).await.map_err(|error| {
        tracing::error!(%error, "a request failed");
        ApiError::Internal
    })?
}

/// The value as JSON with its `ETag`; 304 when the client has it already.
pub fn tagged(headers: &HeaderMap, value: &impl Serialize) -> Result<Response, ApiError> {
    let body = serde_json::to_vec(value).map_err(|error| {
        tracing::error!(%error, "an answer cannot be written as JSON");
        ApiError::Internal
    })?;
    let tag = format!("\"{}\"", hex::encode(&Sha256::digest(&body)[..16]));
    let caching = [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, "no-cache".to_owned())];
    if known(headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, caching).into_response());
    }
    let kind = [(header::CONTENT_TYPE, "application/json")];
    Ok((StatusCode::OK, caching, kind, body).into_response())
}

/// `If-None-Match` compares weakly, and `*` matches whatever there is (RFC 9110, 13.1.2).
fn known(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|candidate| candidate == "*" || candidate.strip_prefix("W/").unwrap_or(candidate) == tag)
}
