//! Recent slots: gathers each block's content, releases it per commitment level, keeps it for replay.
//!
//! A pure state machine. Rules, as Yellowstone subscribers know them:
//! - content goes to processed subscribers as it arrives;
//! - a block's summary and its statuses follow once all of its content is here (*sealed*);
//! - confirmed and finalized subscribers get a block's content when it reaches their level,
//!   each account with its last write only;
//! - statuses go to everybody, lower levels first, ancestors first.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use yellowstone_grpc_proto::{geyser::SlotStatus, prost_types::Timestamp};

use crate::message::{BlockMessage, BlockMetaMessage, Level, Message, SlotMessage};

/// Slots that may wait for finality beyond the replay window before the oldest is given up.
const UNFINALIZED_SLACK: usize = 1024;

/// Who gets a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    Level(Level),
    All,
}

/// A batch on its way to subscribers.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub to: Audience,
    pub messages: Arc<Vec<Message>>,
}

/// Why a replay is not possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    #[error("from_slot is not supported")]
    Disabled,
    #[error("broadcast from {from_slot} is not available, last available: {first_available}")]
    TooOld { from_slot: u64, first_available: u64 },
    /// Nothing of it has come yet. Worded as Yellowstone's plugin does.
    #[error("failed to get replay response")]
    Ahead,
}

#[derive(Debug, Default)]
struct Block {
    bank_id: Option<u64>,
    parent: Option<u64>,
    /// Accounts, transactions and entries in arrival order.
    content: Vec<Message>,
    /// Highest write version per account.
    newest_write: HashMap<Vec<u8>, u64>,
    transactions: u64,
    entries: u64,
    meta: Option<Arc<BlockMetaMessage>>,
    /// The level the validator reported.
    reached: Option<Level>,
    /// The level subscribers were told.
    released: Option<Level>,
    /// A descendant is final: nothing more will come, release with what is here.
    forced: bool,
    /// Statuses already sent, for replay.
    statuses: Vec<Message>,
}

impl Block {
    fn is_sealed(&self) -> bool {
        self.forced
            || self.meta.as_ref().is_some_and(|meta| {
                self.transactions >= meta.update.executed_transaction_count && self.entries >= meta.update.entries_count
            })
    }

    fn add(&mut self, message: Message) {
        match &message {
            Message::Account(account) => {
                let newest = self.newest_write.entry(account.info.pubkey.clone()).or_default();
                *newest = (*newest).max(account.info.write_version);
            }
            Message::Transaction(_) => self.transactions += 1,
            Message::Entry(_) => self.entries += 1,
            _ => return,
        }
        self.content.push(message);
    }

    /// The content with each account's last write only.
    fn settled_content(&self) -> Vec<Message> {
        let is_newest = |message: &&Message| match message {
            Message::Account(account) => {
                self.newest_write.get(&account.info.pubkey) == Some(&account.info.write_version)
            }
            _ => true,
        };
        self.content.iter().filter(is_newest).cloned().collect()
    }

    /// The whole block and its summary, if the validator sent one.
    fn summary(&self) -> Vec<Message> {
        let Some(meta) = &self.meta else {
            return Vec::new();
        };
        let mut block = BlockMessage {
            meta: Arc::clone(meta),
            transactions: Vec::new(),
            accounts: Vec::new(),
            entries: Vec::new(),
        };
        for message in self.settled_content() {
            match message {
                Message::Account(m) => block.accounts.push(m),
                Message::Transaction(m) => block.transactions.push(m),
                Message::Entry(m) => block.entries.push(m),
                _ => {}
            }
        }
        vec![Message::Block(Arc::new(block)), Message::BlockMeta(Arc::clone(meta))]
    }
}

/// The slots in memory.
#[derive(Debug)]
pub struct Ring {
    /// Final slots to keep.
    capacity: usize,
    blocks: BTreeMap<u64, Block>,
    /// Everything below was dropped.
    floor: u64,
}

impl Ring {
    /// Keeps up to `capacity` slots for replay; 0 turns replay off.
    pub fn new(capacity: usize) -> Self {
        Self { capacity, blocks: BTreeMap::new(), floor: 0 }
    }

    /// The oldest slot `from_slot` may name.
    pub fn first_available(&self) -> Option<u64> {
        if self.capacity == 0 {
            return None;
        }
        self.blocks.keys().next().copied()
    }

