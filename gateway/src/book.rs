//! One channel's account in memory: what was billed, what was promised, what is being served. The ledger has the same on
//! disk, and whenever a write fails, the account is read from there again.

use crate::{
    admit::{self, Asked, Credit, Fate, Line, Standing},
    channel::{Channel, Contexts},
    config::Risk,
    refusal::Refusal,
    tab::Part,
};
use joule_sdk::Pubkey;
use joule_units::{Amount, UnixTime};
use joule_voucher::{sign, tree, Format as _, Hash, Order, Receipt, SigningKey, Usage, Voucher};
use joule_x402::Signed;
use std::collections::BTreeMap;

/// Nonces of a channel that are remembered; a lower one is refused, so that no clock decides what may be sent again.
pub const REMEMBERED: usize = 1_024;

/// What the ledger knows of a channel.
#[derive(Debug, Clone, Default)]
pub struct Stored {
    pub voucher: Option<Signed<Voucher>>,
    pub frontier: tree::Frontier,
    pub last: Line,
    /// What the voucher does not pay for, the oldest first.
    pub unpaid: Vec<(Line, Signed<Receipt>)>,
    /// The orders with the highest nonces, at most `REMEMBERED` and one.
    pub orders: Vec<(u64, Option<Signed<Receipt>>)>,
}

/// An order of which something is known.
#[derive(Debug)]
struct Known {
    fate: Fate,
    /// The most that it may cost, while it is served.
    most: Amount,
}

#[derive(Debug, Default)]
pub struct Book {
    voucher: Option<Signed<Voucher>>,
    frontier: tree::Frontier,
    last: Line,
    lines: Vec<Line>,
    receipts: Vec<Signed<Receipt>>,
    known: BTreeMap<u64, Known>,
    serving: usize,
    at_stake: Amount,
    /// The lowest nonce that may be new.
    floor: u64,
    /// The last receipt that is on disk. Nobody is shown a later one: if its write fails, its number is given again.
    durable: u64,
    /// Counted up whenever the account is read from the ledger again: what was to be written before that is void.
    epoch: u64,
}

/// What a request used, and for what it is billed.
#[derive(Debug, Clone, Copy)]
pub struct Bill {
    pub request_hash: Hash,
    pub response_hash: Hash,
    pub usage: Usage,
    pub amount: Amount,
    pub at: UnixTime,
}

/// A receipt with all that the ledger keeps of it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Of the channel.
    pub owner: Pubkey,
    pub nonce: u64,
    pub receipt: Signed<Receipt>,
    pub line: Line,
    /// Of the tree with this receipt.
    pub peaks: Vec<Hash>,
}

impl Book {
    pub fn new(stored: Stored) -> Self {
        let mut book = Self::default();
        book.restore(stored);
        book
    }

    /// Goes back to what the ledger has; what is being served goes on.
    pub fn reload(&mut self, stored: Stored) {
        self.known.retain(|_, known| known.fate == Fate::Serving);
        self.epoch += 1;
        self.restore(stored);
    }

    fn restore(&mut self, stored: Stored) {
        (self.lines, self.receipts) = stored.unpaid.into_iter().unzip();
        (self.voucher, self.frontier, self.last) = (stored.voucher, stored.frontier, stored.last);
        self.durable = self.last.sequence;
        for (nonce, receipt) in stored.orders {
            let fate = receipt.map_or(Fate::Broken, |receipt| Fate::Served(Box::new(receipt)));
            self.known.entry(nonce).or_insert(Known { fate, most: Amount::default() });
        }
        self.forget();
    }

    /// Keeps the highest nonces.
    fn forget(&mut self) {
        while self.known.len() > REMEMBERED {
            let Some(lowest) = self.known.first_entry().filter(|lowest| lowest.get().fate != Fate::Serving) else {
                return;
            };
            self.floor = self.floor.max(lowest.key().saturating_add(1));
            lowest.remove();
        }
    }

    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    pub fn voucher(&self) -> Option<&Signed<Voucher>> {
        self.voucher.as_ref()
    }

    /// Receipts that nobody has paid for, the oldest first; those that are on disk.
    pub fn unpaid(&self) -> &[Signed<Receipt>] {
        &self.receipts[..self.durable_lines()]
    }

    fn durable_lines(&self) -> usize {
        self.lines.partition_point(|line| line.sequence <= self.durable)
    }

    /// The receipt of this number is on disk, and so are those before it.
    pub fn written(&mut self, sequence: u64) {
        self.durable = self.durable.max(sequence.min(self.last.sequence));
    }

    /// Where the account stands after the last receipt.
    pub fn last(&self) -> &Line {
        &self.last
    }

    /// Whether an order of this nonce is being served, was, or was cut off.
    pub fn is_known(&self, nonce: u64) -> bool {
        self.known.contains_key(&nonce)
    }

    pub fn serving(&self) -> usize {
        self.serving
    }

    /// What the owner's tab says of the channel.
    pub fn part(&self) -> Part {
        let paid = self.voucher.map_or(0, |voucher| voucher.message.cumulative.get().get());
        let unpaid = self.last.billed.get().saturating_sub(paid);
        Part {
            unpaid: self.lines.len() as u64,
            serving: self.serving as u64,
            owed: Amount::new(unpaid.saturating_add(self.at_stake.get())),
            paid: Amount::new(paid),
        }
    }

    /// Above every nonce that is known, for an account whose orders the gateway makes itself.
    pub fn next_nonce(&self) -> u64 {
        let last = self.known.last_key_value().map_or(0, |(nonce, _)| *nonce);
        self.floor.max(last.saturating_add(1))
    }

