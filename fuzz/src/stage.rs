//! One world to play in: a cluster, the cast, and the model that everything is held against.

use crate::{
    cast::{Cast, Person, Token, TOKENS},
    chain,
    check::{self, Violation},
    model::{Model, Surety},
    story::{Sent, Story},
};
use fastrand::Rng;
use joule_sdk::{
    escrow::state::{Job, JobStatus},
    instruction, pda,
    registry::state::{Attributes, Profile},
    treasury::state::Protocol,
    Instruction, Pubkey, Signer,
};
use joule_tests::{idl::Listing, staking::PARAMS, Kind, Refusal, World, BREAKER};
use litesvm::LiteSVM;
use solana_clock::Clock;
use solana_slot_hashes::SlotHashes;
use solana_transaction::{Message, Transaction};
use std::collections::{BTreeMap, BTreeSet};

const LAMPORTS: u64 = 10_000_000_000_000;
/// What every token account begins with, in base units.
const TOKENS_EACH: u64 = 1_000_000_000;
/// What every bond begins with, in base units.
const BOND: u64 = 150_000_000;

pub struct Stage {
    pub svm: LiteSVM,
    pub rng: Rng,
    pub cast: Cast,
    pub model: Model,
    pub listing: Listing,
    /// What is under each vote's seal: output and salt. Kept by whoever has planned the vote.
    pub seals: BTreeMap<Pubkey, Seal>,
    /// Bonds that somebody wants to close, as soon as nothing binds them any more.
    pub leaving: BTreeSet<Pubkey>,
    /// The cluster's clock, in Unix seconds.
    pub now: i64,
    /// The cluster's slot.
    pub slot: u64,
}

/// What a juror has sealed.
#[derive(Clone, Copy)]
pub struct Seal {
    pub output: [u8; 32],
    pub salt: [u8; 32],
    /// Some never open it.
    pub is_withheld: bool,
}

impl Stage {
    pub fn new(seed: u64) -> Self {
        let mut world = World::governed(Kind::Classic);
        let classic = (world.mint, world.token_program);
        world.token_program = Kind::Token2022.program();
        world.mint = world.create_mint(Kind::Token2022, &[], &[]);
        let authority = world.authority.insecure_clone();
        let accept =
            instruction::treasury::accept_mint(authority.pubkey(), world.mint, world.token_program, 1_000, BREAKER);
        world.send(&[accept], &[&authority]);
        let token = |(mint, program): (Pubkey, Pubkey)| Token {
            mint,
            program,
            accepted: pda::accepted_mint(&mint),
            fee_vault: pda::fee_vault(&mint),
            pool: pda::pool(&mint),
            pool_vault: pda::pool_vault(&pda::pool(&mint)),
        };
        let tokens = vec![token(classic), token((world.mint, world.token_program))];
        let cast = Cast::new(tokens, world.stranger.pubkey(), authority.pubkey(), world.guardian.pubkey());
        for person in &cast.people {
            world.svm.airdrop(&person.hot, LAMPORTS).expect("lamports");
        }
        for key in [cast.crank, cast.deputy, cast.attestors[0], cast.attestors[1]] {
            world.svm.airdrop(&key, LAMPORTS).expect("lamports");
        }

        let (now, slot) = (world.now(), world.slot());
        // Nobody signs and nothing expires here: checking that would take most of the time.
        let svm = world.svm.with_sigverify(false).with_blockhash_check(false).with_transaction_history(0);
        let mut stage = Self {
            model: Model::new(&svm, &cast),
            svm,
            rng: Rng::with_seed(seed),
            cast,
            listing: joule_tests::idl::all(),
            seals: BTreeMap::new(),
            leaving: BTreeSet::new(),
            now,
            slot,
        };
        stage.furnish();
        stage
    }

    /// Token accounts with tokens for all, a pool for each token, attestors, and bonded providers.
    fn furnish(&mut self) {
        for holder in 0..self.cast.holders.len() {
            for token in 0..TOKENS {
                for place in 0..2 {
                    let mut instructions = crate::actions::tokens::create(&self.cast, holder, token, place);
                    let account = self.cast.holders[holder].accounts[token][place];
                    instructions.push(crate::actions::tokens::mint_to(&self.cast, token, account, TOKENS_EACH));
                    self.must(instructions);
                }
            }
        }
        let authority = self.cast.authority;
        for token in 0..TOKENS {
            let Token { mint, program, .. } = self.cast.tokens[token];
            self.must(vec![instruction::staking::create_pool(authority, mint, program, PARAMS)]);
        }
        for attestor in self.cast.attestors {
            self.must(vec![instruction::registry::admit_attestor(attestor, authority, attestor, [0; 32])]);
        }
        for number in 0..self.cast.people.len() {
            let Person { hot, cold, .. } = self.cast.people[number];
            if number % 4 != 3 {
                self.must(vec![instruction::registry::register(hot, hot, profile(cold))]);
            }
            for token in 0..if number % 5 == 4 { 0 } else { TOKENS } {
                let Token { mint, program, .. } = self.cast.tokens[token];
                let source = self.account_of(&hot, token);
                let open = instruction::staking::open_bond(hot, hot, mint, program, cold);
                let bond = pda::bond(&hot, &mint);
                let deposit = instruction::staking::deposit_bond(hot, source, bond, mint, program, BOND, cold);
                self.must(vec![open, deposit]);
                self.must(crate::actions::bonds::name_all(hot, bond));
            }
        }
    }

    fn must(&mut self, instructions: Vec<Instruction>) {
        match self.send(&instructions) {
            Ok(Ok(())) => {}
            Ok(Err(refused)) => panic!("setting up: {refused}"),
            Err(violation) => panic!("setting up: {violation}"),
        }
    }

