//! Jobs: opened, accepted, delivered, paid, refunded, redirected, at the right time and at the wrong one.

use super::Action;
use crate::{chain, stage::Stage};
use joule_sdk::{
    escrow::{
        constants::MAX_WINDOW,
        state::{Job, JobStatus, Terms},
    },
    instruction::{escrow as instruction, escrow::OpenAccounts},
    registry::state::Provider,
    Instruction, Pubkey,
};

/// No more jobs at once, so that each is met often.
const JOBS: usize = 60;

pub const ACTIONS: &[Action] = &[
    Action { name: "escrow::open", weight: 30, plan: open },
    Action { name: "escrow::accept", weight: 30, plan: accept },
    Action { name: "escrow::submit", weight: 25, plan: submit },
    Action { name: "escrow::approve", weight: 8, plan: approve },
    Action { name: "escrow::settle", weight: 20, plan: settle },
    Action { name: "escrow::cancel", weight: 4, plan: cancel },
    Action { name: "escrow::expire", weight: 12, plan: expire },
    Action { name: "escrow::redirect", weight: 10, plan: redirect },
];

fn open(stage: &mut Stage) -> Option<Vec<Instruction>> {
    if stage.model.jobs().count() >= JOBS {
        return None;
    }
    let (client, sponsor, token) = (stage.person(), stage.person(), stage.rng.usize(..2));
    let client = stage.cast.people[client].hot;
    let payer = if stage.chance(80) { client } else { stage.cast.people[sponsor].hot };
    let source = stage.account_of(&client, token);
    let refund = if stage.chance(90) { stage.account_of(&client, token) } else { stage.any_account(token) };
    let next = stage.model.next_id.get(&client).copied().unwrap_or(0);
    let id = if stage.chance(97) { next } else { stage.rng.u64(..next + 3) };
    let (mint, token_program) = (stage.cast.tokens[token].mint, stage.cast.tokens[token].program);
    let accounts = OpenAccounts { payer, client, source, refund, mint, token_program };
    Some(vec![instruction::open(accounts, id, terms(stage))])
}

fn terms(stage: &mut Stage) -> Terms {
    let budget = match stage.rng.u32(..100) {
        0 => 0,
        1 => u64::MAX,
        2..=9 => stage.rng.u64(..2_000),
        _ => stage.rng.u64(1_000..10_000_000),
    };
    let mut window = || match stage.rng.u32(..200) {
        0 => 0,
        1 => MAX_WINDOW + 1,
        2..=5 => MAX_WINDOW,
        6..=9 => 1,
        10..=99 => stage.rng.u32(30..3_600),
        _ => stage.rng.u32(3_600..MAX_WINDOW),
    };
    let (accept_window, work_window, review_window) = (window(), window(), window());
    Terms {
        budget,
        spec_hash: [3; 32],
        input_hash: [4; 32],
        accept_window,
        work_window,
        review_window,
        verification: (stage.rng.u32(..100) == 0) as u8,
    }
}

fn accept(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (address, job) = stage.job_when(&[JobStatus::Open], |job, now| now <= job.accept_by.get())?;
    let person = provider(stage);
    let (authority, provider) = (stage.cast.people[person].hot, stage.cast.people[person].provider);
    let owner = chain::read::<Provider>(&stage.svm, &provider).map_or(authority, |provider| provider.payout_owner);
    let token = stage.cast.token(&job.mint)?;
    let payout = if stage.chance(95) { stage.account_of(&owner, token) } else { stage.any_account(token) };
    let budget = job.budget.get();
    let price = match stage.rng.u32(..20) {
        0 => stage.rng.u64(..3),
        1 => budget.saturating_add(stage.rng.u64(..2)),
        _ => stage.rng.u64(1..=budget.max(1)),
    };
    Some(vec![instruction::accept(authority, address, payout, price)])
}

/// Somebody who is registered, for the most part.
fn provider(stage: &mut Stage) -> usize {
    let registered = |number: &usize| chain::find(&stage.svm, &stage.cast.people[*number].provider).is_some();
    let all: Vec<usize> = (0..stage.cast.people.len()).filter(registered).collect();
    match all.is_empty() || stage.chance(5) {
        true => stage.person(),
        false => all[stage.rng.usize(..all.len())],
    }
}

fn submit(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (address, job) = stage.job_when(&[JobStatus::Accepted], |job, now| now <= job.deliver_by.get())?;
    let thief = stage.person();
    let authority = if stage.chance(95) { job.provider_authority } else { stage.cast.people[thief].hot };
    let result = [if stage.chance(97) { 7 } else { 0 }; 32];
    Some(vec![instruction::submit(authority, address, result)])
}

fn approve(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (address, job) = stage.job(&[JobStatus::Delivered])?;
    let result = if stage.chance(95) { job.result_hash } else { [9; 32] };
    Some(vec![instruction::approve(address, &job, stage.program_of(&job), result)])
}

fn settle(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let states = [JobStatus::Delivered, JobStatus::Settled];
    let (address, job) = stage.job_when(&states, |job, now| now >= job.settle_after.get())?;
    let job = perhaps_misled(stage, job);
    Some(vec![instruction::settle(address, &job, stage.program_of(&job))])
}

fn cancel(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (address, job) = stage.job(&[JobStatus::Open])?;
    Some(vec![instruction::cancel(address, &job, stage.program_of(&job))])
}

fn expire(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let states = [JobStatus::Open, JobStatus::Accepted, JobStatus::Refunded];
    let (address, job) = stage.job_when(&states, |job, now| match job.status {
        status if status == JobStatus::Open as u8 => now > job.accept_by.get(),
        status if status == JobStatus::Accepted as u8 => now > job.deliver_by.get(),
        _ => true,
    })?;
    let job = perhaps_misled(stage, job);
    Some(vec![instruction::expire(address, &job, stage.program_of(&job))])
}

/// A thief's idea of whom a job should pay.
fn perhaps_misled(stage: &mut Stage, mut job: Job) -> Job {
    if stage.chance(10) {
        if let Some(token) = stage.cast.token(&job.mint) {
            job.payout = stage.any_account(token);
            job.refund = stage.any_account(token);
        }
    }
    job
}

fn redirect(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let states = [JobStatus::Open, JobStatus::Accepted, JobStatus::Settled, JobStatus::Refunded];
    let (address, job) = stage.job(&states)?;
    let (thief, token) = (stage.person(), stage.cast.token(&job.mint)?);
    let payee = match stage.rng.u32(..20) {
        0 => stage.cast.people[thief].hot,
        1..=10 => job.client,
        _ if job.payout_owner == Pubkey::default() => job.client,
        _ => job.payout_owner,
    };
    let account = match (stage.rng.u32(..20), stage.job(&[])) {
        (0, Some((_, other))) => other.vault,
        (1, _) => stage.cast.tokens[token].fee_vault,
        (2, _) => stage.any_account(token),
        _ => stage.account_of(&payee, token),
    };
    Some(vec![instruction::redirect(payee, address, account)])
}
