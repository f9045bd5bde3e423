//! Disputes: challenged, drawn, appealed, resolved and wound up.

use super::Action;
use crate::{chain, model::Trial, stage::Stage};
use joule_sdk::{
    escrow::{
        constants::PANEL_EPOCH,
        math::Side,
        seat,
        state::{Job, JobStatus, Panel},
    },
    instruction::{escrow as instruction, escrow::Challenger},
    pda, Instruction, Pubkey,
};

pub const ACTIONS: &[Action] = &[
    Action { name: "dispute: challenge", weight: 20, plan: challenge },
    Action { name: "dispute: draw", weight: 20, plan: draw },
    Action { name: "dispute: appeal", weight: 14, plan: appeal },
    Action { name: "dispute: resolve", weight: 14, plan: resolve },
    Action { name: "dispute: punish", weight: 12, plan: punish },
    Action { name: "dispute: close", weight: 14, plan: close },
    Action { name: "panel: enroll", weight: 20, plan: enroll },
    Action { name: "panel: close", weight: 2, plan: close_panel },
];

/// A dispute that fits, most often, and its job.
pub fn trial(stage: &mut Stage, fits: impl Fn(&Trial, i64) -> bool) -> Option<(Pubkey, Job, Trial)> {
    let is_strict = stage.chance(92);
    let all = stage.model.trials.iter().filter(|(_, trial)| !is_strict || fits(trial, stage.now));
    let all: Vec<Pubkey> = all.map(|(job, _)| *job).collect();
    let job = stage.pick(&all)?;
    Some((job, stage.model.jobs.get(&job)?.job, stage.model.trials.get(&job)?.clone()))
}

fn challenge(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let suits = |job: &Job, now: i64| now < job.settle_after.get() && job.verification > 0;
    let (address, job) = stage.job_when(&[JobStatus::Delivered], suits)?;
    if stage.model.trials.len() > 16 {
        return None;
    }
    let (who, sponsor, token) = (stage.person(), stage.person(), stage.cast.token(&job.mint)?);
    let challenger = stage.cast.people[who].hot;
    let payer = if stage.chance(80) { challenger } else { stage.cast.people[sponsor].hot };
    let source = stage.account_of(&challenger, token);
    let account = if stage.chance(80) { stage.account_of(&challenger, token) } else { stage.any_account(token) };
    let counter = if stage.chance(96) { [9; 32] } else { job.result_hash };
    let who = Challenger { challenger, payer, source, account };
    let epoch = (stage.now / PANEL_EPOCH) as u64 + u64::from(stage.chance(3));
    let panel = (job.verification == 2).then(|| pda::panel(&job.mint, epoch));
    Some(vec![instruction::challenge(who, address, panel, stage.program_of(&job), counter)])
}

fn draw(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (_, _, trial) = trial(stage, |trial, now| trial.is_drawing && trial.verdict.is_none() && now <= trial.draw_by)?;
    // Its slot comes, or is forgotten before anybody has looked.
    let wanted = trial.dispute.draw_slot.get();
    let slot = match stage.rng.u32(..20) {
        0 => stage.slot,
        1 => wanted,
        2 => wanted + 600,
        _ => wanted + 1 + stage.rng.u64(..3),
    };
    if slot > stage.slot {
        stage.set_slot(slot);
    }
    Some(vec![instruction::draw_panel(trial.address, &trial.dispute)])
}

fn appeal(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let may = |trial: &Trial, now: i64| {
        let is_time = !trial.is_drawing && now > trial.reveal_by && now <= trial.final_at;
        is_time && trial.is_panel() && trial.round == 0 && trial.verdict.is_none()
    };
    let (address, job, trial) = trial(stage, may)?;
    let thief = stage.person();
    let appellant = match stage.rng.u32(..20) {
        0 => stage.cast.people[thief].hot,
        1 => trial.challenger,
        2..=4 => job.payout_owner,
        5..=9 => job.provider_authority,
        10..=12 => job.client,
        _ if trial.has_won(Side::Challenger) => job.provider_authority,
        _ => trial.challenger,
    };
    let source = stage.account_of(&appellant, stage.cast.token(&job.mint)?);
    Some(vec![instruction::appeal(appellant, source, address, stage.program_of(&job))])
}

fn resolve(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let may = |trial: &Trial, now: i64| trial.verdict.is_none() && now > trial.decided_after();
    let (address, job, _) = trial(stage, may)?;
    Some(vec![instruction::resolve(address, &job, stage.program_of(&job))])
}

/// Members of a panel that were drawn and never came.
pub fn absent(trial: &Trial) -> Vec<u8> {
    let done = trial.committed | trial.punished;
    (0..trial.dispute.drawn).filter(|seat| done & (1 << seat) == 0).collect()
}

/// The instruction that punishes a member.
pub fn punishment(stage: &Stage, address: Pubkey, member: u8) -> Option<Instruction> {
    let (job, trial) = (stage.model.jobs.get(&address)?.job, stage.model.trials.get(&address)?);
    let subject = seat::subject(&trial.panel, &trial.dispute.members[member as usize]);
    let hold = stage.model.holds.values().find(|hold| hold.subject == subject);
    let payer = hold.map_or(stage.cast.crank, |hold| hold.rent_payer);
    let program = stage.program_of(&job);
    Some(instruction::punish_absent(address, &job, &trial.dispute, member, payer, program))
}

fn punish(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (address, _, trial) = trial(stage, |trial, _| trial.verdict.is_some() && !absent(trial).is_empty())?;
    let mut members = absent(&trial);
    if stage.chance(5) {
        members = (0..trial.dispute.drawn).collect();
    }
    let member = stage.pick(&members)?;
    Some(vec![punishment(stage, address, member)?])
}

fn close(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let may = |trial: &Trial, _: i64| trial.verdict.is_some() && trial.ballots.is_empty() && absent(trial).is_empty();
    let (_, _, trial) = trial(stage, may)?;
    Some(vec![instruction::close_dispute(trial.address, &trial.dispute)])
}

fn enroll(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let token = stage.rng.usize(..2);
    let mint = stage.cast.tokens[token].mint;
    let epoch = (stage.now / PANEL_EPOCH) as u64 + if stage.chance(97) { 1 } else { stage.rng.u64(..3) };
    let panel = chain::read::<Panel>(&stage.svm, &pda::panel(&mint, epoch));
    let is_in = |key: &Pubkey| panel.is_some_and(|panel| panel.enrolled().iter().any(|entry| entry.resolver == *key));
    let hot = stage.cast.people.iter().map(|person| person.hot);
    let out: Vec<Pubkey> = hot.filter(|key| !is_in(key) && !stage.is_leaving(key, &mint)).collect();
    let resolver = stage.pick(&out)?;
    let sponsor = stage.person();
    let payer = if stage.chance(80) { resolver } else { stage.cast.people[sponsor].hot };
    let bond = pda::bond(&resolver, &mint);
    let most = stage.model.bonds.get(&bond).and_then(|bond| bond.free()).unwrap_or(0) / 4;
    let stake = if stage.chance(96) { stage.rng.u64(..=most) } else { stage.rng.u64(..3) };
    Some(vec![instruction::enroll(resolver, payer, mint, epoch, stake)])
}

fn close_panel(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let all: Vec<Pubkey> = stage.model.panels.keys().copied().collect();
    let address = stage.pick(&all)?;
    let panel = chain::read::<Panel>(&stage.svm, &address)?;
    Some(vec![instruction::close_panel(address, &panel)])
}
