//! Ordering: a state machine without channels, clocks or network.
//!
//! Updates of several forks go in, in any order and as often as the server likes; confirmed blocks come out once
//! each, parents before children, without a gap. What cannot be ordered without a gap is reported as one, and the
//! machine waits: whoever drives it fills the gap from elsewhere and says so with [`Order::filled`].
//!
//! Four rules carry everything:
//! 1. a bank is *whole* when its beginning was seen on this connection, or the server replays it, or its parent was
//!    sealed on this connection (a child's bank is created after its parent is frozen);
//! 2. a bank is *sealed* by its block metadata, which the server sends after all of its content;
//! 3. a confirmed slot confirms its ancestors, and kills every other slot below it;
//! 4. late is not lost: a parent that this connection began to tell of is waited for until well after its finality, since
//!    servers that cannot seal a block at once send its metadata and statuses only then.

mod bank;
#[cfg(test)]
mod tests;

use crate::{
    source::{BankRef, Gap, SlotStatus, Update},
    types::{AccountWrite, Block, Transaction},
};
use bank::{Meta, Pending};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// How many slots of this connection are remembered: stored ones, to tell a late part of a stored bank from a part of a
/// dead one, and sealed ones, as parents.
const REMEMBERED: usize = 512;

/// Slots beyond a block's finality after which it is not waited for any longer.
const LATE: u64 = 16;
/// The same for a chain that does not finalize: slots beyond the block itself.
const LATE_WITHOUT_FINALITY: u64 = 300;

/// What the driver has to do, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// An unconfirmed account write.
    Write { bank: BankRef, write: Arc<AccountWrite> },
    /// An unconfirmed transaction.
    Transaction { bank: BankRef, transaction: Arc<Transaction> },
    /// A confirmed block whose parent is stored, or is in an effect before this one. `frontier` is what may be stored
    /// as the checkpoint with it.
    Commit { block: Block, frontier: u64 },
    /// The slot and everything before it can no longer be undone.
    Finalized(u64),
    /// These banks will never be confirmed.
    Dropped(Vec<BankRef>),
    /// Every unconfirmed bank is forgotten.
    Reset,
    /// This will not come from the stream.
    Gap(Gap),
}

/// See the module.
#[derive(Debug, Default)]
pub struct Order {
    /// Everything up to here is committed. `None` before the first fill of an empty store.
    frontier: Option<u64>,
    finalized: u64,
    tip: u64,
    replay_from: Option<u64>,
    /// The first slot that this connection told of.
    joined: Option<u64>,
    /// The newest that this connection said is final.
    final_here: u64,
    pending: BTreeMap<u64, Pending>,
    /// Slots committed from this connection, with the bank that was.
    committed: BTreeMap<u64, u64>,
    /// Slots whose end was seen on this connection.
    sealed: BTreeSet<u64>,
    /// The gap that was reported and is not filled.
    gap: Option<u64>,
    held: usize,
}

impl Order {
    /// Continues after `frontier`, the store's checkpoint.
    pub fn new(frontier: Option<u64>) -> Self {
        Self { frontier, ..Self::default() }
    }

    pub fn frontier(&self) -> Option<u64> {
        self.frontier
    }

    /// The highest slot that was mentioned.
    pub fn tip(&self) -> u64 {
        self.tip
    }

    /// Updates held back until they are confirmed.
    pub fn held(&self) -> usize {
        self.held
    }

    /// A new connection: nothing that an earlier one left unfinished can be trusted to be complete.
    pub fn connected(&mut self, replay_from: Option<u64>, effects: &mut Vec<Effect>) {
        self.disconnected(effects);
        self.replay_from = replay_from;
    }

    /// The connection is gone, and with it the knowledge of what becomes of its unconfirmed slots.
    pub fn disconnected(&mut self, effects: &mut Vec<Effect>) {
        self.pending.clear();
        self.committed.clear();
        self.sealed.clear();
        self.held = 0;
        self.gap = None;
        self.replay_from = None;
        self.joined = None;
        self.final_here = 0;
        effects.push(Effect::Reset);
    }

