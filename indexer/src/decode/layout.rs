//! Which decoder reads what a program wrote, by slot: an upgrade that changes what a program writes leaves the decoder before it to the
//! slots before it.

use super::{unknown, upgrade::Upgrades, DecodeError, Fact, Program, State};
use anchor_lang::{
    bytemuck::{self, AnyBitPattern},
    Discriminator,
};

/// What one version of a program writes. Whatever the version, accounts and events come as the programs have them today: the decoder
/// of an earlier one fills in what it did not have.
pub struct Layout {
    accounts: &'static [Reader],
    /// Of what follows the event tag; `None` when it is none of them.
    event: fn(&[u8]) -> Option<Fact>,
}

/// `None` when the discriminator is another one.
pub(super) type Reader = fn(&[u8]) -> Option<Result<State, DecodeError>>;

const TREASURY: &[Layout] = &[Layout {
    accounts: &[
        |data| read(data, "protocol", State::Protocol),
        |data| read(data, "accepted mint", State::AcceptedMint),
    ],
    event: |data| joule_treasury::event::AnyEvent::decode(data).map(Fact::Treasury),
}];

const REGISTRY: &[Layout] = &[Layout {
    accounts: &[
        |data| read(data, "provider", State::Provider),
        |data| read(data, "attestor", State::Attestor),
        |data| read(data, "attestations", State::Attestations),
        |data| read(data, "requirements", State::Requirements),
        |data| read(data, "model", State::Model),
        |data| read(data, "price list", State::PriceList),
    ],
    event: |data| joule_registry::event::AnyEvent::decode(data).map(Fact::Registry),
}];

const ESCROW: &[Layout] = &[Layout {
    accounts: &[
        |data| read(data, "job", State::Job),
        |data| read(data, "client", State::Client),
        |data| read(data, "bid", State::Bid),
        |data| read(data, "dispute", State::Dispute),
        |data| read(data, "vote", State::Vote),
        |data| read(data, "panel", |panel| State::Panel(Box::new(panel))),
    ],
    event: |data| joule_escrow::event::AnyEvent::decode(data).map(Fact::Escrow),
}];

const BILLING: &[Layout] = &[
    #[cfg(test)]
    Layout { accounts: super::earlier::ACCOUNTS, event: super::earlier::event },
    Layout {
        accounts: &[
            |data| read(data, "channel", State::Channel),
            |data| read(data, "payer", State::Payer),
            |data| read(data, "plan", State::Plan),
            |data| read(data, "cluster", State::Cluster),
        ],
        event: |data| joule_billing::event::AnyEvent::decode(data).map(Fact::Billing),
    },
];

const STAKING: &[Layout] = &[Layout {
    accounts: &[
        |data| read(data, "claim", State::Claim),
        |data| read(data, "bond", State::Bond),
        |data| read(data, "stake", State::Stake),
        |data| read(data, "pool", State::Pool),
        |data| read(data, "service", State::Service),
    ],
    event: |data| joule_staking::event::AnyEvent::decode(data).map(Fact::Staking),
}];

/// Oldest first. All that is known of a program: an upgrade that changes what it writes adds one.
pub const fn layouts(program: Program) -> &'static [Layout] {
    match program {
        Program::Treasury => TREASURY,
        Program::Registry => REGISTRY,
        Program::Escrow => ESCROW,
        Program::Billing => BILLING,
        Program::Staking => STAKING,
    }
}

/// An account as it is seen at a slot. It may have been written long before, and stays as it was written until it is written again:
/// the newest layout of that slot that has its discriminator and size reads it, be it an earlier one.
pub fn account(upgrades: &Upgrades, program: Program, slot: u64, data: &[u8]) -> Result<State, DecodeError> {
    let mut refused = None;
    for (layout, _) in until(upgrades, program, slot) {
        match layout.accounts.iter().find_map(|kind| kind(data)) {
            Some(Ok(state)) => return Ok(state),
            Some(Err(error)) => refused = refused.or(Some(error)),
            None => {}
        }
    }
    Err(refused.unwrap_or_else(|| unknown(program, "account", data)))
}

/// What follows the event tag of an event of a slot: the layout of that slot reads it, and no other where that is known.
pub fn event(upgrades: &Upgrades, program: Program, slot: u64, data: &[u8]) -> Result<Fact, DecodeError> {
    for (layout, is_known) in until(upgrades, program, slot) {
        if let Some(fact) = (layout.event)(data) {
            return Ok(fact);
        }
        if is_known {
            break;
        }
    }
    Err(unknown(program, "event", data))
}

/// The layouts that a program may have had up to a slot, the newest first, and of each whether it is known to have begun.
fn until(upgrades: &Upgrades, program: Program, slot: u64) -> impl Iterator<Item = (&'static Layout, bool)> + '_ {
    let all = layouts(program).iter().enumerate().rev();
    all.filter_map(move |(number, layout)| match upgrades.began(program, number) {
        Some(began) => (began <= slot).then_some((layout, true)),
        None => Some((layout, false)),
    })
}

pub(super) fn read<T: Discriminator + AnyBitPattern>(
    data: &[u8],
    kind: &'static str,
    wrap: fn(T) -> State,
) -> Option<Result<State, DecodeError>> {
    let body = data.strip_prefix(T::DISCRIMINATOR)?;
    let wrong_size = |_| DecodeError::Size { kind, expected: T::DISCRIMINATOR.len() + size_of::<T>(), got: data.len() };
    Some(bytemuck::try_pod_read_unaligned(body).map(wrap).map_err(wrong_size))
}
