//! Every instruction in the state that it is normally run in.

use joule_sdk::{
    escrow, instruction,
    registry::{self, state::ProviderStatus},
    treasury, Instruction, Keypair, Pubkey, Signer,
};
use joule_tests::{Kind, World};

/// The syscalls that an instruction cannot do without.
#[derive(Clone, Copy, Default)]
pub struct Syscalls {
    pub clock: usize,
    pub rent: usize,
    /// Addresses derived, once each: those of the accounts it creates.
    pub derive: usize,
}

/// An address that a program can sign for.
pub struct Pda {
    pub address: Pubkey,
    /// Bump included.
    pub seeds: Vec<Vec<u8>>,
}

impl Pda {
    fn new(program: &Pubkey, seeds: &[&[u8]]) -> Self {
        let (address, bump) = Pubkey::find_program_address(seeds, program);
        let mut seeds: Vec<Vec<u8>> = seeds.iter().map(|s| s.to_vec()).collect();
        seeds.push(vec![bump]);
        Self { address, seeds }
    }

    /// In calls to the program itself only the event authority signs; in others whoever can.
    pub fn signs_for(&self, callee: &Pubkey, program: &Pubkey) -> bool {
        callee != program || self.seeds[0] == joule_events::AUTHORITY_SEED
    }
}

pub struct Scenario {
    pub program: &'static str,
    pub name: &'static str,
    pub world: World,
    pub instruction: Instruction,
    pub signers: Vec<Keypair>,
    pub syscalls: Syscalls,
    /// Those that the instruction creates come first.
    pub seeds: Vec<Pda>,
}

const CLOCK: Syscalls = Syscalls { clock: 1, rent: 0, derive: 0 };
const NONE: Syscalls = Syscalls { clock: 0, rent: 0, derive: 0 };

pub fn all() -> Vec<Scenario> {
    let mut all = treasury();
    all.extend(registry());
    all.extend(escrow());
    all
}

fn treasury() -> Vec<Scenario> {
    use instruction::treasury::*;
    let id = treasury::ID;
    let make = |name, world: World, instruction: Instruction, signer: Keypair, syscalls, created: Vec<Pda>| {
        let mut seeds = created;
        seeds.push(Pda::new(&id, &[treasury::constants::PROTOCOL_SEED]));
        seeds.push(Pda::new(&id, &[joule_events::AUTHORITY_SEED]));
        Scenario { program: "treasury", name, world, instruction, signers: vec![signer], syscalls, seeds }
    };
    let mut all = Vec::new();
    let w = World::bare();
    let (a, g) = (w.authority.insecure_clone(), w.guardian.pubkey());
    let initialize = initialize_protocol(a.pubkey(), g, [250, 250, 250, 250, 0, 0, 0, 0]);
    all.push(make("initialize_protocol", w, initialize, a, Syscalls { clock: 0, rent: 1, derive: 1 }, vec![]));

    let mut w = World::governed(Kind::Classic);
    let a = w.authority.insecure_clone();
    let mint = w.create_mint(Kind::Classic, &[], &[]);
    let created = vec![
        Pda::new(&id, &[treasury::constants::MINT_SEED, mint.as_ref()]),
        Pda::new(&id, &[treasury::constants::FEE_VAULT_SEED, mint.as_ref()]),
    ];
    let accept = accept_mint(a.pubkey(), mint, w.token_program, 1);
    all.push(make("accept_mint", w, accept, a, Syscalls { clock: 0, rent: 1, derive: 2 }, created));

    let governed = |build: &dyn Fn(&World) -> Instruction, name| {
        let w = World::governed(Kind::Classic);
        let (a, instruction) = (w.authority.insecure_clone(), build(&w));
        make(name, w, instruction, a, NONE, vec![])
    };
    all.push(governed(&|w| propose_authority(w.authority.pubkey(), w.alice.pubkey()), "propose_authority"));
    all.push(governed(&|w| set_guardian(w.authority.pubkey(), w.alice.pubkey()), "set_guardian"));
    all.push(governed(&|w| set_fee(w.authority.pubkey(), 0, 1), "set_fee"));
    all.push(governed(&|w| update_mint(w.authority.pubkey(), w.mint, false, 1), "update_mint"));
    all.push(governed(&|w| pause(w.authority.pubkey(), 0), "pause"));
    all.push(governed(&|w| unpause(w.authority.pubkey(), 0), "unpause"));

    let mut w = World::governed(Kind::Classic);
    let (a, next) = (w.authority.insecure_clone(), w.alice.insecure_clone());
    w.send(&[propose_authority(a.pubkey(), next.pubkey())], &[&a]);
    let accept = accept_authority(next.pubkey());
    all.push(make("accept_authority", w, accept, next, NONE, vec![]));

    let mut w = World::new(Kind::Classic);
    let (a, fees, target) = (w.authority.insecure_clone(), w.fee_vault(), w.alice_tokens());
    w.mint_to(&fees, 100);
    let withdraw = withdraw_fees(a.pubkey(), w.mint, target, w.token_program, 50);
    all.push(make("withdraw_fees", w, withdraw, a, NONE, vec![]));
    all
}

