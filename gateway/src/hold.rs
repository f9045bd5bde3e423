//! A request that was let in: until it is billed, what it may cost is held; dropped, it costs nothing.

use crate::{
    account::Account,
    book::{Bill, Book},
    crash,
    exact::{Charge, Exact},
    gateway::Gateway,
    ledger::{LedgerError, Write, Written},
    line::Line,
    serve::Unserved,
    tab::after,
    telemetry,
};
use joule_units::{Amount, UnixTime};
use joule_voucher::{Hash, Order, Prices, Receipt, Usage};
use joule_x402::{Base58, Settlement, SettlementExtra, Signed};
use std::{sync::Arc, time::Instant};

/// Seconds for which a request counts that its client broke off, if its order lives so long: what the model has done of it, nobody
/// pays.
const BROKEN_OFF: std::ops::RangeInclusive<i64> = 5..=30;

pub struct Hold {
    gateway: Arc<Gateway>,
    account: Arc<Account>,
    order: Order,
    prices: Prices,
    model: String,
    /// The voucher that came along, until it is written with something else of the request.
    voucher: Option<Write>,
    /// The transaction that pays for it, instead of a voucher.
    charge: Option<Charge>,
    state: State,
    line: Option<Arc<Line>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Only in memory.
    Held,
    /// Its order is on disk, or on its way.
    Stored,
    /// Some of the answer was sent: it cannot be served again.
    Begun,
    Over,
}

impl Hold {
    /// After `Book::admit`.
    pub fn new(
        gateway: Arc<Gateway>,
        account: Arc<Account>,
        order: Order,
        prices: Prices,
        model: String,
        voucher: Option<Write>,
    ) -> Self {
        metrics::gauge!(telemetry::SERVING).increment(1.0);
        let line = Line::current();
        if let Some(line) = &line {
            let channel = account.channel();
            line.paid_by(channel.owner, channel.address);
        }
        Self { gateway, account, order, prices, model, voucher, charge: None, state: State::Held, line }
    }

    /// To be paid by a transaction.
    pub fn charged(mut self, charge: Charge) -> Self {
        if let Some(line) = &self.line {
            line.paid_by(charge.payer, self.account.address);
        }
        self.charge = Some(charge);
        self
    }

    pub fn is_charged(&self) -> bool {
        self.charge.is_some()
    }

    /// Whether a transaction has paid for it already, so that it is billed whatever comes.
    pub fn is_paid(&self) -> bool {
        self.charge.as_ref().is_some_and(Charge::is_taken)
    }

    /// Has the chain take what pays for it, where that is a transaction. After an error nothing may be given.
    pub async fn take(&mut self) -> Result<(), Unserved> {
        if let Some(charge) = &mut self.charge {
            charge.take().await?;
            metrics::counter!(telemetry::EXACT_PAID).increment(self.order.max_amount.get().get());
            crash::point(crash::Point::AfterExactTaken);
            self.state = State::Begun;
        }
        Ok(())
    }

    /// What the head of a stream says of the transaction that has paid for it; the receipt comes at the end.
    pub fn paid(&self) -> Option<Settlement> {
        let charge = self.charge.as_ref().filter(|charge| charge.is_taken())?;
        Some(Settlement {
            success: true,
            error_reason: None,
            payer: Some(Base58(charge.payer.to_bytes())),
            transaction: charge.signature().to_string(),
            network: self.gateway.shop.network.clone(),
            extra: None,
        })
    }

    /// Puts the order on disk, before any of a stream is sent. Whatever was written before it is then there too.
    pub async fn store(&mut self) -> Result<(), LedgerError> {
        let (written, epoch) = {
            let book = self.account.book();
            let order = Write::Order { nonce: self.order.nonce.get() };
            let writes = self.voucher.take().into_iter().chain([order]).collect();
            (self.gateway.ledger.write(self.account.address, book.epoch(), writes), book.epoch())
        };
        self.state = State::Stored;
        let result = written.done().await;
        if result.is_err() {
            self.gateway.reload(&self.account, epoch).await;
        }
        result
    }

    /// There is no answer, and that is not the client's doing: the request costs nothing, and its order may be sent again.
    pub fn free(mut self) {
        self.end(false);
    }

    /// From here on the order is used up, whatever happens.
    pub fn begun(&mut self) {
        self.state = State::Begun;
    }