    /// Base units that the channel can still carry, beside what is billed and what is being served.
    pub fn room(&self, channel: &Channel) -> u64 {
        channel.most().get().saturating_sub(self.last.billed.get()).saturating_sub(self.at_stake.get())
    }

    fn standing(&self, nonce: Option<u64>) -> Standing<'_> {
        let fate = nonce.and_then(|nonce| self.known.get(&nonce)).map(|known| match &known.fate {
            Fate::Served(receipt) if receipt.message.sequence.get() > self.durable => &Fate::Serving,
            fate => fate,
        });
        Standing {
            voucher: self.voucher.as_ref(),
            unpaid: &self.lines,
            last: &self.last,
            at_stake: self.at_stake,
            floor: self.floor,
            fate,
        }
    }

    /// Counts a voucher whose signature is good.
    pub fn credit(
        &mut self,
        voucher: &Signed<Voucher>,
        channel: &Channel,
        contexts: &Contexts,
        risk: &Risk,
        now: UnixTime,
    ) -> Result<Credit, Refusal> {
        let standing = Standing { unpaid: &self.lines[..self.durable_lines()], ..self.standing(None) };
        let credit = admit::credit(voucher, channel, contexts, &standing, risk, now)?;
        if credit == Credit::Advances {
            let paid = self.lines.iter().take_while(|line| line.sequence <= voucher.message.sequence.get()).count();
            self.lines.drain(..paid);
            self.receipts.drain(..paid);
            self.voucher = Some(*voucher);
        }
        Ok(credit)
    }

    /// Lets an order in whose signature is good; from here until `bill` or `release` it counts as being served. `owner` is all of
    /// its channels together, this one as it is now.
    pub fn admit(
        &mut self,
        asked: &Asked<'_>,
        channel: &Channel,
        contexts: &Contexts,
        owner: &Part,
        risk: &Risk,
        now: UnixTime,
    ) -> Result<(), Refusal> {
        let nonce = asked.order.nonce.get();
        admit::admit(asked, channel, contexts, &self.standing(Some(nonce)), owner, risk, now)?;
        let most = asked.order.max_amount.get();
        self.known.insert(nonce, Known { fate: Fate::Serving, most });
        self.forget();
        self.serving += 1;
        self.at_stake = Amount::new(self.at_stake.get().saturating_add(most.get()));
        Ok(())
    }

    fn served(&mut self, most: Amount) {
        self.serving = self.serving.saturating_sub(1);
        self.at_stake = Amount::new(self.at_stake.get().saturating_sub(most.get()));
    }

    /// The request cost nothing, and its order may be sent again.
    pub fn release(&mut self, nonce: u64) {
        if let Some(known) = self.known.remove(&nonce) {
            self.served(known.most);
        }
    }

    /// The request was cut off before it could be billed, and some of its answer was sent: nobody gets it again.
    pub fn abandon(&mut self, nonce: u64) {
        if let Some(known) = self.known.get_mut(&nonce) {
            known.fate = Fate::Broken;
            let most = std::mem::take(&mut known.most);
            self.served(most);
        }
    }

    /// Ends a request with a receipt. The order's limit is the amount's, whatever the usage came to.
    pub fn bill(
        &mut self,
        order: &Order,
        channel: &Channel,
        contexts: &Contexts,
        bill: &Bill,
        key: &SigningKey,
    ) -> Entry {
        let nonce = order.nonce.get();
        let amount = bill.amount.min(order.max_amount.get());
        let sequence = self.last.sequence + 1;
        let receipt = Receipt {
            context: contexts.receipt,
            sequence: sequence.into(),
            request_hash: bill.request_hash,
            response_hash: bill.response_hash,
            input_tokens: bill.usage.input_tokens.into(),
            output_tokens: bill.usage.output_tokens.into(),
            images: bill.usage.images.into(),
            milliseconds: bill.usage.milliseconds.into(),
            amount: amount.into(),
            at: bill.at.into(),
        };
        let receipt = Signed { message: receipt, signature: sign(key, receipt.as_bytes()) };
        self.frontier.append(tree::leaf(receipt.message.as_bytes()));
        self.last = Line {
            sequence,
            // Admission left room for the order's limit below the channel's.
            billed: Amount::new(self.last.billed.get().saturating_add(amount.get())),
            used: self.last.used.plus(&bill.usage),
            root: self.frontier.root(),
        };
        self.lines.push(self.last);
        self.receipts.push(receipt);
        if let Some(known) = self.known.get_mut(&nonce) {
            known.fate = Fate::Served(Box::new(receipt));
            let most = std::mem::take(&mut known.most);
            self.served(most);
        }
        let (line, peaks) = (self.last, self.frontier.peaks().to_vec());
        Entry { owner: channel.owner, nonce, receipt, line, peaks }
    }
}

impl Book {
    /// A voucher for everything that was billed, of an account whose session key is the gateway's own. It is to be written
    /// together with the last receipt, and shown to nobody before.
    pub fn pay_all(
        &mut self,
        channel: &Channel,
        contexts: &Contexts,
        risk: &Risk,
        now: UnixTime,
        key: &SigningKey,
    ) -> Result<Signed<Voucher>, Refusal> {
        let voucher = Voucher {
            context: contexts.voucher,
            sequence: self.last.sequence.into(),
            cumulative: self.last.billed.into(),
            units: self.last.used.units().into(),
            expires_at: channel.session_expires_at.into(),
            usage_root: self.last.root,
        };
        let voucher = Signed { message: voucher, signature: sign(key, voucher.as_bytes()) };
        admit::credit(&voucher, channel, contexts, &self.standing(None), risk, now)?;
        self.lines.clear();
        self.receipts.clear();
        self.voucher = Some(voucher);
        Ok(voucher)
    }
}

#[cfg(test)]
#[path = "book_tests.rs"]
mod tests;
