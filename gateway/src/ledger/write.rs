//! The writing thread.

use super::{Batch, LedgerError, Write, INDEPENDENT};
use crate::{book::Entry, crash, telemetry};
use joule_sdk::Pubkey;
use rusqlite::{params, Connection, Transaction};
use std::{
    collections::HashMap,
    path::Path,
    sync::{mpsc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Batches in one transaction.
const TOGETHER: usize = 256;

pub fn open(path: &Path, max_bytes: Option<u64>) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    if let Some(bytes) = max_bytes {
        let page: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        // Answers with what was set.
        connection
            .query_row(&format!("pragma max_page_count = {}", bytes / page.unsigned_abs().max(1)), [], |_| Ok(()))?;
    }
    connection.execute_batch(include_str!("schema.sql"))?;
    upgrade(&connection)?;
    Ok(connection)
}

/// Columns that older ledgers lack.
fn upgrade(connection: &Connection) -> rusqlite::Result<()> {
    let mut columns = connection.prepare("select name from pragma_table_info('channels')")?;
    let columns = columns.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    for (name, kind) in [("owner", "blob"), ("gone", "integer not null default 0")] {
        if !columns.iter().any(|column| column == name) {
            connection.execute(&format!("alter table channels add column {name} {kind}"), [])?;
        }
    }
    Ok(())
}

/// Writes until nobody is left to ask. One account's writes are void from the first that failed on, until it comes back
/// with a higher epoch: nothing is written that builds upon what is not there.
pub fn run(mut connection: Connection, batches: &mpsc::Receiver<Batch>, health: &Mutex<Option<String>>) {
    let mut failed: HashMap<Pubkey, u64> = HashMap::new();
    while let Ok(first) = batches.recv() {
        let mut together = vec![first];
        together.extend(batches.try_iter().take(TOGETHER - 1));
        let (sound, void): (Vec<_>, Vec<_>) =
            together.into_iter().partition(|batch| failed.get(&batch.channel).is_none_or(|epoch| batch.epoch > *epoch));
        for batch in void {
            let _ = batch.done.send(Err(LedgerError::Void));
        }
        let started = Instant::now();
        let result = commit(&mut connection, &sound);
        metrics::histogram!(telemetry::COMMIT).record(started.elapsed().as_secs_f64());
        metrics::histogram!(telemetry::BATCH).record(sound.len() as f64);
        *health.lock().unwrap_or_else(PoisonError::into_inner) = result.as_ref().err().map(ToString::to_string);
        if let Err(error) = &result {
            tracing::error!(%error, writes = sound.len(), "the ledger could not be written");
            metrics::counter!(telemetry::LEDGER_FAILURES).increment(1);
            let dependent = sound.iter().filter(|batch| batch.epoch != INDEPENDENT);
            failed.extend(dependent.map(|batch| (batch.channel, batch.epoch)));
        }
        for batch in sound {
            let answer = match &result {
                Ok(()) => Ok(()),
                Err(error) => Err(LedgerError::NotWritten(error.to_string())),
            };
            let _ = batch.done.send(answer);
        }
    }
}

fn commit(connection: &mut Connection, batches: &[Batch]) -> rusqlite::Result<()> {
    if batches.is_empty() {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    for batch in batches {
        for write in &batch.writes {
            apply(&transaction, &batch.channel, write)?;
        }
    }
    crash::point(crash::Point::BeforeCommit);
    transaction.commit()?;
    crash::point(crash::Point::AfterCommit);
    Ok(())
}

fn apply(transaction: &Transaction<'_>, channel: &Pubkey, write: &Write) -> rusqlite::Result<()> {
    let address = channel.as_ref();
    match write {
        Write::Voucher { voucher, at } => {
            let (sequence, cumulative) = (voucher.message.sequence.get(), voucher.message.cumulative.get());
            transaction
                .prepare_cached(
                    "insert into channels (address, voucher, sequence, cumulative, since) values (?1, ?2, ?3, ?4, ?5)
                     on conflict (address) do update set voucher = ?2, sequence = ?3, cumulative = ?4,
                        since = iif(cumulative > settled, since, ?5)
                     where ?3 > sequence",
                )?
                .execute(params![address, voucher.bytes(), signed(sequence), signed(cumulative.get()), at.get()])?;
        }
        Write::Order { nonce } => {
            transaction
                .prepare_cached("insert into orders (channel, rank) values (?1, ?2) on conflict do nothing")?
                .execute(params![address, rank(*nonce)])?;
        }
        Write::Forget { nonce } => {
            transaction
                .prepare_cached("delete from orders where channel = ?1 and rank = ?2 and sequence is null")?
                .execute(params![address, rank(*nonce)])?;
        }
        Write::Receipt(entry) => receipt(transaction, channel, entry)?,
        Write::Gone { at } => {
            transaction
                .prepare_cached("update channels set gone = ?2 where address = ?1 and gone = 0")?
                .execute(params![address, at.get()])?;
        }
        Write::Settled { amount, at } => {
            transaction
                .prepare_cached("update channels set settled = ?2, since = ?3 where address = ?1 and settled <> ?2")?
                .execute(params![address, signed(amount.get()), at.get()])?;
        }
    }
    Ok(())
}

fn receipt(transaction: &Transaction<'_>, channel: &Pubkey, entry: &Entry) -> rusqlite::Result<()> {
    let (address, line) = (channel.as_ref(), &entry.line);
    let used = &line.used;
    transaction
        .prepare_cached(
            "insert into receipts (channel, sequence, receipt, billed, input_tokens, output_tokens, images, milliseconds, root)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            address,
            signed(line.sequence),
            entry.receipt.bytes(),
            signed(line.billed.get()),
            signed(used.input_tokens),
            signed(used.output_tokens),
            signed(used.images),
            signed(used.milliseconds),
            line.root,
        ])?;
    transaction
        .prepare_cached(
            "insert into orders (channel, rank, sequence) values (?1, ?2, ?3)
             on conflict (channel, rank) do update set sequence = ?3",
        )?
        .execute(params![address, rank(entry.nonce), signed(line.sequence)])?;
    transaction
        .prepare_cached(
            "insert into channels (address, peaks, owner) values (?1, ?2, ?3)
             on conflict (address) do update set peaks = ?2, owner = ?3, gone = 0",
        )?
        .execute(params![address, entry.peaks.concat(), entry.owner.as_ref()])?;
    Ok(())
}

/// The signed number with the same bits.
pub fn signed(number: u64) -> i64 {
    number.cast_signed()
}

/// A signed number that sorts as `nonce` does.
pub fn rank(nonce: u64) -> i64 {
    (nonce ^ 1 << 63).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{read, Past};
    use joule_units::{Amount, UnixTime};
    use joule_voucher::Voucher;
    use joule_x402::Signed;

    #[test]
    fn a_ledger_of_before_owners_were_kept_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.sqlite");
        let old = "create table channels (address blob primary key, voucher blob, sequence integer not null default 0,
            cumulative integer not null default 0, since integer not null default 0, settled integer not null default 0,
            peaks blob not null default x'') without rowid";
        Connection::open(&path).unwrap().execute_batch(old).unwrap();
        let channel = Pubkey::new_from_array([7; 32]);
        let insert = "insert into channels (address, sequence, cumulative) values (?1, 2, 30)";
        Connection::open(&path).unwrap().execute(insert, [channel.as_ref()]).unwrap();
        for _ in 0..2 {
            let connection = open(&path, None).unwrap();
            assert_eq!(read::present(&connection).unwrap(), [channel]);
            assert_eq!(read::past(&connection).unwrap(), []);
        }
    }

    /// Some node may be wrong about a channel for a while, and its voucher is money.
    #[test]
    fn vouchers_of_channels_that_are_gone_are_asked_for_a_while_longer() {
        let mut connection = open(std::path::Path::new(":memory:"), None).unwrap();
        let channels = [1, 2].map(|seed| Pubkey::new_from_array([seed; 32]));
        let voucher = Signed { message: Voucher::default(), signature: [0; 64] };
        let insert = "insert into channels (address, voucher, cumulative) values (?1, ?2, 30)";
        let transaction = connection.transaction().unwrap();
        for channel in &channels {
            transaction.execute(insert, params![channel.as_ref(), voucher.bytes()]).unwrap();
        }
        apply(&transaction, &channels[1], &Write::Gone { at: UnixTime::new(50) }).unwrap();
        transaction.commit().unwrap();
        let due = |gone_by| -> Vec<_> {
            read::due(&connection, UnixTime::new(gone_by)).unwrap().iter().map(|due| due.channel).collect()
        };
        assert_eq!(due(49), channels);
        assert_eq!(due(50), channels[..1]);
        assert_eq!(due(i64::MIN), channels, "all that there are");
    }

    #[test]
    fn what_a_channel_leaves_behind_is_what_its_receipts_come_to_and_its_voucher_does_not_pay() {
        let mut connection = open(std::path::Path::new(":memory:"), None).unwrap();
        let [unpaid, paid, nobodys] = [1, 2, 3].map(|seed| Pubkey::new_from_array([seed; 32]));
        let owner = Pubkey::new_from_array([9; 32]);
        let channel = "insert into channels (address, sequence, cumulative, owner) values (?1, ?2, ?3, ?4)";
        connection.execute(channel, params![unpaid.as_ref(), 2, 30, owner.as_ref()]).unwrap();
        connection.execute(channel, params![paid.as_ref(), 1, 20, owner.as_ref()]).unwrap();
        connection.execute(channel, params![nobodys.as_ref(), 0, 0, None::<Vec<u8>>]).unwrap();
        let receipt = "insert into receipts values (?1, ?2, x'', ?3, 0, 0, 0, 0, x'')";
        for (of, sequence, billed) in
            [(unpaid, 1, 10), (unpaid, 2, 30), (unpaid, 3, 55), (unpaid, 4, 70), (paid, 1, 20)]
        {
            connection.execute(receipt, params![of.as_ref(), sequence, billed]).unwrap();
        }
        let transaction = connection.transaction().unwrap();
        for of in [unpaid, paid, nobodys] {
            apply(&transaction, &of, &Write::Gone { at: UnixTime::new(50) }).unwrap();
            // The first time counts.
            apply(&transaction, &of, &Write::Gone { at: UnixTime::new(60) }).unwrap();
        }
        transaction.commit().unwrap();
        assert_eq!(read::present(&connection).unwrap(), []);
        let past = |channel, unpaid, owed, paid| {
            let part = crate::tab::Part { unpaid, serving: 0, owed: Amount::new(owed), paid: Amount::new(paid) };
            Past { channel, owner, part, gone: UnixTime::new(50) }
        };
        assert_eq!(read::past(&connection).unwrap(), [past(unpaid, 2, 40, 30), past(paid, 0, 0, 20)]);
    }
}
