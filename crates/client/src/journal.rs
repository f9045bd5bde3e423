//! The account on disk: one SQLite file for each channel, that one process at a time can open.
//!
//! It must never go back in time. Whoever restores an old copy and goes on signs second vouchers for numbers that were used,
//! and for two of one number the channel can be taken.

use crate::{Caught, Changes, Kept};
use joule_voucher::{Format, Order, Receipt, Voucher};
use joule_x402::Signed;
use rusqlite::{params, Connection, ErrorCode, OptionalExtension as _, Transaction};
use std::path::{Path, PathBuf};

/// The journal cannot be used; without it nothing is signed.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("{0} is open in another process; two that sign for one channel would contradict each other")]
    Busy(PathBuf),
    #[error("{path} belongs to another channel")]
    OtherChannel { path: PathBuf },
    #[error("{0} holds what was not written by this program")]
    Unreadable(&'static str),
    #[error("{path}: {source}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("the journal: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("the journal has stopped")]
    Stopped,
}

/// What is written about one channel.
#[derive(Debug)]
pub struct Journal {
    db: Connection,
}

const SCHEMA: &str = "
    create table if not exists account (
        one integer primary key check (one = 1),
        context blob not null,
        next_nonce integer not null default 0,
        voucher blob
    ) strict;
    create table if not exists begun (nonce integer primary key, message blob not null) strict;
    create table if not exists given_up (nonce integer primary key) strict;
    create table if not exists missed (one integer primary key check (one = 1), in_a_row integer not null) strict;
    create table if not exists receipt (
        number integer primary key,
        nonce integer not null unique,
        message blob not null
    ) strict;
    create table if not exists caught (
        one integer primary key check (one = 1),
        begun blob not null,
        receipt blob not null,
        why text not null
    ) strict;
";

impl Journal {
    /// Opens or makes the file for the channel of this context, which also tells one cluster from another; for its owner alone.
    /// Whatever is written is on the disk when `write` returns, even if power fails.
    pub fn open(path: &Path, context: &[u8; 32]) -> Result<Self, JournalError> {
        joule_private::database(path).map_err(|source| JournalError::File { path: path.to_owned(), source })?;
        let db = Connection::open(path)?;
        let opened = Self::set_up(&db, context);
        let busy = |error: &rusqlite::Error| error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy);
        match opened {
            Ok(true) => Ok(Self { db }),
            Ok(false) => Err(JournalError::OtherChannel { path: path.to_owned() }),
            Err(error) if busy(&error) => Err(JournalError::Busy(path.to_owned())),
            Err(error) => Err(error.into()),
        }
    }

    fn set_up(db: &Connection, context: &[u8; 32]) -> rusqlite::Result<bool> {
        db.busy_timeout(std::time::Duration::ZERO)?;
        // The lock is taken with the first write, below, and kept until the process ends.
        db.pragma_update(None, "locking_mode", "exclusive")?;
        db.pragma_update(None, "journal_mode", "wal")?;
        db.pragma_update(None, "synchronous", "full")?;
        db.execute_batch(&format!("begin exclusive; {SCHEMA} commit;"))?;
        db.execute("insert into account (one, context) values (1, ?1) on conflict do nothing", [context.as_slice()])?;
        let kept: Vec<u8> = db.query_row("select context from account", [], |row| row.get(0))?;
        Ok(kept == context)
    }

    /// Everything that was written.
    pub fn read(&self) -> Result<Kept, JournalError> {
        let (next_nonce, voucher) = self.db.query_row("select next_nonce, voucher from account", [], |row| {
            Ok((row.get::<_, i64>(0)? as u64, row.get::<_, Option<Vec<u8>>>(1)?))
        })?;
        let mut kept = Kept { next_nonce, ..Kept::default() };
        kept.voucher = voucher.map(|bytes| message::<Voucher>(&bytes, "a voucher")).transpose()?;
        let mut orders = self.db.prepare("select message from begun")?;
        let mut rows = orders.query([])?;
        while let Some(row) = rows.next()? {
            let order: Order = message(row.get_ref(0)?.as_blob().unwrap_or_default(), "an order")?;
            kept.orders.insert(order.nonce.get(), order);
        }
        let mut given_up = self.db.prepare("select nonce from given_up")?;
        for nonce in given_up.query_map([], |row| row.get::<_, i64>(0))? {
            kept.given_up.insert(nonce? as u64);
        }
        let missed = self.db.query_row("select in_a_row from missed", [], |row| row.get::<_, i64>(0));
        kept.missed = missed.optional()?.unwrap_or_default() as u64;
        let mut receipts = self.db.prepare("select nonce, message from receipt order by number")?;
        let mut rows = receipts.query([])?;
        while let Some(row) = rows.next()? {
            let signed = receipt(row.get_ref(1)?.as_blob().unwrap_or_default())?;
            kept.receipts.push((row.get::<_, i64>(0)? as u64, signed));
        }
        let caught = self.db.query_row("select begun, receipt, why from caught", [], |row| {
            Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, String>(2)?))
        });
        kept.caught = match caught.optional()? {
            Some((order, signed, why)) => {
                Some(Caught { order: message(&order, "an order")?, receipt: receipt(&signed)?, why })
            }
            None => None,
        };
        Ok(kept)
    }

    /// All of these changes together, or none.
    pub fn write(&mut self, all: &[Changes]) -> Result<(), JournalError> {
        let transaction = self.db.transaction()?;
        for changes in all {
            write(&transaction, changes)?;
        }
        Ok(transaction.commit()?)
    }
}

fn write(to: &Transaction<'_>, changes: &Changes) -> rusqlite::Result<()> {
    to.prepare_cached("update account set next_nonce = max(next_nonce, ?1)")?.execute([changes.next_nonce as i64])?;
    for order in &changes.begun {
        to.prepare_cached("insert or replace into begun values (?1, ?2)")?
            .execute(params![order.nonce.get() as i64, order.as_bytes()])?;
    }
    for nonce in &changes.given_up {
        to.prepare_cached("insert or ignore into given_up values (?1)")?.execute([*nonce as i64])?;
    }
    for nonce in changes.released.iter().chain(changes.receipts.iter().map(|(nonce, _)| nonce)) {
        to.prepare_cached("delete from begun where nonce = ?1")?.execute([*nonce as i64])?;
        to.prepare_cached("delete from given_up where nonce = ?1")?.execute([*nonce as i64])?;
    }
    if let Some(missed) = changes.missed {
        to.prepare_cached("insert or replace into missed values (1, ?1)")?.execute([missed as i64])?;
    }
    for (nonce, signed) in &changes.receipts {
        let number = signed.message.sequence.get() as i64;
        to.prepare_cached("insert into receipt values (?1, ?2, ?3)")?.execute(params![
            number,
            *nonce as i64,
            signed.bytes()
        ])?;
    }
    if let Some(voucher) = &changes.voucher {
        to.prepare_cached("update account set voucher = ?1")?.execute([voucher.as_bytes()])?;
    }
    if let Some(caught) = &changes.caught {
        to.prepare_cached("insert into caught values (1, ?1, ?2, ?3) on conflict do nothing")?.execute(params![
            caught.order.as_bytes(),
            caught.receipt.bytes(),
            caught.why
        ])?;
    }
    Ok(())
}

fn message<M: Format>(bytes: &[u8], what: &'static str) -> Result<M, JournalError> {
    M::from_bytes(bytes).copied().ok_or(JournalError::Unreadable(what))
}

fn receipt(bytes: &[u8]) -> Result<Signed<Receipt>, JournalError> {
    Signed::read(bytes).ok_or(JournalError::Unreadable("a receipt"))
}
