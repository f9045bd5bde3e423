//! Our programs: their addresses, and who signs their events.

use crate::types::Address;
use std::sync::LazyLock;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Program {
    Treasury,
    Registry,
    Escrow,
    Billing,
    Staking,
}

static EVENT_AUTHORITIES: LazyLock<[Address; 5]> = LazyLock::new(|| {
    Program::ALL.map(|program| {
        let id = anchor_lang::prelude::Address::from(program.address().0);
        Address::from(&anchor_lang::find_program_address(&[joule_events::AUTHORITY_SEED], &id).0)
    })
});

impl Program {
    /// Whoever calls comes before who is called, so that history which is read program by program keeps the order of a
    /// job's transactions.
    pub const ALL: [Self; 5] = [Self::Treasury, Self::Registry, Self::Escrow, Self::Billing, Self::Staking];

    pub fn address(self) -> Address {
        Address::from(match self {
            Self::Treasury => &joule_treasury::ID,
            Self::Registry => &joule_registry::ID,
            Self::Escrow => &joule_escrow::ID,
            Self::Billing => &joule_billing::ID,
            Self::Staking => &joule_staking::ID,
        })
    }

    /// The only account that can sign this program's events.
    pub fn event_authority(self) -> Address {
        EVENT_AUTHORITIES[self as usize]
    }

    pub fn of(address: &Address) -> Option<Self> {
        Self::ALL.into_iter().find(|program| program.address() == *address)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Treasury => "treasury",
            Self::Registry => "registry",
            Self::Escrow => "escrow",
            Self::Billing => "billing",
            Self::Staking => "staking",
        }
    }
}
