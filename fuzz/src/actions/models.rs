//! Models are made, derived from, retired and brought back, and prices published for them.

use super::Action;
use crate::{chain, model::Card, stage::Stage};
use joule_sdk::{
    instruction::model::{self as instruction, Origin},
    registry::state::{Listing, Model, ModelProfile, ModelStatus, Part},
    Instruction, Pubkey,
};

pub const ACTIONS: &[Action] = &[
    Action { name: "models::create", weight: 3, plan: create },
    Action { name: "models::update", weight: 1, plan: update },
    Action { name: "models::set_status", weight: 1, plan: set_status },
    Action { name: "models::publish", weight: 4, plan: publish },
];

fn any(stage: &mut Stage) -> Option<(Pubkey, Card)> {
    let all: Vec<Pubkey> = stage.model.cards.keys().copied().collect();
    let address = stage.pick(&all)?;
    Some((address, stage.model.cards.get(&address)?.clone()))
}

fn stated(payout_owner: Pubkey) -> ModelProfile {
    ModelProfile { payout_owner, endpoint_hash: [1; 32], metadata_hash: [2; 32] }
}

fn create(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (person, sponsor) = (stage.person(), stage.person());
    let base = if stage.chance(60) { any(stage).map(|(address, _)| address) } else { None };
    let royalty_bps = if stage.chance(95) { stage.rng.u16(..1_500) } else { stage.rng.u16(..) };
    // Few numbers, so that some are used already.
    let origin = Origin { id: stage.rng.u64(..2_000), base, royalty_bps };
    let people = &stage.cast.people;
    let profile = stated(people[person].cold);
    Some(vec![instruction::create_model(people[sponsor].hot, people[person].hot, origin, profile)])
}

fn update(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let ((address, card), person) = (any(stage)?, stage.person());
    Some(vec![instruction::update_model(card.creator, address, stated(stage.cast.people[person].cold))])
}

fn set_status(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (address, card) = any(stage)?;
    let status = if stage.chance(85) { ModelStatus::Active } else { ModelStatus::Retired };
    Some(vec![instruction::set_model_status(card.creator, address, status)])
}

fn publish(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let ((address, card), token) = (any(stage)?, stage.rng.usize(..2));
    let token = stage.cast.tokens[token];
    let parts = (0..stage.rng.usize(..4)).map(|_| {
        let owner = stage.person();
        Part { owner: stage.cast.people[owner].cold, bps: stage.rng.u16(1..400) }
    });
    let mut parts: Vec<Part> = parts.collect();
    // A share that goes into somebody's deposit: a gift there, and no channel of that payer's may have it.
    let wallets = stage.model.wallets.iter().filter(|(_, wallet)| wallet.payer.mint == token.mint);
    let wallets: Vec<(Pubkey, Pubkey)> = wallets.map(|(payer, wallet)| (*payer, wallet.payer.vault)).collect();
    let gifted = if stage.chance(8) { stage.pick(&wallets) } else { None };
    parts.extend(gifted.map(|(owner, _)| Part { owner, bps: stage.rng.u16(1..400) }));
    let creator_bps = stage.rng.u16(..3_000);
    let per_million_output = if stage.chance(80) { stage.rng.u64(..3_000_000) } else { 0 };
    let listing = Listing { per_request: 10, per_million_output, creator_bps, parts, ..Listing::default() };
    let state: Model = chain::read(&stage.svm, &address)?;
    let mut accounts = instruction::share_accounts(&state, &listing, &token.mint, &token.program);
    if let (Some((_, vault)), Some(last)) = (gifted, accounts.last_mut()) {
        *last = vault;
    }
    // A thief that puts its own account into the place of somebody else's.
    if !accounts.is_empty() && stage.chance(10) {
        let (place, thief) = (stage.rng.usize(..accounts.len()), stage.person());
        accounts[place] = stage.cast.holders[thief].accounts[0][0];
    }
    let version = card.lists.len() as u32 + if stage.chance(97) { 1 } else { stage.rng.u32(..3) };
    let (sponsor, mint) = (stage.person(), token.mint);
    let payer = stage.cast.people[sponsor].hot;
    Some(vec![instruction::publish_prices(payer, card.creator, address, mint, version, listing, &accounts)])
}
