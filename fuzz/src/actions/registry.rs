//! Providers come, change, pause and go.

use super::Action;
use crate::{
    chain,
    stage::{profile, Stage},
};
use joule_sdk::{
    instruction::registry as instruction,
    registry::state::{Provider, ProviderStatus},
    Instruction,
};

pub const ACTIONS: &[Action] = &[
    Action { name: "registry::register", weight: 8, plan: register },
    Action { name: "registry::update", weight: 4, plan: update },
    Action { name: "registry::set_status", weight: 6, plan: set_status },
    Action { name: "registry::retire", weight: 2, plan: retire },
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
    let mut changed = profile(people[owner].cold);
    changed.capacity = stage.rng.u32(..5);
    Some(vec![instruction::update(people[person].hot, changed)])
}

fn set_status(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let status = if stage.chance(85) { ProviderStatus::Active } else { ProviderStatus::Paused };
    let person = stage.person();
    Some(vec![instruction::set_status(stage.cast.people[person].hot, status)])
}

fn retire(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let person = stage.person();
    let person = &stage.cast.people[person];
    let rent_payer = chain::read::<Provider>(&stage.svm, &person.provider).map_or(person.hot, |p| p.rent_payer);
    Some(vec![instruction::retire(person.hot, rent_payer)])
}
