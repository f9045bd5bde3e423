//! A cluster with Joule on it.

use crate::{named, tokens::Kind, Refusal};
use anchor_lang::Discriminator;
use bytemuck::Pod;
use joule_sdk::{
    account, billing,
    escrow::{
        self,
        state::{Client, Job, Terms},
    },
    instruction,
    instruction::escrow::{OpenAccounts, Provider},
    pda,
    registry::{
        self,
        state::{Attributes, Profile},
    },
    staking, treasury,
    units::{Amount, Breaker, Seconds},
    Instruction, Keypair, Pubkey, Signer,
};
use litesvm::{types::TransactionMetadata, LiteSVM};
use solana_clock::Clock;
use solana_transaction::Transaction;
use std::path::PathBuf;

/// What jobs are opened with here, in base units.
pub const BUDGET: u64 = 1_000_000;
/// What a provider's bond holds here, in base units.
pub const BOND: u64 = 20_000_000;
/// What jobs are accepted for here, in base units.
pub const PRICE: u64 = 900_001;
/// The escrow's fee here; with `PRICE` it leaves dust.
pub const FEE_BPS: u16 = 250;
/// What may leave the fee vault here, in base units and seconds.
pub const BREAKER: Breaker = Breaker { limit: Amount::new(1_000_000), window: Seconds::new(86_400) };
/// The genesis hash of the cluster here.
pub const GENESIS: [u8; 32] = [9; 32];
/// The result hash that providers submit here.
pub const RESULT: [u8; 32] = [7; 32];

/// When every world begins, in Unix seconds.
pub(crate) const START: i64 = 1_800_000_000;

pub struct World {
    pub svm: LiteSVM,
    /// Upgrade authority, protocol authority, mint and freeze authority.
    pub authority: Keypair,
    pub guardian: Keypair,
    /// A client with tokens.
    pub alice: Keypair,
    /// A registered provider, its key for work.
    pub north: Keypair,
    /// Owns the token accounts that `north` is paid into.
    pub north_payout: Keypair,
    /// Pays every transaction fee, so that nobody else's lamports move by themselves.
    pub stranger: Keypair,
    pub mint: Pubkey,
    pub token_program: Pubkey,
    pub(crate) made: usize,
}

impl Clone for World {
    fn clone(&self) -> Self {
        Self {
            svm: self.svm.clone(),
            authority: self.authority.insecure_clone(),
            guardian: self.guardian.insecure_clone(),
            alice: self.alice.insecure_clone(),
            north: self.north.insecure_clone(),
            north_payout: self.north_payout.insecure_clone(),
            stranger: self.stranger.insecure_clone(),
            mint: self.mint,
            token_program: self.token_program,
            made: self.made,
        }
    }
}

/// The same key for the same name in every run, so that addresses and the cost of deriving them are too.
pub fn key(name: &str) -> Keypair {
    let mut seed = [0; 32];
    seed[..name.len()].copy_from_slice(name.as_bytes());
    Keypair::new_from_array(seed)
}

/// A program that `make build` has built.
pub fn deployed(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/deploy").join(format!("{name}.so"));
    assert!(path.exists(), "{} is missing: run `make build` first", path.display());
    path
}

impl World {
    pub(crate) fn prepare_bare() -> Self {
        let mut svm = LiteSVM::new();
        let authority = key("authority");
        for (id, name) in [
            (treasury::ID, "joule_treasury"),
            (registry::ID, "joule_registry"),
            (escrow::ID, "joule_escrow"),
            (staking::ID, "joule_staking"),
            (billing::ID, "joule_billing"),
        ] {
            svm.add_program_from_file(id, deployed(name)).expect("a program that loads");
            set_upgrade_authority(&mut svm, &id, Some(&authority.pubkey()));
        }
        let mut world = Self {
            svm,
            authority,
            guardian: key("guardian"),
            alice: key("alice"),
            north: key("north"),
            north_payout: key("north_payout"),
            stranger: key("stranger"),
            mint: Pubkey::default(),
            token_program: Kind::Classic.program(),
            made: 0,
        };
        for key in [&world.stranger, &world.authority, &world.alice, &world.north] {
            world.svm.airdrop(&key.pubkey(), 1_000_000_000_000).unwrap();
        }
        world.set_time(START);
        world
    }

