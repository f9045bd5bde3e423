//! What a source tells, whatever it is made of.

use crate::types::{AccountWrite, Transaction};
use std::{sync::Arc, time::Instant};

/// One bank: a slot, and the number the validator gave to this attempt at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BankRef {
    pub slot: u64,
    /// 0 from servers that do not say. Another server has another number for the same bank.
    pub bank: u64,
}

/// What became of a slot, as far as ordering needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotStatus {
    /// Its content begins: whatever follows on this connection is all of it.
    Begun,
    Processed,
    Confirmed,
    Finalized,
    Dead,
}

/// One message of the stream.
#[derive(Debug, Clone)]
pub enum Update {
    Account {
        bank: BankRef,
        write: Arc<AccountWrite>,
    },
    Transaction {
        bank: BankRef,
        transaction: Arc<Transaction>,
    },
    Slot {
        slot: u64,
        bank: Option<u64>,
        parent: Option<u64>,
        status: SlotStatus,
    },
    /// Comes after all of a bank's content, and so seals it.
    BlockMeta {
        bank: BankRef,
        parent: u64,
        /// Of the parent, from servers that say it.
        parent_hash: Option<Arc<str>>,
        /// Its own: the same on every server, as numbers of banks and writes are not.
        hash: Option<Arc<str>>,
        block_time: Option<i64>,
        /// When it came in here.
        received: Instant,
    },
}

impl Update {
    pub fn slot(&self) -> u64 {
        match self {
            Self::Account { bank, .. } | Self::Transaction { bank, .. } | Self::BlockMeta { bank, .. } => bank.slot,
            Self::Slot { slot, .. } => *slot,
        }
    }
}

/// What the pipeline receives.
#[derive(Debug, Clone)]
pub enum SourceEvent {
    /// A new connection; nothing of an earlier one continues. Slots from `replay_from` on are sent whole.
    Connected {
        replay_from: Option<u64>,
    },
    Update(Update),
    /// The connection is gone. What it had not confirmed is unknown now.
    Disconnected {
        reason: String,
    },
}
