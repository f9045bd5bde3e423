//! Events: what each is about, what it changes, and its fields for people. One file a program.

mod billing;
mod escrow;
mod registry;
mod staking;
mod treasury;

use super::{layout, DecodeError, Program, Upgrades};
use crate::types::Address;
use serde_json::Value;

/// An event, decoded.
#[derive(Clone, Copy)]
#[allow(clippy::large_enum_variant)]
pub enum Fact {
    Billing(joule_billing::event::AnyEvent),
    Escrow(joule_escrow::event::AnyEvent),
    Registry(joule_registry::event::AnyEvent),
    Staking(joule_staking::event::AnyEvent),
    Treasury(joule_treasury::event::AnyEvent),
}

/// Something that is rebuilt from its account and its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Row {
    Job(Address),
    Provider(Address),
    Dispute(Address),
    Channel(Address),
    Plan(Address),
}

impl Row {
    pub const fn address(&self) -> Address {
        match self {
            Self::Job(address)
            | Self::Provider(address)
            | Self::Dispute(address)
            | Self::Channel(address)
            | Self::Plan(address) => *address,
        }
    }
}

/// An account that an event says was created, or closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    pub address: Address,
    /// As [`super::State::kind`] has it.
    pub kind: &'static str,
    pub closed: bool,
}

pub use billing::{channel_of, plan, plan_of};
pub use escrow::{dispute, dispute_of, job_of};
pub use registry::attestations;

type Key = anchor_lang::prelude::Address;

/// Decodes what follows the event tag, of an event of a slot.
pub fn event(program: Program, slot: u64, data: &[u8]) -> Result<Fact, DecodeError> {
    layout::event(Upgrades::in_force(), program, slot, data)
}

impl Fact {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Billing(event) => event.name(),
            Self::Escrow(event) => event.name(),
            Self::Registry(event) => event.name(),
            Self::Staking(event) => event.name(),
            Self::Treasury(event) => event.name(),
        }
    }

    /// The account it is about, first, and the others that it concerns.
    pub fn accounts(&self) -> Vec<Address> {
        let named = match self {
            Self::Billing(event) => billing::accounts(event),
            Self::Escrow(event) => escrow::accounts(event),
            Self::Registry(event) => registry::accounts(event),
            Self::Staking(event) => staking::accounts(event),
            Self::Treasury(event) => treasury::accounts(event),
        };
        let mut accounts: Vec<Address> = Vec::with_capacity(named.len());
        for address in named.iter().map(Address::from) {
            if address != Address::SYSTEM && !accounts.contains(&address) {
                accounts.push(address);
            }
        }
        accounts
    }

    /// The rows that it changes.
    pub fn rows(&self) -> Vec<Row> {
        match self {
            Self::Billing(event) => billing::rows(event),
            Self::Escrow(event) => escrow::rows(event),
            Self::Registry(event) => registry::rows(event),
            Self::Staking(_) | Self::Treasury(_) => Vec::new(),
        }
    }

    /// Whether it can happen to one row as often as somebody likes. Such an event says where things stand, not what was added.
    pub fn repeats(&self) -> bool {
        match self {
            Self::Billing(event) => billing::repeats(event),
            Self::Escrow(event) => escrow::repeats(event),
            // Whoever retires can register again.
            Self::Registry(_) => true,
            Self::Staking(_) | Self::Treasury(_) => true,
        }
    }

    /// The account that it created or closed, if it did.
    pub fn life(&self) -> Option<Life> {
        match self {
            Self::Billing(event) => billing::life(event),
            Self::Escrow(event) => escrow::life(event),
            Self::Registry(event) => registry::life(event),
            Self::Staking(event) => staking::life(event),
            Self::Treasury(_) => None,
        }
    }

    /// The fields: amounts and ids as decimal strings, addresses in base58, hashes in hex.
    pub fn data(&self) -> Value {
        match self {
            Self::Billing(event) => billing::data(event),
            Self::Escrow(event) => escrow::data(event),
            Self::Registry(event) => registry::data(event),
            Self::Staking(event) => staking::data(event),
            Self::Treasury(event) => treasury::data(event),
        }
    }
}

fn created(address: &Key, kind: &'static str) -> Option<Life> {
    Some(Life { address: address.into(), kind, closed: false })
}

/// Closed, if `flag` is 1.
fn closed(address: &Key, kind: &'static str, flag: u8) -> Option<Life> {
    (flag == 1).then(|| Life { address: address.into(), kind, closed: true })
}
