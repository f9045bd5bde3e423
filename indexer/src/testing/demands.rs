//! Bids, and what clients demand of whoever works for them.

use super::{authority, bonds, bytes, key, Chain};
use crate::{
    decode::{event as decoded, Program},
    types::Address,
};
use anchor_lang::{bytemuck, Event};
use joule_escrow::{
    constants::BID_SEED,
    event as escrow,
    state::{Bid, Engagement},
};
use joule_registry::{
    event as registry,
    state::{Attestations, Provider, Requirements, Statement, Wanted},
};
use joule_units::{Amount, UnixTime};

/// What a client demands.
pub type Demands = Wanted;

fn bid_address(job: &Address, provider: &Address) -> Address {
    let seeds = [BID_SEED, &job.0[..], &provider.0[..]];
    Address::from(&anchor_lang::find_program_address(&seeds, &joule_escrow::ID).0)
}

impl Chain {
    pub fn demand(&mut self, client: u8, wanted: &Demands) -> Address {
        let mut state: Requirements = bytemuck::Zeroable::zeroed();
        let who = key(&Address([client + 1; 32]));
        state.define(who, who, wanted, 255).unwrap();
        let address = Address(wanted.hash());
        let mut event: registry::RequirementsDefined = bytemuck::Zeroable::zeroed();
        event.requirements = key(&address);
        event.client = who;
        self.step(Program::Registry, &[(address, Some(bytes(&state)))], event.data());
        address
    }

    /// Long after it was retired.
    pub fn close_demand(&mut self, client: u8, address: &Address) {
        let who = key(&Address([client + 1; 32]));
        let event = registry::RequirementsClosed { requirements: key(address), client: who };
        self.step(Program::Registry, &[(*address, None)], event.data());
    }

    /// Gives a provider's authority a credential.
    pub fn attest(&mut self, who: u8, attestor: Address, schema: u32, expires_at: i64) {
        let subject = key(&authority(who));
        let at = Address::from(&decoded::attestations(&subject));
        let mut state: Attestations = bytemuck::Zeroable::zeroed();
        state.open(subject, subject, 255);
        let new = Statement { attestor: &key(&attestor), schema, expires_at, value_hash: &[0; 32] };
        state.attest(&new, UnixTime::new(self.now())).unwrap();
        let event = registry::Attested {
            subject,
            attestor: key(&attestor),
            schema: schema.into(),
            value_hash: [0; 32],
            expires_at: expires_at.into(),
        };
        self.step(Program::Registry, &[(at, Some(bytes(&state)))], event.data());
    }

    /// Changes what a provider states about itself.
    pub fn restate(&mut self, address: &Address, change: impl FnOnce(&mut Provider)) {
        let provider = self.providers.get_mut(address).unwrap();
        change(provider);
        let data = bytes(provider);
        let event = registry::ProviderUpdated { provider: key(address), payout_owner: provider.payout_owner };
        self.step(Program::Registry, &[(*address, Some(data))], event.data());
    }

    pub fn bid(&mut self, job: &Address, provider: &Address, price: u64) -> Address {
        let now = self.now();
        let address = bid_address(job, provider);
        let by = self.providers[provider].authority;
        let state = self.jobs.get_mut(job).unwrap();
        let exposure = state.exposure(Amount::new(price)).unwrap();
        let engagement = Engagement {
            provider: &key(provider),
            authority: &by,
            payout_owner: &by,
            payout: &by,
            claim: &key(&bonds::claim_address(&address)),
            claim_payer: &by,
            price: Amount::new(price),
            exposure,
        };
        let mut bid: Bid = bytemuck::Zeroable::zeroed();
        bid.place(key(job), &engagement, by, now, 255);
        state.note_bid(key(&address), Amount::new(price));
        let state = *state;
        let event = escrow::BidPlaced {
            job: key(job),
            bid: key(&address),
            provider: key(provider),
            price: price.into(),
            exposure: exposure.get().into(),
            placed_at: now.into(),
        };
        let (mut writes, mut events) = self.lock(&Address::from(&by), &address, exposure);
        writes.push((Program::Escrow, *job, Some(bytes(&state))));
        writes.push((Program::Escrow, address, Some(bytes(&bid))));
        events.push((Program::Escrow, event.data()));
        self.transaction(writes, events);
        address
    }

    /// Gives the job to a bidder. Closes the bid as a stream that is filtered by owner shows it: not at all.
    pub fn pick(&mut self, job: &Address, provider: &Address, price: u64) {
        let now = UnixTime::new(self.now());
        let by = self.providers[provider].authority;
        let state = self.jobs.get_mut(job).unwrap();
        let exposure = state.exposure(Amount::new(price)).unwrap();
        let engagement = Engagement {
            provider: &key(provider),
            authority: &by,
            payout_owner: &by,
            payout: &by,
            claim: &by,
            claim_payer: &by,
            price: Amount::new(price),
            exposure,
        };
        state.engage(&engagement, now).unwrap();
        let state = *state;
        let event = escrow::JobAccepted {
            job: key(job),
            client: state.client,
            provider: state.provider,
            bid: key(&bid_address(job, provider)),
            price: price.into(),
            exposure: state.exposure,
            accepted_at: state.accepted_at,
            deliver_by: state.deliver_by,
        };
        self.step(Program::Escrow, &[(*job, Some(bytes(&state)))], event.data());
    }
}
