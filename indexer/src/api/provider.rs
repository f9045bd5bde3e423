//! Providers, and the work that fits them.

use super::{
    answer,
    extract::{Parameters, Target},
    page, ApiError, State,
};
use crate::{store::ProviderFilter, types::Address};
use axum::{extract::State as From, http::HeaderMap, response::Response, Json};
use joule_api::{ErrorBody, OpenJob, Page, Provider, ProviderStatus, RefusedJob};
use serde::Deserialize;
use utoipa::IntoParams;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListProviders {
    /// Only providers in this state.
    status: Option<ProviderStatus>,
    /// At most this many, 1 to 500.
    #[param(default = 50, minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListOpenJobs {
    /// At most this many, 1 to 500.
    #[param(default = 50, minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// Providers, oldest first.
///
/// Shown as of the newest update, with their bonds, and with counters of confirmed jobs.
#[utoipa::path(get, path = "/v1/providers", tag = "providers", params(ListProviders), responses(
    (status = 200, body = Page<Provider>),
    (status = 400, body = ErrorBody),
    (status = 503, body = ErrorBody),
))]
pub async fn list(
    From(state): From<State>,
    Parameters(asked): Parameters<ListProviders>,
) -> Result<Json<Page<Provider>>, ApiError> {
    let filter = ProviderFilter { status: asked.status };
    let page = page::request(asked.limit, asked.cursor.as_deref())?;
    answer::read(move || Ok(Json(state.view.providers(&filter, &page)?))).await
}

/// One provider, also after it retired.
#[utoipa::path(get, path = "/v1/providers/{address}", tag = "providers",
    params(("address" = String, Path, description = "The `Provider` account")),
    responses(
        (status = 200, body = Provider, headers(("ETag" = String, description = "For If-None-Match"))),
        (status = 304, description = "Unchanged since the ETag in If-None-Match"),
        (status = 400, body = ErrorBody),
        (status = 404, body = ErrorBody),
        (status = 503, body = ErrorBody),
    ))]
pub async fn get(From(state): From<State>, Target(address): Target, headers: HeaderMap) -> Result<Response, ApiError> {
    let provider = answer::read(move || find(&state, &address)).await?;
    answer::tagged(&headers, &provider)
}

/// Open jobs that the provider could accept now, or bid for, best paid first, each with the reasons.
///
/// The provider meets the job's requirements, and its bond covers what it would lock at the full budget. Empty when nothing
/// is open, when the provider is paused or retired, and when all its places are taken. Unconfirmed changes count: a job
/// appears as soon as it is seen, and disappears as soon as somebody takes it. The others are under `refused-jobs`.
#[utoipa::path(get, path = "/v1/providers/{address}/open-jobs", tag = "providers",
    params(("address" = String, Path, description = "The `Provider` account"), ListOpenJobs),
    responses(
        (status = 200, body = Vec<OpenJob>),
        (status = 400, body = ErrorBody),
        (status = 404, body = ErrorBody),
        (status = 503, body = ErrorBody),
    ))]
pub async fn open_jobs(
    From(state): From<State>,
    Target(address): Target,
    Parameters(asked): Parameters<ListOpenJobs>,
) -> Result<Json<Vec<OpenJob>>, ApiError> {
    let limit = page::limit(asked.limit)?;
    answer::read(move || {
        let provider = find(&state, &address)?;
        Ok(Json(state.scheduler.open_jobs(&state.view, &provider, state.health.now(), limit)?))
    })
    .await
}

/// Open jobs that the provider cannot have now, newest first, each with the reasons.
#[utoipa::path(get, path = "/v1/providers/{address}/refused-jobs", tag = "providers",
    params(("address" = String, Path, description = "The `Provider` account"), ListOpenJobs),
    responses(
        (status = 200, body = Vec<RefusedJob>),
        (status = 400, body = ErrorBody),
        (status = 404, body = ErrorBody),
        (status = 503, body = ErrorBody),
    ))]
pub async fn refused_jobs(
    From(state): From<State>,
    Target(address): Target,
    Parameters(asked): Parameters<ListOpenJobs>,
) -> Result<Json<Vec<RefusedJob>>, ApiError> {
    let limit = page::limit(asked.limit)?;
    answer::read(move || {
        let provider = find(&state, &address)?;
        Ok(Json(state.scheduler.refused_jobs(&state.view, &provider, state.health.now(), limit)?))
    })
    .await
}

fn find(state: &State, address: &Address) -> Result<Provider, ApiError> {
    let provider = state.view.provider(address)?;
    provider.ok_or_else(|| ApiError::NotFound { what: "provider", address: address.to_string() })
}