    /// Takes one message from the validator and says what subscribers get because of it.
    pub fn push(&mut self, message: Message) -> Vec<Delivery> {
        match message {
            Message::Account(_) | Message::Transaction(_) | Message::Entry(_) => self.push_content(message),
            Message::BlockMeta(meta) => self.push_meta(meta),
            Message::Slot(status) => match Level::of_status(status.status) {
                Some(level) => self.push_level(&status, level),
                None => self.push_lifecycle(status),
            },
            // Made here, never received.
            Message::Block(_) | Message::Lost(_) => Vec::new(),
        }
    }

    /// Everything kept from `from_slot` on, in slot order, as a subscriber at `level` would have seen it.
    pub fn replay(&self, from_slot: u64, level: Level) -> Result<Vec<Arc<Vec<Message>>>, ReplayError> {
        if self.capacity == 0 {
            return Err(ReplayError::Disabled);
        }
        if let Some(first_available) = self.first_available().filter(|first| from_slot < *first) {
            return Err(ReplayError::TooOld { from_slot, first_available });
        }
        if self.blocks.keys().next_back().is_none_or(|newest| from_slot > *newest) {
            return Err(ReplayError::Ahead);
        }
        let mut batches = Vec::new();
        for block in self.blocks.range(from_slot..).map(|(_, block)| block) {
            let mut batch = Vec::new();
            if block.released >= Some(level) {
                batch = block.settled_content();
                batch.extend(block.summary());
            } else if level == Level::Processed {
                // Still being filled: without this the part already sent live would be missing.
                batch.extend(block.content.iter().cloned());
            }
            batch.extend(block.statuses.iter().cloned());
            if !batch.is_empty() {
                batches.push(Arc::new(batch));
            }
        }
        Ok(batches)
    }

    fn push_content(&mut self, message: Message) -> Vec<Delivery> {
        let slot = message.slot();
        let mut out = vec![one(Audience::Level(Level::Processed), message.clone())];
        if slot < self.floor {
            tracing::warn!(slot, "content for a slot that is no longer kept");
            return out;
        }
        let block = self.blocks.entry(slot).or_default();
        let bank_id = match &message {
            Message::Account(m) => m.bank_id,
            Message::Transaction(m) => m.bank_id,
            _ => None,
        };
        match (block.bank_id, bank_id) {
            // Written by a bank that was replaced: never part of the block.
            (Some(current), Some(other)) if current != other => return out,
            (None, Some(first)) => block.bank_id = Some(first),
            _ => {}
        }
        // Late content still reaches those who already got the block.
        for level in [Level::Confirmed, Level::Finalized] {
            if block.released >= Some(level) {
                out.push(one(Audience::Level(level), message.clone()));
            }
        }
        let created_at = created_at(&message);
        block.add(message);
        self.release(slot, created_at, &mut out);
        out
    }

    fn push_meta(&mut self, meta: Arc<BlockMetaMessage>) -> Vec<Delivery> {
        let (slot, created_at) = (meta.update.slot, meta.created_at);
        let mut out = Vec::new();
        if slot >= self.floor {
            let block = self.blocks.entry(slot).or_default();
            block.parent = block.parent.or(Some(meta.update.parent_slot));
            block.meta = Some(meta);
            self.release(slot, created_at, &mut out);
        }
        out
    }

    fn push_lifecycle(&mut self, status: Arc<SlotMessage>) -> Vec<Delivery> {
        match status.status {
            SlotStatus::SlotCreatedBank if status.slot >= self.floor => {
                let block = self.blocks.entry(status.slot).or_default();
                if block.bank_id.is_some() && status.bank_id.is_some() && block.bank_id != status.bank_id {
                    *block = Block::default();
                }
                block.bank_id = status.bank_id.or(block.bank_id);
                block.parent = status.parent.or(block.parent);
            }
            SlotStatus::SlotDead => {
                self.blocks.remove(&status.slot);
            }
            _ => {}
        }
        vec![one(Audience::All, Message::Slot(status))]
    }

