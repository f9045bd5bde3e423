//! Jobs, as clients and providers move them.

use super::{bonds, bytes, key, vault_of, Chain, BOND_BPS, FEE_BPS, MINT, RESULT, VOTE_WINDOW};
use crate::{decode::Program, types::Address};
use anchor_lang::{bytemuck, prelude::Address as Key, Event};
use joule_escrow::{
    event as escrow,
    state::{Engagement, Job, Verification},
};
use joule_units::{Amount, UnixTime};

impl Chain {
    pub fn open(&mut self, client: u8, budget: u64) -> Address {
        self.open_with(client, budget, |_| {})
    }

    /// A job with terms of its own.
    pub fn open_with(&mut self, client: u8, budget: u64, terms: impl FnOnce(&mut Job)) -> Address {
        let now = self.now();
        let id = self.next_ids.entry(client).or_default();
        let mut address = [client + 10; 32];
        address[1..9].copy_from_slice(&id.to_be_bytes());
        let address = Address(address);
        let opened_id = *id;
        *id += 1;
        let mut job: Job = bytemuck::Zeroable::zeroed();
        job.client = Key::new_from_array([client + 1; 32]);
        job.mint = MINT;
        job.vault = key(&vault_of(&address));
        job.id = opened_id.into();
        job.budget = budget.into();
        job.spec_hash = [3; 32];
        job.input_hash = [4; 32];
        job.opened_at = now.into();
        job.accept_by = (now + 1_000_000).into();
        job.work_window = 60.into();
        job.review_window = 30.into();
        job.vote_window = VOTE_WINDOW.into();
        job.fee_bps = FEE_BPS.into();
        job.bond_bps = BOND_BPS.into();
        job.verification = Verification::Quorum as u8;
        job.jurors = 1;
        job.status = 1;
        terms(&mut job);
        self.jobs.insert(address, job);
        self.vaults.insert(address, budget);
        let event = escrow::JobOpened {
            job: key(&address),
            client: job.client,
            mint: MINT,
            spec_hash: job.spec_hash,
            input_hash: job.input_hash,
            id: job.id,
            budget: job.budget,
            max_rate: job.max_rate,
            opened_at: job.opened_at,
            accept_by: job.accept_by,
            bid_until: job.bid_until,
            requirements: job.requirements,
            work_window: job.work_window,
            review_window: job.review_window,
            vote_window: job.vote_window,
            fee_bps: job.fee_bps,
            bond_bps: job.bond_bps,
            verification: job.verification,
            pricing: job.pricing,
            jurors: job.jurors,
        };
        self.step(Program::Escrow, &[(address, Some(bytes(&job)))], event.data());
        address
    }

    /// Locks a claim too, if the provider has a bond that covers it.
    pub fn accept(&mut self, address: &Address, provider: &Address, price: u64) {
        let now = UnixTime::new(self.now());
        let by = self.providers.get(provider).map_or_else(Key::default, |provider| provider.authority);
        let mut job = self.jobs[address];
        let exposure = job.exposure(Amount::new(price)).unwrap();
        let engagement = Engagement {
            provider: &key(provider),
            authority: &by,
            payout_owner: &by,
            payout: &by,
            claim: &key(&bonds::claim_address(address)),
            claim_payer: &by,
            price: Amount::new(price),
            exposure,
        };
        job.engage(&engagement, now).unwrap();
        self.jobs.insert(*address, job);
        let event = escrow::JobAccepted {
            job: key(address),
            client: job.client,
            provider: job.provider,
            bid: Key::default(),
            price: price.into(),
            exposure: job.exposure,
            accepted_at: job.accepted_at,
            deliver_by: job.deliver_by,
        };
        let (mut writes, mut events) = self.lock(&Address::from(&by), address, exposure);
        writes.push((Program::Escrow, *address, Some(bytes(&job))));
        events.push((Program::Escrow, event.data()));
        self.transaction(writes, events);
    }

