//! Jobs.

use super::{
    answer,
    error::{NotThere, Refused, Unchanged},
    extract::{self, Parameters, Target},
    page, ApiError, State,
};
use crate::query::JobFilter;
use axum::{extract::State as From, http::HeaderMap, response::Response, Json};
use joule_api::{Bid, Job, JobStatus, Page};
use serde::Deserialize;
use utoipa::IntoParams;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListJobs {
    /// Only jobs in this state.
    status: Option<JobStatus>,
    /// Only jobs of this client.
    client: Option<String>,
    /// Only jobs that this `Provider` account accepted.
    provider: Option<String>,
    /// Only jobs paid in this token.
    mint: Option<String>,
    /// At most this many, 1 to 500.
    #[param(default = 50, minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Jobs, newest first.
///
/// Shown as of the newest update; `commitment` says how sure that is. Pages do not shift when jobs change.
#[utoipa::path(get, path = "/v1/jobs", operation_id = "list_jobs", tag = "jobs", params(ListJobs), responses(
    (status = 200, description = "A page of jobs", body = Page<Job>),
    Refused,
))]
pub async fn list(
    From(state): From<State>,
    Parameters(asked): Parameters<ListJobs>,
) -> Result<Json<Page<Job>>, ApiError> {
    let address = |text: &Option<String>| text.as_deref().map(extract::address).transpose();
    let filter = JobFilter {
        status: asked.status,
        client: address(&asked.client)?,
        provider: address(&asked.provider)?,
        mint: address(&asked.mint)?,
    };
    let page = page::request(asked.limit, asked.cursor.as_deref())?;
    answer::read(move || Ok(Json(state.view.list(&filter, &page)?))).await
}

/// One job, also after its account was closed.
#[utoipa::path(get, path = "/v1/jobs/{address}", operation_id = "get_job", tag = "jobs",
    params(("address" = String, Path, description = "The job's account")),
    responses(
        (status = 200, description = "The job", body = Job, headers(("ETag" = String, description = "For If-None-Match"))),
        Unchanged, NotThere, Refused,
    ))]
pub async fn get(From(state): From<State>, Target(address): Target, headers: HeaderMap) -> Result<Response, ApiError> {
    let job = answer::read(move || Ok(state.view.get::<Job>(&address)?)).await?;
    let job = job.ok_or_else(|| ApiError::NotFound { what: "job", address: address.to_string() })?;
    answer::tagged(&headers, &job)
}

/// The bids on a job that have neither won nor been withdrawn, the cheapest first.
#[utoipa::path(get, path = "/v1/jobs/{address}/bids", operation_id = "list_bids", tag = "jobs",
    params(("address" = String, Path, description = "The job's account")),
    responses(
        (status = 200, description = "The bids", body = Vec<Bid>),
        NotThere, Refused,
    ))]
pub async fn bids(From(state): From<State>, Target(address): Target) -> Result<Json<Vec<Bid>>, ApiError> {
    answer::read(move || {
        let job = state.view.get::<Job>(&address)?;
        let job = job.ok_or_else(|| ApiError::NotFound { what: "job", address: address.to_string() })?;
        Ok(Json(state.view.bids(&job)?))
    })
    .await
}
