//! The registry's instructions.

use super::{Pda, Scene, Syscalls, CLOCK, NONE};
use crate::{Kind, World};
use joule_sdk::{
    instruction::{
        model::{create_model, set_model_status, update_model, Origin},
        registry::*,
    },
    pda,
    registry::{
        self,
        constants::{
            ATTESTATIONS_SEED, ATTESTOR_SEED, EVIDENCE, MODEL_SEED, PRICES_SEED, REQUIREMENTS_NOTICE, REQUIREMENTS_SEED,
        },
        state::{ModelStatus, ProviderStatus, Wanted},
        ID,
    },
    Instruction, Keypair, Pubkey, Signer,
};

pub fn scenes(kind: Kind) -> Vec<Scene> {
    let make = |name, world: World, instruction: Instruction, syscalls| {
        let north = world.north.insecure_clone();
        let seeds = vec![
            Pda::new(&ID, &[registry::constants::PROVIDER_SEED, north.pubkey().as_ref()]),
            Pda::new(&ID, &[joule_events::AUTHORITY_SEED]),
        ];
        Scene { program: "registry", name, world, before: vec![], instruction, signers: vec![north], syscalls, seeds }
    };
    let w = World::governed(kind);
    let north = w.north.pubkey();
    let enrol = register(north, north, w.profile());
    let mut all = vec![make("register", w, enrol, Syscalls { clock: 1, rent: 1, derive: 1, ..NONE })];
    let w = World::new(kind);
    let change = update(north, w.profile());
    all.push(make("update", w, change, CLOCK));
    all.push(make("set_status", World::new(kind), set_status(north, ProviderStatus::Paused), CLOCK));
    all.push(make("retire", World::new(kind), retire(north, north), NONE));
    all.extend(attesting(kind));
    all.extend(models(kind));
    all
}

fn attesting(kind: Kind) -> Vec<Scene> {
    let make = |name, world: World, instruction: Instruction, signers: Vec<Keypair>, syscalls, seeds: &[&[u8]]| {
        let seeds = vec![Pda::new(&ID, seeds), Pda::new(&ID, &[joule_events::AUTHORITY_SEED])];
        Scene { program: "registry", name, world, before: vec![], instruction, signers, syscalls, seeds }
    };
    const CREATE: Syscalls = Syscalls { clock: 1, rent: 1, derive: 1, ..NONE };
    let mut all = Vec::new();
    let admitted = || {
        let mut w = World::governed(kind);
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

    let w = World::governed(kind);
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
    all.push(make("revoke", w, revoke(north, north, subject, 1), vec![key], CLOCK, list));
    let (mut w, ..) = attested();
    w.set_time(statement.expires_at + EVIDENCE as i64);
    all.push(make("close_attestations", w, close_attestations(subject, north), vec![], CLOCK, list));

    let mut w = World::governed(kind);
    let (alice, wanted) = (w.alice.insecure_clone(), Wanted { gpu_count: 1, min_bond: 5, ..Default::default() });
    let define = define_requirements(alice.pubkey(), alice.pubkey(), wanted);
    let (client, hash) = (alice.pubkey(), wanted.hash());
    let named: &[&[u8]] = &[REQUIREMENTS_SEED, client.as_ref(), &hash];
    let syscalls = Syscalls { clock: 0, hashes: &[582], ..CREATE };
    all.push(make(
        "define_requirements",
        World::governed(kind),
        define.clone(),
        vec![w.alice.insecure_clone()],
        syscalls,
        named,
    ));
    w.send(&[define], &[&alice]);
    let retire = retire_requirements(client, &hash);
    all.push(make("retire_requirements", w, retire.clone(), vec![alice.insecure_clone()], CLOCK, named));
    let mut w = World::governed(kind);
    w.send(&[define_requirements(client, client, wanted), retire], &[&alice]);
    w.set_time(w.now() + REQUIREMENTS_NOTICE as i64);
    let at = pda::requirements(&client, &hash);
    let close = close_requirements(at, &w.get(&at));
    all.push(make("close_requirements", w, close, vec![], CLOCK, named));
    all
}

fn models(kind: Kind) -> Vec<Scene> {
    let make = |name, world: World, instruction: Instruction, syscalls, seeds: &[&[u8]]| {
        let north = world.north.insecure_clone();
        let seeds = vec![Pda::new(&ID, seeds), Pda::new(&ID, &[joule_events::AUTHORITY_SEED])];
        Scene { program: "registry", name, world, before: vec![], instruction, signers: vec![north], syscalls, seeds }
    };
    const CREATE: Syscalls = Syscalls { clock: 1, rent: 1, derive: 1, ..NONE };
    let mut all = Vec::new();
    let based = || {
        let mut w = World::governed(kind);
        let alice = w.alice.insecure_clone();
        let base = w.model(&alice, None, 500);
        (w, base)
    };
    let derived = || {
        let (mut w, base) = based();
        let north = w.north.insecure_clone();
        let model = w.model(&north, Some(base), 250);
        (w, model)
    };

    let w = World::governed(kind);
    let (north, data) = (w.north.insecure_clone(), w.guardian.pubkey());
    let (own, profile, id) = (north.pubkey(), w.model_profile(north.pubkey()), 7u64.to_le_bytes());
    let seeds: &[&[u8]] = &[MODEL_SEED, own.as_ref(), &id];
    let create = |base| create_model(own, own, Origin { id: 7, base, royalty_bps: 250 }, profile);
    all.push(make("create_model", w, create(None), CREATE, seeds));
    let (w, base) = based();
    all.push(make("create_model (derived)", w, create(Some(base)), CREATE, seeds));
    let (w, model) = derived();
    all.push(make("update_model", w, update_model(own, model, profile), CLOCK, seeds));
    let (w, model) = derived();
    all.push(make("set_model_status", w, set_model_status(own, model, ModelStatus::Retired), CLOCK, seeds));

    // Of numbers that the creator has chosen for a bump of 255.
    let chosen = |base: Option<Pubkey>, mut w: World| loop {
        let model = w.model(&north, base, 250);
        if Pubkey::find_program_address(&[PRICES_SEED, model.as_ref(), &1u32.to_le_bytes()], &ID).1 == u8::MAX {
            return (w, model);
        }
    };
    let version = 1u32.to_le_bytes();
    let (mut w, model) = chosen(None, World::governed(kind));
    let publish = w.publish(&north, model, &w.listing(&[]));
    all.push(make("publish_prices", w, publish, CREATE, &[PRICES_SEED, model.as_ref(), &version]));
    // For the lineage, the creator and an owner of data.
    let (w, base) = based();
    let (mut w, model) = chosen(Some(base), w);
    let publish = w.publish(&north, model, &w.listing(&[(data, 300)]));
    all.push(make("publish_prices (derived)", w, publish, CREATE, &[PRICES_SEED, model.as_ref(), &version]));
    all
}
