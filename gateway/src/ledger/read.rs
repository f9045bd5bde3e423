//! Reading back what was written.

use super::{write::rank, Due, Past};
use crate::{
    admit::Line,
    book::{Stored, REMEMBERED},
    tab::Part,
};
use joule_sdk::Pubkey;
use joule_units::{Amount, UnixTime};
use joule_voucher::{tree, Hash, Receipt, Usage};
use joule_x402::Signed;
use rusqlite::{params, Connection, OpenFlags, OptionalExtension as _, Row};
use std::{path::Path, time::Duration};

pub fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    Ok(connection)
}

/// Everything of a channel that its account in memory is made from; an empty one when nothing is known.
pub fn channel(connection: &Connection, channel: &Pubkey) -> rusqlite::Result<Stored> {
    // One transaction, so that nothing changes between the statements.
    let snapshot = connection.unchecked_transaction()?;
    let address = channel.as_ref();
    let row = snapshot
        .query_row("select voucher, sequence, peaks from channels where address = ?1", [address], |row| {
            Ok((row.get::<_, Option<Vec<u8>>>(0)?, row.get::<_, i64>(1)?, row.get::<_, Vec<u8>>(2)?))
        })
        .optional()?;
    let Some((voucher, paid, peaks)) = row else {
        return Ok(Stored { orders: orders(&snapshot, channel)?, ..Stored::default() });
    };
    const LINE: &str = "sequence, billed, input_tokens, output_tokens, images, milliseconds, root, receipt";
    let last = snapshot
        .query_row(
            &format!("select {LINE} from receipts where channel = ?1 order by sequence desc limit 1"),
            [address],
            line,
        )
        .optional()?
        .map_or_else(Line::default, |(line, _)| line);
    let unpaid = snapshot
        .prepare(&format!("select {LINE} from receipts where channel = ?1 and sequence > ?2 order by sequence"))?
        .query_map(params![address, paid], line)?
        .collect::<rusqlite::Result<_>>()?;
    let peaks = peaks.as_chunks::<32>().0.to_vec();
    let frontier = tree::Frontier::restore(last.sequence, peaks).ok_or_else(|| damaged("the tree's peaks"))?;
    if frontier.root() != last.root && last.sequence > 0 {
        return Err(damaged("the tree's root"));
    }
    let voucher = voucher.map(|bytes| Signed::read(&bytes).ok_or_else(|| damaged("a voucher"))).transpose()?;
    Ok(Stored { voucher, frontier, last, unpaid, orders: orders(&snapshot, channel)? })
}

fn orders(connection: &Connection, channel: &Pubkey) -> rusqlite::Result<Vec<(u64, Option<Signed<Receipt>>)>> {
    connection
        .prepare(
            "select rank, receipt from orders left join receipts using (channel, sequence)
             where channel = ?1 order by rank desc limit ?2",
        )?
        .query_map(params![channel.as_ref(), REMEMBERED as i64 + 1], |row| {
            let receipt = row.get::<_, Option<Vec<u8>>>(1)?;
            let receipt = receipt.map(|bytes| Signed::read(&bytes).ok_or_else(|| damaged("a receipt"))).transpose()?;
            // Flipping the bit again gives the nonce.
            Ok((rank(row.get::<_, i64>(0)?.cast_unsigned()).cast_unsigned(), receipt))
        })?
        .collect()
}

pub fn vouched(connection: &Connection) -> rusqlite::Result<Vec<Pubkey>> {
    connection
        .prepare("select address from channels where voucher is not null")?
        .query_map([], |row| address(row, 0))?
        .collect()
}

pub fn present(connection: &Connection) -> rusqlite::Result<Vec<Pubkey>> {
    connection.prepare("select address from channels where gone = 0")?.query_map([], |row| address(row, 0))?.collect()
}

pub fn past(connection: &Connection) -> rusqlite::Result<Vec<Past>> {
    connection
        .prepare(
            "select address, owner, gone, cumulative, channels.sequence, receipts.sequence, billed from channels
             left join receipts on receipts.channel = address
                and receipts.sequence = (select max(sequence) from receipts where channel = address)
             where gone <> 0 and owner is not null",
        )?
        .query_map([], |row| {
            let (paid, paid_receipts) = (amount(row, 3)?, row.get::<_, i64>(4)?.cast_unsigned());
            let receipts = row.get::<_, Option<i64>>(5)?.unwrap_or(0).cast_unsigned();
            let billed = row.get::<_, Option<i64>>(6)?.unwrap_or(0).cast_unsigned();
            let unpaid = receipts.saturating_sub(paid_receipts);
            let owed = Amount::new(billed.saturating_sub(paid.get()));
            Ok(Past {
                channel: address(row, 0)?,
                owner: address(row, 1)?,
                part: Part { unpaid, serving: 0, owed, paid },
                gone: UnixTime::new(row.get(2)?),
            })
        })?
        .collect()
}

fn address(row: &Row<'_>, at: usize) -> rusqlite::Result<Pubkey> {
    Pubkey::try_from(row.get::<_, Vec<u8>>(at)?.as_slice()).map_err(|_| damaged("an address"))
}

/// Not of channels that were gone at `gone_by`.
pub fn due(connection: &Connection, gone_by: UnixTime) -> rusqlite::Result<Vec<Due>> {
    connection
        .prepare(
            "select address, voucher, since from channels
             where voucher is not null and cumulative > settled and (gone = 0 or gone > ?1)",
        )?
        .query_map([gone_by.get()], |row| {
            Ok(Due {
                channel: address(row, 0)?,
                voucher: Signed::read(&row.get::<_, Vec<u8>>(1)?).ok_or_else(|| damaged("a voucher"))?,
                since: UnixTime::new(row.get(2)?),
            })
        })?
        .collect()
}

fn line(row: &Row<'_>) -> rusqlite::Result<(Line, Signed<Receipt>)> {
    let number = |at| row.get::<_, i64>(at).map(i64::cast_unsigned);
    let used =
        Usage { input_tokens: number(2)?, output_tokens: number(3)?, images: number(4)?, milliseconds: number(5)? };
    let root = Hash::try_from(row.get::<_, Vec<u8>>(6)?).map_err(|_| damaged("a root"))?;
    let receipt = Signed::read(&row.get::<_, Vec<u8>>(7)?).ok_or_else(|| damaged("a receipt"))?;
    Ok((Line { sequence: number(0)?, billed: amount(row, 1)?, used, root }, receipt))
}

fn amount(row: &Row<'_>, at: usize) -> rusqlite::Result<Amount> {
    Ok(Amount::new(row.get::<_, i64>(at)?.cast_unsigned()))
}

/// The file holds something that this program did not write.
fn damaged(what: &str) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(
        format!(
            "{what} in the ledger is damaged: move it away and set risk.channels_from to the present date and time"
        )
        .into(),
    )
}
