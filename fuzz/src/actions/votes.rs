//! Votes: sealed right, wrong, too little or copied; opened or withheld; closed.

use super::{
    disputes::trial,
    jobs::{candidate, RESULT},
    Action,
};
use crate::{
    chain,
    model::Trial,
    stage::{Seal, Stage},
};
use joule_sdk::{
    escrow::state::{commitment, Vote},
    instruction::escrow::{self as instruction, Provider},
    pda, Instruction, Pubkey,
};

pub const ACTIONS: &[Action] = &[
    Action { name: "vote: commit", weight: 50, plan: commit },
    Action { name: "vote: commit seat", weight: 50, plan: commit_seats },
    Action { name: "vote: reveal", weight: 70, plan: reveal },
    Action { name: "vote: close", weight: 40, plan: close },
];

/// What a juror thinks came out: most of those who judge a dispute agree.
fn opinion(stage: &mut Stage, trial: &Trial) -> [u8; 32] {
    // It could not run the job.
    if trial.is_panel() && stage.chance(6) || stage.rng.u32(..300) == 0 {
        return [0; 32];
    }
    let third = if stage.chance(80) { [5; 32] } else { [6; 32] };
    let outputs = [RESULT, trial.counter_result, third];
    let common = trial.address.as_ref()[0] as usize % 3;
    let place = if stage.chance(80) { common } else { stage.rng.usize(..3) };
    // A second panel often sees it otherwise.
    outputs[(place + trial.round as usize * (trial.address.as_ref()[1] as usize % 2)) % 3]
}

/// Seals an opinion; or copies somebody else's seal, which nobody can open then.
fn seal(stage: &mut Stage, job: &Pubkey, trial: &Trial, juror: &Pubkey) -> [u8; 32] {
    let vote = pda::vote(&trial.address, trial.round, juror);
    let copied = trial.ballots.values().next().map(|ballot| ballot.commitment);
    if let Some(copied) = copied.filter(|_| stage.chance(2)) {
        return copied;
    }
    let (output, salt) = (opinion(stage, trial), [stage.rng.u8(..); 32]);
    // A planned vote may be refused: the seal of one that was cast must stay.
    if !trial.ballots.contains_key(&vote) {
        let is_withheld = stage.chance(6);
        stage.seals.insert(vote, Seal { output, salt, is_withheld });
    }
    commitment(job, &output, &salt, juror)
}

fn is_committing(trial: &Trial, now: i64) -> bool {
    !trial.is_drawing && trial.verdict.is_none() && now <= trial.commit_by
}

fn commit(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (address, job, trial) = trial(stage, |trial, now| !trial.is_panel() && is_committing(trial, now))?;
    let mut instructions = Vec::new();
    let mut jurors: Vec<Pubkey> = trial.ballots.values().map(|ballot| ballot.juror).collect();
    jurors.extend([job.client, job.provider_authority, job.payout_owner, trial.challenger]);
    for _ in 0..stage.rng.usize(1..=4) {
        let who = candidate(stage, &job)?;
        if jurors.contains(&who.authority) && !stage.chance(2) {
            continue;
        }
        jurors.push(who.authority);
        let deposit = trial.deposit;
        let stake = match stage.rng.u32(..40) {
            0 => deposit.saturating_sub(1),
            1..=9 => deposit.saturating_add(stage.rng.u64(..deposit.clamp(1, 1_000_000))),
            _ => deposit,
        };
        let sealed = seal(stage, &address, &trial, &who.authority);
        instructions.push(instruction::commit_vote(who, address, &job, sealed, stake));
    }
    (!instructions.is_empty()).then_some(instructions)
}

fn commit_seats(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (address, job, trial) = trial(stage, |trial, now| trial.is_panel() && is_committing(trial, now))?;
    let first = if trial.round == 0 { 0 } else { trial.dispute.first_drawn };
    let seats = first..trial.dispute.drawn;
    let token = stage.cast.token(&job.mint)?;
    let mut instructions = Vec::new();
    for seat in seats {
        let is_in = trial.committed & (1 << seat) != 0;
        if is_in && !stage.chance(2) || !stage.chance(70) {
            continue;
        }
        let juror = trial.dispute.members[seat as usize];
        let (sponsor, sealed) = (stage.person(), seal(stage, &address, &trial, &juror));
        let payer = if stage.chance(80) { juror } else { stage.cast.people[sponsor].hot };
        let payout = if stage.chance(90) { stage.account_of(&juror, token) } else { stage.any_account(token) };
        let member = Provider { payer, ..Provider::new(juror, payout) };
        instructions.push(instruction::commit_seat(member, &trial.dispute, seat, sealed));
    }
    (!instructions.is_empty()).then_some(instructions)
}

fn reveal(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let may = |trial: &Trial, now: i64| {
        let is_time = !trial.is_drawing && now > trial.commit_by && now <= trial.reveal_by;
        is_time && trial.verdict.is_none() && trial.ballots.values().any(|ballot| ballot.choice.is_none())
    };
    let (address, _, trial) = trial(stage, may)?;
    let (mut instructions, is_careless) = (Vec::new(), stage.chance(10));
    for (vote, ballot) in &trial.ballots {
        let seal = stage.seals.get(vote).copied();
        let Some(seal) = seal.filter(|seal| !seal.is_withheld) else { continue };
        // Nobody can open a copy, or what another transaction has sealed after all.
        let is_its = commitment(&address, &seal.output, &seal.salt, &ballot.juror) == ballot.commitment;
        let is_due = ballot.choice.is_none() && ballot.round == trial.round && is_its;
        let is_careless = is_careless && stage.chance(20);
        if !is_due && !is_careless || !stage.chance(80) {
            continue;
        }
        let output = if !is_careless || stage.chance(50) { seal.output } else { [1; 32] };
        instructions.push(instruction::reveal_vote(address, *vote, output, seal.salt));
    }
    (!instructions.is_empty()).then_some(instructions)
}

/// The instruction that closes a vote.
pub fn closing(stage: &Stage, address: Pubkey, vote: Pubkey) -> Option<Instruction> {
    let (job, panel) = (stage.model.jobs.get(&address)?.job, stage.model.trials.get(&address)?.panel);
    let state: Vote = chain::read(&stage.svm, &vote)?;
    Some(instruction::close_vote(address, &job, panel, vote, &state, stage.program_of(&job)))
}

fn close(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (address, _, trial) = trial(stage, |trial, _| trial.verdict.is_some() && !trial.ballots.is_empty())?;
    let votes: Vec<Pubkey> = trial.ballots.keys().copied().collect();
    let vote = stage.pick(&votes)?;
    Some(vec![closing(stage, address, vote)?])
}
