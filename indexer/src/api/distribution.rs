//! Distributions.

use super::{
    answer,
    error::Refused,
    extract::{self, Parameters},
    page, ApiError, State,
};
use crate::query::DistributionFilter;
use axum::{extract::State as From, Json};
use joule_api::{Distribution, Page};
use serde::Deserialize;
use utoipa::IntoParams;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListDistributions {
    /// Only those of this channel.
    channel: Option<String>,
    /// Only those of this payer: a `Payer` account.
    payer: Option<String>,
    /// Only those of this provider: a `Provider` account.
    provider: Option<String>,
    /// Only those of channels to this model.
    model: Option<String>,
    /// At most this many, 1 to 500.
    #[param(default = 50, minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// What was divided and paid, the newest first.
///
/// Of confirmed state only.
#[utoipa::path(get, path = "/v1/distributions", operation_id = "list_distributions", tag = "billing", params(ListDistributions), responses(
    (status = 200, description = "A page of distributions", body = Page<Distribution>),
    Refused,
))]
pub async fn list(
    From(state): From<State>,
    Parameters(asked): Parameters<ListDistributions>,
) -> Result<Json<Page<Distribution>>, ApiError> {
    let filter = DistributionFilter {
        channel: asked.channel.as_deref().map(extract::address).transpose()?,
        payer: asked.payer.as_deref().map(extract::address).transpose()?,
        provider: asked.provider.as_deref().map(extract::address).transpose()?,
        model: asked.model.as_deref().map(extract::address).transpose()?,
    };
    let page = page::request(asked.limit, asked.cursor.as_deref())?;
    answer::read(move || Ok(Json(state.view.distributions(&filter, &page)?))).await
}
