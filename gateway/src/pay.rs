//! What clients pay with: read, checked, counted.

use crate::{
    account::Account,
    admit::{self, Asked, Credit},
    book::Book,
    channel::Contexts,
    config::Risk,
    gateway::Gateway,
    ledger::Write,
    refusal::Refusal,
    reply::{refusal_body, Failure},
    serve::Unserved,
    tab::MOST_BREAKS,
    telemetry,
};
use axum::{
    http::HeaderMap,
    response::{IntoResponse as _, Response},
    Json,
};
use joule_sdk::Pubkey;
use joule_units::UnixTime;
use joule_voucher::{Format as _, Hash, Order, Voucher};
use joule_x402::{decode, exact, Payment, PaymentPayload, Signed, PAYMENT_SIGNATURE, SCHEME, VERSION};
use std::{sync::Arc, time::Instant};

/// What a client pays with, as far as it can be judged before its body is read.
pub enum Presented {
    Nothing,
    Bad(Unserved),
    Exact(PaymentPayload<exact::Payload>),
    Channel(Box<PaymentPayload>),
    /// Its signatures are good.
    Known(Box<PaymentPayload>, Reading),
}

/// A body that is read for a payer that is known, until it is dropped.
pub struct Reading {
    pub account: Arc<Account>,
    nonce: u64,
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.account.tab().was_read(self.account.address, self.nonce);
    }
}

/// Looks at the header, and not at the chain.
pub fn look(gateway: &Gateway, headers: &HeaderMap) -> Presented {
    let Some(header) = headers.get(PAYMENT_SIGNATURE) else { return Presented::Nothing };
    match read(gateway, header.as_bytes()) {
        Err(failure) => Presented::Bad(failure.into()),
        Ok(Payment::Other(_)) => Presented::Bad(other_scheme().into()),
        Ok(Payment::Exact(payment)) => Presented::Exact(payment),
        Ok(Payment::Channel(payment)) => match known(gateway, &payment) {
            Ok(Some(reading)) => Presented::Known(payment, reading),
            Ok(None) => Presented::Channel(payment),
            Err(unserved) => Presented::Bad(unserved),
        },
    }
}

fn known(gateway: &Gateway, payment: &PaymentPayload) -> Result<Option<Reading>, Unserved> {
    let address = Pubkey::new_from_array(payment.payload.channel.0);
    let order = payment.payload.order.as_ref().ok_or(Refusal::NoOrder)?;
    let Some(account) = gateway.accounts.known(&address) else {
        let contexts = gateway.shop.cluster.contexts(&address);
        could_be(payment, None, &contexts, &gateway.config.risk, gateway.clock.now())?;
        return Ok(None);
    };
    verify(&account, Some(order), payment)?;
    let nonce = order.message.nonce.get();
    let begun = account.tab().read(address, nonce, gateway.config.risk.window);
    match begun {
        Ok(()) => Ok(Some(Reading { account, nonce })),
        Err(refusal) => Err(Unserved::Refused(refusal, Some(account))),
    }
}

fn read(gateway: &Gateway, header: &[u8]) -> Result<Payment, Failure> {
    let payment: Payment = decode(header).map_err(|error| Failure::BadPayment(error.to_string()))?;
    let (version, accepted) = match &payment {
        Payment::Channel(payment) => (payment.x402_version, &payment.accepted),
        Payment::Exact(payment) => (payment.x402_version, &payment.accepted),
        Payment::Other(payment) => (payment.x402_version, &payment.accepted),
    };
    if version != VERSION {
        return Err(other_scheme());
    }
    if accepted.network != gateway.shop.network {
        return Err(Failure::BadPayment(format!("only the network {} is taken", gateway.shop.network)));
    }
    Ok(payment)
}

fn other_scheme() -> Failure {
    let exact = exact::SCHEME;
    Failure::BadPayment(format!(
        "only x402 version {VERSION} is taken, with the scheme {SCHEME}, or {exact} for a request"
    ))
}

/// The account that a client pays from. Of a channel that is not known yet, all is checked first that can be without the chain.
/// `body` is the hash of what is to be answered, if anything is.
pub async fn account(
    gateway: &Arc<Gateway>,
    payment: &PaymentPayload,
    body: Option<&Hash>,
) -> Result<Arc<Account>, Unserved> {
    let address = Pubkey::new_from_array(payment.payload.channel.0);
    if gateway.accounts.known(&address).is_none() {
        let contexts = gateway.shop.cluster.contexts(&address);
        could_be(payment, body, &contexts, &gateway.config.risk, gateway.clock.now())?;
    }
    Ok(gateway.account(&address).await?.ok_or(Refusal::UnknownChannel)?)
}

/// Whether a payment could be good, if there is such a channel.
fn could_be(
    payment: &PaymentPayload,
    body: Option<&Hash>,
    contexts: &Contexts,
    risk: &Risk,
    now: UnixTime,
) -> Result<(), Refusal> {
    if let Some(order) = &payment.payload.order {
        admit::timely(&order.message, contexts, risk, now)?;
        if body.is_some_and(|body| order.message.request_hash != *body) {
            return Err(Refusal::OrderRequest);
        }
    }
    match &payment.payload.voucher {
        Some(voucher) if voucher.message.context != contexts.voucher => Err(Refusal::VoucherContext),
        _ => Ok(()),
    }
}

