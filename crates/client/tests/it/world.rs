//! A provider that keeps the rules, as far as a session sees one.

use joule_client::{Asked, Channel, Counted, Limits};
use joule_units::{Amount, UnixTime};
use joule_voucher::{hashv, sign, tree, Domain, Format, Order, Prices, Receipt, SigningKey, Usage, Voucher};
use joule_x402::Signed;
use std::collections::BTreeMap;

pub const NOW: UnixTime = UnixTime::new(1_000);
pub const LATER: UnixTime = UnixTime::new(1_060);
pub const ANSWER: &[u8] = br#"{"choices":[{"index":0,"message":{"role":"assistant","content":"seven"}}]}"#;

pub fn authority() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

pub fn channel(most: u64) -> Channel {
    Channel {
        address: [2; 32],
        program: [3; 32],
        genesis: [4; 32],
        authority: authority().verifying_key().to_bytes(),
        prices: prices(),
        most: Amount::new(most),
        session_expires_at: UnixTime::new(4_000_000_000),
        settled: 0,
    }
}

pub fn prices() -> Prices {
    Prices { per_request: Amount::new(10), per_million_output: Amount::new(1_000_000), ..Prices::default() }
}

pub const LIMITS: Limits = Limits { budget: Amount::new(u64::MAX), window: 4, margin: 600 };

/// What a client counts of `body` and `ANSWER`.
pub fn counted(body: &[u8]) -> Counted {
    let mut counted = Counted::new(&Asked::of("/v1/chat/completions", body));
    counted.add(&serde_json::from_slice(ANSWER).unwrap());
    counted
}

/// The books of the other side.
#[derive(Debug, Default)]
pub struct Provider {
    pub receipts: Vec<Signed<Receipt>>,
    /// By nonce: what it was served for.
    pub served: BTreeMap<u64, Signed<Receipt>>,
    lines: Vec<(u64, u64, [u8; 32])>,
    frontier: tree::Frontier,
    used: Usage,
    billed: u64,
    pub paid: u64,
}

impl Provider {
    /// Serves an order once; the amount is the price of so many tokens.
    pub fn serve(&mut self, channel: &Channel, order: &Order, output_tokens: u64) -> Signed<Receipt> {
        if let Some(served) = self.served.get(&order.nonce.get()) {
            return *served;
        }
        let usage = Usage { output_tokens, ..Usage::default() };
        let signed = self.receipt(channel, order, &usage, prices().amount(&usage).unwrap());
        self.book(order, &signed);
        signed
    }

    /// The next receipt, which is not in the books yet.
    pub fn receipt(&self, channel: &Channel, order: &Order, usage: &Usage, amount: Amount) -> Signed<Receipt> {
        let message = Receipt {
            context: channel.context(Domain::Receipt),
            sequence: (self.receipts.len() as u64 + 1).into(),
            request_hash: order.request_hash,
            response_hash: hashv(&[ANSWER]),
            input_tokens: usage.input_tokens.into(),
            output_tokens: usage.output_tokens.into(),
            images: usage.images.into(),
            milliseconds: usage.milliseconds.into(),
            amount: amount.into(),
            at: NOW.into(),
        };
        Signed { signature: sign(&authority(), message.as_bytes()), message }
    }

    pub fn book(&mut self, order: &Order, signed: &Signed<Receipt>) {
        self.frontier.append(tree::leaf(signed.message.as_bytes()));
        self.billed += signed.message.amount.get().get();
        self.used = self.used.plus(&signed.message.usage());
        self.lines.push((self.billed, self.used.units(), self.frontier.root()));
        self.receipts.push(*signed);
        self.served.insert(order.nonce.get(), *signed);
    }

    /// Takes a voucher if it says exactly what the receipts come to.
    pub fn pay(&mut self, voucher: &Voucher) {
        let sequence = voucher.sequence.get();
        let line = self.lines[sequence as usize - 1];
        assert_eq!((voucher.cumulative.get().get(), voucher.units.get(), voucher.usage_root), line);
        self.paid = self.paid.max(sequence);
    }

    pub fn unpaid(&self) -> &[Signed<Receipt>] {
        &self.receipts[self.paid as usize..]
    }

    pub fn billed(&self) -> u64 {
        self.billed
    }
}
