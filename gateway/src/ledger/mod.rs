//! What must not be lost: vouchers, receipts, and which orders were served. SQLite, one writing thread, many writes in one
//! transaction (`synchronous=full`): whoever waits for a write waits for the disk.

mod read;
mod write;

use crate::{
    book::{Entry, Stored},
    tab::Part,
    telemetry,
};
use joule_sdk::Pubkey;
use joule_units::{Amount, UnixTime};
use joule_voucher::Voucher;
use joule_x402::Signed;
use rusqlite::Connection;
use std::{
    path::{Path, PathBuf},
    sync::{mpsc, Arc, Mutex, PoisonError},
    thread::JoinHandle,
    time::Instant,
};
use tokio::sync::oneshot;

/// Instead of an account's epoch.
const INDEPENDENT: u64 = u64::MAX;

/// Why something is not on disk.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LedgerError {
    #[error("{path}: {reason}")]
    Open { path: PathBuf, reason: String },
    #[error("not written: {0}")]
    NotWritten(String),
    #[error("not written: an earlier write of the same channel failed")]
    Void,
    #[error("cannot be read: {0}")]
    NotRead(String),
    #[error("the ledger has stopped")]
    Stopped,
}

/// One thing to be written.
#[derive(Debug, Clone)]
pub enum Write {
    Voucher {
        voucher: Signed<Voucher>,
        at: UnixTime,
    },
    /// A stream begins.
    Order {
        nonce: u64,
    },
    /// It ended before anything was sent.
    Forget {
        nonce: u64,
    },
    Receipt(Box<Entry>),
    /// The chain has settled as much.
    Settled {
        amount: Amount,
        at: UnixTime,
    },
    /// The chain has the channel no more.
    Gone {
        at: UnixTime,
    },
}

/// Writes of one channel that stand or fall together, made while its account had this epoch.
struct Batch {
    channel: Pubkey,
    epoch: u64,
    writes: Vec<Write>,
    done: oneshot::Sender<Result<(), LedgerError>>,
}

/// A voucher that is worth more than the chain has settled.
#[derive(Debug, Clone, Copy)]
pub struct Due {
    pub channel: Pubkey,
    pub voucher: Signed<Voucher>,
    /// Since when.
    pub since: UnixTime,
}

/// A channel that the chain has no more, and what its owner owes of it and has paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Past {
    pub channel: Pubkey,
    pub owner: Pubkey,
    pub part: Part,
    pub gone: UnixTime,
}

/// Cheap to clone. The thread ends when the last clone is gone.
#[derive(Clone)]
pub struct Ledger {
    /// Unbounded: what lies here belongs to requests, of which there are only so many at once.
    queue: mpsc::Sender<Batch>,
    reader: Arc<Mutex<Connection>>,
    state: Arc<Mutex<Option<String>>>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Ledger {
    /// `max_bytes` keeps the file from taking the whole disk; what does not fit is not written, and not served.
    pub fn open(path: &Path, max_bytes: Option<u64>) -> Result<Self, LedgerError> {
        let failed = |error: rusqlite::Error| LedgerError::Open { path: path.into(), reason: error.to_string() };
        joule_private::database(path)
            .map_err(|error| LedgerError::Open { path: path.into(), reason: error.to_string() })?;
        let writer = write::open(path, max_bytes).map_err(failed)?;
        let reader = read::open(path).map_err(failed)?;
        let (queue, batches) = mpsc::channel();
        let state = Arc::<Mutex<Option<String>>>::default();
        let health = state.clone();
        let thread = std::thread::Builder::new()
            .name("ledger".into())
            .spawn(move || write::run(writer, &batches, &health))
            .map_err(|error| LedgerError::Open { path: path.into(), reason: error.to_string() })?;
        Ok(Self { queue, reader: Arc::new(Mutex::new(reader)), state, thread: Arc::new(Mutex::new(Some(thread))) })
    }

    /// Puts writes in line. Call it while the account is locked that they come from, so that they are written in its order;
    /// await the answer afterwards.
    pub fn write(&self, channel: Pubkey, epoch: u64, writes: Vec<Write>) -> Written {
        let (done, answer) = oneshot::channel();
        let queued = self.queue.send(Batch { channel, epoch, writes, done });
        Written { answer, refused: queued.is_err() }
    }

    /// Puts a write in line that has nothing to do with an account's other writes, and whose failure voids none of them.
    pub fn note(&self, channel: Pubkey, write: Write) -> Written {
        self.write(channel, INDEPENDENT, vec![write])
    }

    /// Every channel that has a voucher.
    pub fn vouched(&self) -> Result<Vec<Pubkey>, LedgerError> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        read::vouched(&reader).map_err(|error| LedgerError::NotRead(error.to_string()))
    }

    /// Every channel that the chain still had when it was last asked.
    pub fn present(&self) -> Result<Vec<Pubkey>, LedgerError> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        read::present(&reader).map_err(|error| LedgerError::NotRead(error.to_string()))
    }

    /// Every channel that it has no more.
    pub fn past(&self) -> Result<Vec<Past>, LedgerError> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        read::past(&reader).map_err(|error| LedgerError::NotRead(error.to_string()))
    }

    /// What is on disk of a channel.
    pub fn load(&self, channel: &Pubkey) -> Result<Stored, LedgerError> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        read::channel(&reader, channel).map_err(|error| LedgerError::NotRead(error.to_string()))
    }

    /// Every voucher that the chain has not settled, but of channels that it no longer had at `gone_by`.
    pub fn due(&self, gone_by: UnixTime) -> Result<Vec<Due>, LedgerError> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        read::due(&reader, gone_by).map_err(|error| LedgerError::NotRead(error.to_string()))
    }

    /// Why the last write failed, if it did.
    pub fn trouble(&self) -> Option<String> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends the thread after what is in line; for the last clone.
    pub fn close(self) {
        let Self { queue, thread, .. } = self;
        drop(queue);
        let handle = thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(handle) = handle.filter(|_| Arc::strong_count(&thread) == 1) {
            let _ = handle.join();
        }
    }
}

/// A write on its way.
#[must_use = "nothing is on disk before this was awaited"]
pub struct Written {
    answer: oneshot::Receiver<Result<(), LedgerError>>,
    refused: bool,
}

impl Written {
    /// Returns once it is on disk.
    pub async fn done(self) -> Result<(), LedgerError> {
        if self.refused {
            return Err(LedgerError::Stopped);
        }
        let started = Instant::now();
        let answer = self.answer.await;
        metrics::histogram!(telemetry::LEDGER).record(started.elapsed().as_secs_f64());
        answer.unwrap_or(Err(LedgerError::Stopped))
    }
}
