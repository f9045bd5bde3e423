//! Every instruction in the state that it is normally run in.

use joule_sdk::{
    escrow, instruction, pda,
    registry::{
        self,
        state::{ProviderStatus, Wanted},
    },
    treasury,
    units::{Amount, Breaker},
    Instruction, Keypair, Pubkey, Signer,
};
use joule_tests::{Kind, World, BREAKER};

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
    let accept = accept_mint(a.pubkey(), mint, w.token_program, 1, BREAKER);
    all.push(make("accept_mint", w, accept, a, Syscalls { clock: 0, rent: 1, derive: 2 }, created));

    // One step by the authority, after others that only prepare it; `wait` in seconds lies between.
    let governed =
        |name, syscalls, before: &[&dyn Fn(&World) -> Instruction], wait, build: &dyn Fn(&World) -> Instruction| {
            let mut w = World::governed(Kind::Classic);
            let a = w.authority.insecure_clone();
            for earlier in before {
                let earlier = earlier(&w);
                w.send(&[earlier], &[&a]);
            }
            w.set_time(w.now() + wait);
            let instruction = build(&w);
            let mut scenario = make(name, w, instruction, a, syscalls, vec![]);
            scenario
                .signers
                .retain(|key| scenario.instruction.accounts.iter().any(|m| m.is_signer && m.pubkey == key.pubkey()));
            scenario
        };
    let propose = |w: &World| propose_authority(w.authority.pubkey(), w.alice.pubkey());
    let stage = |w: &World| stage_fee(w.authority.pubkey(), 0, 251);
    let looser = Breaker { limit: Amount::new(u64::MAX), ..BREAKER };
    let tighter = Breaker { limit: Amount::new(1), ..BREAKER };
    let loosen = |w: &World| set_breaker(w.authority.pubkey(), w.mint, looser);
    let stop = |w: &World| pause(w.authority.pubkey(), 0);
    const DELAY: i64 = 2 * 86_400;
    all.push(governed("propose_authority", NONE, &[], 0, &propose));
    all.push(governed("set_guardian", NONE, &[], 0, &|w| set_guardian(w.authority.pubkey(), w.alice.pubkey())));
    all.push(governed("stage_fee", CLOCK, &[], 0, &stage));
    all.push(governed("apply_fee", CLOCK, &[&stage], DELAY, &|_| apply_fee(0)));
    all.push(governed("cancel_fee", NONE, &[&stage], 0, &|w| cancel_fee(w.authority.pubkey(), 0)));
    all.push(governed("update_mint", NONE, &[], 0, &|w| update_mint(w.authority.pubkey(), w.mint, false, 1)));
    all.push(governed("set_breaker (tighter)", CLOCK, &[], 0, &|w| set_breaker(w.authority.pubkey(), w.mint, tighter)));
    all.push(governed("set_breaker (looser)", CLOCK, &[], 0, &loosen));
    all.push(governed("apply_breaker", CLOCK, &[&loosen], DELAY, &|w| apply_breaker(w.mint)));
    all.push(governed("pause", CLOCK, &[], 0, &stop));
    all.push(governed("unpause", CLOCK, &[&stop], 0, &|w| unpause(w.authority.pubkey(), 0)));

    let mut w = World::governed(Kind::Classic);
    let (a, next) = (w.authority.insecure_clone(), w.alice.insecure_clone());
    w.send(&[propose_authority(a.pubkey(), next.pubkey())], &[&a]);
    let accept = accept_authority(next.pubkey());
    all.push(make("accept_authority", w, accept, next, NONE, vec![]));

    let rich = || {
        let mut w = World::new(Kind::Classic);
        let (a, fees, vault) = (w.authority.insecure_clone(), w.fee_vault(), w.alice_tokens());
        w.mint_to(&fees, 10_000);
        let share = set_rewards(a.pubkey(), w.mint, Pubkey::default(), vault, 2_500);
        (w, a, vault, share)
    };
    let (w, a, _, share) = rich();
    all.push(make("set_rewards", w, share, a, NONE, vec![]));
    let (mut w, a, vault, set) = rich();
    w.send(&[set], &[&a]);
    w.mint_to(&pda::fee_vault(&w.mint), 10_000);
    let share = share_fees(w.mint, vault, w.token_program);
    let mut scenario = make("share_fees", w, share, a, CLOCK, vec![]);
    scenario.signers.clear();
    all.push(scenario);
    let (w, a, target, _) = rich();
    let withdraw = withdraw_fees(a.pubkey(), w.mint, target, w.token_program, 50);
    all.push(make("withdraw_fees", w, withdraw, a, CLOCK, vec![]));
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
    all.extend(attesting());
    all
}

