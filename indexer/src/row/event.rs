//! Events: history, once each.

use crate::{
    decode::{self, DecodeError, Fact, Program, UNDECODABLE},
    types::{Address, EventKey, RawEvent, Signature},
};
use joule_api::{Commitment, Event};

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
    pub data: Vec<u8>,
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
