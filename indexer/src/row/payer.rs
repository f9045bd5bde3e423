//! Payers: what their accounts say.

use super::{
    record::{kept, record},
    AccountRow,
};
use crate::{decode::State, types::Address};
use joule_api::{Commitment, Payer};

/// `None` where it is no payer, or more is reserved than is there.
pub fn from_account(account: &AccountRow, commitment: Commitment) -> Option<Payer> {
    let Some(State::Payer(state)) = account.state() else { return None };
    Some(Payer {
        address: account.address.to_string(),
        owner: Address::from(&state.owner).to_string(),
        mint: Address::from(&state.mint).to_string(),
        vault: Address::from(&state.vault).to_string(),
        balance: state.balance.get(),
        reserved: state.reserved.get(),
        free: state.free().ok()?,
        rate: state.rate.get(),
        synced_at: state.synced_at.get(),
        next_channel: state.next_channel.get(),
        open_channels: state.channels.get(),
        slot: account.since,
        commitment,
    })
}

/// A payer as far as it is summed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayerRow {
    pub address: Address,
    pub owner: Address,
    pub mint: Address,
    pub balance: u64,
    pub slot: u64,
}

impl PayerRow {
    pub fn new(address: &Address, state: &joule_billing::state::Payer, slot: u64) -> Self {
        let (owner, mint) = (Address::from(&state.owner), Address::from(&state.mint));
        Self { address: *address, owner, mint, balance: state.balance.get(), slot }
    }
}

record! {
    PayerRow { address: Key, owner: Key, mint: Key, balance: Amount, slot: Count }
}

kept!(PayerRow in "payers" by Address);
