//! Plans.

use super::{
    answer,
    error::Refused,
    extract::{self, Parameters},
    page, ApiError, State,
};
use crate::query::PlanFilter;
use axum::{extract::State as From, Json};
use joule_api::{Page, Plan, PlanStatus};
use serde::Deserialize;
use utoipa::IntoParams;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListPlans {
    /// Only plans of this payer: a `Payer` account.
    payer: Option<String>,
    /// Only the plan on this channel.
    channel: Option<String>,
    /// Only plans in this state.
    status: Option<PlanStatus>,
    /// At most this many, 1 to 500.
    #[param(default = 50, minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Plans, the newest first, also those that ended; of a channel's plans the last one.
///
/// Shown as of the newest update; `commitment` says how sure that is.
#[utoipa::path(get, path = "/v1/plans", operation_id = "list_plans", tag = "billing", params(ListPlans), responses(
    (status = 200, description = "A page of plans", body = Page<Plan>),
    Refused,
))]
pub async fn list(
    From(state): From<State>,
    Parameters(asked): Parameters<ListPlans>,
) -> Result<Json<Page<Plan>>, ApiError> {
    let filter = PlanFilter {
        payer: asked.payer.as_deref().map(extract::address).transpose()?,
        channel: asked.channel.as_deref().map(extract::address).transpose()?,
        status: asked.status,
    };
    let page = page::request(asked.limit, asked.cursor.as_deref())?;
    answer::read(move || Ok(Json(state.view.list(&filter, &page)?))).await
}
