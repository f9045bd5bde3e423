//! Whoever governs, and whoever would like to.

use super::Action;
use crate::{chain, stage::Stage};
use joule_sdk::{instruction::treasury as instruction, Instruction, Pubkey};

pub const ACTIONS: &[Action] = &[
    Action { name: "treasury::set_fee", weight: 3, plan: set_fee },
    Action { name: "treasury::pause", weight: 1, plan: pause },
    Action { name: "treasury::unpause", weight: 24, plan: unpause },
    Action { name: "treasury::update_mint", weight: 3, plan: update_mint },
    Action { name: "treasury::withdraw_fees", weight: 4, plan: withdraw_fees },
    Action { name: "treasury::propose_authority", weight: 2, plan: propose_authority },
    Action { name: "treasury::accept_authority", weight: 2, plan: accept_authority },
    Action { name: "treasury::set_guardian", weight: 1, plan: set_guardian },
];

/// The authority, or now and then somebody who is not.
fn governor(stage: &mut Stage) -> Pubkey {
    let thief = stage.person();
    match stage.protocol() {
        Some(protocol) if !stage.chance(15) => protocol.authority,
        _ => stage.cast.people[thief].hot,
    }
}

fn set_fee(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (authority, service) = (governor(stage), if stage.chance(80) { 0 } else { stage.rng.u8(..6) });
    Some(vec![instruction::set_fee(authority, service, stage.rng.u16(..2_200))])
}

fn pause(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let guardian = stage.protocol()?.guardian;
    let who = if stage.chance(50) { guardian } else { governor(stage) };
    Some(vec![instruction::pause(who, 0)])
}

fn unpause(stage: &mut Stage) -> Option<Vec<Instruction>> {
    (stage.protocol()?.paused != 0 || stage.chance(3)).then(|| vec![instruction::unpause(governor(stage), 0)])
}

fn update_mint(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (authority, token, enabled) = (governor(stage), stage.rng.usize(..2), stage.chance(90));
    let minimum = stage.rng.u64(..2_000);
    Some(vec![instruction::update_mint(authority, stage.cast.tokens[token].mint, enabled, minimum)])
}

fn withdraw_fees(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (authority, token) = (governor(stage), stage.rng.usize(..2));
    let destination = match stage.job(&[]) {
        Some((_, job)) if stage.chance(5) => job.vault,
        _ => stage.any_account(token),
    };
    let token = &stage.cast.tokens[token];
    let there = chain::purse(&stage.svm, &token.fee_vault).map_or(0, |purse| purse.amount);
    let amount = stage.rng.u64(..there.saturating_add(2));
    Some(vec![instruction::withdraw_fees(authority, token.mint, destination, token.program, amount)])
}

fn propose_authority(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let next = if stage.chance(50) { stage.cast.deputy } else { stage.cast.authority };
    Some(vec![instruction::propose_authority(governor(stage), next)])
}

fn accept_authority(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let pending = stage.protocol()?.pending_authority;
    let next = if pending == Pubkey::default() { stage.cast.deputy } else { pending };
    Some(vec![instruction::accept_authority(next)])
}

fn set_guardian(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let guardian = if stage.chance(50) { stage.cast.guardian } else { stage.cast.deputy };
    Some(vec![instruction::set_guardian(governor(stage), guardian)])
}
