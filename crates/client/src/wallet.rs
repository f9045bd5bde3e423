//! The one place that signs: first what is to be signed is on disk, then it is signed.

use crate::{
    kept::Corrupt, session::Stop, Answer, Caught, Changes, Channel, Draft, Journal, JournalError, Limits, Objection,
    Session,
};
use joule_units::{Amount, UnixTime};
use joule_voucher::{sign, Format, Hash, Receipt, SigningKey, Voucher};
use joule_x402::{Accepted, Base58, Payload, PaymentPayload, Signed, SCHEME, VERSION};
use std::{
    sync::{mpsc, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
};
use tokio::sync::{oneshot, Notify};

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum WalletError {
    #[error("{0}")]
    Stop(#[from] Stop),
    #[error("{0}")]
    Objection(#[from] Objection),
    #[error("{0}")]
    Journal(#[from] JournalError),
    #[error("what is kept of the channel cannot be used: {0}")]
    Corrupt(#[from] Corrupt),
    #[error("the order is over")]
    Over,
}

/// A session, its key, and its journal. Shared by all requests of the channel.
pub struct Wallet {
    session: Mutex<Session>,
    key: SigningKey,
    network: String,
    channel: Channel,
    writer: Writer,
    /// Something ended: there may be room for another request.
    ended: Notify,
}

/// The thread that writes the journal, which is closed when this is dropped.
struct Writer {
    queue: Option<mpsc::Sender<Write>>,
    thread: Option<JoinHandle<()>>,
}

struct Write {
    changes: Changes,
    done: oneshot::Sender<bool>,
}

impl Wallet {
    /// Goes on where the journal ends.
    pub fn new(channel: Channel, limits: Limits, key: SigningKey, journal: Journal) -> Result<Self, WalletError> {
        let session = Session::new(channel, limits, &journal.read()?)?;
        let writer = Writer::start(journal);
        let network = joule_x402::network(&channel.genesis);
        Ok(Self { session: Mutex::new(session), key, network, channel, writer, ended: Notify::new() })
    }

    pub fn channel(&self) -> &Channel {
        &self.channel
    }

    /// CAIP-2 of the cluster.
    pub fn network(&self) -> &str {
        &self.network
    }

    fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn billed(&self) -> Amount {
        self.session().billed()
    }

    pub fn receipts(&self) -> u64 {
        self.session().receipts()
    }

    pub fn caught(&self) -> Option<Caught> {
        self.session().caught().cloned()
    }

    pub fn under_way(&self) -> usize {
        self.session().under_way()
    }

    pub fn gaps(&self) -> usize {
        self.session().gaps()
    }

    /// Answers in a row that did not come, in whatever process, and that are paid or will be.
    pub fn missed(&self) -> u64 {
        self.session().missed()
    }

    /// Asks for one more request; returns its nonce and what to send with it.
    pub async fn begin(
        &self,
        request_hash: &Hash,
        most: Amount,
        now: UnixTime,
        expires_at: UnixTime,
    ) -> Result<(u64, PaymentPayload), WalletError> {
        let (draft, written) = {
            let mut session = self.session();
            let draft = session.begin(request_hash, most, now, expires_at)?;
            (draft, self.queue(&mut session))
        };
        on_disk(written).await?;
        Ok((draft.order.nonce.get(), self.signed(Some(draft.order), draft.voucher)))
    }

    /// What to send with a request that is sent again.
    pub async fn again(&self, nonce: u64) -> Result<PaymentPayload, WalletError> {
        let (draft, written) = {
            let mut session = self.session();
            (session.again(nonce).ok_or(WalletError::Over)?, self.queue(&mut session))
        };
        on_disk(written).await?;
        let Draft { order, voucher } = draft;
        Ok(self.signed(Some(order), voucher))
    }

    /// The newest voucher by itself; `None` before the first receipt.
    pub async fn payment(&self) -> Result<Option<PaymentPayload>, WalletError> {
        let (voucher, written) = {
            let mut session = self.session();
            (session.voucher(), self.queue(&mut session))
        };
        on_disk(written).await?;
        Ok(voucher.map(|voucher| self.signed(None, Some(voucher))))
    }

    /// Comes after its content is on disk, and nowhere else.
    fn signed(&self, order: Option<joule_voucher::Order>, voucher: Option<Voucher>) -> PaymentPayload {
        fn with<M: Format>(key: &SigningKey, message: M) -> Signed<M> {
            Signed { signature: sign(key, message.as_bytes()), message }
        }
        PaymentPayload {
            x402_version: VERSION,
            accepted: Accepted { scheme: SCHEME.into(), network: self.network.clone() },
            payload: Payload {
                channel: Base58(self.channel.address),
                order: order.map(|order| with(&self.key, order)),
                voucher: voucher.map(|voucher| with(&self.key, voucher)),
            },
        }
    }

    pub fn accept(&self, nonce: u64, receipt: &Signed<Receipt>, answer: &Answer<'_>) -> Result<(), Objection> {
        self.change(|session| session.accept(nonce, receipt, answer))
    }

    pub fn release(&self, nonce: u64) {
        self.change(|session| session.release(nonce));
    }

    pub fn lose(&self, nonce: u64) {
        self.change(|session| session.lose(nonce));
    }

    pub fn gaps_until(&self) -> Option<UnixTime> {
        self.session().gaps_until()
    }

    /// `idle` when the provider says that it serves nothing.
    pub fn recover(&self, unpaid: &[Signed<Receipt>], idle: bool, now: UnixTime) -> Result<(), Objection> {
        self.change(|session| {
            session.recover(unpaid)?;
            if idle && session.under_way() == 0 {
                session.forget(now);
            }
            Ok(())
        })
    }

    /// What [`Self::concede`] would pay for.
    pub fn concession(&self) -> Option<Signed<Receipt>> {
        self.session().concession()
    }

    pub fn concede(&self) -> Option<u64> {
        self.change(Session::concede)
    }

    fn change<T>(&self, act: impl FnOnce(&mut Session) -> T) -> T {
        let result = act(&mut self.session());
        self.ended.notify_waiters();
        result
    }

    /// Returns when `Stop::Wait` may not be the answer any more.
    pub async fn room(&self) {
        let ended = self.ended.notified();
        if self.under_way() > 0 {
            ended.await;
        }
    }

    /// All that was noted until now, on disk.
    pub async fn flush(&self) -> Result<(), WalletError> {
        let written = self.queue(&mut self.session());
        on_disk(written).await
    }

    /// Under the session's lock, so that the disk has changes in their order.
    fn queue(&self, session: &mut Session) -> oneshot::Receiver<bool> {
        let (done, written) = oneshot::channel();
        // If the writer has stopped, `written` says so.
        if let Some(queue) = &self.writer.queue {
            let _ = queue.send(Write { changes: session.take_changes(), done });
        }
        written
    }
}

impl Writer {
    fn start(journal: Journal) -> Self {
        let (to, queue) = mpsc::channel();
        let thread = std::thread::spawn(move || write(journal, &queue));
        Self { queue: Some(to), thread: Some(thread) }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn on_disk(written: oneshot::Receiver<bool>) -> Result<(), WalletError> {
    match written.await {
        Ok(true) => Ok(()),
        _ => Err(JournalError::Stopped.into()),
    }
}

/// Writes all that waits in one go. After an error nothing more is written, and so nothing more is signed.
fn write(mut journal: Journal, queue: &mpsc::Receiver<Write>) {
    while let Ok(first) = queue.recv() {
        let (changes, waiting): (Vec<_>, Vec<_>) =
            std::iter::once(first).chain(queue.try_iter()).map(|write| (write.changes, write.done)).unzip();
        let is_news = changes.iter().any(|changes| !changes.is_empty());
        let result = if is_news { journal.write(&changes) } else { Ok(()) };
        for done in waiting {
            let _ = done.send(result.is_ok());
        }
        if result.is_err() {
            return;
        }
    }
}
