//! Bonds: opened, filled, emptied and closed; and claims that have lapsed.

use super::{treasury::governor, Action};
use crate::{
    chain,
    model::{Surety, BILLING, ESCROW},
    stage::Stage,
};
use joule_sdk::{
    instruction::staking as instruction,
    pda,
    staking::state::{Bond, Claim},
    Instruction, Pubkey,
};

/// No more bonds are about to be closed at once.
const LEAVING: usize = 3;

pub const ACTIONS: &[Action] = &[
    Action { name: "bond: open", weight: 6, plan: open },
    Action { name: "bond: deposit", weight: 8, plan: deposit },
    Action { name: "bond: unbond", weight: 8, plan: unbond },
    Action { name: "bond: cancel", weight: 1, plan: cancel },
    Action { name: "bond: withdraw", weight: 7, plan: withdraw },
    Action { name: "bond: close", weight: 8, plan: close },
    Action { name: "claim: lapse", weight: 6, plan: release_expired },
    Action { name: "service: name", weight: 5, plan: name_service },
    Action { name: "service: admit", weight: 1, plan: admit_service },
];

fn bond(stage: &mut Stage, fits: impl Fn(&Surety, i64) -> bool) -> Option<Surety> {
    let is_strict = stage.chance(92);
    let all = stage.model.bonds.values().filter(|bond| !is_strict || fits(bond, stage.now));
    let all: Vec<Surety> = all.copied().collect();
    stage.pick(&all)
}

/// The withdrawer, or now and then the owner or a thief.
fn withdrawer(stage: &mut Stage, bond: &Surety) -> Pubkey {
    let thief = stage.person();
    match stage.rng.u32(..20) {
        0 => stage.cast.people[thief].hot,
        1 => bond.owner,
        _ => bond.withdrawer,
    }
}

fn open(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (person, sponsor, token) = (stage.person(), stage.person(), stage.rng.usize(..2));
    let (owner, cold) = (stage.cast.people[person].hot, stage.cast.people[person].cold);
    let payer = if stage.chance(80) { owner } else { stage.cast.people[sponsor].hot };
    let (mint, program) = (stage.cast.tokens[token].mint, stage.cast.tokens[token].program);
    let withdrawer = if stage.chance(50) { cold } else { owner };
    let address = pda::bond(&owner, &mint);
    if stage.model.bonds.contains_key(&address) && !stage.chance(3) {
        return None;
    }
    let open = instruction::open_bond(payer, owner, mint, program, withdrawer);
    let source = stage.account_of(&owner, token);
    let amount = stage.rng.u64(1_000_000..200_000_000);
    let deposit = instruction::deposit_bond(owner, source, address, mint, program, amount, withdrawer);
    let named = if stage.chance(95) { name_all(owner, address) } else { Vec::new() };
    Some([vec![open, deposit], named].concat())
}

fn deposit(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let leaving = stage.leaving.clone();
    let stays = |bond: &Surety| bond.unbonding == 0 && !leaving.contains(&bond.address);
    let bond = bond(stage, |bond, _| bond.amount < 500_000_000 && stays(bond))?;
    let (person, token) = (stage.person(), stage.cast.token(&bond.mint)?);
    let depositor = if stage.chance(70) { bond.owner } else { stage.cast.people[person].hot };
    let source = stage.account_of(&depositor, token);
    let program = stage.program_of_mint(&bond.mint);
    let amount = stage.rng.u64(..100_000_000);
    let seen = if stage.chance(97) { bond.withdrawer } else { depositor };
    Some(vec![instruction::deposit_bond(depositor, source, bond.address, bond.mint, program, amount, seen)])
}

fn unbond(stage: &mut Stage) -> Option<Vec<Instruction>> {
    // Now and then somebody leaves altogether.
    stage.leaving.retain(|bond| stage.model.bonds.contains_key(bond));
    if stage.leaving.len() < LEAVING && stage.chance(20) {
        let all: Vec<Pubkey> = stage.model.bonds.keys().copied().collect();
        let chosen = stage.pick(&all);
        stage.leaving.extend(chosen);
    }
    let (leaves, leaving) = (stage.chance(50), stage.leaving.clone());
    let bond = bond(stage, |bond, _| {
        let is_free = bond.free().is_some_and(|free| free > 0) && bond.unbonding == 0;
        is_free && (!leaves || leaving.contains(&bond.address))
    })?;
    let free = bond.free().unwrap_or(0);
    let who = withdrawer(stage, &bond);
    let amount = match stage.rng.u32(..20) {
        0 => free + 1,
        1..=3 => free,
        _ if leaving.contains(&bond.address) => free,
        _ => stage.rng.u64(..=free / 4),
    };
    Some(vec![instruction::unbond(who, bond.address, amount)])
}

fn cancel(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let leaving = stage.leaving.clone();
    let bond = bond(stage, |bond, _| bond.unbonding > 0 && !leaving.contains(&bond.address))?;
    Some(vec![instruction::cancel_unbond(withdrawer(stage, &bond), bond.address)])
}

fn withdraw(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let bond = bond(stage, |bond, now| bond.unbonding > 0 && now >= bond.unbonds_at)?;
    let (who, token) = (withdrawer(stage, &bond), stage.cast.token(&bond.mint)?);
    let to = if stage.chance(97) { stage.account_of(&who, token) } else { bond.vault };
    Some(vec![instruction::withdraw_bond(who, bond.address, to, stage.program_of_mint(&bond.mint))])
}

fn close(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let bond = bond(stage, |bond, _| bond.amount == 0 && bond.claims == 0)?;
    let state: Bond = chain::read(&stage.svm, &bond.address)?;
    let to = stage.account_of(&bond.withdrawer, stage.cast.token(&bond.mint)?);
    Some(vec![instruction::close_bond(bond.address, &state, to, stage.program_of_mint(&bond.mint))])
}

fn release_expired(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let is_strict = stage.chance(92);
    let all = stage.model.holds.iter().filter(|(_, hold)| !is_strict || stage.now >= hold.lapses_at());
    let all: Vec<Pubkey> = all.map(|(address, _)| *address).collect();
    let address = stage.pick(&all)?;
    let claim: Claim = chain::read(&stage.svm, &address)?;
    Some(vec![instruction::release_expired(address, &claim)])
}

/// A bond answers to escrow and billing.
pub fn name_all(party: Pubkey, bond: Pubkey) -> Vec<Instruction> {
    [ESCROW, BILLING].map(|number| instruction::name_service(party, bond, number as u8, true)).into()
}

/// Most often one that was not named; and who takes a name back gives it again soon.
fn name_service(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let of = [ESCROW, BILLING][stage.rng.usize(..2)];
    let is_named = stage.chance(92);
    let bond = bond(stage, |bond, _| (bond.services & (1 << of) != 0) != is_named)?;
    let thief = stage.person();
    let party = match stage.rng.u32(..20) {
        0 => stage.cast.people[thief].hot,
        1..=9 => bond.owner,
        _ => bond.withdrawer,
    };
    // Nobody has admitted the others at first.
    let number = if stage.chance(95) { of as u8 } else { stage.rng.u8(..8) };
    Some(vec![instruction::name_service(party, bond.address, number, is_named)])
}

fn admit_service(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let number = stage.rng.u8(..5);
    Some(vec![instruction::admit_service(governor(stage), Pubkey::new_from_array([21; 32]), number)])
}
