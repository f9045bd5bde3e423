//! Accounts of jobs.

use super::{
    random::{mixed, Random},
    slots::{put_account, Account, Content, Place},
};
use crate::truth::{self, AccountRow, Life};
use anchor_lang::{
    bytemuck::{bytes_of, Zeroable},
    prelude::Address,
    Discriminator,
};
use anyhow::Result;
use joule_escrow::state::Job;

const LAMPORTS: u64 = 6_000_000;

#[derive(Clone, Copy)]
struct State {
    slot: u64,
    write_version: u64,
    opened_at: i64,
    writes: u32,
}

pub struct Plain {
    seed: u64,
    jobs: Vec<State>,
    writes: u64,
    data: Vec<u8>,
}

impl Plain {
    pub fn new(seed: u64) -> Self {
        Self { seed, jobs: Vec::new(), writes: 0, data: Vec::new() }
    }

    pub fn write(&mut self, place: &Place, content: &mut Content, random: &mut Random) {
        self.writes += 1;
        let number = if self.jobs.is_empty() || random.chance(0.5) {
            self.jobs.push(State { slot: 0, write_version: 0, opened_at: place.time, writes: 0 });
            self.jobs.len() - 1
        } else {
            random.below(self.jobs.len() as u64) as usize
        };
        let state = &mut self.jobs[number];
        state.writes += 1;
        (state.slot, state.write_version) = (place.slot, self.writes);
        self.data.clear();
        data(self.seed, number as u64, state, &mut self.data);
        let account = Account {
            address: mixed([self.seed, number as u64, 0, 1]),
            owner: joule_escrow::ID.to_bytes(),
            lamports: LAMPORTS,
            data: &self.data,
            write_version: state.write_version,
            signature: None,
        };
        put_account(&mut content.bytes, place, &account);
        content.end();
    }

    pub fn finish(self, truth: &mut truth::Writer) -> Result<(u64, u64)> {
        let mut bytes = Vec::new();
        for (number, state) in self.jobs.iter().enumerate() {
            bytes.clear();
            data(self.seed, number as u64, state, &mut bytes);
            truth.account(&AccountRow {
                address: mixed([self.seed, number as u64, 0, 1]),
                slot: state.slot,
                write_version: state.write_version,
                lamports: LAMPORTS,
                data: truth::hash(&bytes),
                life: Life::Open,
            })?;
        }
        Ok((self.writes, self.jobs.len() as u64))
    }
}

fn data(seed: u64, number: u64, state: &State, out: &mut Vec<u8>) {
    let key = |kind| Address::from(mixed([seed, number, kind, 2]));
    let few = |kind, few| Address::from(mixed([seed, number % few, kind, 3]));
    let mut job = Job::zeroed();
    (job.client, job.refund, job.rent_payer) = (few(1, 1_000), few(2, 1_000), few(1, 1_000));
    (job.mint, job.fee_vault, job.vault) = (few(3, 1), few(4, 1), key(5));
    job.spec_hash = mixed([seed, number, 6, 2]);
    job.input_hash = mixed([seed, number, 7, 2]);
    job.id = number.into();
    job.budget = (1_000_000 + number % 1_000).into();
    job.opened_at = state.opened_at.into();
    job.accept_by = (state.opened_at + 3_600).into();
    (job.work_window, job.review_window) = (600.into(), 600.into());
    job.status = 1;
    if state.writes > 1 {
        (job.provider, job.provider_authority, job.payout_owner) = (few(8, 500), few(9, 500), few(9, 500));
        (job.payout, job.claim, job.claim_payer) = (few(10, 500), key(11), few(9, 500));
        job.price = (900_000 + number % 1_000).into();
        job.accepted_at = (state.opened_at + 5).into();
        job.deliver_by = (state.opened_at + 605).into();
        job.status = 2;
        job.reported = state.writes.into();
    }
    out.extend_from_slice(Job::DISCRIMINATOR);
    out.extend_from_slice(bytes_of(&job));
}
