//! What must outlive the process, and what of it has changed.

use crate::{Channel, Objection};
use joule_units::Amount;
use joule_voucher::{tree, Domain, Format as _, Order, Receipt, Usage, Verifier, Voucher};
use joule_x402::Signed;
use std::collections::{BTreeMap, BTreeSet};

/// A receipt that was not paid, and why: what a proof against the provider begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caught {
    pub order: Order,
    pub receipt: Signed<Receipt>,
    /// The objection's words.
    pub why: String,
}

impl Caught {
    pub(crate) fn new(order: Order, receipt: Signed<Receipt>, why: &Objection) -> Self {
        Self { order, receipt, why: why.to_string() }
    }
}

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// Above every nonce that was used.
    pub next_nonce: u64,
    /// Orders that may have been sent and have no receipt yet, by nonce.
    pub orders: BTreeMap<u64, Order>,
    /// Those of them that nobody waited for any longer; whoever waited for the others was killed.
    pub given_up: BTreeSet<u64>,
    /// Answers that did not come since one last did, and whose receipts are taken all the same.
    pub missed: u64,
    /// Every receipt that is paid for, or will be with the next voucher, and its order's nonce; number 1 comes first.
    pub receipts: Vec<(u64, Signed<Receipt>)>,
    /// The newest one that may have been signed.
    pub voucher: Option<Voucher>,
    pub caught: Option<Caught>,
}

/// What came to it. Nothing that is in here may leave the process before it is on disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    pub next_nonce: u64,
    /// New ones, and those that are to be read differently.
    pub begun: Vec<Order>,
    /// Nonces of orders that nobody waits for any longer.
    pub given_up: Vec<u64>,
    /// Answers in a row that did not come, when that has changed.
    pub missed: Option<u64>,
    /// Nonces of orders that are over without a receipt.
    pub released: Vec<u64>,
    pub receipts: Vec<(u64, Signed<Receipt>)>,
    pub voucher: Option<Voucher>,
    pub caught: Option<Caught>,
}

/// What is kept cannot be true. Whoever signs on from here may contradict itself, and lose the channel for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Corrupt {
    #[error("it has receipt {found} where {wanted} should be")]
    Gap { found: u64, wanted: u64 },
    #[error("its newest voucher is not the one that its receipts make")]
    Voucher,
    #[error("it ends at receipt {kept}; the chain has seen a voucher for {settled}. It is an old copy: nothing more can be signed")]
    Old { kept: u64, settled: u64 },
    #[error("the provider's key is no key")]
    Authority,
}

impl Kept {
    /// As the disk does it.
    pub fn apply(&mut self, changes: &Changes) {
        self.next_nonce = self.next_nonce.max(changes.next_nonce);
        self.orders.extend(changes.begun.iter().map(|order| (order.nonce.get(), *order)));
        self.given_up.extend(&changes.given_up);
        for nonce in changes.released.iter().chain(changes.receipts.iter().map(|(nonce, _)| nonce)) {
            self.orders.remove(nonce);
            self.given_up.remove(nonce);
        }
        self.missed = changes.missed.unwrap_or(self.missed);
        self.receipts.extend(&changes.receipts);
        self.voucher = changes.voucher.or(self.voucher);
        if self.caught.is_none() {
            self.caught.clone_from(&changes.caught);
        }
    }

    /// Two receipts of one number that the channel's provider has signed: one that was taken, and the one that it was caught with.
    pub fn contradiction(&self, channel: &Channel) -> Option<[Signed<Receipt>; 2]> {
        let other = self.caught.as_ref()?.receipt;
        let index = other.message.sequence.get().checked_sub(1).and_then(|index| usize::try_from(index).ok())?;
        let (_, one) = self.receipts.get(index)?;
        let provider = Verifier::new(&channel.authority)?;
        let is_signed = provider.verify(other.message.as_bytes(), &other.signature).is_ok();
        let is_of_channel = other.message.context == channel.context(Domain::Receipt);
        (is_signed && is_of_channel && one.message != other.message).then_some([*one, other])
    }

    /// Where the account stands: the tree, the sum, the usage. Checks that it is one account.
    pub(crate) fn replay(&self, settled: u64) -> Result<Account, Corrupt> {
        let mut account = Account::default();
        let mut at_voucher = None;
        for (_, signed) in &self.receipts {
            let (found, wanted) = (signed.message.sequence.get(), account.frontier.size() + 1);
            if found != wanted {
                return Err(Corrupt::Gap { found, wanted });
            }
            account.take(&signed.message);
            if self.voucher.is_some_and(|voucher| voucher.sequence.get() == found) {
                at_voucher = Some((account.frontier.root(), account.billed));
            }
        }
        let says = self.voucher.map(|voucher| (voucher.usage_root, voucher.cumulative.get()));
        if says != at_voucher {
            return Err(Corrupt::Voucher);
        }
        let kept = account.frontier.size();
        if kept < settled {
            return Err(Corrupt::Old { kept, settled });
        }
        Ok(account)
    }
}

impl Changes {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The sum of receipts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Account {
    pub frontier: tree::Frontier,
    pub billed: Amount,
    pub used: Usage,
}

impl Account {
    pub fn take(&mut self, receipt: &Receipt) {
        self.frontier.append(tree::leaf(receipt.as_bytes()));
        // Nothing is asked for that could bring the sum above the channel's cap.
        self.billed = Amount::new(self.billed.get().saturating_add(receipt.amount.get().get()));
        self.used = self.used.plus(&receipt.usage());
    }
}
