//! Channels.

use super::{
    answer,
    error::{NotThere, Refused, Unchanged},
    extract::{self, Parameters, Target},
    page, ApiError, State,
};
use crate::{
    decode::event,
    query::{ChannelFilter, DistributionFilter, PageRequest},
    types::Address,
};
use anchor_lang::prelude::Address as Key;
use axum::{extract::State as From, http::HeaderMap, response::Response, Json};
use joule_api::{Against, Channel, ChannelStatus, ChannelWithPlan, Page};
use serde::Deserialize;
use utoipa::IntoParams;

/// Distributions that are shown with their channel.
const NEWEST: usize = 50;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListChannels {
    /// Only channels of this payer: a `Payer` account.
    payer: Option<String>,
    /// Only channels to this provider: a `Provider` account.
    provider: Option<String>,
    /// Only channels to this model.
    model: Option<String>,
    /// Only channels in this state.
    status: Option<ChannelStatus>,
    /// Only channels in which this party was proven wrong about a bill.
    lost_by: Option<Against>,
    /// At most this many, 1 to 500.
    #[param(default = 50, minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Channels, newest first.
///
/// Shown as of the newest update; `commitment` says how sure that is. What they paid out is of confirmed state only.
#[utoipa::path(get, path = "/v1/channels", operation_id = "list_channels", tag = "billing", params(ListChannels), responses(
    (status = 200, description = "A page of channels", body = Page<Channel>),
    Refused,
))]
pub async fn list(
    From(state): From<State>,
    Parameters(asked): Parameters<ListChannels>,
) -> Result<Json<Page<Channel>>, ApiError> {
    let filter = ChannelFilter {
        payer: asked.payer.as_deref().map(extract::address).transpose()?,
        provider: asked.provider.as_deref().map(extract::address).transpose()?,
        model: asked.model.as_deref().map(extract::address).transpose()?,
        status: asked.status,
        lost_by: asked.lost_by,
    };
    let page = page::request(asked.limit, asked.cursor.as_deref())?;
    answer::read(move || Ok(Json(state.view.list(&filter, &page)?))).await
}

/// One channel, also after it closed, with its newest plan and where its money went.
#[utoipa::path(get, path = "/v1/channels/{address}", operation_id = "get_channel", tag = "billing",
    params(("address" = String, Path, description = "The `Channel` account")),
    responses(
        (status = 200, description = "The channel", body = ChannelWithPlan, headers(("ETag" = String, description = "For If-None-Match"))),
        Unchanged, NotThere, Refused,
    ))]
pub async fn get(From(state): From<State>, Target(address): Target, headers: HeaderMap) -> Result<Response, ApiError> {
    let found = answer::read(move || {
        let Some(channel) = state.view.get::<joule_api::Channel>(&address)? else { return Ok(None) };
        let plan = state.view.get::<joule_api::Plan>(&Address::from(&event::plan(&Key::new_from_array(address.0))))?;
        let of = DistributionFilter { channel: Some(address), ..DistributionFilter::default() };
        let page = state.view.distributions(&of, &PageRequest { after: None, limit: NEWEST })?;
        Ok(Some(ChannelWithPlan { channel, plan, distributions: page.items }))
    })
    .await?;
    let found = found.ok_or_else(|| ApiError::NotFound { what: "channel", address: address.to_string() })?;
    answer::tagged(&headers, &found)
}
