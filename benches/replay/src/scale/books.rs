//! What is true of accounts so far.

use super::blob::Member;
use crate::truth::{self, AccountRow, Life};
use anyhow::Result;
use std::collections::HashMap;

impl AccountRow {
    /// After a write, which closes it if there is no data.
    pub fn write(&mut self, slot: u64, write_version: u64, live: Option<(u64, &[u8])>, is_named: bool) {
        (self.slot, self.write_version) = (slot, write_version);
        match live {
            Some((lamports, data)) => (self.lamports, self.data, self.life) = (lamports, truth::hash(data), Life::Open),
            None if is_named => self.life = Life::Closed,
            None => self.life = Life::ClosedUnseen,
        }
    }

    pub fn new(address: [u8; 32]) -> Self {
        Self { address, slot: 0, write_version: 0, lamports: 0, data: truth::hash(&[]), life: Life::Open }
    }
}

/// Accounts that go on until the end: those of worlds and of everybody.
#[derive(Default)]
pub struct Shared {
    accounts: HashMap<[u8; 32], AccountRow>,
}

impl Shared {
    /// And whether it was never seen before.
    pub fn get(&mut self, address: [u8; 32]) -> (&mut AccountRow, bool) {
        let mut is_new = false;
        let last = self.accounts.entry(address).or_insert_with(|| {
            is_new = true;
            AccountRow::new(address)
        });
        (last, is_new)
    }

    pub fn finish(self, truth: &mut truth::Writer) -> Result<()> {
        self.accounts.values().try_for_each(|last| truth.account(last))
    }
}

/// Those of one story; a handful.
#[derive(Debug, Default)]
pub struct Own(Vec<(Member, AccountRow)>);

impl Own {
    pub fn get(&mut self, member: Member, address: [u8; 32]) -> (&mut AccountRow, bool) {
        match self.0.iter().position(|(known, _)| *known == member) {
            Some(place) => (&mut self.0[place].1, false),
            None => {
                self.0.push((member, AccountRow::new(address)));
                let place = self.0.len() - 1;
                (&mut self.0[place].1, true)
            }
        }
    }

    pub fn finish(self, truth: &mut truth::Writer) -> Result<()> {
        self.0.iter().try_for_each(|(_, last)| truth.account(last))
    }
}
