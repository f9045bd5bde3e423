//! A small chain for tests: accounts and events made with the programs' own types and transitions, without running the
//! programs.

mod bonds;
mod channels;
mod demands;
mod disputes;
mod happening;
mod jobs;
mod models;

pub use bonds::bond_address;
pub use channels::{payer_address, plan_address, GRACE};
pub use demands::Demands;
pub use disputes::{dispute_address, COUNTER};
pub use happening::Happening;
pub use models::creator;

use crate::{
    decode::Program,
    types::{AccountWrite, Address, Block, RawEvent, Signature, Transaction, Version},
};
use anchor_lang::{bytemuck, prelude::Address as Key, Discriminator, Event};
use joule_escrow::{event as escrow, state as jobs_of};
use joule_registry::{event as registry, state as providers};
use joule_staking::state as bonds_of;
use std::{collections::BTreeMap, sync::Arc};

pub const FEE_BPS: u16 = 100;
/// A provider locks half of its price.
pub const BOND_BPS: u16 = 5_000;
/// Seconds of each step of a dispute.
pub const VOTE_WINDOW: u32 = 100;
/// What every provider here delivers.
pub const RESULT: [u8; 32] = [9; 32];
pub const MINT: Key = Key::new_from_array([77; 32]);
const START: u64 = 1_000;
/// Unix seconds at the first slot.
pub const EPOCH: i64 = 1_700_000_000;

/// See the module. Each step is a block of its own, unless [`Chain::one_block`] joins some.
pub struct Chain {
    slot: u64,
    write: u64,
    transactions: u64,
    joined: bool,
    /// Seconds that the clock is ahead of the slots.
    waited: i64,
    blocks: Vec<Block>,
    jobs: BTreeMap<Address, jobs_of::Job>,
    /// What jobs' vaults hold.
    vaults: BTreeMap<Address, u64>,
    providers: BTreeMap<Address, providers::Provider>,
    models: BTreeMap<Address, providers::Model>,
    bonds: BTreeMap<Address, bonds_of::Bond>,
    claims: BTreeMap<Address, bonds_of::Claim>,
    disputes: BTreeMap<Address, jobs_of::Dispute>,
    votes: BTreeMap<Address, jobs_of::Vote>,
    billing: channels::Billing,
    next_ids: BTreeMap<u8, u64>,
}

/// An account as a step leaves it, `None` once it is closed.
type Write = (Program, Address, Option<Vec<u8>>);
/// A fact that a step states.
type Stated = (Program, Vec<u8>);

pub fn authority(who: u8) -> Address {
    Address([100 + who; 32])
}

pub fn provider_address(who: u8) -> Address {
    Address([200 + who; 32])
}

/// The vault of a job or a bond.
pub fn vault_of(account: &Address) -> Address {
    let mut vault = account.0;
    vault[31] ^= 0xff;
    Address(vault)
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
            waited: 0,
            blocks: Vec::new(),
            jobs: BTreeMap::new(),
            vaults: BTreeMap::new(),
            providers: BTreeMap::new(),
            models: BTreeMap::new(),
            bonds: BTreeMap::new(),
            claims: BTreeMap::new(),
            disputes: BTreeMap::new(),
            votes: BTreeMap::new(),
            billing: channels::Billing::default(),
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
            let block_time = Some(self.now());
            self.blocks.push(Block { slot: self.slot, block_time, ..Block::default() });
        }
    }

    /// Unix seconds.
    pub fn now(&self) -> i64 {
        EPOCH + (self.slot - START) as i64 / 2 + self.waited
    }

    /// Lets the clock run.
    pub fn wait(&mut self, seconds: i64) {
        self.waited += seconds;
    }

    fn step(&mut self, program: Program, writes: &[(Address, Option<Vec<u8>>)], event: Vec<u8>) {
        let writes = writes.iter().map(|(address, data)| (program, *address, data.clone())).collect();
        self.transaction(writes, vec![(program, event)]);
    }

    /// One transaction of any programs.
    fn transaction(&mut self, writes: Vec<Write>, events: Vec<Stated>) {
        self.begin();
        let slot = self.slot;
        let mut made = Vec::new();
        for (program, address, data) in writes {
            self.write += 1;
            made.push(Arc::new(AccountWrite {
                address,
                owner: program.address(),
                lamports: if data.is_some() { 1_000 } else { 0 },
                data: data.unwrap_or_default().into(),
                version: Version { slot, write: self.write },
            }));
        }
        self.transactions += 1;
        let mut signature = [0; 64];
        signature[..8].copy_from_slice(&self.transactions.to_be_bytes());
        let events = (2u32..)
            .zip(events)
            .map(|(inner, (program, data))| RawEvent {
                instruction: 1,
                inner,
                program: program.address(),
                data: data.into(),
            })
            .collect();
        let block = self.blocks.last_mut().unwrap();
        block.writes.extend(made);
        let index = block.transactions.len() as u64;
        block.transactions.push(Arc::new(Transaction { signature: Signature(signature), index, events, unread: None }));
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
}
