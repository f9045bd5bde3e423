//! What an account of ours is, by its first bytes, and an event by those after its tag.

use anchor_lang::Discriminator;
use joule_billing::{event as billing_event, state as billing};
use joule_escrow::{event as escrow_event, state as escrow};
use joule_registry::{event as registry_event, state as registry};
use joule_staking::{event as staking_event, state as staking};
use joule_treasury::{event as treasury_event, state as treasury};

macro_rules! accounts {
    ($($program:ident: $($kind:ident),+;)+) => {
        const ACCOUNTS: &[(&[u8], &str)] = &[$($((<$program::$kind as Discriminator>::DISCRIMINATOR, stringify!($kind))),+),+];
    };
}

accounts! {
    escrow: Job, Client, Bid, Dispute, Vote, Panel;
    billing: Channel, Payer, Plan, Cluster;
    registry: Provider, Attestor, Attestations, Requirements, Model, PriceList;
    staking: Bond, Claim, Pool, Stake, Service;
    treasury: Protocol, AcceptedMint;
}

/// `None` for an account of somebody else.
pub fn account(data: &[u8]) -> Option<&'static str> {
    ACCOUNTS.iter().find(|(discriminator, _)| data.starts_with(discriminator)).map(|(_, name)| *name)
}

/// Of what follows the event tag.
pub fn event(data: &[u8]) -> Option<&'static str> {
    let billing = billing_event::AnyEvent::decode(data).map(|event| event.name());
    billing
        .or_else(|| escrow_event::AnyEvent::decode(data).map(|event| event.name()))
        .or_else(|| registry_event::AnyEvent::decode(data).map(|event| event.name()))
        .or_else(|| staking_event::AnyEvent::decode(data).map(|event| event.name()))
        .or_else(|| treasury_event::AnyEvent::decode(data).map(|event| event.name()))
}
