//! What happened to stakes and bonds, in the past tense. Amounts in base units of the mint, times in Unix seconds.

use anchor_lang::prelude::*;

#[event(bytemuck)]
pub struct PoolCreated {
    pub pool: Address,
    pub mint: Address,
    pub vault: Address,
    pub max_lock: PodU32,
    pub cool_down: PodU32,
    pub drip: PodU32,
    pub tier_weights: [PodU64; 4],
    pub tier_discounts_bps: [PodU16; 4],
    pub at: PodI64,
}

#[event(bytemuck)]
pub struct PoolUpdated {
    pub pool: Address,
    pub max_lock: PodU32,
    pub cool_down: PodU32,
    pub drip: PodU32,
    pub tier_weights: [PodU64; 4],
    pub tier_discounts_bps: [PodU16; 4],
    pub at: PodI64,
}

/// Tokens came into a pool and were locked.
#[event(bytemuck)]
pub struct Staked {
    pub pool: Address,
    pub stake: Address,
    pub owner: Address,
    /// What came.
    pub added: PodU64,
    /// What the stake holds now.
    pub amount: PodU64,
    pub weight: PodU64,
    pub lock_end: PodI64,
    pub at: PodI64,
}

#[event(bytemuck)]
pub struct LockExtended {
    pub pool: Address,
    pub stake: Address,
    pub owner: Address,
    pub weight: PodU64,
    pub lock_end: PodI64,
    pub at: PodI64,
}

/// A stake's rewards and weight were brought up to date.
#[event(bytemuck)]
pub struct StakeRefreshed {
    pub pool: Address,
    pub stake: Address,
    pub weight: PodU64,
    /// Rewards that can be claimed.
    pub earned: PodU64,
    pub at: PodI64,
}

/// A part of a stake began to cool.
#[event(bytemuck)]
pub struct Unstaked {
    pub pool: Address,
    pub stake: Address,
    pub owner: Address,
    pub amount: PodU64,
    /// Everything that cools now.
    pub cooling: PodU64,
    pub cools_at: PodI64,
    pub at: PodI64,
}

#[event(bytemuck)]
pub struct StakeWithdrawn {
    pub pool: Address,
    pub stake: Address,
    pub owner: Address,
    pub destination: Address,
    pub amount: PodU64,
    pub at: PodI64,
    /// 1 when the stake was empty and is closed.
    pub closed: u8,
}

#[event(bytemuck)]
pub struct RewardsClaimed {
    pub pool: Address,
    pub stake: Address,
    pub owner: Address,
    pub destination: Address,
    pub amount: PodU64,
    pub at: PodI64,
}

/// Tokens that somebody had sent to the pool's vault became rewards.
#[event(bytemuck)]
pub struct RewardsSynced {
    pub pool: Address,
    pub amount: PodU64,
    /// Everything that waits to be divided now.
    pub pending: PodU64,
    pub at: PodI64,
}

#[event(bytemuck)]
pub struct ServiceAdmitted {
    pub service: Address,
    pub program: Address,
    pub signer: Address,
    pub at: PodI64,
    /// From when on it may lock.
    pub in_force_at: PodI64,
    pub number: u8,
}

/// A bond answers to a service from now on, or no longer.
#[event(bytemuck)]
pub struct ServiceNamed {
    pub bond: Address,
    pub service: Address,
    pub program: Address,
    pub at: PodI64,
    pub number: u8,
    /// 1 when it was named, 0 when the name was taken back.
    pub named: u8,
}

#[event(bytemuck)]
pub struct BondOpened {
    pub bond: Address,
    pub owner: Address,
    pub mint: Address,
    pub withdrawer: Address,
    pub at: PodI64,
}

#[event(bytemuck)]
pub struct BondDeposited {
    pub bond: Address,
    /// Who sent it.
    pub from: Address,
    pub added: PodU64,
    /// What the bond holds now.
    pub amount: PodU64,
    pub at: PodI64,
}

#[event(bytemuck)]
pub struct UnbondingStarted {
    pub bond: Address,
    pub amount: PodU64,
    /// Everything on its way out now.
    pub unbonding: PodU64,
    pub unbonds_at: PodI64,
    pub at: PodI64,
}

#[event(bytemuck)]
pub struct UnbondingCancelled {
    pub bond: Address,
    pub amount: PodU64,
    pub at: PodI64,
}

#[event(bytemuck)]
pub struct BondWithdrawn {
    pub bond: Address,
    pub destination: Address,
    pub withdrawn: PodU64,
    /// What the bond holds now.
    pub amount: PodU64,
    pub at: PodI64,
}

#[event(bytemuck)]
pub struct BondClosed {
    pub bond: Address,
    pub owner: Address,
    pub mint: Address,
    /// What strangers had sent to the vault.
    pub swept: PodU64,
    pub at: PodI64,
}

/// A service locked a part of a bond.
#[event(bytemuck)]
pub struct ClaimLocked {
    pub claim: Address,
    pub bond: Address,
    pub signer: Address,
    pub subject: Address,
    pub amount: PodU64,
    pub until: PodI64,
    /// Everything the claim holds now.
    pub total: PodU64,
    pub at: PodI64,
}

/// A part of a claim went back to its bond.
#[event(bytemuck)]
pub struct ClaimReleased {
    pub claim: Address,
    pub bond: Address,
    pub signer: Address,
    pub subject: Address,
    pub amount: PodU64,
    /// What of it counts to the bond's reputation.
    pub kept: PodU64,
    pub at: PodI64,
    /// 1 when its time had passed and nobody had to be asked.
    pub expired: u8,
    /// 1 when the claim was empty and is closed.
    pub closed: u8,
}

/// A part of a claim was taken out of its bond, and counts against the bond's reputation.
#[event(bytemuck)]
pub struct ClaimSlashed {
    pub claim: Address,
    pub bond: Address,
    pub signer: Address,
    pub subject: Address,
    pub destination: Address,
    pub amount: PodU64,
    /// What went back to the bond with it.
    pub released: PodU64,
    pub at: PodI64,
    /// 1 when the claim was empty and is closed.
    pub closed: u8,
}

joule_events::any_event!(
    PoolCreated,
    PoolUpdated,
    Staked,
    LockExtended,
    StakeRefreshed,
    Unstaked,
    StakeWithdrawn,
    RewardsClaimed,
    RewardsSynced,
    ServiceAdmitted,
    ServiceNamed,
    BondOpened,
    BondDeposited,
    UnbondingStarted,
    UnbondingCancelled,
    BondWithdrawn,
    BondClosed,
    ClaimLocked,
    ClaimReleased,
    ClaimSlashed,
);
