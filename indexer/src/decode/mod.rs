//! Bytes as what the programs mean by them, with the programs' own types.

pub mod event;
pub mod fields;
mod program;
mod state;
#[cfg(test)]
mod tests;

pub use event::{Fact, Life, Row};
pub use program::Program;
pub use state::State;

use anchor_lang::{
    bytemuck::{self, AnyBitPattern},
    Discriminator,
};

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

/// Decodes an account by its owner and discriminator.
pub fn account(program: Program, data: &[u8]) -> Result<State, DecodeError> {
    let kinds: &[Reader] = match program {
        Program::Escrow => &[
            |data| read(data, "job", State::Job),
            |data| read(data, "client", State::Client),
            |data| read(data, "bid", State::Bid),
            |data| read(data, "dispute", State::Dispute),
            |data| read(data, "vote", State::Vote),
            |data| read(data, "panel", |panel| State::Panel(Box::new(panel))),
        ],
        Program::Billing => &[
            |data| read(data, "channel", State::Channel),
            |data| read(data, "payer", State::Payer),
            |data| read(data, "plan", State::Plan),
            |data| read(data, "cluster", State::Cluster),
        ],
        Program::Registry => &[
            |data| read(data, "provider", State::Provider),
            |data| read(data, "attestor", State::Attestor),
            |data| read(data, "attestations", State::Attestations),
            |data| read(data, "requirements", State::Requirements),
            |data| read(data, "model", State::Model),
            |data| read(data, "price list", State::PriceList),
        ],
        Program::Staking => &[
            |data| read(data, "claim", State::Claim),
            |data| read(data, "bond", State::Bond),
            |data| read(data, "stake", State::Stake),
            |data| read(data, "pool", State::Pool),
            |data| read(data, "service", State::Service),
        ],
        Program::Treasury => {
            &[|data| read(data, "protocol", State::Protocol), |data| read(data, "accepted mint", State::AcceptedMint)]
        }
    };
    kinds.iter().find_map(|kind| kind(data)).unwrap_or_else(|| Err(unknown(program, "account", data)))
}

/// `None` when the discriminator is another one.
type Reader = fn(&[u8]) -> Option<Result<State, DecodeError>>;

fn read<T: Discriminator + AnyBitPattern>(
    data: &[u8],
    kind: &'static str,
    wrap: fn(T) -> State,
) -> Option<Result<State, DecodeError>> {
    let body = data.strip_prefix(T::DISCRIMINATOR)?;
    let wrong_size = |_| DecodeError::Size { kind, expected: T::DISCRIMINATOR.len() + size_of::<T>(), got: data.len() };
    Some(bytemuck::try_pod_read_unaligned(body).map(wrap).map_err(wrong_size))
}

fn unknown(program: Program, what: &'static str, data: &[u8]) -> DecodeError {
    DecodeError::Unknown { program: program.name(), what, discriminator: hex::encode(&data[..data.len().min(8)]) }
}
