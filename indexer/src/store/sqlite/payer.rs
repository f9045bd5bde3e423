//! Payers, as far as they are summed.

use crate::{store::Result, types::Address};
use joule_billing::state;
use rusqlite::{params, Connection, OptionalExtension};

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
