//! Whoever governs, and whoever would like to.

use super::Action;
use crate::{
    cast::Token,
    chain,
    model::{BILLING, ESCROW, SERVICES},
    stage::Stage,
};
use joule_sdk::{
    instruction::treasury as instruction,
    treasury::state::AcceptedMint,
    units::{Amount, Breaker, Seconds},
    Instruction, Pubkey,
};

pub const ACTIONS: &[Action] = &[
    Action { name: "treasury::stage_fee", weight: 3, plan: stage_fee },
    Action { name: "treasury::apply_fee", weight: 5, plan: apply_fee },
    Action { name: "treasury::cancel_fee", weight: 1, plan: cancel_fee },
    Action { name: "treasury::pause", weight: 1, plan: pause },
    Action { name: "treasury::unpause", weight: 24, plan: unpause },
    Action { name: "treasury::update_mint", weight: 3, plan: update_mint },
    Action { name: "treasury::withdraw_fees", weight: 4, plan: withdraw_fees },
    Action { name: "treasury::set_rewards", weight: 3, plan: set_rewards },
    Action { name: "treasury::share_fees", weight: 6, plan: share_fees },
    Action { name: "treasury::set_breaker", weight: 2, plan: set_breaker },
    Action { name: "treasury::apply_breaker", weight: 3, plan: apply_breaker },
    Action { name: "treasury::propose_authority", weight: 2, plan: propose_authority },
    Action { name: "treasury::accept_authority", weight: 2, plan: accept_authority },
    Action { name: "treasury::set_guardian", weight: 1, plan: set_guardian },
];

/// The authority, or now and then somebody who is not.
pub fn governor(stage: &mut Stage) -> Pubkey {
    let thief = stage.person();
    match stage.protocol() {
        Some(protocol) if !stage.chance(15) => protocol.authority,
        _ => stage.cast.people[thief].hot,
    }
}

fn stage_fee(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let protocol = stage.protocol()?;
    let (authority, service) = (governor(stage), service(stage));
    let present = protocol.fee_bps[service as usize].get();
    let fee = (present + stage.rng.u16(..210)).saturating_sub(105);
    Some(vec![instruction::stage_fee(authority, service, fee)])
}

fn apply_fee(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let service = service(stage);
    let at = stage.protocol()?.staged_fee_at[service as usize].get();
    (at != 0 && stage.now >= at || stage.chance(4)).then(|| vec![instruction::apply_fee(service)])
}

/// Escrow or billing, or now and then one that there is not.
fn service(stage: &mut Stage) -> u8 {
    match stage.rng.u32(..20) {
        0 => stage.rng.u8(..6),
        1..=11 => ESCROW as u8,
        _ => BILLING as u8,
    }
}

fn cancel_fee(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let service = service(stage);
    Some(vec![instruction::cancel_fee(governor(stage), service)])
}

/// Of one of the two tokens: the mint, its program, and what the treasury says about it.
fn token(stage: &mut Stage) -> Option<(Pubkey, Pubkey, AcceptedMint)> {
    let token = stage.rng.usize(..2);
    let Token { mint, program, accepted, .. } = stage.cast.tokens[token];
    Some((mint, program, chain::read(&stage.svm, &accepted)?))
}

fn set_rewards(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (authority, (mint, _, accepted)) = (governor(stage), token(stage)?);
    let number = stage.cast.token(&mint)?;
    let (vault, share) = match stage.rng.u32(..10) {
        0 => (Pubkey::default(), 0),
        1 => (stage.any_account(number), stage.rng.u16(..10_100)),
        _ => (stage.cast.tokens[number].pool_vault, stage.rng.u16(..6_000)),
    };
    let share_fees = instruction::share_fees(mint, accepted.reward_vault, stage.cast.tokens[number].program);
    let set = instruction::set_rewards(authority, mint, accepted.reward_vault, vault, share);
    // What is owed until now must have been sent.
    let is_owed = accepted.owed_rewards.get() > 0;
    Some(if is_owed { vec![share_fees, set] } else { vec![set] })
}

fn share_fees(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (mint, program, accepted) = token(stage)?;
    let has_vault = accepted.reward_vault != Pubkey::default();
    (has_vault || stage.chance(5)).then(|| vec![instruction::share_fees(mint, accepted.reward_vault, program)])
}

fn set_breaker(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (authority, (mint, ..)) = (governor(stage), token(stage)?);
    let (limit, window) = (stage.rng.u64(100_000..5_000_000), stage.rng.u32(3_000..300_000));
    Some(vec![instruction::set_breaker(
        authority,
        mint,
        Breaker { limit: Amount::new(limit), window: Seconds::new(window) },
    )])
}

fn apply_breaker(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (mint, _, accepted) = token(stage)?;
    let at = accepted.staged_at.get();
    (at != 0 && stage.now >= at || stage.chance(4)).then(|| vec![instruction::apply_breaker(mint)])
}

fn pause(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let guardian = stage.protocol()?.guardian;
    let who = if stage.chance(50) { guardian } else { governor(stage) };
    Some(vec![instruction::pause(who, service(stage))])
}

fn unpause(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let now = stage.now;
    let paused = (ESCROW..SERVICES).find(|service| stage.model.governed.services[*service].paused_until > now);
    let service = paused.map_or_else(|| service(stage), |service| service as u8);
    // Some look in vain for a while, and some try what must not be.
    let may = if paused.is_some() { stage.chance(40) } else { stage.chance(3) };
    may.then(|| vec![instruction::unpause(governor(stage), service)])
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
    let there = chain::purse(&stage.svm, &token.fee_vault).map_or(0, |purse| purse.amount / 50);
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
