//! Payers: what their accounts say.

use super::{AccountRow, Result};
use crate::{decode::State, types::Address};
use joule_api::{Commitment, Payer};
use joule_billing::state;
use rusqlite::{params, Connection, OptionalExtension};

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

/// Remembers what is summed. Returns what the balance was before, in base units; 0 for a new payer.
pub fn put(conn: &Connection, address: &Address, state: &state::Payer, slot: u64) -> Result<u64> {
    let before: Option<String> = conn
        .prepare_cached("select balance from payers where address = ?1")?
        .query_row([address.0], |row| row.get(0))
        .optional()?;
    conn.prepare_cached(
        "insert or replace into payers (address, owner, mint, balance, slot) values (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        address.0,
        state.owner.to_bytes(),
        state.mint.to_bytes(),
        state.balance.get().to_string(),
        slot as i64
    ])?;
    Ok(before.and_then(|before| before.parse().ok()).unwrap_or_default())
}
