//! Several things happen to one channel at once, in whatever order.

use super::{
    channels::channel,
    vouchers::{settling, Honesty},
    Action,
};
use crate::stage::Stage;
use joule_sdk::{billing::state::Channel, instruction::billing as instruction, Instruction, Pubkey};

pub const ACTIONS: &[Action] = &[Action { name: "channel: several at once", weight: 10, plan: several }];

/// What is pulled out of a hat at most.
const MOST: usize = 4;

fn several(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (address, channel) = channel(stage, |_, _| true)?;
    let mut hat: Vec<usize> = (0..8).collect();
    stage.rng.shuffle(&mut hat);
    hat.truncate(stage.rng.usize(2..=MOST));
    let drawn: Vec<Vec<Instruction>> =
        hat.into_iter().filter_map(|number| one(stage, number, &address, &channel)).collect();
    (drawn.len() > 1).then(|| drawn.concat())
}

/// One of what may happen to a channel now.
fn one(stage: &mut Stage, number: usize, address: &Pubkey, channel: &Channel) -> Option<Vec<Instruction>> {
    let tab = stage.model.tabs.get(address).copied()?;
    let flow = stage.model.flows.get(address).copied();
    let program = stage.program_of_mint(&channel.mint);
    let instruction = match number {
        0 => return settling(stage, address, channel, Honesty::Honest),
        1 => instruction::distribute(*address, channel, &stage.model.list(&channel.prices)?, program),
        2 => instruction::settle_plan(*address, channel, &flow?.plan),
        3 => {
            let party = if stage.chance(50) { channel.owner } else { channel.authority };
            instruction::terminate_plan(party, *address, channel, &flow?.plan)
        }
        4 => {
            let party = if stage.chance(20) { channel.owner } else { channel.authority };
            tab.closed_at.is_none().then(|| instruction::request_close(party, *address))?
        }
        // Right after its provider has ended it, perhaps.
        5 => (tab.closed_at.is_some() || stage.chance(20)).then(|| instruction::close(*address, channel))?,
        6 => {
            let mut wallet = *stage.model.wallets.get(&channel.payer)?;
            wallet.sync(stage.now);
            let to = stage.account_of(&channel.owner, stage.cast.token(&channel.mint)?);
            instruction::reclaim(channel.owner, channel.mint, to, program, wallet.free().max(1) / 2)
        }
        _ if stage.is_leaving(&channel.authority, &channel.mint) || channel.backing_bps.get() == 0 => return None,
        _ => instruction::back(channel.authority, *address, channel),
    };
    Some(vec![instruction])
}
