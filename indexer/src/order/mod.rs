//! Ordering: a state machine without channels, clocks or network.
//!
//! Updates of several forks go in, from several servers, in any order and as often as they like; confirmed blocks come out
//! once each, parents before children, without a gap. What cannot be ordered without a gap is reported as one, and the
//! machine waits: whoever drives it fills the gap from elsewhere and says so with [`Order::filled`].
//!
//! Four rules carry everything within a connection, which has a [`Line`] of its own:
//! 1. a bank is *whole* when its beginning was seen on this connection, or the server replays it, or, where the server tells no
//!    beginnings, its parent was sealed on this connection (a child's bank is created after its parent is frozen);
//! 2. a bank is *sealed* by its block metadata, which the server sends after all of its content;
//! 3. a confirmed slot confirms its ancestors, and kills every other slot below it;
//! 4. late is not lost: a parent that this connection began to tell of is waited for until well after its finality, since
//!    servers that cannot seal a block at once send its metadata and statuses only then.
//!
//! And three between them, who share nothing but the frontier, since numbers of banks and of writes are each server's own:
//! 5. a block is committed whole as one server told it, the first that could, and is past for the others;
//! 6. a slot is *shown* as one server tells it: the first that said something of it, until another has sealed it before;
//! 7. a gap is one when no server that is connected will bring what is missing.

mod bank;
mod line;
#[cfg(test)]
mod several;
#[cfg(test)]
mod tests;

use crate::{
    source::{BankRef, Gap, SlotStatus, Update},
    types::{AccountWrite, Block, Transaction},
};
use bank::Meta;
use line::{Line, Prospect, Whole, LATE_WITHOUT_FINALITY, REMEMBERED};
use std::{collections::BTreeMap, sync::Arc};

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
    /// What was shown of these banks is not known to be so any longer: their connection is gone, or something else takes their place.
    Hidden(Vec<BankRef>),
    /// No connection will bring this.
    Gap(Gap),
    /// What this source calls confirmed does not follow on what is stored: it serves another chain.
    Astray { source: usize, slot: u64 },
}

/// See the module.
#[derive(Debug)]
pub struct Order {
    /// Everything up to here is committed. `None` before the first fill of an empty store.
    frontier: Option<u64>,
    /// The hash of the block at the frontier, if a stream has brought it.
    head: Option<Arc<str>>,
    finalized: u64,
    lines: Vec<Line>,
    /// Committed slots, with the source and its bank that were: to tell a late part of a stored bank from one of a dead one.
    committed: BTreeMap<u64, (usize, u64)>,
    /// Of slots beyond the frontier, as which source's they are shown.
    shown: BTreeMap<u64, usize>,
    /// The gap that was reported and is not filled.
    gap: Option<u64>,
}

impl Order {
    /// Continues after `frontier`, the store's checkpoint, with so many sources.
    pub fn new(frontier: Option<u64>, sources: usize) -> Self {
        Self {
            frontier,
            head: None,
            finalized: 0,
            lines: (0..sources).map(|_| Line::default()).collect(),
            committed: BTreeMap::new(),
            shown: BTreeMap::new(),
            gap: None,
        }
    }

    pub fn frontier(&self) -> Option<u64> {
        self.frontier
    }

    /// The highest slot that a source has mentioned.
    pub fn tip(&self, source: usize) -> u64 {
        self.lines[source].tip
    }

    /// Whether it is connected.
    pub fn is_live(&self, source: usize) -> bool {
        self.lines[source].live
    }

    /// Updates held back until they are confirmed.
    pub fn held(&self) -> usize {
        self.lines.iter().map(|line| line.held).sum()
    }

    /// A new connection of a source.
    pub fn connected(&mut self, source: usize, replay_from: Option<u64>, effects: &mut Vec<Effect>) {
        self.hide(source, effects);
        self.lines[source].connect(replay_from);
        self.gap = None;
    }

    /// A connection is gone, and with it the knowledge of what becomes of its unconfirmed slots.
    pub fn disconnected(&mut self, source: usize, effects: &mut Vec<Effect>) {
        self.hide(source, effects);
        self.lines[source].disconnect();
        // It may have been the last that could have brought what the others lack.
        self.advance(effects);
    }

    /// Everything up to `upto` was stored from elsewhere.
    pub fn filled(&mut self, upto: u64, effects: &mut Vec<Effect>) {
        self.gap = None;
        if self.frontier.is_none_or(|frontier| upto > frontier) {
            (self.frontier, self.head) = (Some(upto), None);
        }
        let hidden = self.forget_upto(upto);
        if !hidden.is_empty() {
            effects.push(Effect::Hidden(hidden));
        }
        self.advance(effects);
    }

