//! Accounts as the chain has them: raw bytes, guarded by version.

use super::{
    cell::{kind, BadCell, Cell, Field as _, Kind},
    record::{kept, record, Column, Reading, Record, Table},
};
use crate::{
    decode::{self, Program, State, UNDECODABLE},
    types::{AccountWrite, Address, Version},
};
use std::{borrow::Cow, sync::LazyLock};

/// Lamports of an account that lives and of which nobody knows how many it has: every one that lives has some.
const UNKNOWN: u64 = 0;

/// One account, as its newest write left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    pub address: Address,
    pub program: Address,
    /// Of the last live state that was seen; may be empty if the account was closed before anybody looked.
    pub data: bytes::Bytes,
    pub lamports: u64,
    pub closed: bool,
    /// Of whatever has shown it last.
    pub version: Version,
    /// The slot that changed it, as far as that was seen: a snapshot that shows the same is no change.
    pub since: u64,
    pub kind: Cow<'static, str>,
    /// Of the last live state that was seen: older than the above once it is closed. Kept apart so that the row is the same in
    /// whatever order writes arrive.
    pub live: Option<Version>,
}

impl AccountRow {
    /// What is known after a write, be it of an account that is gone.
    pub fn after(before: Option<Self>, write: &AccountWrite) -> Option<Self> {
        let (known, version) = (before.as_ref(), write.version);
        let after = if is_live(write) {
            let program = Program::of(&write.owner);
            let decoded = program.and_then(|program| decode::account(program, version.slot, &write.data).ok());
            Self::written(known, write, decoded.map_or(UNDECODABLE, |state| state.kind()))
        } else {
            Self::closing(known, &write.address, &write.owner, version, UNDECODABLE.into())
        };
        after.or(before)
    }

    /// What is known after a live write of this kind: `None` when it tells nothing newer. An account that is closed already still
    /// takes the bytes of a newer life than the one it remembers.
    pub fn written(before: Option<&Self>, write: &AccountWrite, kind: &'static str) -> Option<Self> {
        let version = write.version;
        let mut after = Self {
            address: write.address,
            program: write.owner,
            data: write.data.clone(),
            lamports: write.lamports,
            closed: false,
            version,
            since: version.slot,
            kind: kind.into(),
            live: Some(version),
        };
        let Some(before) = before else { return Some(after) };
        if before.live.is_some_and(|live| version <= live) {
            return None;
        }
        if version <= before.version {
            after.version = before.version;
            (after.lamports, after.closed, after.since) = (before.lamports, before.closed, before.since);
        }
        Some(after)
    }

    /// What is known after a closing: `None` when it tells nothing newer. An account that was never seen leaves a mark too, so
    /// that an older write that comes later cannot bring it back; `kind` is what it is said to have been.
    pub fn closing(
        before: Option<&Self>,
        address: &Address,
        owner: &Address,
        version: Version,
        kind: Cow<'static, str>,
    ) -> Option<Self> {
        if before.is_some_and(|before| version <= before.version) {
            return None;
        }
        let program = Program::of(owner).map_or(Address::SYSTEM, |_| *owner);
        let mut after = before.cloned().unwrap_or(Self {
            address: *address,
            program,
            data: bytes::Bytes::new(),
            lamports: 0,
            closed: true,
            version,
            since: version.slot,
            kind: UNDECODABLE.into(),
            live: None,
        });
        (after.lamports, after.closed, after.version, after.since) = (0, true, version, version.slot);
        if after.live.is_none() {
            after.program = program;
            if after.kind == UNDECODABLE {
                after.kind = kind;
            }
        }
        Some(after)
    }

    /// What is known after a snapshot that shows it as it is: nothing but that older writes do not count. `None` where it shows
    /// anything else.
    pub fn seen_again(before: Option<&Self>, write: &AccountWrite) -> Option<Self> {
        let before = before.filter(|before| {
            !before.closed
                && before.version.slot < write.version.slot
                && before.program == write.owner
                && (before.lamports == write.lamports || before.lamports == UNKNOWN)
                && before.data == write.data
        })?;
        let lamports = write.lamports;
        Some(Self { version: write.version, live: Some(write.version), lamports, ..before.clone() })
    }

    /// What is known of it as of a slot: `None` where its bytes are of later. Of one that was closed since, what it had is not known.
    pub fn as_of(&self, slot: u64) -> Option<Self> {
        if self.version.slot <= slot {
            return Some(self.clone());
        }
        if !self.closed {
            // A list has shown it later, as it was.
            let version = Version::snapshot(self.since);
            return (self.since <= slot).then(|| Self { version, live: Some(version), ..self.clone() });
        }
        let live = self.live.filter(|live| live.slot <= slot)?;
        Some(Self { closed: false, lamports: UNKNOWN, version: live, since: live.slot, ..self.clone() })
    }

    /// Where it is listed, if it lives and is listed under anything.
    pub fn listed(&self) -> Option<Member> {
        let state = self.state().filter(|state| !self.closed && is_listed(state))?;
        Some(Member { kind: state.kind().into(), parent: state.parent()?, address: self.address })
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

/// Kinds that are listed under another account.
fn is_listed(state: &State) -> bool {
    matches!(state, State::Bid(_) | State::Bond(_) | State::Claim(_) | State::PriceList(_))
}

impl Record for Version {
    const WIDTH: usize = 2;

    fn columns(prefix: &str, path: &[&'static str], into: &mut Vec<Column>) {
        into.extend(["slot", "write_version"].map(|name| Column {
            name: format!("{prefix}{name}"),
            kind: Kind::Count,
            nullable: false,
            path: [path, &[name]].concat(),
        }));
    }

    fn write(&self, into: &mut Vec<Cell>) -> Result<(), BadCell> {
        into.extend([self.slot, self.write].map(Cell::Uint));
        Ok(())
    }

    fn read(from: &mut Reading<'_>) -> Result<Self, BadCell> {
        let mut number = |what| kind::Count::of_cell(from.next(what)?);
        Ok(Self { slot: number("slot")?, write: number("write_version")? })
    }
}

record! {
    AccountRow {
        address: Key,
        program: Key,
        kind: Text,
        closed: Flag,
        lamports: Amount,
        since: Count,
        data: Bytes,
    }
    flat { version: Version }
    optional { live: Version }
}

kept!(AccountRow in "accounts" by Address);

/// That a living account is listed under another: bids under a job, bonds under an owner, claims under a bond, price lists under a
/// model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub kind: Cow<'static, str>,
    pub parent: Address,
    pub address: Address,
}

record! {
    Member { kind: Text, parent: Key, address: Key }
}

impl Member {
    /// All of it is its key.
    pub fn table() -> &'static Table {
        static TABLE: LazyLock<Table> = LazyLock::new(|| Table::of_keys::<Member>("members"));
        &TABLE
    }
}
