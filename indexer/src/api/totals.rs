//! Sums.

use super::{
    answer,
    error::{Refused, Unchanged},
    ApiError, State,
};
use axum::{extract::State as From, http::HeaderMap, response::Response};
use joule_api::Totals;

/// Sums over all jobs and channels by token, and how many providers there are.
///
/// Of confirmed state only, as of `slot`.
#[utoipa::path(get, path = "/v1/totals", operation_id = "get_totals", tag = "chain", responses(
    (status = 200, description = "The sums", body = Totals, headers(("ETag" = String, description = "For If-None-Match"))),
    Unchanged, Refused,
))]
pub async fn get(From(state): From<State>, headers: HeaderMap) -> Result<Response, ApiError> {
    let totals = answer::read(move || Ok(state.view.totals()?)).await?;
    answer::tagged(&headers, &totals)
}
