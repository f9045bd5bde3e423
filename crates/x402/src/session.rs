//! The client's side of one channel: orders, checks of what comes back, vouchers for what was right.

use crate::{wire::Accepted, Base58, Payload, PaymentPayload, Settlement, Signed, SCHEME, VERSION};
use joule_units::{Amount, UnixTime};
use joule_voucher::{
    hashv, sign, tree, Context, Domain, Format, Hash, Key, Order, Prices, Receipt, SigningKey, Usage, Verifier, Voucher,
};

/// What does not change while a channel lives.
#[derive(Debug, Clone)]
pub struct Channel {
    pub address: Key,
    /// The billing program.
    pub program: Key,
    pub genesis: Hash,
    /// Who signs receipts.
    pub authority: Key,
    pub prices: Prices,
    pub session_expires_at: UnixTime,
}

/// Why a receipt is not paid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Objection {
    #[error("there is no receipt")]
    Missing,
    #[error("the receipt is for another channel")]
    Context,
    #[error("the receipt has number {got}; {wanted} would be next")]
    Sequence { got: u64, wanted: u64 },
    #[error("the receipt is for another request")]
    Request,
    #[error("the receipt is for another answer than the one that came")]
    Response,
    #[error("the receipt asks for {asked}, the price of its usage is {fair}")]
    Overcharged { asked: u64, fair: u64 },
    #[error("the receipt asks for {asked}, the order allowed {allowed}")]
    AboveOrder { asked: u64, allowed: u64 },
    #[error("the receipt is not signed by the provider")]
    Signature,
}

/// One channel as its client keeps it. What it has to remember across restarts is `receipts`.
pub struct Session {
    channel: Channel,
    key: SigningKey,
    provider: Verifier,
    network: String,
    next_nonce: u64,
    frontier: tree::Frontier,
    billed: Amount,
    used: Usage,
    /// The newest voucher; one is never signed twice.
    voucher: Option<Signed<Voucher>>,
}

impl Session {
    /// `None` when the authority is no key. `first_nonce` must be above every nonce used before on this channel; the time in
    /// nanoseconds will do.
    pub fn new(channel: Channel, key: SigningKey, first_nonce: u64) -> Option<Self> {
        Some(Self {
            provider: Verifier::new(&channel.authority)?,
            network: crate::network(&channel.genesis),
            channel,
            key,
            next_nonce: first_nonce,
            frontier: tree::Frontier::default(),
            billed: Amount::default(),
            used: Usage::default(),
            voucher: None,
        })
    }

    /// What was accepted so far, paid or not.
    pub fn billed(&self) -> Amount {
        self.billed
    }

    /// Receipts accepted so far.
    pub fn receipts(&self) -> u64 {
        self.frontier.size()
    }

    pub fn context(&self, domain: Domain) -> Context {
        Context::of(domain, &self.channel.genesis, &self.channel.program, &self.channel.address)
    }

    /// Asks for `body` to be answered, and pays for everything before.
    pub fn order(&mut self, body: &[u8], max_amount: Amount, expires_at: UnixTime) -> PaymentPayload {
        let order = Order {
            context: self.context(Domain::Order),
            nonce: self.next_nonce.into(),
            request_hash: hashv(&[body]),
            max_amount: max_amount.into(),
            expires_at: expires_at.into(),
        };
        self.next_nonce += 1;
        let order = Signed { message: order, signature: sign(&self.key, order.as_bytes()) };
        self.payload(Some(order))
    }

    /// Only pays.
    pub fn payment(&mut self) -> PaymentPayload {
        self.payload(None)
    }

    fn payload(&mut self, order: Option<Signed<Order>>) -> PaymentPayload {
        PaymentPayload {
            x402_version: VERSION,
            accepted: Accepted { scheme: SCHEME.into(), network: self.network.clone() },
            payload: Payload { channel: Base58(self.channel.address), order, voucher: self.voucher() },
        }
    }

    /// For all receipts that were accepted; `None` before the first.
    pub fn voucher(&mut self) -> Option<Signed<Voucher>> {
        let sequence = self.frontier.size();
        if sequence > self.voucher.map_or(0, |voucher| voucher.message.sequence.get()) {
            let voucher = Voucher {
                context: self.context(Domain::Voucher),
                sequence: sequence.into(),
                cumulative: self.billed.into(),
                units: self.used.units().into(),
                expires_at: self.channel.session_expires_at.into(),
                usage_root: self.frontier.root(),
            };
            self.voucher = Some(Signed { message: voucher, signature: sign(&self.key, voucher.as_bytes()) });
        }
        self.voucher
    }

    /// Checks what came back for an order, and takes it into the account. An objection means that nothing is owed.
    pub fn accept(&mut self, order: &Order, response_hash: &Hash, answer: &Settlement) -> Result<Receipt, Objection> {
        let signed = answer.extra.as_ref().filter(|_| answer.success).ok_or(Objection::Missing)?.receipt;
        self.check(order, &signed)?;
        if signed.message.response_hash != *response_hash {
            return Err(Objection::Response);
        }
        self.take(&signed.message);
        Ok(signed.message)
    }

    /// The same for an answer that was lost on its way, whose bytes nobody can compare any more.
    pub fn accept_unseen(&mut self, order: &Order, signed: &Signed<Receipt>) -> Result<Receipt, Objection> {
        self.check(order, signed)?;
        self.take(&signed.message);
        Ok(signed.message)
    }

    /// Takes receipts that were accepted before, in their order.
    pub fn restore(&mut self, receipts: impl IntoIterator<Item = Receipt>) {
        receipts.into_iter().for_each(|receipt| self.take(&receipt));
    }

    fn check(&self, order: &Order, signed: &Signed<Receipt>) -> Result<(), Objection> {
        let receipt = &signed.message;
        if receipt.context != self.context(Domain::Receipt) {
            return Err(Objection::Context);
        }
        let (got, wanted) = (receipt.sequence.get(), self.frontier.size() + 1);
        if got != wanted {
            return Err(Objection::Sequence { got, wanted });
        }
        if receipt.request_hash != order.request_hash {
            return Err(Objection::Request);
        }
        let (asked, allowed) = (receipt.amount.get().get(), order.max_amount.get().get());
        if receipt.overcharges(&self.channel.prices) {
            let fair = self.channel.prices.amount(&receipt.usage()).map_or(u64::MAX, Amount::get);
            return Err(Objection::Overcharged { asked, fair });
        }
        if asked > allowed {
            return Err(Objection::AboveOrder { asked, allowed });
        }
        self.provider.verify(receipt.as_bytes(), &signed.signature).map_err(|_| Objection::Signature)
    }

    fn take(&mut self, receipt: &Receipt) {
        self.frontier.append(tree::leaf(receipt.as_bytes()));
        self.billed = Amount::new(self.billed.get().saturating_add(receipt.amount.get().get()));
        self.used = self.used.plus(&receipt.usage());
    }
}
