//! Providers come, change, pause and go; what others say about them, and what clients want of them.

use super::{treasury::governor, Action};
use crate::{
    chain,
    stage::{profile, Stage},
};
use joule_sdk::{
    instruction::registry as instruction,
    instruction::registry::Statement,
    pda,
    registry::constants::REQUIREMENTS_NOTICE,
    registry::state::{Attestations, Credential, Provider, ProviderStatus, Requirements, Wanted},
    Instruction, Pubkey,
};

pub const ACTIONS: &[Action] = &[
    Action { name: "registry::register", weight: 8, plan: register },
    Action { name: "registry::update", weight: 4, plan: update },
    Action { name: "registry::set_status", weight: 6, plan: set_status },
    Action { name: "registry::retire", weight: 2, plan: retire },
    Action { name: "registry::attest", weight: 5, plan: attest },
    Action { name: "registry::revoke", weight: 1, plan: revoke },
    Action { name: "registry::close_attestations", weight: 2, plan: close_attestations },
    Action { name: "registry::set_attestor", weight: 2, plan: set_attestor },
    Action { name: "registry::define", weight: 3, plan: define },
    Action { name: "registry::retire_requirements", weight: 1, plan: retire_requirements },
    Action { name: "registry::close_requirements", weight: 3, plan: close_requirements },
];

fn register(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (person, sponsor, owner) = (stage.person(), stage.person(), stage.person());
    let people = &stage.cast.people;
    let owner = if owner == 0 { people[person].hot } else { people[person].cold };
    Some(vec![instruction::register(people[sponsor].hot, people[person].hot, profile(owner))])
}

fn update(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (person, owner) = (stage.person(), stage.person());
    let owner = if stage.chance(80) { person } else { owner };
    let people = &stage.cast.people;
    let (cold, mint) = (people[owner].cold, stage.cast.tokens[owner % 2].mint);
    let owner = if stage.rng.u32(..10) == 0 { pda::bond(&people[person].hot, &mint) } else { cold };
    let mut changed = profile(owner);
    changed.capacity = stage.rng.u32(..5);
    Some(vec![instruction::update(people[person].hot, changed)])
}

fn set_status(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let status = if stage.chance(93) { ProviderStatus::Active } else { ProviderStatus::Paused };
    let person = stage.person();
    Some(vec![instruction::set_status(stage.cast.people[person].hot, status)])
}

fn retire(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let person = stage.person();
    let person = &stage.cast.people[person];
    let rent_payer = chain::read::<Provider>(&stage.svm, &person.provider).map_or(person.hot, |p| p.rent_payer);
    Some(vec![instruction::retire(person.hot, rent_payer)])
}

fn attest(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (person, attestor, sponsor) = (stage.person(), stage.cast.attestors[stage.rng.usize(..2)], stage.person());
    let payer = if stage.chance(70) { attestor } else { stage.cast.people[sponsor].hot };
    let subject = stage.cast.people[person].hot;
    let expires_at = stage.now + stage.rng.i64(-10..2_000_000);
    let statement = Statement { subject, schema: stage.rng.u32(..20).min(2), value_hash: [0; 32], expires_at };
    Some(vec![instruction::attest(payer, attestor, statement)])
}

fn attested(stage: &mut Stage) -> Option<(Pubkey, Attestations)> {
    let all = stage.model.papers.keys().filter_map(|address| Some((*address, chain::read(&stage.svm, address)?)));
    let all: Vec<(Pubkey, Attestations)> = all.collect();
    stage.pick(&all)
}

fn revoke(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (_, found) = attested(stage)?;
    let (attestor, schema) = (stage.cast.attestors[stage.rng.usize(..2)], stage.rng.u32(1..3));
    let signer = if stage.chance(80) { attestor } else { governor(stage) };
    Some(vec![instruction::revoke(signer, attestor, found.subject, schema)])
}

fn close_attestations(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (_, found) = attested(stage)?;
    Some(vec![instruction::close_attestations(found.subject, found.rent_payer)])
}

fn set_attestor(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let attestor = stage.cast.attestors[stage.rng.usize(..2)];
    let enabled = stage.chance(90);
    Some(vec![instruction::set_attestor(governor(stage), attestor, enabled)])
}

fn define(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (person, sponsor, allowed) = (stage.person(), stage.person(), stage.person());
    let credential = |place: usize| Credential { attestor: pda::attestor(&stage.cast.attestors[place]), schema: 0 };
    let mut wanted = Wanted::default();
    match stage.rng.u32(..5) {
        0 => wanted.min_bond = stage.rng.u64(1..200_000_000),
        1 => wanted.all_of[0] = credential(0),
        2 => wanted.any_of[..2].copy_from_slice(&[credential(0), credential(1)]),
        3 => wanted.allowed[0] = stage.cast.people[allowed].provider,
        _ => wanted.gpu_count = stage.rng.u16(..2),
    }
    let people = &stage.cast.people;
    Some(vec![instruction::define_requirements(people[sponsor].hot, people[person].hot, wanted)])
}

fn requirements(stage: &mut Stage, fits: impl Fn(&Requirements) -> bool) -> Option<(Pubkey, Requirements)> {
    let is_strict = stage.chance(92);
    let papers = stage.model.papers.keys().filter_map(|at| Some((*at, chain::read::<Requirements>(&stage.svm, at)?)));
    let all: Vec<(Pubkey, Requirements)> = papers.filter(|(_, found)| !is_strict || fits(found)).collect();
    stage.pick(&all)
}

fn retire_requirements(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (_, found) = requirements(stage, |found| !found.is_retired())?;
    Some(vec![instruction::retire_requirements(found.client, &found.criteria.hash())])
}

fn close_requirements(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let now = stage.now;
    let is_over =
        |found: &Requirements| found.is_retired() && now >= found.retired_at.get() + REQUIREMENTS_NOTICE as i64;
    let (address, found) = requirements(stage, is_over)?;
    Some(vec![instruction::close_requirements(address, &found)])
}
