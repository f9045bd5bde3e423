//! Bids: what their accounts say.

use super::{AccountRow, EventRow};
use crate::{
    decode::{Fact, State},
    types::Address,
};
use anchor_lang::prelude::Address as Key;
use joule_api::{Bid, Job};
use joule_escrow::{constants::BID_SEED, event::AnyEvent};

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

/// The bid that won the job, which is closed with that, and the slot in which it did. No event names it.
pub fn won(job: &Job, events: &[EventRow]) -> Option<(Address, u64)> {
    job.bid_until?;
    events.iter().find_map(|event| match event.fact() {
        Ok(Fact::Escrow(AnyEvent::JobAccepted(e))) if Address::from(&e.job).to_string() == job.address => {
            Some((address(&e.job, &e.provider), event.slot))
        }
        _ => None,
    })
}

fn address(job: &Key, provider: &Key) -> Address {
    let seeds = [BID_SEED, job.as_ref(), provider.as_ref()];
    Address::from(&anchor_lang::find_program_address(&seeds, &joule_escrow::ID).0)
}
