//! What is known of slots that are not in the store yet.

use crate::types::{AccountWrite, Block, Transaction};
use std::{collections::BTreeMap, sync::Arc};

/// One attempt at a slot, and what it changed for us so far.
#[derive(Debug, Default)]
pub(super) struct Bank {
    /// Its beginning was seen on this connection, so nothing of it is missing.
    pub begun: bool,
    /// Its block metadata arrived: nothing of it is outstanding.
    pub meta: Option<Meta>,
    writes: Vec<Arc<AccountWrite>>,
    transactions: BTreeMap<u64, Arc<Transaction>>,
    seen_writes: crate::types::HashSet<(crate::types::Address, u64)>,
}

#[derive(Debug, Clone)]
pub(super) struct Meta {
    pub parent: u64,
    pub parent_hash: Option<Arc<str>>,
    /// Its own, the same on every server.
    pub hash: Option<Arc<str>>,
    pub block_time: Option<i64>,
}

impl Bank {
    /// False when it was there already.
    pub fn add_write(&mut self, write: Arc<AccountWrite>) -> bool {
        let new = self.seen_writes.insert((write.address, write.version.write));
        if new {
            self.writes.push(write);
        }
        new
    }

    /// False when it was there already.
    pub fn add_transaction(&mut self, transaction: Arc<Transaction>) -> bool {
        self.transactions.insert(transaction.index, transaction).is_none()
    }

    pub fn len(&self) -> usize {
        self.writes.len() + self.transactions.len()
    }

    pub fn writes(&self) -> &[Arc<AccountWrite>] {
        &self.writes
    }

    pub fn transactions(&self) -> impl Iterator<Item = &Arc<Transaction>> {
        self.transactions.values()
    }

    pub fn into_block(self, slot: u64) -> Block {
        let mut writes = self.writes;
        // The order in which the validator wrote, whatever the order of arrival.
        writes.sort_by_key(|write| write.version);
        Block {
            slot,
            block_time: self.meta.as_ref().and_then(|meta| meta.block_time),
            writes,
            transactions: self.transactions.into_values().collect(),
        }
    }
}

/// A slot that is neither stored nor dead.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// All banks of this slot begin on this connection.
    pub begun: bool,
    pub confirmed: bool,
    /// The bank that was confirmed, where the server says which.
    pub confirmed_bank: Option<u64>,
    /// Told by slot statuses; block metadata is the better witness.
    pub parent: Option<u64>,
    pub banks: BTreeMap<u64, Bank>,
}

impl Pending {
    pub fn bank(&mut self, bank: u64) -> &mut Bank {
        self.banks.entry(bank).or_default()
    }

    /// The bank that stands for the slot: the confirmed one, or else the last sealed one, or else the last.
    pub fn chosen(&self) -> Option<u64> {
        let named = self.confirmed_bank.filter(|bank| self.banks.contains_key(bank));
        let sealed = || self.banks.iter().rev().find(|(_, bank)| bank.meta.is_some()).map(|(id, _)| *id);
        named.or_else(sealed).or_else(|| self.banks.keys().next_back().copied())
    }

    /// Whether the beginning of any of its banks was seen on this connection.
    pub fn has_begun(&self) -> bool {
        self.begun || self.banks.values().any(|bank| bank.begun)
    }

    pub fn sealed(&self) -> Option<(u64, &Meta)> {
        let id = self.chosen()?;
        Some((id, self.banks.get(&id)?.meta.as_ref()?))
    }

    /// Updates in all of its banks.
    pub fn len(&self) -> usize {
        self.banks.values().map(Bank::len).sum()
    }

    pub fn parent(&self) -> Option<u64> {
        self.sealed().map(|(_, meta)| meta.parent).or(self.parent)
    }
}
