//! Before the chain was read for the first time nothing is known, which is not the same as that there is nothing.

use super::{ApiError, State};
use axum::{
    extract::{Request, State as From},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// Refuses what is asked of the chain until there is an answer. The feed tells what happens from now on, and may begin.
pub async fn check(From(state): From<State>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path.starts_with("/v1/") && path != "/v1/feed" && !state.health.is_synced() {
        return ApiError::NotSynced.into_response();
    }
    next.run(request).await
}
