//! The staking program's instructions.

use super::{Pda, Scene, Syscalls, CLOCK};
use crate::{
    staking::{BOND, DAY, PARAMS, SERVICE, SERVICE_NUMBER},
    Kind, World,
};
use joule_sdk::{instruction, pda, staking, Instruction, Keypair, Pubkey, Signer};

pub fn scenes(kind: Kind) -> Vec<Scene> {
    let mut all = pools(kind);
    all.extend(bonds(kind));
    all.extend(claims(kind));
    all
}

/// `seeds` begin with those of the accounts that are created.
fn scene(
    name: &'static str,
    world: World,
    instruction: Instruction,
    signers: Vec<Keypair>,
    syscalls: Syscalls,
    mut seeds: Vec<Pda>,
) -> Scene {
    seeds.push(Pda::new(&staking::ID, &[joule_events::AUTHORITY_SEED]));
    Scene { program: "staking", name, world, before: vec![], instruction, signers, syscalls, seeds }
}

const fn creates(derive: usize) -> Syscalls {
    Syscalls { clock: 1, rent: 1, derive, hashes: &[] }
}

fn pools(kind: Kind) -> Vec<Scene> {
    use instruction::staking::{create_pool, update_pool};
    use staking::constants::{POOL_SEED, POOL_VAULT_SEED, STAKE_SEED};
    let id = staking::ID;
    let pool = |w: &World| Pda::new(&id, &[POOL_SEED, w.mint.as_ref()]);
    let make = scene;
    let mut all = Vec::new();

    let w = World::unbonded(kind);
    let a = w.authority.insecure_clone();
    let create = create_pool(a.pubkey(), w.mint, w.token_program, PARAMS);
    let seeds = vec![pool(&w), Pda::new(&id, &[POOL_VAULT_SEED, w.pool_address().as_ref()])];
    all.push(make("create_pool", w, create, vec![a], creates(2), seeds));
    let w = World::pooled(kind);
    let a = w.authority.insecure_clone();
    let update = update_pool(a.pubkey(), w.mint, PARAMS);
    all.push(make("update_pool", w, update, vec![a], CLOCK, vec![]));

    let mut w = World::pooled(kind);
    let owner = w.holder(10_000);
    let stake = w.stake(&owner, 10_000, 30 * DAY);
    let seeds = vec![Pda::new(&id, &[STAKE_SEED, w.pool_address().as_ref(), owner.pubkey().as_ref()])];
    all.push(make("stake (first of an owner)", w, stake, vec![owner], creates(1), seeds));
    let funded = |lock: i64, wait: i64| {
        let mut w = World::pooled(kind);
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
    let mut w = World::pooled(kind);
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

fn bonds(kind: Kind) -> Vec<Scene> {
    use instruction::staking::{admit_service, cancel_unbond};
    use staking::constants::{BOND_SEED, BOND_VAULT_SEED, CLAIM_SIGNER_SEED, SERVICE_SEED};
    let id = staking::ID;
    let bond = |w: &World| Pda::new(&id, &[BOND_SEED, w.north.pubkey().as_ref(), w.mint.as_ref()]);
    let make = scene;
    let mut all = Vec::new();

    let w = World::unbonded(kind);
    let a = w.authority.insecure_clone();
    let admit = admit_service(a.pubkey(), SERVICE, SERVICE_NUMBER);
    let seeds = vec![Pda::new(&id, &[SERVICE_SEED, &[SERVICE_NUMBER]]), Pda::new(&SERVICE, &[CLAIM_SIGNER_SEED])];
    all.push(make("admit_service", w, admit, vec![a], creates(2), seeds));
    let w = World::bonded(kind);
    let north = w.north.insecure_clone();
    let name = w.name_service(&north, SERVICE_NUMBER, true);
    all.push(make("name_service", w, name, vec![north], CLOCK, vec![]));

    let w = World::unbonded(kind);
    let north = w.north.insecure_clone();
    let open = w.open_bond(&north, w.north_payout.pubkey());
    let seeds = vec![bond(&w), Pda::new(&id, &[BOND_VAULT_SEED, w.bond_address().as_ref()])];
    all.push(make("open_bond", w, open, vec![north], creates(2), seeds));
    let w = World::bonded(kind);
    let alice = w.alice.insecure_clone();
    let deposit = w.deposit_bond(&alice, 5_000);
    all.push(make("deposit_bond", w, deposit, vec![alice], CLOCK, vec![]));
    let unbonding = || {
        let mut w = World::bonded(kind);
        let cold = w.north_payout.insecure_clone();
        w.send(&[w.unbond(BOND)], &[&cold]);
        w.set_time(w.now() + 7 * DAY);
        (w, cold)
    };
    let w = World::bonded(kind);
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
fn claims(kind: Kind) -> Vec<Scene> {
    use instruction::staking::{lock, release, release_expired, slash};
    use staking::{
        constants::{BOND_SEED, CLAIM_SEED},
        state::Claim,
    };
    let id = staking::ID;
    let make = scene;
    let bonded = || {
        let mut w = World::bonded(kind);
        let signer = w.new_key();
        let at = pda::service(SERVICE_NUMBER);
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
        let service = (SERVICE, SERVICE_NUMBER);
        let mut lock = lock(w.alice.pubkey(), service, w.bond_address(), subject, 100_000, until);
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
        w.send(&[release(address, &w.get::<Claim>(&address), 10_000, 10_000)], &[&signer]);
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
    let all_of_it = release(address, &state, u64::MAX, u64::MAX);
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