/// Checks the signatures: the order's, and the voucher's unless it is the one that was checked last time.
pub fn verify(account: &Account, order: Option<&Signed<Order>>, payment: &PaymentPayload) -> Result<(), Refusal> {
    let started = Instant::now();
    let verifier = account.verifier().ok_or(Refusal::OrderSignature)?;
    if let Some(order) = order {
        let good = verifier.verify(order.message.as_bytes(), &order.signature);
        good.map_err(|_| Refusal::OrderSignature)?;
    }
    if let Some(voucher) = &payment.payload.voucher {
        let newest = account.book().voucher().copied();
        if newest.as_ref() != Some(voucher) {
            let good = verifier.verify(voucher.message.as_bytes(), &voucher.signature);
            good.map_err(|_| Refusal::VoucherSignature)?;
        }
    }
    metrics::histogram!(telemetry::SIGNATURES).record(started.elapsed().as_secs_f64());
    Ok(())
}

/// Counts the voucher that came along, and lets the order in. Returns what is to be written of the voucher, together with
/// whatever is written first of the request.
pub fn let_in(
    gateway: &Gateway,
    account: &Account,
    voucher: Option<&Signed<Voucher>>,
    asked: &Asked<'_>,
) -> Result<Option<Write>, Refusal> {
    let mut book = account.book();
    let write = voucher.map(|voucher| credit(gateway, account, &mut book, voucher)).transpose()?.flatten();
    let (channel, now, nonce) = (account.channel(), gateway.clock.now(), asked.order.nonce.get());
    // Of two that come at once on two channels of one owner, the second is counted with the first.
    let mut tab = account.tab();
    tab.set(channel.address, book.part());
    let owner = tab.all(&channel.address, nonce, now);
    let admitted = match tab.is_spent(channel.address, nonce) && !book.is_known(nonce) {
        true => Err(Refusal::BrokenOff { times: MOST_BREAKS }),
        false => book.admit(asked, &channel, &account.contexts, &owner, &gateway.config.risk, now),
    };
    match admitted {
        Ok(()) => {
            tab.set(channel.address, book.part());
            tab.came_again(channel.address, nonce);
            Ok(write)
        }
        Err(refusal) => {
            // A voucher that is good is kept, whether the request is served or not. If this is lost, the client has it still.
            drop(write.map(|write| gateway.ledger.write(channel.address, book.epoch(), vec![write])));
            Err(refusal)
        }
    }
}

/// Counts a voucher; returns what is to be written if it pays for anything.
fn credit(
    gateway: &Gateway,
    account: &Account,
    book: &mut Book,
    voucher: &Signed<Voucher>,
) -> Result<Option<Write>, Refusal> {
    let (channel, now) = (account.channel(), gateway.clock.now());
    let before = book.voucher().map_or(0, |voucher| voucher.message.cumulative.get().get());
    match book.credit(voucher, &channel, &account.contexts, &gateway.config.risk, now)? {
        Credit::Nothing => Ok(None),
        Credit::Advances => {
            let paid = voucher.message.cumulative.get().get() - before;
            metrics::counter!(telemetry::PAID).increment(paid);
            Ok(Some(Write::Voucher { voucher: *voucher, at: now }))
        }
    }
}

/// A voucher that comes alone, for the last of a channel's requests.
pub async fn hand_in(gateway: Arc<Gateway>, headers: HeaderMap) -> Response {
    match take(&gateway, &headers).await {
        Ok(response) => response,
        Err(Unserved::Failed(failure)) => failure.response(),
        Err(Unserved::Refused(refusal, _)) => (refusal.status(), Json(refusal_body(&refusal))).into_response(),
    }
}

async fn take(gateway: &Arc<Gateway>, headers: &HeaderMap) -> Result<Response, Unserved> {
    let header = headers.get(PAYMENT_SIGNATURE);
    let header = header.ok_or_else(|| Failure::BadPayment("it is missing".into()))?;
    let Payment::Channel(payment) = read(gateway, header.as_bytes())? else { return Err(other_scheme().into()) };
    let voucher = payment.payload.voucher.ok_or_else(|| Failure::BadPayment("it holds no voucher".into()))?;
    let account = account(gateway, &payment, None).await?;
    verify(&account, None, &payment)?;
    gateway.rates.payer(&account.channel().payer).map_err(Failure::TooFast)?;
    let (written, epoch) = {
        let mut book = account.book();
        let write = credit(gateway, &account, &mut book, &voucher)?;
        let address = account.address;
        (write.map(|write| gateway.ledger.write(address, book.epoch(), vec![write])), book.epoch())
    };
    if let Some(written) = written {
        if let Err(error) = written.done().await {
            tracing::error!(%error, "a voucher could not be written");
            gateway.reload(&account, epoch).await;
            return Err(Failure::Ledger.into());
        }
    }
    let message = voucher.message;
    let paid = serde_json::json!({ "sequence": message.sequence.get(), "cumulative": message.cumulative.get().get().to_string() });
    Ok(Json(paid).into_response())
}
