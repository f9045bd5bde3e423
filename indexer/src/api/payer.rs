//! Payers.

use super::{
    answer,
    error::{NotThere, Refused, Unchanged},
    extract::Target,
    ApiError, State,
};
use axum::{extract::State as From, http::HeaderMap, response::Response};
use joule_api::Payer;

/// One payer: what it has deposited, and how much of that is reserved.
///
/// Shown as of the newest update; `commitment` says how sure that is.
#[utoipa::path(get, path = "/v1/payers/{address}", operation_id = "get_payer", tag = "billing",
    params(("address" = String, Path, description = "The `Payer` account")),
    responses(
        (status = 200, description = "The payer", body = Payer, headers(("ETag" = String, description = "For If-None-Match"))),
        Unchanged, NotThere, Refused,
    ))]
pub async fn get(From(state): From<State>, Target(address): Target, headers: HeaderMap) -> Result<Response, ApiError> {
    let payer = answer::read(move || Ok(state.view.payer(&address)?)).await?;
    let payer = payer.ok_or_else(|| ApiError::NotFound { what: "payer", address: address.to_string() })?;
    answer::tagged(&headers, &payer)
}
