//! Plans: started, paused, resumed, ended, and brought to their channels.

use super::{
    channels::{channel, perhaps_robbed},
    Action,
};
use crate::{
    model::{Flow, Tab},
    stage::Stage,
};
use joule_sdk::{
    billing::state::{Channel, Plan},
    instruction::billing as instruction,
    Instruction, Pubkey,
};

pub const ACTIONS: &[Action] = &[
    Action { name: "plan: start", weight: 8, plan: start },
    Action { name: "plan: pause", weight: 4, plan: pause },
    Action { name: "plan: resume", weight: 5, plan: resume },
    Action { name: "plan: terminate", weight: 4, plan: terminate },
    Action { name: "plan: settle", weight: 14, plan: settle },
];

/// A plan that fits, most often.
fn plan(stage: &mut Stage, fits: impl Fn(&Flow, &Tab, i64) -> bool) -> Option<(Pubkey, Channel, Plan)> {
    let is_strict = stage.chance(92);
    let all = stage.model.flows.iter().filter(|(channel, flow)| {
        let tab = stage.model.tabs.get(channel);
        tab.is_some_and(|tab| !is_strict || fits(flow, tab, stage.now))
    });
    let all: Vec<Pubkey> = all.map(|(channel, _)| *channel).collect();
    let address = stage.pick(&all)?;
    Some((address, stage.model.tabs.get(&address)?.channel, stage.model.flows.get(&address)?.plan))
}

fn start(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (address, channel) = channel(stage, |tab, _| tab.closed_at.is_none() && tab.channel.has_plan == 0)?;
    let (channel, sponsor) = (perhaps_robbed(stage, channel), stage.person());
    let rent_payer = if stage.chance(75) { channel.owner } else { stage.cast.people[sponsor].hot };
    let rate = match stage.rng.u32(..30) {
        0 => 0,
        1 => u64::MAX,
        2..=5 => stage.rng.u64(1..2_000),
        _ => stage.rng.u64(1..30),
    };
    let period = match stage.rng.u32(..30) {
        0 => 0,
        1 => 90 * 24 * 60 * 60 + 1,
        2 => stage.rng.u32(1..90 * 24 * 60 * 60),
        _ => stage.rng.u32(1..10_000),
    };
    Some(vec![instruction::start_plan(rent_payer, address, &channel, rate, period)])
}

fn pause(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (address, channel, _) = plan(stage, |flow, tab, now| flow.is_running() && !tab.is_closed(now))?;
    Some(vec![instruction::pause_plan(address, &perhaps_robbed(stage, channel))])
}

fn resume(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (address, channel, _) = plan(stage, |flow, tab, _| flow.is_paused() && tab.closed_at.is_none())?;
    Some(vec![instruction::resume_plan(address, &perhaps_robbed(stage, channel))])
}

fn terminate(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (address, channel, plan) = plan(stage, |flow, _, _| flow.is_running() || flow.is_paused())?;
    let channel = perhaps_robbed(stage, channel);
    let party = if stage.chance(60) { channel.owner } else { channel.authority };
    Some(vec![instruction::terminate_plan(party, address, &channel, &plan)])
}

fn settle(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (address, channel, plan) = plan(stage, |_, _, _| true)?;
    Some(vec![instruction::settle_plan(address, &channel, &plan)])
}