fn registry() -> Vec<Scenario> {
    use instruction::registry::*;
    let id = registry::ID;
    let make = |name, world: World, instruction: Instruction, syscalls| {
        let north = world.north.insecure_clone();
        let seeds = vec![
            Pda::new(&id, &[registry::constants::PROVIDER_SEED, north.pubkey().as_ref()]),
            Pda::new(&id, &[joule_events::AUTHORITY_SEED]),
        ];
        Scenario { program: "registry", name, world, instruction, signers: vec![north], syscalls, seeds }
    };
    let w = World::governed(Kind::Classic);
    let north = w.north.pubkey();
    let enrol = register(north, north, w.profile());
    let mut all = vec![make("register", w, enrol, Syscalls { clock: 1, rent: 1, derive: 1 })];
    let w = World::new(Kind::Classic);
    let change = update(north, w.profile());
    all.push(make("update", w, change, CLOCK));
    all.push(make("set_status", World::new(Kind::Classic), set_status(north, ProviderStatus::Paused), CLOCK));
    all.push(make("retire", World::new(Kind::Classic), retire(north, north), NONE));
    all
}

fn escrow() -> Vec<Scenario> {
    use escrow::constants::{CLIENT_SEED, JOB_SEED, VAULT_SEED};
    let id = escrow::ID;
    let make = |name, world: World, instruction: Instruction, signers: Vec<Keypair>, syscalls, job_id: u64| {
        let alice = world.alice.pubkey();
        let job = Pda::new(&id, &[JOB_SEED, alice.as_ref(), &job_id.to_le_bytes()]);
        let vault = Pda::new(&id, &[VAULT_SEED, job.address.as_ref()]);
        let client = Pda::new(&id, &[CLIENT_SEED, alice.as_ref()]);
        let seeds = vec![job, vault, client, Pda::new(&id, &[joule_events::AUTHORITY_SEED])];
        Scenario { program: "escrow", name, world, instruction, signers, syscalls, seeds }
    };
    let world = || World::new(Kind::Classic);
    let keys = |w: &World| (w.alice.insecure_clone(), w.north.insecure_clone());
    let mut all = Vec::new();

    let w = world();
    let ((alice, _), open) = (keys(&w), w.open(w.terms()));
    all.push(make("open (first of a client)", w, open, vec![alice], Syscalls { clock: 1, rent: 1, derive: 3 }, 0));
    let mut w = world();
    w.opened();
    let ((alice, _), open) = (keys(&w), w.open(w.terms()));
    all.push(make("open", w, open, vec![alice], Syscalls { clock: 1, rent: 1, derive: 2 }, 1));
    let mut w = world();
    let job = w.opened();
    let ((_, north), accept) = (keys(&w), w.accept(job));
    all.push(make("accept", w, accept, vec![north], CLOCK, 0));
    let mut w = world();
    let job = w.accepted();
    let ((_, north), submit) = (keys(&w), w.submit(job));
    all.push(make("submit", w, submit, vec![north], CLOCK, 0));
    let mut w = world();
    let job = w.delivered();
    let ((alice, _), approve) = (keys(&w), w.approve(job));
    all.push(make("approve", w, approve, vec![alice], CLOCK, 0));
    let mut w = world();
    let job = w.delivered();
    w.set_time(w.job(&job).settle_after.get());
    let settle = w.settle(job);
    all.push(make("settle", w, settle, vec![], CLOCK, 0));
    let mut w = world();
    let job = w.opened();
    let ((alice, _), cancel) = (keys(&w), w.cancel(job));
    all.push(make("cancel", w, cancel, vec![alice], CLOCK, 0));
    let mut w = world();
    let job = w.opened();
    w.set_time(w.job(&job).accept_by.get() + 1);
    let expire = w.expire(job);
    all.push(make("expire", w, expire, vec![], CLOCK, 0));
    let mut w = world();
    let job = w.accepted();
    let ((alice, _), mint) = (keys(&w), w.mint);
    let other = w.extra_token_account(&alice.pubkey(), &mint, &[]);
    let redirect = instruction::escrow::redirect(alice.pubkey(), job, other);
    all.push(make("redirect", w, redirect, vec![alice], NONE, 0));
    all
}
