//! Disputes.

use super::{
    answer,
    error::{NotThere, Refused, Unchanged},
    extract::{Parameters, Target},
    page, ApiError, State,
};
use crate::{decode::event, query::DisputeFilter, types::Address};
use anchor_lang::prelude::Address as Key;
use axum::{extract::State as From, http::HeaderMap, response::Response, Json};
use joule_api::{Case, Dispute, DisputeStatus, Page};
use serde::Deserialize;
use utoipa::IntoParams;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListDisputes {
    /// Only disputes in this state.
    status: Option<DisputeStatus>,
    /// At most this many, 1 to 500.
    #[param(default = 50, minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Disputes, newest first, each with its job: what a juror needs to run it again and vote.
///
/// Shown as of the newest update; `commitment` says how sure that is.
#[utoipa::path(get, path = "/v1/disputes", operation_id = "list_disputes", tag = "jobs", params(ListDisputes), responses(
    (status = 200, description = "A page of disputes", body = Page<Case>),
    Refused,
))]
pub async fn list(
    From(state): From<State>,
    Parameters(asked): Parameters<ListDisputes>,
) -> Result<Json<Page<Case>>, ApiError> {
    let filter = DisputeFilter { status: asked.status };
    let page = page::request(asked.limit, asked.cursor.as_deref())?;
    answer::read(move || {
        let Page { items, next_cursor } = state.view.list(&filter, &page)?;
        let cases = items.into_iter().filter_map(|dispute| case(&state, dispute).transpose());
        Ok(Json(Page { items: cases.collect::<Result<_, _>>()?, next_cursor }))
    })
    .await
}

/// The dispute about one job, also after it was wound up.
#[utoipa::path(get, path = "/v1/disputes/{job}", operation_id = "get_dispute", tag = "jobs",
    params(("job" = String, Path, description = "The job's account")),
    responses(
        (status = 200, description = "The dispute, with its job", body = Case, headers(("ETag" = String, description = "For If-None-Match"))),
        Unchanged, NotThere, Refused,
    ))]
pub async fn get(From(state): From<State>, Target(job): Target, headers: HeaderMap) -> Result<Response, ApiError> {
    let case = answer::read(move || {
        let address = Address::from(&event::dispute(&Key::new_from_array(job.0)));
        state.view.get::<Dispute>(&address)?.map_or(Ok(None), |dispute| case(&state, dispute))
    })
    .await?;
    let case = case.ok_or_else(|| ApiError::NotFound { what: "dispute about the job", address: job.to_string() })?;
    answer::tagged(&headers, &case)
}

/// `None` where the job was never seen.
fn case(state: &State, dispute: Dispute) -> Result<Option<Case>, ApiError> {
    let Ok(address) = dispute.job.parse() else { return Ok(None) };
    Ok(state.view.get::<joule_api::Job>(&address)?.map(|job| Case { dispute, job }))
}
