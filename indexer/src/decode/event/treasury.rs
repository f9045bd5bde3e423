//! The treasury's events. Everything in the treasury is about the one protocol account, or about a token that it takes.

use super::Key;
use crate::decode::fields::fields;
use joule_treasury::{
    constants::{MINT_SEED, PROTOCOL_SEED},
    event::AnyEvent as E,
};
use serde_json::Value;
use std::sync::LazyLock;

static PROTOCOL: LazyLock<Key> =
    LazyLock::new(|| anchor_lang::find_program_address(&[PROTOCOL_SEED], &joule_treasury::ID).0);

fn accepted_mint(mint: &Key) -> Key {
    anchor_lang::find_program_address(&[MINT_SEED, mint.as_ref()], &joule_treasury::ID).0
}

pub fn accounts(event: &E) -> Vec<Key> {
    let about = |mint: &Key| vec![*PROTOCOL, accepted_mint(mint), *mint];
    match event {
        E::MintAccepted(e) => [about(&e.mint), vec![e.fee_vault]].concat(),
        E::MintUpdated(e) => about(&e.mint),
        E::FeesWithdrawn(e) => [about(&e.mint), vec![e.destination]].concat(),
        E::BreakerChanged(e) => about(&e.mint),
        E::BreakerStaged(e) => about(&e.mint),
        E::RewardsChanged(e) => about(&e.mint),
        E::FeesShared(e) => about(&e.mint),
        _ => vec![*PROTOCOL],
    }
}

pub fn data(event: &E) -> Value {
    match event {
        E::ProtocolInitialized(e) => fields!(e; authority: key, guardian: key, fee_bps: numbers),
        E::AuthorityProposed(e) => fields!(e; authority: key, next: key),
        E::AuthorityChanged(e) => fields!(e; previous: key, authority: key),
        E::GuardianChanged(e) => fields!(e; previous: key, guardian: key),
        E::FeeChanged(e) => fields!(e; service: number, previous_bps: number, fee_bps: number),
        E::FeeStaged(e) => fields!(e; service: number, present_bps: number, fee_bps: number, effective_at: number),
        E::FeeCancelled(e) => fields!(e; service: number, fee_bps: number),
        E::MintAccepted(e) => fields!(e; mint: key, fee_vault: key, min_amount: text),
        E::MintUpdated(e) => fields!(e; mint: key, enabled: flag, min_amount: text),
        E::ServicePaused(e) => fields!(e; service: number, by: key),
        E::ServiceUnpaused(e) => fields!(e; service: number),
        E::FeesWithdrawn(e) => fields!(e; mint: key, destination: key, amount: text),
        E::BreakerChanged(e) => fields!(e; mint: key, limit: text, window: number),
        E::BreakerStaged(e) => fields!(e; mint: key, limit: text, window: number, effective_at: number),
        E::RewardsChanged(e) => fields!(e; mint: key, reward_vault: known, reward_bps: number),
        E::FeesShared(e) => fields!(e; mint: key, reward_vault: key, amount: text, owed: text, kept: text),
    }
}