fn attesting() -> Vec<Scenario> {
    use instruction::registry::*;
    use registry::constants::{ATTESTATIONS_SEED, ATTESTOR_SEED, REQUIREMENTS_SEED};
    let id = registry::ID;
    let make = |name, world: World, instruction: Instruction, signers: Vec<Keypair>, syscalls, seeds: &[&[u8]]| {
        let seeds = vec![Pda::new(&id, seeds), Pda::new(&id, &[joule_events::AUTHORITY_SEED])];
        Scenario { program: "registry", name, world, instruction, signers, syscalls, seeds }
    };
    const CREATE: Syscalls = Syscalls { clock: 1, rent: 1, derive: 1 };
    let mut all = Vec::new();
    let admitted = || {
        let mut w = World::governed(Kind::Classic);
        let (governor, north, subject) = (w.authority.insecure_clone(), w.north.insecure_clone(), w.alice.pubkey());
        w.send(&[admit_attestor(governor.pubkey(), governor.pubkey(), north.pubkey(), [5; 32])], &[&governor]);
        let statement = Statement { subject, schema: 1, value_hash: [1; 32], expires_at: w.now() + 86_400 };
        (w, north, statement)
    };
    let attested = || {
        let (mut w, north, statement) = admitted();
        w.send(&[attest(north.pubkey(), north.pubkey(), statement)], &[&north]);
        (w, north, statement)
    };

    let w = World::governed(Kind::Classic);
    let (governor, north, subject) = (w.authority.insecure_clone(), w.north.pubkey(), w.alice.pubkey());
    let (own, list): (&[&[u8]], &[&[u8]]) = (&[ATTESTOR_SEED, north.as_ref()], &[ATTESTATIONS_SEED, subject.as_ref()]);
    let admit = admit_attestor(governor.pubkey(), governor.pubkey(), north, [5; 32]);
    all.push(make("admit_attestor", w, admit, vec![governor], CREATE, own));
    let (w, ..) = admitted();
    let governor = w.authority.insecure_clone();
    let set = set_attestor(governor.pubkey(), north, false);
    all.push(make("set_attestor", w, set, vec![governor], NONE, own));

    let (w, key, statement) = admitted();
    let give = attest(north, north, statement);
    all.push(make("attest (first of a subject)", w, give.clone(), vec![key], CREATE, list));
    let (w, key, _) = attested();
    all.push(make("attest", w, give, vec![key], CLOCK, list));
    let (w, key, _) = attested();
    all.push(make("revoke", w, revoke(north, north, subject, 1), vec![key], NONE, list));
    let (mut w, ..) = attested();
    w.set_time(statement.expires_at);
    all.push(make("close_attestations", w, close_attestations(subject, north), vec![], CLOCK, list));

    let mut w = World::governed(Kind::Classic);
    let (alice, wanted) = (w.alice.insecure_clone(), Wanted { gpu_count: 1, min_bond: 5, ..Default::default() });
    let define = define_requirements(alice.pubkey(), alice.pubkey(), wanted);
    let (client, hash) = (alice.pubkey(), wanted.hash());
    let named: &[&[u8]] = &[REQUIREMENTS_SEED, client.as_ref(), &hash];
    let syscalls = Syscalls { clock: 0, ..CREATE };
    all.push(make(
        "define_requirements",
        World::governed(Kind::Classic),
        define.clone(),
        vec![w.alice.insecure_clone()],
        syscalls,
        named,
    ));
    w.send(&[define], &[&alice]);
    let forget = drop_requirements(client, &hash, client);
    all.push(make("drop_requirements", w, forget, vec![alice], NONE, named));
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
