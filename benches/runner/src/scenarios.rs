//! Every instruction in the state that it is normally run in.

use joule_sdk::{
    escrow, instruction,
    registry::{self, state::ProviderStatus},
    staking, treasury, Instruction, Keypair, Pubkey, Signer,
};
use joule_tests::{
    staking::{BOND, DAY, PARAMS, SERVICE},
    Kind, World,
};

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
    all.extend(staking());
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

fn staking() -> Vec<Scenario> {
    let mut all = pools();
    all.extend(bonds());
    all.extend(claims());
    all
}

/// `seeds` begin with those of the accounts that are created.
fn staking_scenario(
    name: &'static str,
    world: World,
    instruction: Instruction,
    signers: Vec<Keypair>,
    syscalls: Syscalls,
    mut seeds: Vec<Pda>,
) -> Scenario {
    seeds.push(Pda::new(&staking::ID, &[joule_events::AUTHORITY_SEED]));
    Scenario { program: "staking", name, world, instruction, signers, syscalls, seeds }
}

const fn creates(derive: usize) -> Syscalls {
    Syscalls { clock: 1, rent: 1, derive }
}

fn pools() -> Vec<Scenario> {
    use instruction::staking::{create_pool, update_pool};
    use staking::constants::{POOL_SEED, POOL_VAULT_SEED, STAKE_SEED};
    let id = staking::ID;
    let pool = |w: &World| Pda::new(&id, &[POOL_SEED, w.mint.as_ref()]);
    let make = staking_scenario;
    let mut all = Vec::new();

    let w = World::new(Kind::Classic);
    let a = w.authority.insecure_clone();
    let create = create_pool(a.pubkey(), w.mint, w.token_program, PARAMS);
    let seeds = vec![pool(&w), Pda::new(&id, &[POOL_VAULT_SEED, w.pool_address().as_ref()])];
    all.push(make("create_pool", w, create, vec![a], creates(2), seeds));
    let w = World::pooled(Kind::Classic);
    let a = w.authority.insecure_clone();
    let update = update_pool(a.pubkey(), w.mint, PARAMS);
    all.push(make("update_pool", w, update, vec![a], CLOCK, vec![]));

    let mut w = World::pooled(Kind::Classic);
    let owner = w.holder(10_000);
    let stake = w.stake(&owner, 10_000, 30 * DAY);
    let seeds = vec![Pda::new(&id, &[STAKE_SEED, w.pool_address().as_ref(), owner.pubkey().as_ref()])];
    all.push(make("stake (first of an owner)", w, stake, vec![owner], creates(1), seeds));
    let funded = |lock: i64, wait: i64| {
        let mut w = World::pooled(Kind::Classic);
        let owner = w.staker(10_000, lock);
        w.fund_pool(1_000_000);
        w.set_time(w.now() + wait);
        (w, owner)
    };
    let (mut w, owner) = funded(30 * DAY, DAY / 2);
    let tokens = w.tokens_of(&owner);
    w.mint_to(&tokens, 10_000);
    let stake = w.stake(&owner, 10_000, 30 * DAY);
    all.push(make("stake", w, stake, vec![owner], CLOCK, vec![]));
    let (w, owner) = funded(30 * DAY, DAY / 2);
    let extend = w.extend_lock(&owner, 60 * DAY);
    all.push(make("extend_lock", w, extend, vec![owner], CLOCK, vec![]));
    let (w, owner) = funded(DAY, 2 * DAY);
    let refresh = w.refresh(&owner);
    all.push(make("refresh_stake", w, refresh, vec![], CLOCK, vec![]));
    let (w, owner) = funded(DAY, 2 * DAY);
    let unstake = w.unstake(&owner, 5_000);
    all.push(make("unstake", w, unstake, vec![owner], CLOCK, vec![]));
    let (w, owner) = funded(DAY, 2 * DAY);
    let (claim, seeds) = (w.claim_rewards(&owner), vec![pool(&w)]);
    all.push(make("claim_rewards", w, claim, vec![owner], CLOCK, seeds));
    let mut w = World::pooled(Kind::Classic);
    let owner = w.staker(10_000, 0);
    w.send(&[w.unstake(&owner, 10_000)], &[&owner]);
    w.set_time(w.now() + 7 * DAY);
    let (withdraw, seeds) = (w.withdraw_stake(&owner), vec![pool(&w)]);
    all.push(make("withdraw_stake", w, withdraw, vec![owner], CLOCK, seeds));
    let (mut w, _) = funded(DAY, DAY / 2);
    let vault = w.pool_vault();
    w.mint_to(&vault, 1_000);
    let sync = w.sync_rewards();
    all.push(make("sync_rewards", w, sync, vec![], CLOCK, vec![]));
    all
}

