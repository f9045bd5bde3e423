//! Any account of our programs, with its history.

use super::{
    answer,
    error::{NotThere, Refused, Unchanged},
    extract::{Parameters, Target},
    page, ApiError, State,
};
use crate::{decode::Program, row::AccountRow};
use axum::{extract::State as From, http::HeaderMap, response::Response};
use joule_api::Account;
use serde::Deserialize;
use serde_json::{json, Value};
use utoipa::IntoParams;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// At most this many events, 1 to 500.
    #[param(default = 50, minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// One account: its fields, and the newest events that concern it.
///
/// A closed account keeps the fields of its last live state.
#[utoipa::path(get, path = "/v1/accounts/{address}", operation_id = "get_account", tag = "chain",
    params(("address" = String, Path, description = "Any account of our programs"), History),
    responses(
        (status = 200, description = "The account, with the newest of its history", body = Account, headers(("ETag" = String, description = "For If-None-Match"))),
        Unchanged, NotThere, Refused,
    ))]
pub async fn get(
    From(state): From<State>,
    Target(address): Target,
    Parameters(asked): Parameters<History>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let limit = page::limit(asked.limit)?;
    let account = answer::read(move || {
        let row = state.view.account(&address)?.filter(|row| Program::of(&row.program).is_some());
        let Some(row) = row else {
            return Err(ApiError::NotFound { what: "account of our programs", address: address.to_string() });
        };
        let history = state.view.history(&address, limit)?;
        Ok(Account {
            address: address.to_string(),
            program: Program::of(&row.program).map_or("", Program::name).to_owned(),
            lamports: row.lamports,
            closed: row.closed,
            slot: row.since,
            data: fields(&row),
            kind: row.kind.into_owned(),
            history,
        })
    })
    .await?;
    answer::tagged(&headers, &account)
}

/// The decoded fields, or the bytes where they make no sense.
fn fields(row: &AccountRow) -> Value {
    row.state().map_or_else(|| json!({"bytes": hex::encode(&row.data)}), |state| state.fields())
}
