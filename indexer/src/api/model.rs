//! Models, what they derive from, and what requests to them cost.

use super::{
    answer,
    error::{NotThere, Refused, Unchanged},
    extract::{self, Parameters, Target},
    page, ApiError, State,
};
use crate::{query::ModelFilter, types::Address};
use axum::{extract::State as From, http::HeaderMap, response::Response, Json};
use joule_api::{Model, ModelStatus, ModelWithLineage, Page, PriceList};
use serde::Deserialize;
use utoipa::IntoParams;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListModels {
    /// Only models in this state.
    status: Option<ModelStatus>,
    /// Only models of this creator.
    creator: Option<String>,
    /// Only models that derive from this one, without another between.
    base: Option<String>,
    /// At most this many, 1 to 500.
    #[param(default = 50, minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListPrices {
    /// Only versions below this one.
    before: Option<u32>,
    /// At most this many, 1 to 500.
    #[param(default = 50, minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// Models, newest first.
///
/// Shown as of the newest update; `commitment` says how sure that is.
#[utoipa::path(get, path = "/v1/models", operation_id = "list_models", tag = "models", params(ListModels), responses(
    (status = 200, description = "A page of models", body = Page<Model>),
    Refused,
))]
pub async fn list(
    From(state): From<State>,
    Parameters(asked): Parameters<ListModels>,
) -> Result<Json<Page<Model>>, ApiError> {
    let filter = ModelFilter {
        status: asked.status,
        creator: asked.creator.as_deref().map(extract::address).transpose()?,
        base: asked.base.as_deref().map(extract::address).transpose()?,
    };
    let page = page::request(asked.limit, asked.cursor.as_deref())?;
    answer::read(move || Ok(Json(state.view.list(&filter, &page)?))).await
}

/// One model, with everything it derives from and its newest price list.
#[utoipa::path(get, path = "/v1/models/{address}", operation_id = "get_model", tag = "models",
    params(("address" = String, Path, description = "The `Model` account")),
    responses(
        (status = 200, description = "The model", body = ModelWithLineage, headers(("ETag" = String, description = "For If-None-Match"))),
        Unchanged, NotThere, Refused,
    ))]
pub async fn get(From(state): From<State>, Target(address): Target, headers: HeaderMap) -> Result<Response, ApiError> {
    let found = answer::read(move || {
        let model = known(&state, &address)?;
        let (bases, prices) = (state.view.bases(&model)?, state.view.prices(&address)?.into_iter().next());
        Ok(ModelWithLineage { model, bases, prices })
    })
    .await?;
    answer::tagged(&headers, &found)
}

/// A model's price lists, the newest first. They never change.
#[utoipa::path(get, path = "/v1/models/{address}/prices", operation_id = "list_prices", tag = "models",
    params(("address" = String, Path, description = "The `Model` account"), ListPrices),
    responses(
        (status = 200, description = "The price lists", body = Vec<PriceList>),
        NotThere, Refused,
    ))]
pub async fn prices(
    From(state): From<State>,
    Target(address): Target,
    Parameters(asked): Parameters<ListPrices>,
) -> Result<Json<Vec<PriceList>>, ApiError> {
    let limit = page::limit(asked.limit)?;
    answer::read(move || {
        known(&state, &address)?;
        let lists = state.view.prices(&address)?.into_iter();
        let older = lists.filter(|list| asked.before.is_none_or(|before| list.version < before));
        Ok(Json(older.take(limit).collect()))
    })
    .await
}

fn known(state: &State, address: &Address) -> Result<Model, ApiError> {
    let model = state.view.get::<Model>(address)?;
    model.ok_or_else(|| ApiError::NotFound { what: "model", address: address.to_string() })
}