    pub fn push(&mut self, source: usize, update: Update, effects: &mut Vec<Effect>) {
        let is_past = self.is_past(update.slot());
        let line = &mut self.lines[source];
        if line.astray {
            return;
        }
        line.mention(update.slot());
        match update {
            Update::Account { bank, write } => {
                if is_past {
                    let block = Block { slot: bank.slot, writes: vec![write], ..Block::default() };
                    self.late(source, bank, block, effects);
                } else if line.add_write(bank, write.clone()) && self.is_shown(source, bank.slot) {
                    effects.push(Effect::Write { bank, write });
                }
            }
            Update::Transaction { bank, transaction } => {
                if is_past {
                    let block = Block { slot: bank.slot, transactions: vec![transaction], ..Block::default() };
                    self.late(source, bank, block, effects);
                } else if line.add_transaction(bank, transaction.clone()) && self.is_shown(source, bank.slot) {
                    effects.push(Effect::Transaction { bank, transaction });
                }
            }
            Update::BlockMeta { bank, parent, parent_hash, hash, block_time, .. } => {
                line.seal(bank.slot);
                if !is_past {
                    line.add_meta(bank, Meta { parent, parent_hash, hash, block_time });
                    self.show_sealed(source, bank.slot, effects);
                    self.advance(effects);
                }
            }
            Update::Slot { slot, bank, parent, status } => {
                if status == SlotStatus::Finalized {
                    line.finalized(slot);
                }
                if !is_past {
                    let dead = line.status(slot, bank, parent, status);
                    if !dead.is_empty() && self.shown.get(&slot) == Some(&source) {
                        effects.push(Effect::Dropped(dead));
                        if self.lines[source].pending.get(&slot).is_none_or(|pending| pending.banks.is_empty()) {
                            self.show_other(slot, effects);
                        }
                    }
                    self.advance(effects);
                }
                if status == SlotStatus::Finalized && slot > self.finalized {
                    self.finalized = slot;
                    effects.push(Effect::Finalized(slot));
                }
            }
        }
    }

    fn is_past(&self, slot: u64) -> bool {
        self.frontier.is_some_and(|frontier| slot <= frontier)
    }

    /// Part of a slot that is stored already. A replay repeats it; if it is new after all, the store's guards decide.
    /// Parts of a bank other than the stored one are of a dead fork, or of the same as another server has it.
    fn late(&mut self, source: usize, bank: BankRef, block: Block, effects: &mut Vec<Effect>) {
        if let (Some(stored), Some(frontier)) = (self.committed.get(&bank.slot), self.frontier) {
            if *stored == (source, bank.bank) {
                effects.push(Effect::Commit { block, frontier });
            }
        }
    }

    /// Whether a slot is shown as this source tells it, which it is if nobody has told of it before.
    fn is_shown(&mut self, source: usize, slot: u64) -> bool {
        *self.shown.entry(slot).or_insert(source) == source
    }

    /// Whoever has all of a slot is shown, unless another has it already.
    fn show_sealed(&mut self, source: usize, slot: u64, effects: &mut Vec<Effect>) {
        let Some(shown) = self.shown.get(&slot).copied().filter(|shown| *shown != source) else { return };
        if self.lines[shown].whole(slot).is_none() && self.lines[source].whole(slot).is_some() {
            self.show(source, slot, effects);
        }
    }

    /// Shows a slot as this source tells it.
    fn show(&mut self, source: usize, slot: u64, effects: &mut Vec<Effect>) {
        let before = self.shown.insert(slot, source).filter(|before| *before != source);
        if let Some(pending) = before.and_then(|before| self.lines[before].pending.get(&slot)) {
            effects.push(Effect::Hidden(pending.banks.keys().map(|bank| BankRef { slot, bank: *bank }).collect()));
        }
        for (bank, content) in self.lines[source].pending.get(&slot).into_iter().flat_map(|pending| &pending.banks) {
            let bank = BankRef { slot, bank: *bank };
            effects.extend(content.writes().iter().map(|write| Effect::Write { bank, write: write.clone() }));
            effects.extend(
                content
                    .transactions()
                    .map(|transaction| Effect::Transaction { bank, transaction: transaction.clone() }),
            );
        }
    }

    /// What is shown as this source tells it is shown as another does, or not at all.
    fn hide(&mut self, source: usize, effects: &mut Vec<Effect>) {
        self.committed.retain(|_, (by, _)| *by != source);
        let own: Vec<u64> = self.shown.iter().filter(|(_, by)| **by == source).map(|(slot, _)| *slot).collect();
        let mut hidden = Vec::new();
        for slot in &own {
            let banks = self.lines[source].pending.get(slot).into_iter().flat_map(|pending| pending.banks.keys());
            hidden.extend(banks.map(|bank| BankRef { slot: *slot, bank: *bank }));
        }
        if !hidden.is_empty() {
            effects.push(Effect::Hidden(hidden));
        }
        self.lines[source].pending.clear();
        for slot in own {
            self.show_other(slot, effects);
        }
    }

