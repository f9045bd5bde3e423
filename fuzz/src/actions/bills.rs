//! Bills: backed by providers, divided among everybody who shares in them, and claimed by whoever could not be paid.

use super::{
    channels::{channel, perhaps_robbed},
    Action,
};
use crate::{model::Tab, stage::Stage};
use joule_sdk::{
    billing::{
        constants::{PROTOCOL, PROVIDER},
        state::Channel,
    },
    instruction::billing as instruction,
    Instruction, Pubkey,
};

pub const ACTIONS: &[Action] = &[
    Action { name: "bill: back", weight: 14, plan: back },
    Action { name: "bill: distribute", weight: 36, plan: distribute },
    Action { name: "bill: claim owed", weight: 8, plan: claim_owed },
];

fn back(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let is_unbacked = |tab: &Tab, _: i64| tab.channel.backing_bps.get() > 0 && tab.earned() > tab.channel.backed.get();
    let (address, channel) = channel(stage, is_unbacked)?;
    // Whoever leaves waits until nobody can dispute its bills any more.
    if stage.is_leaving(&channel.authority, &channel.mint) && !stage.chance(10) {
        return None;
    }
    let (channel, sponsor) = (perhaps_robbed(stage, channel), stage.person());
    let rent_payer = if stage.chance(75) { channel.authority } else { stage.cast.people[sponsor].hot };
    Some(vec![instruction::back(rent_payer, address, &channel)])
}

fn distribute(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let has_something = |tab: &Tab, now: i64| {
        let is_new = tab.earned() > tab.channel.paid.get() || tab.collectable(now) > tab.channel.collected.get();
        is_new || tab.owes()
    };
    let (address, mut channel) = channel(stage, has_something)?;
    let list = stage.model.list(&channel.prices)?;
    let token = stage.cast.token(&channel.mint)?;
    // A thief's idea of whom it should pay.
    if stage.chance(4) {
        channel.payout = stage.any_account(token);
    }
    let mut distribute = instruction::distribute(address, &channel, &list, stage.cast.tokens[token].program);
    if stage.chance(3) {
        if let Some(last) = distribute.accounts.last_mut() {
            last.pubkey = stage.any_account(token);
        }
    }
    Some(vec![distribute])
}

fn claim_owed(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (address, channel) = channel(stage, |tab, _| tab.owes())?;
    let owed = channel
        .owed
        .iter()
        .enumerate()
        .filter(|(party, owed)| owed.get() > 0 && *party != PROTOCOL)
        .map(|(party, _)| party);
    let owed: Vec<usize> = owed.collect();
    let party = match stage.chance(95) {
        true => stage.pick(&owed)?,
        false => stage.rng.usize(..10),
    };
    let (thief, token) = (stage.person(), stage.cast.token(&channel.mint)?);
    let owner = payee(stage, &channel, party).filter(|_| stage.rng.u32(..20) > 0);
    let owner = owner.unwrap_or(stage.cast.people[thief].cold);
    // Whatever a program owns nobody can sign for.
    stage.cast.holder(&owner)?;
    let to = if stage.chance(95) { stage.account_of(&owner, token) } else { stage.any_account(token) };
    let program = stage.cast.tokens[token].program;
    Some(vec![instruction::claim_owed(owner, address, &channel, party as u8, to, program)])
}

/// Who may claim what a party is owed.
pub fn payee(stage: &Stage, channel: &Channel, party: usize) -> Option<Pubkey> {
    match party {
        PROVIDER => Some(channel.payout_owner),
        _ => stage.model.list(&channel.prices)?.parties().get(party).map(|share| share.owner),
    }
}
