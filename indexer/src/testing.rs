//! A small chain for tests: accounts and events made with the programs' own types, without running the programs.

use crate::{
    decode::Program,
    types::{AccountWrite, Address, Block, RawEvent, Signature, Transaction, Version},
};
use anchor_lang::{bytemuck, prelude::Address as Key, Discriminator, Event};
use joule_escrow::{event as escrow, state as jobs};
use joule_registry::{event as registry, state as providers};
use proptest::prelude::*;
use std::{collections::BTreeMap, sync::Arc};

pub const FEE_BPS: u16 = 100;
pub const MINT: Key = Key::new_from_array([77; 32]);
const START: u64 = 1_000;
/// Unix seconds at the first slot.
pub const EPOCH: i64 = 1_700_000_000;

/// Something that a chain can do, for property tests.
#[derive(Debug, Clone, Copy)]
pub enum Happening {
    Register(u8),
    Pause(u8),
    Retire(u8),
    Open(u8, u16),
    /// The next step of the n-th job that is not over.
    Advance(u8),
    Cancel(u8),
}

impl Arbitrary for Happening {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        let who = 0u8..3;
        prop_oneof![
            2 => who.clone().prop_map(Self::Register),
            1 => who.clone().prop_map(Self::Pause),
            1 => who.clone().prop_map(Self::Retire),
            3 => (who.clone(), 1u16..).prop_map(|(who, budget)| Self::Open(who, budget)),
            6 => any::<u8>().prop_map(Self::Advance),
            1 => any::<u8>().prop_map(Self::Cancel),
        ]
        .boxed()
    }
}

/// See the module. Each step is a block of its own, unless [`Chain::one_block`] joins some.
pub struct Chain {
    slot: u64,
    write: u64,
    transactions: u64,
    joined: bool,
    blocks: Vec<Block>,
    jobs: BTreeMap<Address, jobs::Job>,
    providers: BTreeMap<Address, providers::Provider>,
    next_ids: BTreeMap<u8, u64>,
}

pub fn authority(who: u8) -> Address {
    Address([100 + who; 32])
}

pub fn provider_address(who: u8) -> Address {
    Address([200 + who; 32])
}

fn key(address: &Address) -> Key {
    Key::new_from_array(address.0)
}

fn bytes<T: Discriminator + bytemuck::NoUninit>(state: &T) -> Vec<u8> {
    [T::DISCRIMINATOR, bytemuck::bytes_of(state)].concat()
}

impl Chain {
    pub fn new() -> Self {
        Self {
            slot: START,
            write: 0,
            transactions: 0,
            joined: false,
            blocks: Vec::new(),
            jobs: BTreeMap::new(),
            providers: BTreeMap::new(),
            next_ids: BTreeMap::new(),
        }
    }

    /// The newest slot.
    pub fn slot(&self) -> u64 {
        self.slot
    }

    /// The blocks since the last call.
    pub fn take(&mut self) -> Vec<Block> {
        std::mem::take(&mut self.blocks)
    }

    /// Every step inside goes into one block.
    pub fn one_block(&mut self, act: impl FnOnce(&mut Self)) {
        self.begin();
        self.joined = true;
        act(self);
        self.joined = false;
    }

    fn begin(&mut self) {
        if !self.joined {
            self.slot += 1;
            let block_time = Some(EPOCH + (self.slot - START) as i64 / 2);
            self.blocks.push(Block { slot: self.slot, block_time, ..Block::default() });
        }
    }

    fn now(&self) -> i64 {
        EPOCH + (self.slot - START) as i64 / 2
    }

    fn step(&mut self, program: Program, writes: &[(Address, Option<Vec<u8>>)], event: Vec<u8>) {
        self.begin();
        let slot = self.slot;
        let mut made = Vec::new();
        for (address, data) in writes {
            self.write += 1;
            let live = data.is_some();
            made.push(Arc::new(AccountWrite {
                address: *address,
                owner: program.address(),
                lamports: if live { 1_000 } else { 0 },
                data: data.clone().unwrap_or_default(),
                version: Version { slot, write: self.write },
            }));
        }
        self.transactions += 1;
        let mut signature = [0; 64];
        signature[..8].copy_from_slice(&self.transactions.to_be_bytes());
        let raw = RawEvent { instruction: 1, inner: 2, program: program.address(), data: event };
        let block = self.blocks.last_mut().unwrap();
        block.writes.extend(made);
        let index = block.transactions.len() as u64;
        block.transactions.push(Arc::new(Transaction { signature: Signature(signature), index, events: vec![raw] }));
    }

    pub fn register(&mut self, who: u8) -> Address {
        let address = provider_address(who);
        let mut provider: providers::Provider = bytemuck::Zeroable::zeroed();
        provider.authority = key(&authority(who));
        provider.payout_owner = key(&Address([50 + who; 32]));
        provider.capacity = 2.into();
        provider.registered_at = EPOCH.into();
        provider.updated_at = self.now().into();
        provider.status = 1;
        self.providers.insert(address, provider);
        let event = registry::ProviderRegistered {
            provider: key(&address),
            authority: provider.authority,
            payout_owner: provider.payout_owner,
        };
        self.step(Program::Registry, &[(address, Some(bytes(&provider)))], event.data());
        address
    }

    pub fn pause(&mut self, address: &Address) {
        let Some(provider) = self.providers.get_mut(address) else { return };
        provider.status = 2;
        let data = bytes(provider);
        let event = registry::ProviderStatusChanged { provider: key(address), status: 2 };
        self.step(Program::Registry, &[(*address, Some(data))], event.data());
    }

