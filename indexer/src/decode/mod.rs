//! Bytes as what the programs mean by them, with the programs' own types.

pub mod event;
mod program;

pub use event::Fact;
pub use program::Program;

use anchor_lang::{
    bytemuck::{self, AnyBitPattern},
    Discriminator,
};
use joule_escrow::state::{Client, Job};
use joule_registry::state::{Attestations, Attestor, Provider, Requirements};
use joule_treasury::state::{AcceptedMint, Protocol};

/// An account of ours, decoded.
#[derive(Clone)]
#[allow(clippy::large_enum_variant)]
pub enum State {
    Job(Job),
    Client(Client),
    Provider(Provider),
    Protocol(Protocol),
    AcceptedMint(AcceptedMint),
    Attestor(Attestor),
    Attestations(Attestations),
    Requirements(Requirements),
}

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

impl State {
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Job(_) => "job",
            Self::Client(_) => "client",
            Self::Provider(_) => "provider",
            Self::Protocol(_) => "protocol",
            Self::AcceptedMint(_) => "accepted_mint",
            Self::Attestor(_) => "attestor",
            Self::Attestations(_) => "attestations",
            Self::Requirements(_) => "requirements",
        }
    }
}

/// Decodes an account by its owner and discriminator.
pub fn account(program: Program, data: &[u8]) -> Result<State, DecodeError> {
    let found = match program {
        Program::Escrow => read(data, "job", State::Job).or_else(|| read(data, "client", State::Client)),
        Program::Registry => read(data, "provider", State::Provider)
            .or_else(|| read(data, "attestor", State::Attestor))
            .or_else(|| read(data, "list of attestations", State::Attestations))
            .or_else(|| read(data, "set of requirements", State::Requirements)),
        Program::Treasury => {
            read(data, "protocol", State::Protocol).or_else(|| read(data, "accepted mint", State::AcceptedMint))
        }
    };
    found.unwrap_or_else(|| Err(unknown(program, "account", data)))
}

/// `None` when the discriminator is another one.
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
