//! Models and their price lists: what their accounts say.

use super::{
    listing::{body, column, parse, First, Listing},
    page::PageRequest,
    AccountRow, Result,
};
use crate::{decode::State, types::Address};
use anchor_lang::prelude::Address as Key;
use joule_api::{Commitment, Model, ModelStatus, PriceList, Royalty, Share};
use joule_registry::state;
use rusqlite::{params, Connection, OptionalExtension};

/// The kinds of account, the second of which is listed under the first.
pub const MODEL: &str = "model";
pub const PRICE_LIST: &str = "price_list";

/// Which models to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelFilter {
    pub status: Option<ModelStatus>,
    pub creator: Option<Address>,
    /// Only what derives from this model, without another between.
    pub base: Option<Address>,
}

impl ModelFilter {
    pub fn matches(&self, model: &Model) -> bool {
        self.status.is_none_or(|status| status == model.status)
            && self.creator.is_none_or(|creator| creator.to_string() == model.creator)
            && self.base.is_none_or(|base| Some(base.to_string()) == model.base)
    }
}

fn text(key: &Key) -> String {
    Address::from(key).to_string()
}

pub fn from_account(account: &AccountRow, commitment: Commitment) -> Option<Model> {
    let Some(State::Model(state)) = account.state() else { return None };
    Some(from_state(&account.address, &state, account.since, commitment))
}

pub fn from_state(address: &Address, state: &state::Model, slot: u64, commitment: Commitment) -> Model {
    let royalty = |royalty: &state::Royalty| Royalty { owner: text(&royalty.owner), bps: royalty.bps.get() };
    Model {
        address: address.to_string(),
        creator: text(&state.creator),
        id: state.id.get(),
        payout_owner: text(&state.payout_owner),
        status: if state.is_active() { ModelStatus::Active } else { ModelStatus::Retired },
        base: Some(Address::from(&state.base)).filter(|base| *base != Address::SYSTEM).map(|base| base.to_string()),
        depth: state.depth,
        royalty_bps: state.royalty_bps.get(),
        lineage: state.royalties().iter().map(royalty).collect(),
        version: state.version.get(),
        endpoint_hash: hex::encode(state.endpoint_hash),
        metadata_hash: hex::encode(state.metadata_hash),
        created_at: state.created_at.get(),
        updated_at: state.updated_at.get(),
        slot,
        commitment,
    }
}

pub fn price_list(account: &AccountRow, commitment: Commitment) -> Option<PriceList> {
    let Some(State::PriceList(state)) = account.state() else { return None };
    let share =
        |share: &state::Share| Share { owner: text(&share.owner), account: text(&share.account), bps: share.bps.get() };
    let prices = state.prices;
    Some(PriceList {
        address: account.address.to_string(),
        model: text(&state.model),
        mint: text(&state.mint),
        version: state.version.get(),
        per_request: prices.per_request.get(),
        per_million_input: prices.per_million_input.get(),
        per_million_output: prices.per_million_output.get(),
        per_image: prices.per_image.get(),
        per_second: prices.per_second.get(),
        shares: state.parties().iter().map(share).collect(),
        created_at: state.created_at.get(),
        slot: account.since,
        commitment,
    })
}

pub fn get(conn: &Connection, address: &Address) -> Result<Option<Model>> {
    let mut statement = conn.prepare_cached("select body from models where address = ?1")?;
    statement.query_row([address.0], |row| row.get::<_, String>(0)).optional()?.map(|body| parse(&body)).transpose()
}

pub fn put(conn: &Connection, address: &Address, model: &Model) -> Result<()> {
    let blob = |text: &str| column(address, text);
    let body = body(address, model)?;
    conn.prepare_cached(
        "insert or replace into models (address, creator, base, status, created_at, slot, body)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        address.0,
        blob(&model.creator)?,
        model.base.as_deref().map(blob).transpose()?,
        status_name(model.status),
        model.created_at,
        model.slot as i64,
        body,
    ])?;
    Ok(())
}

/// Newest first: by creation, then by address.
pub fn list(conn: &Connection, filter: &ModelFilter, page: &PageRequest, without: &[Address]) -> Result<Vec<Model>> {
    Listing::of("models")
        .text("status", filter.status.map(status_name))
        .address("creator", filter.creator)
        .address("base", filter.base)
        .read(conn, "created_at", First::Newest, page, without)
}

fn status_name(status: ModelStatus) -> &'static str {
    match status {
        ModelStatus::Active => "active",
        ModelStatus::Retired => "retired",
    }
}
