//! What could not be decoded, kept for a version that can.

use super::{
    cell::{bad, kind, BadCell, Cell, Field as _, Kind},
    record::{kept, record, Column, Reading, Record},
};
use crate::types::{Address, EventKey, Signature};
use std::{borrow::Cow, fmt};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Letter {
    Account(Address),
    Event(EventKey),
    Transaction(Signature),
}

/// A transaction that could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnreadRow {
    pub signature: Signature,
    pub slot: u64,
    /// Place in its block.
    pub index: u64,
}

impl fmt::Display for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(address) => write!(f, "account {address}"),
            Self::Event(EventKey { signature, instruction, inner }) => {
                write!(f, "event {signature}/{instruction}/{inner}")
            }
            Self::Transaction(signature) => write!(f, "transaction {signature}"),
        }
    }
}

impl Letter {
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Account(_) => "account",
            Self::Event(_) => "event",
            Self::Transaction(_) => "transaction",
        }
    }

    pub fn key(&self) -> Vec<u8> {
        match self {
            Self::Account(address) => address.0.to_vec(),
            Self::Transaction(signature) => signature.0.to_vec(),
            Self::Event(key) => {
                [&key.signature.0[..], &key.instruction.to_be_bytes(), &key.inner.to_be_bytes()].concat()
            }
        }
    }

    pub fn parse(key: &[u8]) -> Option<Self> {
        if let Ok(address) = Address::try_from(key) {
            return Some(Self::Account(address));
        }
        if let Ok(signature) = Signature::try_from(key) {
            return Some(Self::Transaction(signature));
        }
        let (signature, rest) = key.split_first_chunk::<64>()?;
        let (instruction, inner) = rest.split_first_chunk::<4>()?;
        Some(Self::Event(EventKey {
            signature: Signature(*signature),
            instruction: u32::from_be_bytes(*instruction),
            inner: u32::from_be_bytes(inner.try_into().ok()?),
        }))
    }
}

impl Record for Letter {
    const WIDTH: usize = 1;

    fn columns(prefix: &str, path: &[&'static str], into: &mut Vec<Column>) {
        let path = [path, &["key"]].concat();
        into.push(Column { name: format!("{prefix}key"), kind: Kind::Bytes, nullable: false, path });
    }

    fn write(&self, into: &mut Vec<Cell>) -> Result<(), BadCell> {
        into.push(Cell::Bytes(self.key().into()));
        Ok(())
    }

    fn read(from: &mut Reading<'_>) -> Result<Self, BadCell> {
        let key = kind::Bytes::of_cell(from.next("key")?)?;
        Self::parse(&key).ok_or_else(|| bad(hex::encode(&key), "no key of a dead letter"))
    }
}

/// A dead letter as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetterRow {
    pub letter: Letter,
    pub kind: Cow<'static, str>,
    /// The system program where nobody knows.
    pub program: Address,
    pub slot: u64,
    pub data: bytes::Bytes,
    pub reason: Cow<'static, str>,
    /// Place in its block, of a transaction.
    pub tx_index: Option<u64>,
}

record! {
    LetterRow key letter: Letter {
        kind: Text,
        program: Key,
        slot: Count,
        data: Bytes,
        reason: Text,
        tx_index: Maybe<Count>,
    }
}

kept!(LetterRow in "dead_letters" by Letter);