    fn push_level(&mut self, status: &SlotMessage, level: Level) -> Vec<Delivery> {
        let slot = status.slot;
        let mut out = Vec::new();
        if slot < self.floor {
            return out;
        }
        let block = self.blocks.entry(slot).or_default();
        block.parent = status.parent.or(block.parent);
        block.bank_id = status.bank_id.or(block.bank_id);
        block.reached = block.reached.max(Some(level));

        let chain_known = if level >= Level::Confirmed {
            self.raise_ancestors(slot, level, status.created_at, &mut out)
        } else {
            false
        };
        self.release(slot, status.created_at, &mut out);
        if level == Level::Finalized {
            if chain_known {
                // What is older than a final slot and not its ancestor is a dead fork.
                self.blocks.retain(|s, b| *s >= slot || b.reached == Some(Level::Finalized));
            }
            self.evict(&mut out);
        }
        out
    }

    /// A block's ancestors are at least as settled as it is. Returns whether the chain down to a
    /// settled or forgotten slot was known.
    fn raise_ancestors(&mut self, slot: u64, level: Level, created_at: Timestamp, out: &mut Vec<Delivery>) -> bool {
        let mut ancestors = Vec::new();
        let mut known = true;
        let mut parent = self.blocks.get(&slot).and_then(|b| b.parent);
        loop {
            let Some(current) = parent else {
                known = false;
                break;
            };
            match self.blocks.get(&current) {
                // A parent at or above its child is malformed input; it must not loop.
                Some(block) if current < slot && block.released < Some(level) => {
                    ancestors.push(current);
                    parent = block.parent.filter(|p| *p < current);
                    if block.parent.is_some() && parent.is_none() {
                        break;
                    }
                }
                _ => break,
            }
        }
        for ancestor in ancestors.into_iter().rev() {
            if let Some(block) = self.blocks.get_mut(&ancestor) {
                block.reached = block.reached.max(Some(level));
                if level == Level::Finalized && !block.is_sealed() {
                    tracing::warn!(slot = ancestor, "a final block never became complete; released with what arrived");
                    block.forced = true;
                }
            }
            self.release(ancestor, created_at, out);
        }
        known
    }

    /// Tells subscribers every level the block reached and they have not heard of yet.
    fn release(&mut self, slot: u64, created_at: Timestamp, out: &mut Vec<Delivery>) {
        let Some(block) = self.blocks.get_mut(&slot) else {
            return;
        };
        if !block.is_sealed() {
            return;
        }
        while block.released < block.reached {
            let Some(level) = block.released.map_or(Some(Level::Processed), Level::next) else {
                return;
            };
            if level > Level::Processed && !block.content.is_empty() {
                out.push(Delivery { to: Audience::Level(level), messages: Arc::new(block.settled_content()) });
            }
            let summary = block.summary();
            if !summary.is_empty() {
                out.push(Delivery { to: Audience::Level(level), messages: Arc::new(summary) });
            }
            let status = Message::Slot(Arc::new(SlotMessage {
                slot,
                parent: block.parent,
                status: level.status(),
                dead_error: None,
                bank_id: block.bank_id,
                created_at,
            }));
            block.statuses.push(status.clone());
            out.push(one(Audience::All, status));
            block.released = Some(level);
        }
    }

    fn evict(&mut self, out: &mut Vec<Delivery>) {
        while self.blocks.len() > self.capacity {
            let Some(oldest) = self.blocks.first_entry() else {
                return;
            };
            let slot = *oldest.key();
            if oldest.get().released != Some(Level::Finalized) {
                if self.blocks.len() <= self.capacity.saturating_add(UNFINALIZED_SLACK) {
                    return;
                }
                for level in [Level::Confirmed, Level::Finalized] {
                    out.push(one(Audience::Level(level), Message::Lost(slot)));
                }
            }
            self.blocks.remove(&slot);
            self.floor = slot.saturating_add(1);
        }
    }
}

fn one(to: Audience, message: Message) -> Delivery {
    Delivery { to, messages: Arc::new(vec![message]) }
}

fn created_at(message: &Message) -> Timestamp {
    match message {
        Message::Account(m) => m.created_at,
        Message::Transaction(m) => m.created_at,
        Message::Entry(m) => m.created_at,
        Message::Slot(m) => m.created_at,
        Message::BlockMeta(m) => m.created_at,
        Message::Block(m) => m.meta.created_at,
        Message::Lost(_) => Timestamp::default(),
    }
}

#[cfg(test)]
#[path = "ring_tests.rs"]
mod tests;
