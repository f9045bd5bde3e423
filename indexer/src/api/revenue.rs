//! Revenue.

use super::{
    answer,
    error::Refused,
    extract::{self, Parameters},
    page, ApiError, State,
};
use crate::{query::RevenueFilter, row::revenue::DAY};
use axum::{extract::State as From, Json};
use joule_api::{RevenueBy, RevenueReport};
use serde::Deserialize;
use utoipa::IntoParams;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// What to sum by.
    by: RevenueBy,
    /// From this moment on, in Unix seconds; a day counts whole, so it has to be one's first second.
    from: Option<i64>,
    /// Up to this moment, in Unix seconds and not counted itself; the first second of a day as well.
    to: Option<i64>,
    /// Only in this token.
    mint: Option<String>,
    /// At most this many rows, 1 to 500.
    #[param(default = 50, minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// What channels have earned, by model, creator, provider or day, and how many requests and units were paid for.
///
/// Money counts on the day that divided or paid it, exactly. Requests and units count on the day that first showed them as
/// settled: settling states no event, so that is when the indexer saw the channel. What happened in a block whose time no
/// node knew counts on 1970-01-01. Days are in UTC. Of confirmed state only.
#[utoipa::path(get, path = "/v1/revenue", operation_id = "get_revenue", tag = "billing", params(Asked), responses(
    (status = 200, description = "The sums", body = RevenueReport),
    Refused,
))]
pub async fn get(
    From(state): From<State>,
    Parameters(asked): Parameters<Asked>,
) -> Result<Json<RevenueReport>, ApiError> {
    let limit = page::limit(asked.limit)?;
    let filter = RevenueFilter {
        by: asked.by,
        days: (asked.from.map(day).transpose()?, asked.to.map(day).transpose()?),
        mint: asked.mint.as_deref().map(extract::address).transpose()?,
    };
    answer::read(move || {
        let mut rows = state.view.revenue(&filter)?;
        let left_out = rows.len().saturating_sub(limit) as u64;
        rows.truncate(limit);
        Ok(Json(RevenueReport { by: asked.by, from: asked.from, to: asked.to, rows, left_out }))
    })
    .await
}

/// The number of the day that begins at a moment.
fn day(at: i64) -> Result<i64, ApiError> {
    if at.rem_euclid(DAY) != 0 {
        let begins = at.div_euclid(DAY) * DAY;
        return Err(ApiError::BadRequest(format!(
            "{at} is within a day; days in UTC begin at multiples of {DAY}, such as {begins}"
        )));
    }
    Ok(at.div_euclid(DAY))
}