    /// Everything up to `upto` was stored from elsewhere.
    pub fn filled(&mut self, upto: u64, effects: &mut Vec<Effect>) {
        self.gap = None;
        self.frontier = self.frontier.max(Some(upto));
        self.forget_below(upto + 1, effects);
        self.advance(effects);
    }

    pub fn push(&mut self, update: Update, effects: &mut Vec<Effect>) {
        self.joined = self.joined.or(Some(update.slot()));
        match update {
            Update::Account { bank, write } => {
                self.tip = self.tip.max(bank.slot);
                if self.is_past(bank.slot) {
                    self.late(bank, Block { slot: bank.slot, writes: vec![write], ..Block::default() }, effects);
                } else if self.pending.entry(bank.slot).or_default().bank(bank.bank).add_write(write.clone()) {
                    self.held += 1;
                    effects.push(Effect::Write { bank, write });
                }
            }
            Update::Transaction { bank, transaction } => {
                self.tip = self.tip.max(bank.slot);
                if self.is_past(bank.slot) {
                    let block = Block { slot: bank.slot, transactions: vec![transaction], ..Block::default() };
                    self.late(bank, block, effects);
                } else if self
                    .pending
                    .entry(bank.slot)
                    .or_default()
                    .bank(bank.bank)
                    .add_transaction(transaction.clone())
                {
                    self.held += 1;
                    effects.push(Effect::Transaction { bank, transaction });
                }
            }
            Update::BlockMeta { bank, parent, parent_hash, block_time } => {
                self.tip = self.tip.max(bank.slot);
                self.sealed.insert(bank.slot);
                if self.sealed.len() > REMEMBERED {
                    self.sealed.pop_first();
                }
                if !self.is_past(bank.slot) {
                    let meta = bank::Meta { parent, parent_hash, block_time };
                    self.pending.entry(bank.slot).or_default().bank(bank.bank).meta = Some(meta);
                    self.confirm_ancestors();
                    self.advance(effects);
                }
            }
            Update::Slot { slot, bank, parent, status } => self.slot(slot, bank, parent, status, effects),
        }
    }

    fn slot(
        &mut self,
        slot: u64,
        bank: Option<u64>,
        parent: Option<u64>,
        status: SlotStatus,
        effects: &mut Vec<Effect>,
    ) {
        self.tip = self.tip.max(slot);
        if status == SlotStatus::Finalized {
            self.final_here = self.final_here.max(slot);
        }
        if self.is_past(slot) {
            if status == SlotStatus::Finalized {
                self.finalize(slot, effects);
            }
            return;
        }
        let pending = self.pending.entry(slot).or_default();
        pending.parent = parent.or(pending.parent);
        match status {
            SlotStatus::Begun => match bank {
                Some(bank) => pending.bank(bank).begun = true,
                None => pending.begun = true,
            },
            SlotStatus::Processed => {}
            SlotStatus::Confirmed | SlotStatus::Finalized => {
                pending.confirmed = true;
                pending.confirmed_bank = bank.or(pending.confirmed_bank);
                self.confirm_ancestors();
                self.advance(effects);
                if status == SlotStatus::Finalized {
                    self.finalize(slot, effects);
                }
            }
            SlotStatus::Dead => {
                let dropped: Vec<u64> = match bank {
                    Some(bank) => vec![bank],
                    None => pending.banks.keys().copied().collect(),
                };
                let mut banks = Vec::with_capacity(dropped.len());
                for bank in dropped {
                    if let Some(dead) = pending.banks.remove(&bank) {
                        self.held = self.held.saturating_sub(dead.len());
                        banks.push(BankRef { slot, bank });
                    }
                }
                if !banks.is_empty() {
                    effects.push(Effect::Dropped(banks));
                }
            }
        }
    }

    fn is_past(&self, slot: u64) -> bool {
        self.frontier.is_some_and(|frontier| slot <= frontier)
    }

    /// Part of a slot that is stored already. A replay repeats it; if it is new after all, the store's guards decide.
    /// Parts of a bank other than the stored one are of a dead fork.
    fn late(&mut self, bank: BankRef, block: Block, effects: &mut Vec<Effect>) {
        if let (Some(stored), Some(frontier)) = (self.committed.get(&bank.slot), self.frontier) {
            if *stored == bank.bank {
                effects.push(Effect::Commit { block, frontier });
            }
        }
    }

