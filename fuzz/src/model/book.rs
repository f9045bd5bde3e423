//! What happens off chain: requests that were served, and who has signed what about them.

use super::Promise;
use joule_sdk::{
    voucher::{tree, Format, Receipt},
    Pubkey,
};
use std::collections::{BTreeSet, VecDeque};

/// A hash, of a leaf or a tree.
pub type Hash = [u8; 32];

/// Trees and vouchers of a channel that are remembered.
const REMEMBERED: usize = 6;

/// Every message that a session or a provider has ever signed, with its key.
#[derive(Default)]
pub struct Signed(BTreeSet<(Pubkey, Vec<u8>)>);

impl Signed {
    pub fn add(&mut self, key: Pubkey, message: &[u8]) {
        self.0.insert((key, message.to_vec()));
    }

    pub fn has(&self, key: &Pubkey, message: &[u8]) -> bool {
        self.0.contains(&(*key, message.to_vec()))
    }
}

/// What was served on one channel.
#[derive(Clone, Default)]
pub struct Book {
    pub receipts: Vec<Receipt>,
    pub leaves: Vec<Hash>,
    /// What the receipts cost together.
    pub total: u64,
    /// What vouchers and batches have lately committed to, the newest last: a root, and the leaves under it.
    trees: VecDeque<(Hash, Vec<Hash>)>,
    /// Vouchers lately signed, which anyone may bring again.
    pub vouchers: VecDeque<(Pubkey, Vec<u8>)>,
}

impl Book {
    /// One more request was served.
    pub fn enter(&mut self, receipt: Receipt) {
        self.total = self.total.saturating_add(receipt.amount.get().get());
        self.leaves.push(tree::leaf(receipt.as_bytes()));
        self.receipts.push(receipt);
    }

    /// What an honest payer promises now.
    pub fn promise(&self, expires_at: i64) -> Promise {
        Promise { sequence: self.receipts.len() as u64, cumulative: self.total, expires_at }
    }

    pub fn commit(&mut self, root: Hash, leaves: Vec<Hash>) {
        self.trees.push_back((root, leaves));
        if self.trees.len() > REMEMBERED {
            self.trees.pop_front();
        }
    }

    pub fn keep(&mut self, key: Pubkey, message: Vec<u8>) {
        self.vouchers.push_back((key, message));
        if self.vouchers.len() > REMEMBERED {
            self.vouchers.pop_front();
        }
    }

    /// The leaves under a root.
    pub fn tree(&self, root: &Hash) -> Option<&[Hash]> {
        self.trees.iter().find(|(of, _)| of == root).map(|(_, leaves)| leaves.as_slice())
    }
}

/// The root over leaves.
pub fn root(leaves: &[Hash]) -> Hash {
    leaves.iter().copied().collect::<tree::Frontier>().root()
}
