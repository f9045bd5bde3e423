//! How far the store has come, and of which chain it is.

use super::record::{kept, record};
use std::borrow::Cow;

/// There is one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct One {
    pub id: u8,
}

pub const ONE: One = One { id: 1 };

record! {
    One { id: Number<u8> }
}

/// Everything up to `slot` is stored, without a gap; everything up to `finalized` can no longer be undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckpointRow {
    pub one: One,
    pub slot: u64,
    pub finalized: u64,
    /// Whether every account of ours is known as of then. If not, lists of all will tell.
    pub listed: bool,
}

record! {
    CheckpointRow key one: One { slot: Count, finalized: Count, listed: Flag }
}

kept!(CheckpointRow in "checkpoint" by One);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainRow {
    pub one: One,
    /// As RPC's `getGenesisHash` says it.
    pub genesis: Cow<'static, str>,
}

record! {
    ChainRow key one: One { genesis: Text }
}

kept!(ChainRow in "chain" by One);
