//! Providers, and the work that fits them.

use super::{
    answer,
    error::{NotThere, Refused, Unchanged},
    extract::{Parameters, Target},
    page, ApiError, State,
};
use crate::{query::ProviderFilter, types::Address};
use axum::{extract::State as From, http::HeaderMap, response::Response, Json};
use joule_api::{OpenJob, Page, Provider, ProviderStatus, RefusedJob};
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
#[utoipa::path(get, path = "/v1/providers", operation_id = "list_providers", tag = "providers", params(ListProviders), responses(
    (status = 200, description = "A page of providers", body = Page<Provider>),
    Refused,
))]
pub async fn list(
    From(state): From<State>,
    Parameters(asked): Parameters<ListProviders>,
) -> Result<Json<Page<Provider>>, ApiError> {
    let filter = ProviderFilter { status: asked.status };
    let page = page::request(asked.limit, asked.cursor.as_deref())?;
    answer::read(move || Ok(Json(state.view.list(&filter, &page)?))).await
}

/// One provider, also after it retired.
#[utoipa::path(get, path = "/v1/providers/{address}", operation_id = "get_provider", tag = "providers",
    params(("address" = String, Path, description = "The `Provider` account")),
    responses(
        (status = 200, description = "The provider", body = Provider, headers(("ETag" = String, description = "For If-None-Match"))),
        Unchanged, NotThere, Refused,
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
#[utoipa::path(get, path = "/v1/providers/{address}/open-jobs", operation_id = "list_open_jobs", tag = "providers",
    params(("address" = String, Path, description = "The `Provider` account"), ListOpenJobs),
    responses(
        (status = 200, description = "The jobs, the best first", body = Vec<OpenJob>),
        NotThere, Refused,
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
#[utoipa::path(get, path = "/v1/providers/{address}/refused-jobs", operation_id = "list_refused_jobs", tag = "providers",
    params(("address" = String, Path, description = "The `Provider` account"), ListOpenJobs),
    responses(
        (status = 200, description = "The jobs, each with the reasons", body = Vec<RefusedJob>),
        NotThere, Refused,
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
    let provider = state.view.get::<Provider>(address)?;
    provider.ok_or_else(|| ApiError::NotFound { what: "provider", address: address.to_string() })
}
