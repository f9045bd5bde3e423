//! Deposits: made, filled, and taken back.

use super::Action;
use crate::{model::Wallet, stage::Stage};
use joule_sdk::{instruction::billing as instruction, pda, Instruction, Pubkey};

pub const ACTIONS: &[Action] = &[
    Action { name: "payer: create", weight: 4, plan: create },
    Action { name: "payer: deposit", weight: 12, plan: deposit },
    Action { name: "payer: reclaim", weight: 4, plan: reclaim },
];

/// A payer's address, and what it has when all running plans are paid for up to now.
pub fn wallet(stage: &mut Stage) -> Option<(Pubkey, Wallet)> {
    let all: Vec<Pubkey> = stage.model.wallets.keys().copied().collect();
    let address = stage.pick(&all)?;
    let mut wallet = *stage.model.wallets.get(&address)?;
    wallet.sync(stage.now);
    Some((address, wallet))
}

fn create(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (person, sponsor, token) = (stage.person(), stage.person(), stage.rng.usize(..2));
    let owner = stage.cast.people[person].hot;
    let rent_payer = if stage.chance(70) { owner } else { stage.cast.people[sponsor].hot };
    let (mint, program) = (stage.cast.tokens[token].mint, stage.cast.tokens[token].program);
    let is_there = stage.model.wallets.contains_key(&pda::payer(&owner, &mint));
    (!is_there || stage.chance(3)).then(|| vec![instruction::create_payer(rent_payer, owner, mint, program)])
}

fn deposit(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (payer, wallet) = wallet(stage)?;
    if wallet.free() > 50_000_000 && stage.chance(90) {
        return None;
    }
    let (person, token) = (stage.person(), stage.cast.token(&wallet.payer.mint)?);
    let depositor = if stage.chance(75) { wallet.payer.owner } else { stage.cast.people[person].hot };
    let source = stage.account_of(&depositor, token);
    let amount = if stage.chance(90) { stage.rng.u64(1_000..20_000_000) } else { stage.rng.u64(..1_000) };
    Some(vec![instruction::deposit(depositor, payer, source, stage.cast.tokens[token].program, amount)])
}

fn reclaim(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (_, wallet) = wallet(stage)?;
    let (thief, token) = (stage.person(), stage.cast.token(&wallet.payer.mint)?);
    let owner = if stage.chance(95) { wallet.payer.owner } else { stage.cast.people[thief].hot };
    let to = match stage.rng.u32(..20) {
        0 => wallet.payer.vault,
        1 => super::tokens::some_vault(stage, token),
        2 => stage.any_account(token),
        _ => stage.account_of(&owner, token),
    };
    let free = wallet.free();
    let amount = match stage.rng.u32(..20) {
        0 => free + 1,
        1 => wallet.payer.balance.get(),
        2 => free,
        _ => stage.rng.u64(..=free / 4),
    };
    Some(vec![instruction::reclaim(owner, wallet.payer.mint, to, stage.cast.tokens[token].program, amount)])
}
