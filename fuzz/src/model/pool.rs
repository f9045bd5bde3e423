//! Pools, and the stakes in them.

use joule_sdk::Pubkey;
use std::collections::BTreeMap;

/// A pool. Amounts in base units.
#[derive(Clone)]
pub struct Basin {
    pub vault: Pubkey,
    /// What the vault holds and nobody has counted yet.
    pub gifts: u64,
    /// What stakers own and earn, in all: what came in less what went out.
    pub inside: u64,
    /// Rewards counted so far, and those of them that were claimed.
    pub rewards: u64,
    pub claimed: u64,
    /// `min_weight` and `discount_bps`, ascending.
    pub tiers: [(u64, u16); 4],
    /// Seconds.
    pub cool_down: u32,
    /// By the address of the account.
    pub stakes: BTreeMap<Pubkey, Share>,
}

/// A stake that has not been closed. Amounts in base units.
#[derive(Clone, Copy)]
pub struct Share {
    pub owner: Pubkey,
    /// Whoever paid for its account.
    pub rent_payer: Pubkey,
    pub amount: u64,
    pub cooling: u64,
    /// Unix seconds, both.
    pub lock_end: i64,
    pub cools_at: i64,
    pub weight: u64,
}

impl Basin {
    /// Basis points off a fee for whoever has `weight` locked.
    pub fn discount(&self, weight: u64) -> u16 {
        self.tiers.iter().rev().find(|(least, _)| weight >= *least).map_or(0, |(_, bps)| *bps)
    }
}
