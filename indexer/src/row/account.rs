//! Accounts as the chain has them: raw bytes, guarded by version.

use crate::{
    decode::{self, Program, UNDECODABLE},
    types::{AccountWrite, Address, Version},
};

/// One account, as its newest write left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    pub address: Address,
    pub program: Address,
    /// Of the last live state that was seen; may be empty if the account was closed before anybody looked.
    pub data: Vec<u8>,
    pub lamports: u64,
    pub closed: bool,
    /// Of whatever has shown it last.
    pub version: Version,
    /// The slot that changed it, as far as that was seen: a snapshot that shows the same is no change.
    pub since: u64,
    pub kind: String,
}

impl AccountRow {
    /// What a write makes of an account, given what was known of it. `kind` is what somebody said it is, for an account
    /// that is gone before its bytes were seen.
    pub fn after(write: &AccountWrite, before: Option<&Self>, kind: &str) -> Self {
        if is_live(write) {
            let program = Program::of(&write.owner);
            let decoded = program.and_then(|program| decode::account(program, write.version.slot, &write.data).ok());
            return Self {
                address: write.address,
                program: write.owner,
                data: write.data.clone(),
                lamports: write.lamports,
                closed: false,
                version: write.version,
                since: write.version.slot,
                kind: decoded.map_or(UNDECODABLE, |state| state.kind()).to_owned(),
            };
        }
        let program = Program::of(&write.owner).map_or(Address::SYSTEM, |_| write.owner);
        Self {
            address: write.address,
            program: before.map_or(program, |before| before.program),
            data: before.map(|before| before.data.clone()).unwrap_or_default(),
            lamports: 0,
            closed: true,
            version: write.version,
            since: write.version.slot,
            kind: before.map_or_else(|| kind.to_owned(), |before| before.kind.clone()),
        }
    }

    /// Whether it lives, is of this kind, and is listed under `parent`.
    pub fn belongs_to(&self, kind: &str, parent: &Address) -> bool {
        !self.closed && self.kind == kind && self.state().and_then(|state| state.parent()) == Some(*parent)
    }

    /// The slot up to which its events add nothing to its bytes, so that a history which grows for years need not be read for
    /// each change; `None` where the whole history counts.
    pub fn told_until(&self) -> Option<u64> {
        let tells = match self.state() {
            Some(decode::State::Provider(_)) => return Some(self.version.slot),
            // Of a dispute the account says no more than who lost it.
            Some(decode::State::Channel(channel)) => channel.disputed == 0,
            Some(decode::State::Plan(_)) => true,
            _ => false,
        };
        (tells && !self.closed).then_some(self.version.slot)
    }

    /// The account decoded, if its bytes are known and make sense.
    pub fn state(&self) -> Option<decode::State> {
        decode::account(Program::of(&self.program)?, self.since, &self.data).ok()
    }
}

/// Closed accounts have no lamports, or belong to the system program again.
pub fn is_live(write: &AccountWrite) -> bool {
    write.lamports > 0 && Program::of(&write.owner).is_some()
}
