//! Payers: what their accounts say.

use super::AccountRow;
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