    pub fn retire(&mut self, address: &Address) {
        let Some(provider) = self.providers.remove(address) else { return };
        let event = registry::ProviderRetired { provider: key(address), authority: provider.authority };
        self.step(Program::Registry, &[(*address, None)], event.data());
    }

    pub fn open(&mut self, client: u8, budget: u64) -> Address {
        let now = self.now();
        let id = self.next_ids.entry(client).or_default();
        let mut address = [client + 10; 32];
        address[1..9].copy_from_slice(&id.to_be_bytes());
        let address = Address(address);
        let opened_id = *id;
        *id += 1;
        let mut job: jobs::Job = bytemuck::Zeroable::zeroed();
        job.client = Key::new_from_array([client + 1; 32]);
        job.mint = MINT;
        job.id = opened_id.into();
        job.budget = budget.into();
        job.spec_hash = [3; 32];
        job.input_hash = [4; 32];
        job.opened_at = now.into();
        job.accept_by = (now + 1_000_000).into();
        job.work_window = 60.into();
        job.review_window = 30.into();
        job.fee_bps = FEE_BPS.into();
        job.status = 1;
        self.jobs.insert(address, job);
        let event = escrow::JobOpened {
            job: key(&address),
            client: job.client,
            mint: MINT,
            spec_hash: job.spec_hash,
            input_hash: job.input_hash,
            id: job.id,
            budget: job.budget,
            opened_at: job.opened_at,
            accept_by: job.accept_by,
            work_window: job.work_window,
            review_window: job.review_window,
            fee_bps: job.fee_bps,
            verification: 0,
        };
        self.step(Program::Escrow, &[(address, Some(bytes(&job)))], event.data());
        address
    }

    pub fn accept(&mut self, address: &Address, provider: &Address, price: u64) {
        let now = self.now();
        let by = self.providers.get(provider).map_or_else(Key::default, |provider| provider.authority);
        let job = self.jobs.get_mut(address).unwrap();
        job.provider = key(provider);
        job.provider_authority = by;
        job.price = price.into();
        job.deliver_by = (now + 60).into();
        job.status = 2;
        let job = *job;
        let event = escrow::JobAccepted {
            job: key(address),
            client: job.client,
            provider: job.provider,
            price: job.price,
            accepted_at: now.into(),
            deliver_by: job.deliver_by,
        };
        self.step(Program::Escrow, &[(*address, Some(bytes(&job)))], event.data());
    }

    pub fn deliver(&mut self, address: &Address) {
        let now = self.now();
        let job = self.jobs.get_mut(address).unwrap();
        job.result_hash = [9; 32];
        job.settle_after = (now + 30).into();
        job.status = 3;
        let job = *job;
        let event = escrow::JobDelivered {
            job: key(address),
            provider: job.provider,
            result_hash: job.result_hash,
            delivered_at: now.into(),
            settle_after: job.settle_after,
        };
        self.step(Program::Escrow, &[(*address, Some(bytes(&job)))], event.data());
    }

    pub fn settle(&mut self, address: &Address) {
        let job = self.jobs.remove(address).unwrap();
        let (price, budget) = (job.price.get(), job.budget.get());
        let fee = price * u64::from(FEE_BPS) / 10_000;
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
        self.step(Program::Escrow, &[(*address, None)], event.data());
    }

    pub fn cancel(&mut self, address: &Address) {
        let job = self.jobs.remove(address).unwrap();
        let event = escrow::JobRefunded {
            job: key(address),
            client: job.client,
            provider: job.provider,
            mint: job.mint,
            budget: job.budget,
            paid_client: job.budget,
            owed_client: 0.into(),
            refunded_at: self.now().into(),
            reason: 0,
            closed: 1,
        };
        self.step(Program::Escrow, &[(*address, None)], event.data());
    }

    pub fn garbage_account(&mut self) -> Address {
        let address = Address([66; 32]);
        self.step(Program::Escrow, &[(address, Some(vec![1, 2, 3]))], self.an_event());
        address
    }

    pub fn garbage_event(&mut self) {
        self.step(Program::Escrow, &[], vec![0; 11]);
    }

    fn an_event(&self) -> Vec<u8> {
        let event = escrow::JobRedirected { job: key(&Address([66; 32])), by: Key::default(), account: Key::default() };
        event.data()
    }

    pub fn happen(&mut self, happening: Happening) {
        let nth =
            |jobs: &BTreeMap<Address, jobs::Job>, n: u8| jobs.keys().nth(usize::from(n) % jobs.len().max(1)).copied();
        match happening {
            Happening::Register(who) => {
                if !self.providers.contains_key(&provider_address(who)) {
                    self.register(who);
                }
            }
            Happening::Pause(who) => self.pause(&provider_address(who)),
            Happening::Retire(who) => self.retire(&provider_address(who)),
            Happening::Open(who, budget) => {
                self.open(who, budget.into());
            }
            Happening::Advance(n) => {
                let Some(address) = nth(&self.jobs, n) else { return };
                let job = self.jobs[&address];
                match job.status {
                    1 => {
                        let provider = self.providers.keys().nth(usize::from(n) % self.providers.len().max(1)).copied();
                        if let Some(provider) = provider {
                            self.accept(&address, &provider, job.budget.get());
                        }
                    }
                    2 => self.deliver(&address),
                    _ => self.settle(&address),
                }
            }
            Happening::Cancel(n) => {
                let Some(address) = nth(&self.jobs, n) else { return };
                if self.jobs[&address].status == 1 {
                    self.cancel(&address);
                }
            }
        }
    }
}
