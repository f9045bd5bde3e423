//! Sums.

use super::{answer, ApiError, State};
use axum::{extract::State as From, http::HeaderMap, response::Response};
use joule_api::{ErrorBody, Totals};

/// Sums over all jobs and channels by token, and how many providers there are.
///
/// Of confirmed state only, as of `slot`.
#[utoipa::path(get, path = "/v1/totals", tag = "chain", responses(
    (status = 200, body = Totals, headers(("ETag" = String, description = "For If-None-Match"))),
    (status = 304, description = "Unchanged since the ETag in If-None-Match"),
    (status = 503, body = ErrorBody),
))]
pub async fn get(From(state): From<State>, headers: HeaderMap) -> Result<Response, ApiError> {
    let totals = answer::read(move || Ok(state.view.totals()?)).await?;
    answer::tagged(&headers, &totals)
}
