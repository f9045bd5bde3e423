//! Events: history, once each.

use super::record::{kept, record, Table};
use crate::{
    decode::{self, DecodeError, Fact, Program, UNDECODABLE},
    types::{Address, EventKey, RawEvent, Signature},
};
use joule_api::{Commitment, Event};
use std::{borrow::Cow, sync::LazyLock};

/// One event as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    pub key: EventKey,
    pub slot: u64,
    /// Place of its transaction in the block.
    pub tx_index: u64,
    /// Unix seconds.
    pub block_time: Option<i64>,
    pub program: Address,
    pub data: bytes::Bytes,
}

impl EventRow {
    pub fn new(signature: Signature, tx_index: u64, slot: u64, block_time: Option<i64>, raw: &RawEvent) -> Self {
        Self {
            key: EventKey { signature, instruction: raw.instruction, inner: raw.inner },
            slot,
            tx_index,
            block_time,
            program: raw.program,
            data: raw.data.clone(),
        }
    }

    pub fn fact(&self) -> std::result::Result<Fact, DecodeError> {
        let program = Program::of(&self.program).ok_or_else(|| DecodeError::ForeignOwner(self.program.to_string()))?;
        decode::event::event(program, self.slot, &self.data)
    }

    /// When it happened, relative to every other event.
    pub fn order(&self) -> (u64, u64, u32, u32) {
        (self.slot, self.tx_index, self.key.instruction, self.key.inner)
    }

    pub fn to_api(&self, commitment: Commitment) -> Event {
        let fact = self.fact();
        let (name, subject, data) = match &fact {
            Ok(fact) => (
                fact.name().to_owned(),
                fact.accounts().first().map(ToString::to_string).unwrap_or_default(),
                fact.data(),
            ),
            Err(error) => {
                let data = serde_json::json!({"reason": error.to_string(), "bytes": hex::encode(&self.data)});
                (UNDECODABLE.to_owned(), String::new(), data)
            }
        };
        Event {
            signature: self.key.signature.to_string(),
            instruction: self.key.instruction,
            inner: self.key.inner,
            slot: self.slot,
            block_time: self.block_time,
            program: Program::of(&self.program).map_or("", Program::name).to_owned(),
            name,
            subject,
            data,
            commitment,
        }
    }
}

record! {
    EventKey { signature: Sig, instruction: Number<u32>, inner: Number<u32> }
}

record! {
    EventRow key key: EventKey {
        slot: Count,
        tx_index: Count,
        block_time: Maybe<Time>,
        program: Key,
        data: Bytes,
    }
}

/// An event with its name, and the account that it is about, for whoever reads the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filed {
    pub event: EventRow,
    pub name: Cow<'static, str>,
    pub subject: Option<Address>,
}

impl Filed {
    pub fn new(event: &EventRow, fact: Option<&Fact>) -> Self {
        let subject = fact.and_then(|fact| fact.accounts().first().copied());
        Self { event: event.clone(), name: fact.map_or(UNDECODABLE, Fact::name).into(), subject }
    }
}

record! {
    Filed key event: EventRow { name: Text, subject: Maybe<Key> }
}

kept!(Filed in "events" by EventKey);

/// That an event concerns an account, and where it stands among those that do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Link {
    pub address: Address,
    pub slot: u64,
    pub tx_index: u64,
    pub instruction: u32,
    pub inner: u32,
    pub signature: Signature,
}

record! {
    Link {
        address: Key,
        slot: Count,
        tx_index: Count,
        instruction: Number<u32>,
        inner: Number<u32>,
        signature: Sig,
    }
}

impl Link {
    pub fn new(address: Address, event: &EventRow) -> Self {
        let EventKey { signature, instruction, inner } = event.key;
        Self { address, slot: event.slot, tx_index: event.tx_index, instruction, inner, signature }
    }

    pub const fn key(&self) -> EventKey {
        EventKey { signature: self.signature, instruction: self.instruction, inner: self.inner }
    }
}

/// Whom each event concerns.
pub static EVENT_ACCOUNTS: LazyLock<Table> = LazyLock::new(|| Table::of_keys::<Link>("event_accounts"));
/// Of these, what happens to a row once, so that it is found however many others there are.
pub static ROW_EVENTS: LazyLock<Table> = LazyLock::new(|| Table::of_keys::<Link>("row_events"));