    pub(crate) fn prepare_governed(kind: Kind) -> Self {
        let mut world = Self::bare();
        let authority = world.authority.insecure_clone();
        let mut fees = [0; 8];
        fees[0] = FEE_BPS;
        fees[1] = FEE_BPS;
        let initialize = instruction::treasury::initialize_protocol(authority.pubkey(), world.guardian.pubkey(), fees);
        world.send(&[initialize], &[&authority]);
        world.token_program = kind.program();
        world.mint = world.create_mint(kind, &[], &[]);
        let accept =
            instruction::treasury::accept_mint(authority.pubkey(), world.mint, world.token_program, 1_000, BREAKER);
        let admit = instruction::staking::admit_service(authority.pubkey(), escrow::ID, 0);
        let admit_billing = instruction::staking::admit_service(authority.pubkey(), billing::ID, 1);
        let initialize = instruction::billing::initialize(authority.pubkey(), GENESIS);
        world.send(&[accept, admit, admit_billing, initialize], &[&authority]);
        world
    }

    pub(crate) fn prepare(kind: Kind) -> Self {
        let mut world = Self::unbonded(kind);
        let north = world.north.insecure_clone();
        world.give_bond(&north, BOND);
        world
    }

    pub(crate) fn prepare_unbonded(kind: Kind) -> Self {
        let mut world = Self::governed(kind);
        let source = world.token_account(&world.alice.pubkey());
        world.mint_to(&source, 1_000_000_000);
        world.token_account(&world.north_payout.pubkey());
        let north = world.north.insecure_clone();
        let register = instruction::registry::register(north.pubkey(), north.pubkey(), world.profile());
        world.send(&[register], &[&north]);
        world
    }

    /// Opens a bond of `owner`'s in the world's mint, with `amount` in it, for escrow and billing; the owner may withdraw it too.
    pub fn give_bond(&mut self, owner: &Keypair, amount: u64) -> Pubkey {
        let (mint, program, bond) = (self.mint, self.token_program, pda::bond(&owner.pubkey(), &self.mint));
        let source = self.token_account(&owner.pubkey());
        self.mint_to(&source, amount);
        let open = instruction::staking::open_bond(owner.pubkey(), owner.pubkey(), mint, program, owner.pubkey());
        let deposit =
            instruction::staking::deposit_bond(owner.pubkey(), source, bond, mint, program, amount, owner.pubkey());
        let named = [0, 1].map(|number| instruction::staking::name_service(owner.pubkey(), bond, number, true));
        self.send(&[&[open, deposit], &named[..]].concat(), &[owner]);
        bond
    }

    /// Which token program the world's mint belongs to.
    pub fn kind(&self) -> Kind {
        match self.token_program == Kind::Classic.program() {
            true => Kind::Classic,
            false => Kind::Token2022,
        }
    }

    pub fn profile(&self) -> Profile {
        Profile {
            payout_owner: self.north_payout.pubkey(),
            capacity: 2,
            endpoint_hash: [1; 32],
            metadata_hash: [2; 32],
            attributes: Attributes { gpu_count: 1, vram_mib: 24_576, cpu_cores: 16, ..Default::default() },
        }
    }

    pub fn terms(&self) -> Terms {
        Terms {
            budget: BUDGET,
            spec_hash: [3; 32],
            input_hash: [4; 32],
            accept_window: 600,
            work_window: 300,
            review_window: 120,
            bid_window: 0,
            vote_window: 0,
            bond_bps: 10_000,
            verification: 0,
            pricing: 0,
            jurors: 0,
            max_rate: 0,
        }
    }

    /// Sends in one transaction, whose fee the stranger pays.
    pub fn attempt(
        &mut self,
        instructions: &[Instruction],
        signers: &[&Keypair],
    ) -> Result<TransactionMetadata, Refusal> {
        self.svm.expire_blockhash();
        let mut keys = vec![&self.stranger];
        keys.extend(signers.iter().filter(|k| k.pubkey() != self.stranger.pubkey()));
        let transaction = Transaction::new_signed_with_payer(
            instructions,
            Some(&self.stranger.pubkey()),
            &keys,
            self.svm.latest_blockhash(),
        );
        let done = self.svm.send_transaction(transaction).map_err(Refusal::from)?;
        assert!(named(&done.logs).is_empty(), "what succeeds names no error: {:#?}", done.logs);
        Ok(done)
    }

    #[track_caller]
    pub fn send(&mut self, instructions: &[Instruction], signers: &[&Keypair]) -> TransactionMetadata {
        match self.attempt(instructions, signers) {
            Ok(done) => done,
            Err(refusal) => panic!("{}: {:#?}", refusal.name, refusal.logs),
        }
    }

    /// A key that no other call gives, and the next run gives again.
    pub fn new_key(&mut self) -> Keypair {
        self.made += 1;
        key(&format!("made {}", self.made))
    }

    pub fn now(&self) -> i64 {
        self.svm.get_sysvar::<Clock>().unix_timestamp
    }

    pub fn set_time(&mut self, unix_seconds: i64) {
        let mut clock = self.svm.get_sysvar::<Clock>();
        clock.unix_timestamp = unix_seconds;
        self.svm.set_sysvar(&clock);
    }

