//! What flows from the validator to subscribers: each update converted to wire form once, then shared.

use std::{collections::HashSet, sync::Arc};

use yellowstone_grpc_proto::{
    geyser::{
        CommitmentLevel, SlotStatus, SubscribeUpdateAccountInfo, SubscribeUpdateBlockMeta, SubscribeUpdateEntry,
        SubscribeUpdateTransactionInfo,
    },
    prost_types::Timestamp,
};

/// A 32-byte address.
pub type Key = [u8; 32];

/// How settled a slot is. Ordered: a later level includes the earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    Processed,
    Confirmed,
    Finalized,
}

impl Level {
    /// Every level, lowest first.
    pub const ALL: [Level; 3] = [Level::Processed, Level::Confirmed, Level::Finalized];

    /// The next level up, if there is one.
    pub fn next(self) -> Option<Level> {
        match self {
            Level::Processed => Some(Level::Confirmed),
            Level::Confirmed => Some(Level::Finalized),
            Level::Finalized => None,
        }
    }

    /// The slot status that announces this level.
    pub fn status(self) -> SlotStatus {
        match self {
            Level::Processed => SlotStatus::SlotProcessed,
            Level::Confirmed => SlotStatus::SlotConfirmed,
            Level::Finalized => SlotStatus::SlotFinalized,
        }
    }

    /// The level a slot status announces; `None` for the statuses between slots.
    pub fn of_status(status: SlotStatus) -> Option<Level> {
        match status {
            SlotStatus::SlotProcessed => Some(Level::Processed),
            SlotStatus::SlotConfirmed => Some(Level::Confirmed),
            SlotStatus::SlotFinalized => Some(Level::Finalized),
            _ => None,
        }
    }

    /// Reads a request's commitment; absent means processed, `None` is an unknown value.
    pub fn from_request(commitment: Option<i32>) -> Option<Level> {
        match CommitmentLevel::try_from(commitment.unwrap_or_default()).ok()? {
            CommitmentLevel::Processed => Some(Level::Processed),
            CommitmentLevel::Confirmed => Some(Level::Confirmed),
            CommitmentLevel::Finalized => Some(Level::Finalized),
        }
    }
}

/// One write to one account.
#[derive(Debug)]
pub struct AccountMessage {
    pub info: SubscribeUpdateAccountInfo,
    pub slot: u64,
    /// The bank that wrote it; validators before 4.3 do not say.
    pub bank_id: Option<u64>,
    pub created_at: Timestamp,
}

/// One executed transaction.
#[derive(Debug)]
pub struct TransactionMessage {
    pub info: SubscribeUpdateTransactionInfo,
    /// Static and loaded addresses, for filters.
    pub account_keys: HashSet<Key>,
    pub slot: u64,
    pub bank_id: Option<u64>,
    pub created_at: Timestamp,
}

/// One ledger entry.
#[derive(Debug)]
pub struct EntryMessage {
    pub update: SubscribeUpdateEntry,
    pub created_at: Timestamp,
}

/// A slot changed status.
#[derive(Debug)]
pub struct SlotMessage {
    pub slot: u64,
    pub parent: Option<u64>,
    pub status: SlotStatus,
    pub dead_error: Option<String>,
    pub bank_id: Option<u64>,
    pub created_at: Timestamp,
}

/// A block's summary, sent when all of its content has been.
#[derive(Debug)]
pub struct BlockMetaMessage {
    pub update: SubscribeUpdateBlockMeta,
    pub created_at: Timestamp,
}

/// A whole block, put together from its parts. Accounts carry only their last write.
#[derive(Debug)]
pub struct BlockMessage {
    pub meta: Arc<BlockMetaMessage>,
    pub transactions: Vec<Arc<TransactionMessage>>,
    pub accounts: Vec<Arc<AccountMessage>>,
    pub entries: Vec<Arc<EntryMessage>>,
}

/// Any of the above; cheap to clone.
#[derive(Debug, Clone)]
pub enum Message {
    Account(Arc<AccountMessage>),
    Transaction(Arc<TransactionMessage>),
    Entry(Arc<EntryMessage>),
    Slot(Arc<SlotMessage>),
    BlockMeta(Arc<BlockMetaMessage>),
    Block(Arc<BlockMessage>),
    /// The server had to forget this slot before it was final: streams that need it must end.
    Lost(u64),
}

impl Message {
    /// The slot the message belongs to.
    pub fn slot(&self) -> u64 {
        match self {
            Message::Account(m) => m.slot,
            Message::Transaction(m) => m.slot,
            Message::Entry(m) => m.update.slot,
            Message::Slot(m) => m.slot,
            Message::BlockMeta(m) => m.update.slot,
            Message::Block(m) => m.meta.update.slot,
            Message::Lost(slot) => *slot,
        }
    }
}
