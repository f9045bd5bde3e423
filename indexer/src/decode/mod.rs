//! Bytes as what the programs mean by them, with the programs' own types.

#[cfg(test)]
pub(crate) mod earlier;
pub mod event;
pub mod fields;
mod layout;
mod program;
mod state;
#[cfg(test)]
mod tests;
mod upgrade;

pub use event::{Fact, Life, Row};
pub use program::Program;
pub use state::State;
pub use upgrade::{Upgrade, UpgradeError, Upgrades};

/// Why bytes could not be decoded. They are kept, and decoded again when the indexer knows more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("not an account of ours: owner {0}")]
    ForeignOwner(String),
    #[error("{program} has no {what} with discriminator {discriminator}; this indexer may be older than the program")]
    Unknown { program: &'static str, what: &'static str, discriminator: String },
    #[error("a {kind} has {expected} bytes, this one {got}; this indexer may be of another version than the program")]
    Size { kind: &'static str, expected: usize, got: usize },
    #[error("{value} is not a {what}")]
    Value { what: &'static str, value: u64 },
}

/// The kind of an account that cannot be decoded.
pub const UNDECODABLE: &str = "undecodable";

/// Decodes an account by its owner and discriminator, as it is seen at a slot.
pub fn account(program: Program, slot: u64, data: &[u8]) -> Result<State, DecodeError> {
    layout::account(Upgrades::in_force(), program, slot, data)
}

fn unknown(program: Program, what: &'static str, data: &[u8]) -> DecodeError {
    DecodeError::Unknown { program: program.name(), what, discriminator: hex::encode(&data[..data.len().min(8)]) }
}
