//! Stakes and the rewards they share.

use super::{treasury::governor, Action};
use crate::{cast::Token, chain, model::Share, stage::Stage};
use joule_sdk::{
    instruction::staking::{self as instruction, StakeAccounts},
    staking::state::{Pool, Stake},
    Instruction, Pubkey,
};
use joule_tests::staking::PARAMS;

pub const ACTIONS: &[Action] = &[
    Action { name: "stake: add", weight: 8, plan: add },
    Action { name: "stake: extend", weight: 3, plan: extend },
    Action { name: "stake: refresh", weight: 3, plan: refresh },
    Action { name: "stake: unstake", weight: 6, plan: unstake },
    Action { name: "stake: withdraw", weight: 6, plan: withdraw },
    Action { name: "stake: claim", weight: 6, plan: claim },
    Action { name: "pool: sync", weight: 5, plan: sync },
    Action { name: "pool: update", weight: 1, plan: update },
];

/// A stake that fits, most often: its token, its address and its state.
fn stake(stage: &mut Stage, fits: impl Fn(&Share, i64) -> bool) -> Option<(usize, Pubkey, Share)> {
    let (token, is_strict) = (stage.rng.usize(..2), stage.chance(92));
    let pool = stage.model.pools.get(&stage.cast.tokens[token].pool)?;
    let all = pool.stakes.iter().filter(|(_, share)| !is_strict || fits(share, stage.now));
    let all: Vec<(Pubkey, Share)> = all.map(|(address, share)| (*address, *share)).collect();
    let (address, share) = stage.pick(&all)?;
    Some((token, address, share))
}

/// The owner, or now and then a thief.
fn owner(stage: &mut Stage, share: &Share) -> Pubkey {
    let thief = stage.person();
    if stage.chance(96) {
        share.owner
    } else {
        stage.cast.people[thief].hot
    }
}

fn lock(stage: &mut Stage) -> u32 {
    match stage.rng.u32(..20) {
        0 => PARAMS.max_lock + 1,
        1..=2 => PARAMS.max_lock,
        3..=9 => 0,
        _ => stage.rng.u32(..200_000),
    }
}

fn add(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (person, sponsor, token) = (stage.person(), stage.person(), stage.rng.usize(..2));
    let owner = stage.cast.people[person].hot;
    let payer = if stage.chance(80) { owner } else { stage.cast.people[sponsor].hot };
    let source = stage.account_of(&owner, token);
    let Token { mint, program, .. } = stage.cast.tokens[token];
    let amount = if stage.chance(95) { stage.rng.u64(1_000..20_000_000) } else { stage.rng.u64(..3) };
    let accounts = StakeAccounts { payer, owner, source, mint, token_program: program };
    Some(vec![instruction::stake(accounts, amount, lock(stage))])
}

fn extend(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (token, _, share) = stake(stage, |share, _| share.amount > 0)?;
    let (owner, lock) = (owner(stage, &share), lock(stage));
    Some(vec![instruction::extend_lock(owner, stage.cast.tokens[token].mint, lock)])
}

fn refresh(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (token, _, share) = stake(stage, |_, _| true)?;
    Some(vec![instruction::refresh_stake(share.owner, stage.cast.tokens[token].mint)])
}

fn unstake(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (token, _, share) = stake(stage, |share, now| share.amount > 0 && now >= share.lock_end)?;
    let owner = owner(stage, &share);
    let amount = match stage.rng.u32(..20) {
        0 => share.amount + 1,
        1..=9 => share.amount,
        _ => stage.rng.u64(..=share.amount),
    };
    Some(vec![instruction::unstake(owner, stage.cast.tokens[token].mint, amount)])
}

/// Where what is paid out goes: to the owner, or back into the vault it comes from.
fn destination(stage: &mut Stage, owner: &Pubkey, token: usize) -> Pubkey {
    if stage.chance(97) {
        stage.account_of(owner, token)
    } else {
        stage.cast.tokens[token].pool_vault
    }
}

fn withdraw(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let may =
        |share: &Share, now: i64| (share.cooling > 0 && now >= share.cools_at) || share.amount + share.cooling == 0;
    let (token, address, share) = stake(stage, may)?;
    let to = destination(stage, &share.owner, token);
    let state: Stake = chain::read(&stage.svm, &address)?;
    let Token { mint, program, .. } = stage.cast.tokens[token];
    Some(vec![instruction::withdraw_stake(&state, mint, to, program)])
}

fn claim(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (token, _, share) = stake(stage, |_, _| true)?;
    let (owner, to) = (owner(stage, &share), destination(stage, &share.owner, token));
    let Token { mint, program, .. } = stage.cast.tokens[token];
    Some(vec![instruction::claim_rewards(owner, mint, to, program)])
}

fn sync(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let token = stage.rng.usize(..2);
    let has_gifts = stage.model.pools.get(&stage.cast.tokens[token].pool).is_some_and(|pool| pool.gifts > 0);
    (has_gifts || stage.chance(5)).then(|| vec![instruction::sync_rewards(stage.cast.tokens[token].mint)])
}

fn update(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (authority, token) = (governor(stage), stage.rng.usize(..2));
    let Token { mint, pool, .. } = stage.cast.tokens[token];
    chain::read::<Pool>(&stage.svm, &pool)?;
    let mut params = PARAMS;
    params.cool_down = stage.rng.u32(..1_000_000);
    params.drip = stage.rng.u32(60_000..200_000);
    params.tiers[0].discount_bps = stage.rng.u16(..1_100);
    Some(vec![instruction::update_pool(authority, mint, params)])
}