    /// Bills what was used, and returns once the receipt is on disk. An error means that nobody owes anything.
    pub async fn bill(mut self, response_hash: Hash, usage: Usage) -> Result<Settlement, LedgerError> {
        // Paid beforehand, it is for all that the request may use: a receipt for less usage would ask for too much.
        let usage = self.charge.as_ref().map_or(usage, |charge| charge.bought);
        // Usage whose price no number holds was bounded by the quote long before.
        let price = self.prices.amount(&usage).unwrap_or(Amount::new(u64::MAX));
        let at = self.gateway.clock.now();
        let bill = Bill { request_hash: self.order.request_hash, response_hash, usage, amount: price, at };
        let (receipt, written, epoch) = self.write(&bill);
        self.state = State::Over;
        let result = written.done().await;
        if let Err(error) = result {
            self.gateway.reload(&self.account, epoch).await;
            // What was paid for is given, receipt or not.
            let Some(paid) = self.paid() else { return Err(error) };
            tracing::error!(transaction = %paid.transaction, %error, "a payment was taken that could not be billed");
            self.gateway.exact.get().into_iter().for_each(Exact::unbilled);
            return Ok(paid);
        }
        self.account.book().written(receipt.message.sequence.get());
        let amount = receipt.message.amount.get().get();
        metrics::counter!(telemetry::BILLED, "model" => self.model.clone()).increment(amount);
        if let Some(line) = &self.line {
            line.billed(usage.input_tokens.saturating_add(usage.output_tokens), self.gateway.config.show(amount));
        }
        let billed = self.gateway.settlement(&self.account, &receipt);
        Ok(match self.paid() {
            Some(paid) => Settlement { extra: billed.extra, ..paid },
            None => billed,
        })
    }

    /// The write is queued under the account's lock, so that the disk has receipts in their order.
    fn write(&mut self, bill: &Bill) -> (Signed<Receipt>, Written, u64) {
        let mut book = self.account.book();
        let started = Instant::now();
        let entry = book.bill(&self.order, &self.account.channel(), &self.account.contexts, bill, &self.gateway.key);
        metrics::histogram!(telemetry::SIGNATURES).record(started.elapsed().as_secs_f64());
        let receipt = entry.receipt;
        let before = self.voucher.take().into_iter();
        let mut writes: Vec<_> = before.chain([Write::Receipt(Box::new(entry))]).collect();
        if self.charge.is_some() {
            writes.extend(self.gateway.pay_house(&self.account, &mut book, bill.at));
        }
        let written = self.gateway.ledger.write(self.account.address, book.epoch(), writes);
        (receipt, written, book.epoch())
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // Nobody has said how it ended: the client has gone away.
        self.end(true);
        metrics::gauge!(telemetry::SERVING).decrement(1.0);
    }
}

impl Hold {
    /// Once.
    fn end(&mut self, is_broken_off: bool) {
        let (nonce, address) = (self.order.nonce.get(), self.account.address);
        let mut book = self.account.book();
        if let Some(voucher) = self.voucher.take() {
            drop(self.gateway.ledger.write(address, book.epoch(), vec![voucher]));
        }
        let state = std::mem::replace(&mut self.state, State::Over);
        match state {
            State::Over => return,
            State::Begun => book.abandon(nonce),
            State::Held => book.release(nonce),
            State::Stored => {
                book.release(nonce);
                // If this is lost, the order is refused after a restart, and costs nothing all the same.
                drop(self.gateway.ledger.write(address, book.epoch(), vec![Write::Forget { nonce }]));
            }
        }
        if is_broken_off && self.charge.is_none() {
            let now = self.gateway.clock.now();
            let (least, most) = (after(now, *BROKEN_OFF.start()), after(now, *BROKEN_OFF.end()));
            let until = self.order.expires_at.get().clamp(least, most);
            self.account.tab().broke_off(address, nonce, self.order.max_amount.get(), now, until);
        }
    }
}

impl Gateway {
    /// The house channel's payer is the gateway, which pays for every receipt at once.
    fn pay_house(&self, account: &Account, book: &mut Book, now: UnixTime) -> Option<Write> {
        let channel = account.channel();
        let paid = book.pay_all(&channel, &account.contexts, &self.house_risk(), now, &self.key);
        // The next receipt's voucher pays for this one too.
        let unpaid = |refusal: &_| tracing::error!(channel = %channel.address, %refusal, "no voucher for a receipt");
        paid.inspect_err(unpaid).ok().map(|voucher| Write::Voucher { voucher, at: now })
    }

    /// What an answer says of its receipt.
    pub fn settlement(&self, account: &Account, receipt: &Signed<Receipt>) -> Settlement {
        let channel = account.channel();
        Settlement {
            success: true,
            error_reason: None,
            payer: Some(Base58(channel.owner.to_bytes())),
            transaction: String::new(),
            network: self.shop.network.clone(),
            extra: Some(SettlementExtra {
                commitment_id: format!("{}:{}", channel.address, receipt.message.sequence.get()),
                charged_amount: receipt.message.amount.get(),
                receipt: *receipt,
            }),
        }
    }
}
