//! The parties of distributions, which become known with their channels.

use crate::{store::Result, types::Address};
use rusqlite::Connection;

/// A channel is known for the first time: so are the parties of what it has divided. They never change.
pub fn name_parties(conn: &Connection, channel: &Address) -> Result<()> {
    let mut statement = conn.prepare_cached(
        "update distributions set (payer, provider, model) =
             (select payer, provider, model from channels where address = ?1)
         where channel = ?1",
    )?;
    statement.execute([channel.0])?;
    Ok(())
}
