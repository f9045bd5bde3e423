//! One connection's part: what it has told of slots that are not stored yet, and what can be made of it.

use super::bank::{Meta, Pending};
use crate::{
    source::{BankRef, SlotStatus},
    types::{AccountWrite, Transaction},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// How many sealed slots are remembered, as parents.
pub(super) const REMEMBERED: usize = 512;
/// Slots beyond a block's finality after which it is not waited for any longer.
pub(super) const LATE: u64 = 16;
/// The same for a chain that does not finalize, and for one connection while another is behind: slots beyond the block itself.
pub(super) const LATE_WITHOUT_FINALITY: u64 = 300;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// It is connected, and may bring what is missing.
    pub live: bool,
    /// Nothing that this connection says is believed.
    pub astray: bool,
    /// The newest slot that it has ever mentioned.
    pub tip: u64,
    /// Updates held back until they are confirmed.
    pub held: usize,
    replay_from: Option<u64>,
    /// The first slot that this connection told of.
    joined: Option<u64>,
    /// The newest that this connection said is final.
    final_here: u64,
    pub pending: BTreeMap<u64, Pending>,
    /// Slots whose end was seen on this connection.
    sealed: BTreeSet<u64>,
    /// The server tells when banks begin: one of which it has not said so was running before.
    tells_beginnings: bool,
}

/// A confirmed block of which nothing is missing.
#[derive(Debug, Clone)]
pub(super) struct Whole {
    pub slot: u64,
    pub bank: u64,
    pub meta: Meta,
}

/// What a connection has for the slot after the frontier.
#[derive(Debug)]
pub(super) enum Prospect {
    /// It follows on the frontier.
    Ready(Whole),
    /// What is missing may come yet.
    Waits,
    /// Up to this block's parent it will bring nothing.
    Lacks(Whole),
}

impl Line {
    /// A new connection: nothing that an earlier one left unfinished can be trusted to be complete.
    pub fn connect(&mut self, replay_from: Option<u64>) {
        self.disconnect();
        self.live = true;
        self.replay_from = replay_from;
    }

    pub fn disconnect(&mut self) {
        *self = Self { tip: self.tip, ..Self::default() };
    }

    pub fn stray(&mut self) {
        self.disconnect();
        self.astray = true;
    }

    pub fn mention(&mut self, slot: u64) {
        self.live = true;
        self.joined = self.joined.or(Some(slot));
        self.tip = self.tip.max(slot);
    }

    /// False when it was there already.
    pub fn add_write(&mut self, bank: BankRef, write: Arc<AccountWrite>) -> bool {
        let new = self.pending.entry(bank.slot).or_default().bank(bank.bank).add_write(write);
        self.held += usize::from(new);
        new
    }

    /// False when it was there already.
    pub fn add_transaction(&mut self, bank: BankRef, transaction: Arc<Transaction>) -> bool {
        let new = self.pending.entry(bank.slot).or_default().bank(bank.bank).add_transaction(transaction);
        self.held += usize::from(new);
        new
    }

    /// Its end was seen.
    pub fn seal(&mut self, slot: u64) {
        self.sealed.insert(slot);
        if self.sealed.len() > REMEMBERED {
            self.sealed.pop_first();
        }
    }

    pub fn add_meta(&mut self, bank: BankRef, meta: Meta) {
        self.pending.entry(bank.slot).or_default().bank(bank.bank).meta = Some(meta);
        self.confirm_ancestors(bank.slot);
    }

    pub fn finalized(&mut self, slot: u64) {
        self.final_here = self.final_here.max(slot);
    }

    /// What became of a slot beyond the frontier. Returns the banks that died.
    pub fn status(&mut self, slot: u64, bank: Option<u64>, parent: Option<u64>, status: SlotStatus) -> Vec<BankRef> {
        let pending = self.pending.entry(slot).or_default();
        pending.parent = parent.or(pending.parent);
        match status {
            SlotStatus::Begun => {
                self.tells_beginnings = true;
                match bank {
                    Some(bank) => pending.bank(bank).begun = true,
                    None => pending.begun = true,
                }
            }
            SlotStatus::Processed => self.confirm_ancestors(slot),
            SlotStatus::Confirmed | SlotStatus::Finalized => {
                pending.confirmed = true;
                pending.confirmed_bank = bank.or(pending.confirmed_bank);
                self.confirm_ancestors(slot);
            }
            SlotStatus::Dead => {
                let dying: Vec<u64> = match bank {
                    Some(bank) => vec![bank],
                    None => pending.banks.keys().copied().collect(),
                };
                let mut dead = Vec::with_capacity(dying.len());
                for bank in dying {
                    if let Some(content) = pending.banks.remove(&bank) {
                        self.held = self.held.saturating_sub(content.len());
                        dead.push(BankRef { slot, bank });
                    }
                }
                return dead;
            }
        }
        Vec::new()
    }

    /// The parents of a confirmed slot are confirmed, whether or not the server said so.
    fn confirm_ancestors(&mut self, slot: u64) {
        // What follows on it may have been confirmed before it was known.
        let is_followed = self.pending.range(slot + 1..).any(|(_, it)| it.confirmed && it.parent() == Some(slot));
        if let Some(pending) = self.pending.get_mut(&slot).filter(|_| is_followed) {
            pending.confirmed = true;
        }
        let mut child = slot;
        while let Some(pending) = self.pending.get(&child).filter(|pending| pending.confirmed) {
            let Some(parent) = pending.parent().filter(|parent| *parent < child) else { return };
            match self.pending.get_mut(&parent) {
                Some(pending) if !pending.confirmed => pending.confirmed = true,
                _ => return,
            }
            child = parent;
        }
    }

    /// What it has, where everything up to `frontier` is stored.
    pub fn prospect(&self, frontier: Option<u64>) -> Prospect {
        let whole = self.pending.iter().filter(|(_, pending)| pending.confirmed).find_map(|(slot, pending)| {
            let (bank, meta) = pending.sealed()?;
            self.is_whole(*slot, bank, meta.parent).then(|| Whole { slot: *slot, bank, meta: meta.clone() })
        });
        match whole {
            None => Prospect::Waits,
            Some(whole) if frontier.is_some_and(|frontier| whole.meta.parent <= frontier) => Prospect::Ready(whole),
            Some(whole) if self.may_come(whole.meta.parent) => Prospect::Waits,
            Some(whole) => Prospect::Lacks(whole),
        }
    }

    /// Whether all of a slot's chosen bank is here; its hash, where the server says it.
    pub fn whole(&self, slot: u64) -> Option<Option<&Arc<str>>> {
        let (bank, meta) = self.pending.get(&slot)?.sealed()?;
        self.is_whole(slot, bank, meta.parent).then_some(meta.hash.as_ref())
    }

    /// Whether nothing of the slot's chosen bank was sent before this connection.
    fn is_whole(&self, slot: u64, bank: u64, parent: u64) -> bool {
        let begun = self
            .pending
            .get(&slot)
            .is_some_and(|pending| pending.begun || pending.banks.get(&bank).is_some_and(|bank| bank.begun));
        // A parent may be sealed late, long after its children have begun.
        let follows = !self.tells_beginnings && self.sealed.contains(&parent);
        begun || self.replay_from.is_some_and(|from| slot >= from) || follows
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

    /// Takes out everything up to a slot that is stored.
    pub fn take_upto(&mut self, slot: u64) -> BTreeMap<u64, Pending> {
        let kept = self.pending.split_off(&(slot + 1));
        let past = std::mem::replace(&mut self.pending, kept);
        for pending in past.values() {
            self.held = self.held.saturating_sub(pending.len());
        }
        past
    }
}