    pub fn get<T: Pod + Discriminator>(&self, address: &Pubkey) -> T {
        account::decode(&self.svm.get_account(address).expect("an account").data).expect("the account expected")
    }

    pub fn job(&self, address: &Pubkey) -> Job {
        self.get(address)
    }

    /// Whether the chain has nothing at an address any more.
    pub fn is_closed(&self, address: &Pubkey) -> bool {
        self.svm.get_account(address).is_none_or(|a| a.lamports == 0 && a.data.is_empty())
    }

    pub fn lamports(&self, address: &Pubkey) -> u64 {
        self.svm.get_balance(address).unwrap_or(0)
    }

    pub fn alice_tokens(&self) -> Pubkey {
        pda::associated_token(&self.alice.pubkey(), &self.mint, &self.token_program)
    }

    pub fn north_tokens(&self) -> Pubkey {
        pda::associated_token(&self.north_payout.pubkey(), &self.mint, &self.token_program)
    }

    pub fn fee_vault(&self) -> Pubkey {
        pda::fee_vault(&self.mint)
    }

    pub fn next_id(&self) -> u64 {
        let address = pda::client(&self.alice.pubkey());
        match self.svm.get_account(&address) {
            Some(found) if !found.data.is_empty() => self.get::<Client>(&address).next_job.get(),
            _ => 0,
        }
    }

    /// Alice's `open`, with the id she may use next.
    pub fn open(&self, terms: Terms) -> Instruction {
        self.open_as(self.next_id(), terms)
    }

    pub fn open_as(&self, id: u64, terms: Terms) -> Instruction {
        let accounts = OpenAccounts {
            payer: self.alice.pubkey(),
            client: self.alice.pubkey(),
            source: self.alice_tokens(),
            refund: self.alice_tokens(),
            mint: self.mint,
            token_program: self.token_program,
            requirements: None,
            staked_in: None,
        };
        instruction::escrow::open(accounts, id, terms)
    }

    pub fn accept(&self, job: Pubkey) -> Instruction {
        self.accept_for(job, PRICE)
    }

    pub fn accept_for(&self, job: Pubkey, price: u64) -> Instruction {
        let north = Provider::new(self.north.pubkey(), self.north_tokens());
        instruction::escrow::accept(north, job, &self.job(&job), price)
    }

    pub fn submit(&self, job: Pubkey) -> Instruction {
        instruction::escrow::submit(self.north.pubkey(), job, RESULT)
    }

    pub fn approve(&self, job: Pubkey) -> Instruction {
        instruction::escrow::approve(job, &self.job(&job), self.token_program, RESULT)
    }

    pub fn settle(&self, job: Pubkey) -> Instruction {
        instruction::escrow::settle(job, &self.job(&job), self.token_program)
    }

    pub fn cancel(&self, job: Pubkey) -> Instruction {
        instruction::escrow::cancel(job, &self.job(&job), self.token_program)
    }

    pub fn fail(&self, job: Pubkey) -> Instruction {
        instruction::escrow::fail(job, &self.job(&job), self.token_program)
    }

    pub fn pay(&self, job: Pubkey) -> Instruction {
        instruction::escrow::pay(job, &self.job(&job), self.token_program)
    }

    pub fn expire(&self, job: Pubkey) -> Instruction {
        instruction::escrow::expire(job, &self.job(&job), self.token_program)
    }

    pub fn opened(&mut self) -> Pubkey {
        let (id, alice) = (self.next_id(), self.alice.insecure_clone());
        let open = self.open(self.terms());
        self.send(&[open], &[&alice]);
        pda::job(&alice.pubkey(), id)
    }

    pub fn accepted(&mut self) -> Pubkey {
        let (job, north) = (self.opened(), self.north.insecure_clone());
        let accept = self.accept(job);
        self.send(&[accept], &[&north]);
        job
    }

    pub fn delivered(&mut self) -> Pubkey {
        let (job, north) = (self.accepted(), self.north.insecure_clone());
        let submit = self.submit(job);
        self.send(&[submit], &[&north]);
        job
    }
}

/// Writes the authority into a program's data account, as a deployment by that authority would have done.
pub fn set_upgrade_authority(svm: &mut LiteSVM, program: &Pubkey, authority: Option<&Pubkey>) {
    let address = pda::program_data(program);
    let mut account = svm.get_account(&address).expect("a program deployed by the upgradeable loader");
    account.data[12] = authority.is_some() as u8;
    account.data[13..45].copy_from_slice(authority.copied().unwrap_or_default().as_ref());
    svm.set_account(address, account).expect("a writable account");
}
