//! The staking program's events.

use super::{closed, created, Key, Life};
use crate::decode::fields::fields;
use joule_staking::event::AnyEvent as E;
use serde_json::Value;

pub fn accounts(event: &E) -> Vec<Key> {
    match event {
        E::PoolCreated(e) => vec![e.pool, e.mint],
        E::PoolUpdated(e) => vec![e.pool],
        E::Staked(e) => vec![e.stake, e.pool, e.owner],
        E::LockExtended(e) => vec![e.stake, e.pool, e.owner],
        E::StakeRefreshed(e) => vec![e.stake, e.pool],
        E::Unstaked(e) => vec![e.stake, e.pool, e.owner],
        E::StakeWithdrawn(e) => vec![e.stake, e.pool, e.owner],
        E::RewardsClaimed(e) => vec![e.stake, e.pool, e.owner],
        E::RewardsSynced(e) => vec![e.pool],
        E::ServiceAdmitted(e) => vec![e.service, e.program],
        E::ServiceNamed(e) => vec![e.bond, e.service, e.program],
        E::BondOpened(e) => vec![e.bond, e.owner, e.mint],
        E::BondDeposited(e) => vec![e.bond, e.from],
        E::UnbondingStarted(e) => vec![e.bond],
        E::UnbondingCancelled(e) => vec![e.bond],
        E::BondWithdrawn(e) => vec![e.bond],
        E::BondClosed(e) => vec![e.bond, e.owner, e.mint],
        E::ClaimLocked(e) => vec![e.claim, e.bond],
        E::ClaimReleased(e) => vec![e.claim, e.bond],
        E::ClaimSlashed(e) => vec![e.claim, e.bond],
    }
}

pub fn life(event: &E) -> Option<Life> {
    match event {
        E::Staked(e) => created(&e.stake, "stake"),
        E::StakeWithdrawn(e) => closed(&e.stake, "stake", e.closed),
        E::BondOpened(e) => created(&e.bond, "bond"),
        E::BondClosed(e) => closed(&e.bond, "bond", 1),
        E::ClaimLocked(e) => created(&e.claim, "claim"),
        E::ClaimReleased(e) => closed(&e.claim, "claim", e.closed),
        E::ClaimSlashed(e) => closed(&e.claim, "claim", e.closed),
        _ => None,
    }
}

pub fn data(event: &E) -> Value {
    match event {
        E::PoolCreated(e) => fields!(e; pool: key, mint: key, vault: key, max_lock: number, cool_down: number,
            drip: number, tier_weights: texts, tier_discounts_bps: numbers, at: number),
        E::PoolUpdated(e) => fields!(e; pool: key, max_lock: number, cool_down: number, drip: number,
            tier_weights: texts, tier_discounts_bps: numbers, at: number),
        E::Staked(e) => fields!(e; pool: key, stake: key, owner: key, added: text, amount: text, weight: text,
            lock_end: number, at: number),
        E::LockExtended(e) => {
            fields!(e; pool: key, stake: key, owner: key, weight: text, lock_end: number, at: number)
        }
        E::StakeRefreshed(e) => fields!(e; pool: key, stake: key, weight: text, earned: text, at: number),
        E::Unstaked(e) => {
            fields!(e; pool: key, stake: key, owner: key, amount: text, cooling: text, cools_at: number, at: number)
        }
        E::StakeWithdrawn(e) => {
            fields!(e; pool: key, stake: key, owner: key, destination: key, amount: text, at: number, closed: flag)
        }
        E::RewardsClaimed(e) => {
            fields!(e; pool: key, stake: key, owner: key, destination: key, amount: text, at: number)
        }
        E::RewardsSynced(e) => fields!(e; pool: key, amount: text, pending: text, at: number),
        E::ServiceAdmitted(e) => {
            fields!(e; service: key, program: key, signer: key, at: number, in_force_at: number, number: number)
        }
        E::ServiceNamed(e) => {
            fields!(e; bond: key, service: key, program: key, at: number, number: number, named: flag)
        }
        E::BondOpened(e) => fields!(e; bond: key, owner: key, mint: key, withdrawer: key, at: number),
        E::BondDeposited(e) => fields!(e; bond: key, from: key, added: text, amount: text, at: number),
        E::UnbondingStarted(e) => {
            fields!(e; bond: key, amount: text, unbonding: text, unbonds_at: number, at: number)
        }
        E::UnbondingCancelled(e) => fields!(e; bond: key, amount: text, at: number),
        E::BondWithdrawn(e) => fields!(e; bond: key, destination: key, withdrawn: text, amount: text, at: number),
        E::BondClosed(e) => fields!(e; bond: key, owner: key, mint: key, swept: text, at: number),
        E::ClaimLocked(e) => fields!(e; claim: key, bond: key, signer: key, subject: key, amount: text, until: number,
            total: text, at: number),
        E::ClaimReleased(e) => fields!(e; claim: key, bond: key, signer: key, subject: key, amount: text, kept: text,
            at: number, expired: flag, closed: flag),
        E::ClaimSlashed(e) => fields!(e; claim: key, bond: key, signer: key, subject: key, destination: key,
            amount: text, released: text, at: number, closed: flag),
    }
}