    /// Sends one transaction and checks all that it touched. `Ok(Err(name))` when it was refused.
    pub fn send(&mut self, instructions: &[Instruction]) -> Result<Result<(), String>, Violation> {
        let message = Message::new(instructions, Some(&self.cast.crank));
        let before = check::Snapshot::take(&self.svm, &message.account_keys);
        let sent = self.svm.send_transaction(Transaction::new_unsigned(message.clone()));
        let done = match sent {
            Ok(done) => done,
            Err(failed) => return Ok(Err(Refusal::from(failed).name)),
        };
        let after = check::Snapshot::take(&self.svm, &message.account_keys);
        let sent = Sent {
            listing: &self.listing,
            instructions,
            message: &message,
            done: &done,
            now: self.now,
            svm: &self.svm,
        };
        let story = Story::of(&sent, &mut self.model)?;
        check::step(self, &story, &before, &after, done.fee)?;
        Ok(Ok(()))
    }

    pub fn set_time(&mut self, now: i64) {
        self.now = now;
        let mut clock = self.svm.get_sysvar::<Clock>();
        clock.unix_timestamp = now;
        self.svm.set_sysvar(&clock);
    }

    /// Moves on to a slot, whose predecessors' hashes the cluster then knows.
    pub fn set_slot(&mut self, slot: u64) {
        self.slot = slot;
        let mut clock = self.svm.get_sysvar::<Clock>();
        clock.slot = slot;
        self.svm.set_sysvar(&clock);
        let salt = self.rng.u64(..);
        let hash = |slot: u64| {
            let mut bytes = [7; 32];
            bytes[..8].copy_from_slice(&slot.wrapping_mul(salt | 1).to_le_bytes());
            bytes.into()
        };
        let known: Vec<_> = (slot.saturating_sub(512)..slot).rev().map(|slot| (slot, hash(slot))).collect();
        self.svm.set_sysvar(&SlotHashes::new(&known));
    }

    /// One of them.
    pub fn pick<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        (!all.is_empty()).then(|| all[self.rng.usize(..all.len())])
    }

    /// True in `percent` of all cases.
    pub fn chance(&mut self, percent: u32) -> bool {
        self.rng.u32(..100) < percent
    }

    pub fn person(&mut self) -> usize {
        self.rng.usize(..self.cast.people.len())
    }

    /// Any token account of anybody's; it need not exist at the moment.
    pub fn any_account(&mut self, token: usize) -> Pubkey {
        let holder = self.rng.usize(..self.cast.holders.len());
        self.cast.holders[holder].accounts[token][self.rng.usize(..2)]
    }

    /// One of the token accounts that a key owns, or is meant to; anybody's when it is not a key of ours.
    pub fn account_of(&mut self, key: &Pubkey, token: usize) -> Pubkey {
        let place = self.rng.usize(..2);
        let Some(holder) = self.cast.holder(key) else { return self.any_account(token) };
        let [first, second] = [holder.accounts[token][place], holder.accounts[token][1 - place]];
        let owns = |address: &Pubkey| chain::purse(&self.svm, address).is_some_and(|purse| purse.owner == *key);
        match !owns(&first) && owns(&second) {
            true => second,
            false => first,
        }
    }

    /// A job, most often in one of these states; now and then one that is closed.
    pub fn job(&mut self, states: &[JobStatus]) -> Option<(Pubkey, Job)> {
        self.job_when(states, |_, _| true)
    }

    /// A job, most often in one of these states and at a time that suits it.
    pub fn job_when(&mut self, states: &[JobStatus], suits: fn(&Job, i64) -> bool) -> Option<(Pubkey, Job)> {
        if self.chance(4) && !self.model.closed.is_empty() {
            return self.model.closed.get(self.rng.usize(..self.model.closed.len())).copied();
        }
        let (in_state, in_time) = (!states.is_empty() && self.chance(96), self.chance(85));
        let fits = |job: &Job| {
            let has_state = states.iter().any(|state| job.status == *state as u8);
            (has_state || !in_state) && (suits(job, self.now) || !in_time)
        };
        let all = self.model.jobs.values().filter(|entry| fits(&entry.job)).map(|entry| entry.address);
        let all: Vec<Pubkey> = all.collect();
        let address = self.pick(&all)?;
        Some((address, self.model.jobs.get(&address)?.job))
    }

    /// The token program of a job's mint.
    pub fn program_of(&self, job: &Job) -> Pubkey {
        self.program_of_mint(&job.mint)
    }

    pub fn program_of_mint(&self, mint: &Pubkey) -> Pubkey {
        self.cast.token(mint).map_or(Pubkey::default(), |token| self.cast.tokens[token].program)
    }

    /// Whether somebody has no bond, wants to close it, or most of it is on its way out: whoever leaves takes nothing new.
    pub fn is_leaving(&self, owner: &Pubkey, mint: &Pubkey) -> bool {
        let mut bonds = self.model.bonds.values();
        let bond = bonds.find(|bond| bond.owner == *owner && bond.mint == *mint);
        let leaves = |bond: &Surety| self.leaving.contains(&bond.address) || bond.unbonding > bond.amount / 2;
        bond.is_none_or(|bond| bond.amount == 0 || leaves(bond))
    }

    pub fn protocol(&self) -> Option<Protocol> {
        chain::read(&self.svm, &self.model.protocol)
    }
}

pub fn profile(payout_owner: Pubkey) -> Profile {
    Profile {
        payout_owner,
        capacity: 1,
        endpoint_hash: [1; 32],
        metadata_hash: [2; 32],
        attributes: Attributes::default(),
    }
}
