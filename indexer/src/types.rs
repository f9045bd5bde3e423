//! What flows from the stream to the store: addresses, account writes, events, blocks.

use bytes::Bytes;
use std::{fmt, str::FromStr, sync::Arc};

/// A 32-byte account address, shown as base58.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address(pub [u8; 32]);

/// A 64-byte transaction signature, shown as base58.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Signature(pub [u8; 64]);

/// Bytes that are not what they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("{text:?} is not a base58 {what}")]
    Base58 { what: &'static str, text: String },
    #[error("a {what} has {expected} bytes, not {got}")]
    Length { what: &'static str, expected: usize, got: usize },
    #[error("account index {index} is outside the {keys} accounts of the transaction")]
    AccountIndex { index: usize, keys: usize },
    #[error("the server sent an update without its {0}")]
    Missing(&'static str),
}

macro_rules! fixed_bytes {
    ($name:ident, $len:expr, $what:expr, $encode:path, $decode:path, $longest:path) => {
        impl TryFrom<&[u8]> for $name {
            type Error = Malformed;

            fn try_from(bytes: &[u8]) -> Result<Self, Malformed> {
                <[u8; $len]>::try_from(bytes).map(Self).map_err(|_| Malformed::Length {
                    what: $what,
                    expected: $len,
                    got: bytes.len(),
                })
            }
        }

        impl FromStr for $name {
            type Err = Malformed;

            fn from_str(text: &str) -> Result<Self, Malformed> {
                let mut bytes = [0; $len];
                match $decode(text, &mut bytes) {
                    Ok(()) => Ok(Self(bytes)),
                    Err(_) => Err(Malformed::Base58 { what: $what, text: text.chars().take(100).collect() }),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut text = [0; $longest];
                let length = $encode(&self.0, &mut text);
                // Base58 is ASCII.
                f.write_str(std::str::from_utf8(&text[..usize::from(length)]).unwrap_or_default())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

fixed_bytes!(Address, 32, "address", five8::encode_32, five8::decode_32, five8::BASE58_ENCODED_32_MAX_LEN);
fixed_bytes!(Signature, 64, "signature", five8::encode_64, five8::decode_64, five8::BASE58_ENCODED_64_MAX_LEN);

/// By a hash that is quick, and seeded, so that nobody can choose keys that collide.
pub type HashMap<K, V> = std::collections::HashMap<K, V, foldhash::fast::RandomState>;
pub type HashSet<K> = std::collections::HashSet<K, foldhash::fast::RandomState>;

impl Address {
    /// The system program owns what belongs to no other program, closed accounts included.
    pub const SYSTEM: Self = Self([0; 32]);
}

impl From<&anchor_lang::prelude::Address> for Address {
    fn from(address: &anchor_lang::prelude::Address) -> Self {
        Self(address.to_bytes())
    }
}

/// Which of two writes of one account is newer. Orders by slot, then by the validator's write version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    pub slot: u64,
    pub write: u64,
}

impl Version {
    /// A snapshot's rows: older than every write that the stream reports for the same slot.
    pub const fn snapshot(slot: u64) -> Self {
        Self { slot, write: 0 }
    }

    /// The stream numbers writes from 1.
    pub const fn is_snapshot(self) -> bool {
        self.write == 0
    }

    /// A closing that an event states: newer than every write of its slot, older than any later slot.
    pub const fn closing(slot: u64) -> Self {
        Self { slot, write: i64::MAX as u64 }
    }
}

/// An account as one write left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountWrite {
    pub address: Address,
    pub owner: Address,
    pub lamports: u64,
    pub data: Bytes,
    pub version: Version,
}

/// Names one event for ever: its transaction, the top-level instruction, and the place among its inner instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventKey {
    pub signature: Signature,
    pub instruction: u32,
    pub inner: u32,
}

/// What a program wrote with `emit_event!`, without the event tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawEvent {
    pub instruction: u32,
    pub inner: u32,
    pub program: Address,
    pub data: Bytes,
}

/// A successful transaction that mentions one of our programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    pub signature: Signature,
    /// Place in its block.
    pub index: u64,
    /// Empty where it could not be read.
    pub events: Vec<RawEvent>,
    pub unread: Option<Unread>,
}

/// A transaction that could not be read: anybody can send one that names our programs, and of a version that nobody knows yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    pub reason: String,
    /// What there was of it: Yellowstone's protobuf, or JSON as RPC gave it; empty where RPC gave none.
    pub data: Bytes,
}

/// One bank's content: everything that a slot changed for us.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Block {
    pub slot: u64,
    /// Unix seconds.
    pub block_time: Option<i64>,
    pub writes: Vec<Arc<AccountWrite>>,
    /// In the order of the block.
    pub transactions: Vec<Arc<Transaction>>,
}

/// Some accounts, as of the end of a slot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    pub slot: u64,
    /// Unix seconds.
    pub block_time: Option<i64>,
    /// Those that are our programs'.
    pub found: Vec<AccountWrite>,
    /// Those that are not, or not any more.
    pub gone: Vec<Address>,
}

/// Every account of one program, as of the end of a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub program: Address,
    pub slot: u64,
    /// Unix seconds.
    pub block_time: Option<i64>,
    pub accounts: Vec<AccountWrite>,
}
