//! Models that requests are made to, and their price lists: what of them must never change.

use joule_sdk::Pubkey;
use std::collections::BTreeMap;

/// A model of the registry's.
#[derive(Clone)]
pub struct Card {
    pub creator: Pubkey,
    pub payout_owner: Pubkey,
    pub base: Pubkey,
    pub royalty_bps: u16,
    /// What it owes to whom up the line, by a second copy of the rule.
    pub lineage: BTreeMap<Pubkey, u16>,
    pub depth: u8,
    pub is_active: bool,
    /// Every price list, from version 1 on.
    pub lists: Vec<Sheet>,
}

/// A price list.
#[derive(Clone)]
pub struct Sheet {
    pub address: Pubkey,
    pub mint: Pubkey,
    /// Its bytes when it was first looked at.
    pub seen: Option<Vec<u8>>,
}

impl Card {
    /// What a model that derives from this one owes.
    pub fn owed(&self) -> BTreeMap<Pubkey, u16> {
        let mut owed = self.lineage.clone();
        if self.royalty_bps > 0 {
            *owed.entry(self.payout_owner).or_default() += self.royalty_bps;
        }
        owed
    }
}