fn bonds() -> Vec<Scenario> {
    use instruction::staking::{admit_service, cancel_unbond, set_service};
    use staking::constants::{BOND_SEED, BOND_VAULT_SEED, CLAIM_SIGNER_SEED, SERVICE_SEED};
    let id = staking::ID;
    let bond = |w: &World| Pda::new(&id, &[BOND_SEED, w.north.pubkey().as_ref(), w.mint.as_ref()]);
    let make = staking_scenario;
    let mut all = Vec::new();

    let w = World::new(Kind::Classic);
    let a = w.authority.insecure_clone();
    let admit = admit_service(a.pubkey(), SERVICE, 0);
    let seeds = vec![Pda::new(&id, &[SERVICE_SEED, SERVICE.as_ref()]), Pda::new(&SERVICE, &[CLAIM_SIGNER_SEED])];
    all.push(make("admit_service", w, admit, vec![a], creates(2), seeds));
    let w = World::bonded(Kind::Classic);
    let a = w.authority.insecure_clone();
    let set = set_service(a.pubkey(), SERVICE, false);
    all.push(make("set_service", w, set, vec![a], CLOCK, vec![]));

    let w = World::new(Kind::Classic);
    let north = w.north.insecure_clone();
    let open = w.open_bond(&north, w.north_payout.pubkey());
    let seeds = vec![bond(&w), Pda::new(&id, &[BOND_VAULT_SEED, w.bond_address().as_ref()])];
    all.push(make("open_bond", w, open, vec![north], creates(2), seeds));
    let w = World::bonded(Kind::Classic);
    let alice = w.alice.insecure_clone();
    let deposit = w.deposit_bond(&alice, 5_000);
    all.push(make("deposit_bond", w, deposit, vec![alice], CLOCK, vec![]));
    let unbonding = || {
        let mut w = World::bonded(Kind::Classic);
        let cold = w.north_payout.insecure_clone();
        w.send(&[w.unbond(BOND)], &[&cold]);
        w.set_time(w.now() + 7 * DAY);
        (w, cold)
    };
    let w = World::bonded(Kind::Classic);
    let (unbond, cold) = (w.unbond(BOND), w.north_payout.insecure_clone());
    all.push(make("unbond", w, unbond, vec![cold], CLOCK, vec![]));
    let (w, cold) = unbonding();
    let cancel = cancel_unbond(cold.pubkey(), w.bond_address());
    all.push(make("cancel_unbond", w, cancel, vec![cold], CLOCK, vec![]));
    let (w, cold) = unbonding();
    let (withdraw, seeds) = (w.withdraw_bond(), vec![bond(&w)]);
    all.push(make("withdraw_bond", w, withdraw, vec![cold], CLOCK, seeds));
    let (mut w, cold) = unbonding();
    w.send(&[w.withdraw_bond()], &[&cold]);
    let (close, seeds) = (w.close_bond(), vec![bond(&w)]);
    all.push(make("close_bond", w, close, vec![cold], CLOCK, seeds));
    all
}

/// What a service's program calls, with a key in the place of its PDA: the bench has no program in between.
fn claims() -> Vec<Scenario> {
    use instruction::staking::{lock, release, release_expired, slash};
    use staking::{
        constants::{BOND_SEED, CLAIM_SEED},
        state::Claim,
    };
    let id = staking::ID;
    let make = staking_scenario;
    let bonded = || {
        let mut w = World::bonded(Kind::Classic);
        let signer = w.new_key();
        let at = joule_sdk::pda::service(&SERVICE);
        let (mut account, mut service) = (w.svm.get_account(&at).unwrap(), w.get::<staking::state::Service>(&at));
        service.signer = signer.pubkey();
        account.data[8..].copy_from_slice(bytemuck::bytes_of(&service));
        w.svm.set_account(at, account).unwrap();
        // A subject whose claim is found at once: others cost about 1,500 more for each miss, whatever the program does.
        let subject = std::iter::repeat_with(|| w.new_key().pubkey())
            .find(|s| Pubkey::find_program_address(&[CLAIM_SEED, signer.pubkey().as_ref(), s.as_ref()], &id).1 == 255);
        (w, signer, subject.unwrap())
    };
    let claim =
        |signer: &Keypair, subject: &Pubkey| Pda::new(&id, &[CLAIM_SEED, signer.pubkey().as_ref(), subject.as_ref()]);
    let locks = |w: &World, signer: &Keypair, subject: Pubkey| {
        let until = w.now() + 30 * DAY;
        let mut lock = lock(w.alice.pubkey(), SERVICE, w.bond_address(), subject, 100_000, until);
        lock.accounts[2].pubkey = signer.pubkey();
        lock.accounts[4].pubkey = claim(signer, &subject).address;
        lock
    };
    let locked = || {
        let (mut w, signer, subject) = bonded();
        let alice = w.alice.insecure_clone();
        w.send(&[locks(&w, &signer, subject)], &[&alice, &signer]);
        let address = claim(&signer, &subject).address;
        // Something that was kept, so that there is something to decay.
        w.send(&[release(address, &w.get::<Claim>(&address), 10_000, true)], &[&signer]);
        let state = w.get::<Claim>(&address);
        (w, signer, subject, address, state)
    };
    let mut all = Vec::new();
    let (w, signer, subject) = bonded();
    let (first, alice) = (locks(&w, &signer, subject), w.alice.insecure_clone());
    let seeds = vec![claim(&signer, &subject)];
    all.push(make("lock (first of a subject)", w, first, vec![alice, signer], creates(1), seeds));
    let (w, signer, subject, ..) = locked();
    let (second, alice) = (locks(&w, &signer, subject), w.alice.insecure_clone());
    all.push(make("lock", w, second, vec![alice, signer], CLOCK, vec![]));
    let (mut w, signer, _, address, state) = locked();
    w.set_time(w.now() + DAY);
    let all_of_it = release(address, &state, u64::MAX, true);
    all.push(make("release", w, all_of_it, vec![signer], CLOCK, vec![]));
    let (mut w, _, _, address, state) = locked();
    w.set_time(w.now() + 30 * DAY);
    all.push(make("release_expired", w, release_expired(address, &state), vec![], CLOCK, vec![]));
    let (mut w, signer, _, address, state) = locked();
    w.set_time(w.now() + DAY);
    let half = slash(address, &state, w.fee_vault(), w.token_program, 50_000, true);
    let seeds = vec![Pda::new(&id, &[BOND_SEED, w.north.pubkey().as_ref(), w.mint.as_ref()])];
    all.push(make("slash", w, half, vec![signer], CLOCK, seeds));
    all
}