    pub fn report(&mut self, address: &Address, seconds: u32) {
        let now = self.now();
        let job = self.jobs.get_mut(address).unwrap();
        job.report(seconds, UnixTime::new(now)).unwrap();
        let job = *job;
        let event = escrow::WorkReported {
            job: key(address),
            provider: job.provider,
            progress_hash: [8; 32],
            seconds: seconds.into(),
            reported_at: now.into(),
        };
        self.step(Program::Escrow, &[(*address, Some(bytes(&job)))], event.data());
    }

    /// Names the account to pay again, as its client may do at any time.
    pub fn redirect(&mut self, address: &Address) {
        let job = self.jobs[address];
        let event = escrow::JobRedirected { job: key(address), by: job.client, account: job.refund };
        self.step(Program::Escrow, &[(*address, Some(bytes(&job)))], event.data());
    }

    pub fn deliver(&mut self, address: &Address) {
        let now = self.now();
        let job = self.jobs.get_mut(address).unwrap();
        job.submit(&RESULT, UnixTime::new(now)).unwrap();
        let job = *job;
        let event = escrow::JobDelivered {
            job: key(address),
            provider: job.provider,
            result_hash: job.result_hash,
            settle_after: job.settle_after,
        };
        self.step(Program::Escrow, &[(*address, Some(bytes(&job)))], event.data());
    }

    pub fn settle(&mut self, address: &Address) {
        let job = self.jobs.remove(address).unwrap();
        self.vaults.remove(address);
        let (price, budget) = (job.price.get(), job.budget.get());
        let fee = (u128::from(price) * u128::from(FEE_BPS) / 10_000) as u64;
        let event = escrow::JobSettled {
            job: key(address),
            client: job.client,
            provider: job.provider,
            mint: job.mint,
            result_hash: job.result_hash,
            budget: job.budget,
            price: job.price,
            paid_provider: (price - fee).into(),
            paid_fee: fee.into(),
            paid_client: (budget - price).into(),
            owed_provider: 0.into(),
            owed_fee: 0.into(),
            owed_client: 0.into(),
            settled_at: self.now().into(),
            approved: 1,
            closed: 1,
        };
        let (mut writes, mut events) = self.release(address, price);
        writes.push((Program::Escrow, *address, None));
        events.push((Program::Escrow, event.data()));
        self.transaction(writes, events);
    }

    pub fn cancel(&mut self, address: &Address) {
        let job = self.jobs.remove(address).unwrap();
        self.vaults.remove(address);
        let event = escrow::JobRefunded {
            job: key(address),
            client: job.client,
            provider: job.provider,
            mint: job.mint,
            budget: job.budget,
            slashed: 0.into(),
            paid_fee: 0.into(),
            paid_client: job.budget,
            owed_fee: 0.into(),
            owed_client: 0.into(),
            refunded_at: self.now().into(),
            reason: 0,
            closed: 1,
        };
        self.step(Program::Escrow, &[(*address, None)], event.data());
    }

    /// Nothing was delivered: the provider's claim goes to client and treasury.
    pub fn fail(&mut self, address: &Address) {
        let job = self.jobs.remove(address).unwrap();
        let budget = self.vaults.remove(address).unwrap_or_default();
        let (mut writes, mut events, slashed) = self.slash(address, job.exposure.get());
        let fee = joule_staking::penalty::shares(Amount::new(slashed), false).treasury.get();
        let event = escrow::JobRefunded {
            job: key(address),
            client: job.client,
            provider: job.provider,
            mint: job.mint,
            budget: job.budget,
            slashed: slashed.into(),
            paid_fee: fee.into(),
            paid_client: (budget + slashed - fee).into(),
            owed_fee: 0.into(),
            owed_client: 0.into(),
            refunded_at: self.now().into(),
            reason: 2,
            closed: 1,
        };
        writes.push((Program::Escrow, *address, None));
        events.push((Program::Escrow, event.data()));
        self.transaction(writes, events);
    }
}
