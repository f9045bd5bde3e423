//! Models and their price lists: what their accounts say.

use super::{
    cell::names,
    record::{noun, record},
    AccountRow,
};
use crate::{decode::State, types::Address};
use anchor_lang::prelude::Address as Key;
use joule_api::{Commitment, Model, ModelStatus, PriceList, Royalty, Share};
use joule_registry::state;

/// The kinds of account, the second of which is listed under the first.
pub const MODEL: &str = "model";
pub const PRICE_LIST: &str = "price_list";

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

names!(ModelStatus; Active = "active", Retired = "retired");

record! {
    Royalty { owner: Address, bps: Number<u16> }
}

record! {
    Model {
        address: Address,
        creator: Address,
        id: Count,
        payout_owner: Address,
        status: Name<ModelStatus>,
        base: Maybe<Address>,
        depth: Number<u8>,
        royalty_bps: Number<u16>,
        version: Number<u32>,
        endpoint_hash: Hash,
        metadata_hash: Hash,
        created_at: Time,
        updated_at: Time,
        slot: Count,
    }
    lists { lineage: Royalty }
    rest { commitment: Commitment::Confirmed }
}

noun!(Model in "models", created_at, Newest, of ModelStatus);