    fn finalize(&mut self, slot: u64, effects: &mut Vec<Effect>) {
        if slot > self.finalized {
            self.finalized = slot;
            effects.push(Effect::Finalized(slot));
        }
    }

    /// The parents of a confirmed slot are confirmed, whether or not the server said so.
    fn confirm_ancestors(&mut self) {
        let confirmed: Vec<u64> =
            self.pending.iter().rev().filter(|(_, slot)| slot.confirmed).map(|(slot, _)| *slot).collect();
        for slot in confirmed {
            let mut child = slot;
            while let Some(parent) = self.pending.get(&child).and_then(Pending::parent).filter(|parent| *parent < child)
            {
                match self.pending.get_mut(&parent) {
                    Some(pending) if !pending.confirmed => pending.confirmed = true,
                    _ => break,
                }
                child = parent;
            }
        }
    }

    /// Whether nothing of the slot's chosen bank was sent before this connection.
    fn is_whole(&self, slot: u64, bank: u64, parent: u64) -> bool {
        let begun = self
            .pending
            .get(&slot)
            .is_some_and(|pending| pending.begun || pending.banks.get(&bank).is_some_and(|bank| bank.begun));
        begun || self.replay_from.is_some_and(|from| slot >= from) || self.sealed.contains(&parent)
    }

    /// Whether a block that is not here whole may still become so on this connection.
    fn may_come(&self, slot: u64) -> bool {
        if self.final_here >= slot + LATE || self.tip >= slot + LATE_WITHOUT_FINALITY {
            return false;
        }
        match self.pending.get(&slot) {
            // Sealed, and its beginning is missing.
            Some(pending) if pending.sealed().is_some() => false,
            Some(pending) => {
                pending.has_begun()
                    || self.replay_from.is_some_and(|from| slot >= from)
                    || pending.parent.is_some_and(|parent| self.sealed.contains(&parent))
            }
            None => self.replay_from.or(self.joined).is_some_and(|from| slot > from),
        }
    }

    /// Commits what can be, and reports the gap that is in the way of the rest.
    fn advance(&mut self, effects: &mut Vec<Effect>) {
        if self.gap.is_some() {
            return;
        }
        loop {
            let next = self.pending.iter().filter(|(_, pending)| pending.confirmed).find_map(|(slot, pending)| {
                let (bank, meta) = pending.sealed()?;
                self.is_whole(*slot, bank, meta.parent).then(|| (*slot, bank, meta.clone()))
            });
            let Some((slot, bank, Meta { parent, parent_hash, .. })) = next else { return };
            if self.frontier.is_none_or(|frontier| parent > frontier) {
                if self.may_come(parent) {
                    return;
                }
                self.gap = Some(parent);
                effects.push(Effect::Gap(Gap { after: self.frontier, upto: parent, blockhash: parent_hash }));
                return;
            }
            self.commit(slot, bank, effects);
        }
    }

    fn commit(&mut self, slot: u64, bank: u64, effects: &mut Vec<Effect>) {
        self.frontier = Some(slot);
        self.committed.insert(slot, bank);
        if self.committed.len() > REMEMBERED {
            self.committed.pop_first();
        }
        let chosen = self.pending.get_mut(&slot).and_then(|pending| pending.banks.remove(&bank)).unwrap_or_default();
        self.held = self.held.saturating_sub(chosen.len());
        // The commit comes first: until it is stored, the unconfirmed copy of the same content has to stay.
        effects.push(Effect::Commit { block: chosen.into_block(slot), frontier: slot });
        self.forget_below(slot + 1, effects);
    }

    /// Slots below a stored one that were not stored are dead forks.
    fn forget_below(&mut self, slot: u64, effects: &mut Vec<Effect>) {
        let kept = self.pending.split_off(&slot);
        let mut dropped = Vec::new();
        for (slot, pending) in std::mem::replace(&mut self.pending, kept) {
            for (bank, content) in pending.banks {
                self.held = self.held.saturating_sub(content.len());
                dropped.push(BankRef { slot, bank });
            }
        }
        if !dropped.is_empty() {
            effects.push(Effect::Dropped(dropped));
        }
    }
}
