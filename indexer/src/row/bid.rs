//! Bids: what their accounts say.

use super::AccountRow;
use crate::{decode::State, types::Address};
use joule_api::Bid;

/// The kind of account that is listed under jobs.
pub const BID: &str = "bid";

pub fn from_account(account: &AccountRow) -> Option<Bid> {
    let Some(State::Bid(state)) = account.state() else { return None };
    Some(Bid {
        address: account.address.to_string(),
        job: Address::from(&state.job).to_string(),
        provider: Address::from(&state.provider).to_string(),
        authority: Address::from(&state.authority).to_string(),
        price: state.price.get(),
        exposure: state.exposure.get(),
        placed_at: state.placed_at.get(),
    })
}