    /// A slot is no longer shown as it was: as somebody else tells it, if anybody does.
    fn show_other(&mut self, slot: u64, effects: &mut Vec<Effect>) {
        self.shown.remove(&slot);
        let told = |line: &Line| line.pending.get(&slot).is_some_and(|pending| pending.len() > 0);
        if let Some(other) = self.lines.iter().position(told) {
            self.show(other, slot, effects);
        }
    }

    /// Commits what can be, and reports the gap that is in the way of the rest.
    fn advance(&mut self, effects: &mut Vec<Effect>) {
        'next: loop {
            let mut lacking: Option<Whole> = None;
            let mut waits = false;
            for source in 0..self.lines.len() {
                if !self.lines[source].live {
                    continue;
                }
                match self.lines[source].prospect(self.frontier) {
                    Prospect::Ready(whole) if self.is_astray(&whole) => {
                        let slot = whole.slot;
                        self.hide(source, effects);
                        self.lines[source].stray();
                        effects.push(Effect::Astray { source, slot });
                        continue 'next;
                    }
                    Prospect::Ready(whole) => {
                        self.commit(source, whole, effects);
                        continue 'next;
                    }
                    Prospect::Waits => waits = true,
                    Prospect::Lacks(whole) => {
                        if lacking.as_ref().is_none_or(|other| whole.meta.parent < other.meta.parent) {
                            lacking = Some(whole);
                        }
                    }
                }
            }
            let Some(Whole { meta: Meta { parent, parent_hash, .. }, .. }) = lacking else { return };
            // Nobody brings what was before the first connection. Anything else another may still bring, for as long as that is bearable.
            let is_late = || self.lines.iter().any(|line| line.live && line.tip >= parent + LATE_WITHOUT_FINALITY);
            if self.gap != Some(parent) && (!waits || self.frontier.is_none() || is_late()) {
                self.gap = Some(parent);
                effects.push(Effect::Gap(Gap { after: self.frontier, upto: parent, blockhash: parent_hash }));
            }
            return;
        }
    }

    /// Whether its parent is another block than the one that another source brought there.
    fn is_astray(&self, whole: &Whole) -> bool {
        let is_next = self.lines.len() > 1 && self.frontier == Some(whole.meta.parent);
        is_next && matches!((&self.head, &whole.meta.parent_hash), (Some(head), Some(parent)) if head != parent)
    }

    fn commit(&mut self, source: usize, whole: Whole, effects: &mut Vec<Effect>) {
        let Whole { slot, bank, meta } = whole;
        let shown = self.shown.get(&slot).copied().unwrap_or(source);
        let same = meta.hash.is_some() && self.lines[shown].whole(slot) == Some(meta.hash.as_ref());
        // Until it is stored, the unconfirmed copy of the same content has to stay.
        let stays = if shown != source && !same {
            self.show(source, slot, effects);
            source
        } else {
            shown
        };
        let stays =
            BankRef { slot, bank: self.lines[stays].pending.get(&slot).and_then(|it| it.chosen()).unwrap_or(bank) };
        let line = &mut self.lines[source];
        let chosen = line.pending.get_mut(&slot).and_then(|pending| pending.banks.get_mut(&bank)).map(std::mem::take);
        let chosen = chosen.unwrap_or_default();
        line.held = line.held.saturating_sub(chosen.len());
        effects.push(Effect::Commit { block: chosen.into_block(slot), frontier: slot });
        (self.frontier, self.head, self.gap) = (Some(slot), meta.hash, None);
        self.committed.insert(slot, (source, bank));
        if self.committed.len() > REMEMBERED {
            self.committed.pop_first();
        }
        // Slots below a stored one that were not stored are dead forks.
        let mut dropped = self.forget_upto(slot);
        dropped.retain(|bank| *bank != stays);
        if !dropped.is_empty() {
            effects.push(Effect::Dropped(dropped));
        }
    }

    /// Forgets what was told of slots up to this one. Returns what of it is shown.
    fn forget_upto(&mut self, slot: u64) -> Vec<BankRef> {
        let mut shown = Vec::new();
        for (source, line) in self.lines.iter_mut().enumerate() {
            for (slot, pending) in line.take_upto(slot) {
                if self.shown.get(&slot) == Some(&source) {
                    shown.extend(pending.banks.into_keys().map(|bank| BankRef { slot, bank }));
                }
            }
        }
        self.shown = self.shown.split_off(&(slot + 1));
        shown
    }
}
