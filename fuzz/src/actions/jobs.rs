//! Jobs: opened, accepted, delivered, paid, refunded, redirected, at the right time and at the wrong one.

use super::Action;
use crate::{chain, stage::Stage};
use joule_sdk::{
    escrow::{
        constants::MAX_WINDOW,
        state::{Job, JobStatus, Terms},
    },
    instruction::{
        escrow as instruction,
        escrow::{OpenAccounts, Provider},
    },
    pda,
    registry::state::{Provider as Registered, Requirements},
    Instruction, Pubkey,
};

/// No more jobs at once, so that each is met often.
const JOBS: usize = 60;
/// What providers say comes out.
pub const RESULT: [u8; 32] = [7; 32];

pub const ACTIONS: &[Action] = &[
    Action { name: "job: open", weight: 40, plan: open },
    Action { name: "job: accept", weight: 40, plan: accept },
    Action { name: "job: report", weight: 8, plan: report },
    Action { name: "job: stop", weight: 2, plan: stop },
    Action { name: "job: submit", weight: 40, plan: submit },
    Action { name: "job: approve", weight: 6, plan: approve },
    Action { name: "job: settle", weight: 20, plan: settle },
    Action { name: "job: cancel", weight: 3, plan: cancel },
    Action { name: "job: expire", weight: 10, plan: expire },
    Action { name: "job: fail", weight: 10, plan: fail },
    Action { name: "job: pay", weight: 20, plan: pay },
    Action { name: "job: redirect", weight: 10, plan: redirect },
];

fn open(stage: &mut Stage) -> Option<Vec<Instruction>> {
    if stage.model.jobs.len() >= JOBS {
        return None;
    }
    let (client, sponsor, token) = (stage.person(), stage.person(), stage.rng.usize(..2));
    let client = stage.cast.people[client].hot;
    let payer = if stage.chance(80) { client } else { stage.cast.people[sponsor].hot };
    let source = stage.account_of(&client, token);
    let refund = match stage.rng.u32(..30) {
        0..=1 => stage.any_account(token),
        2 => super::tokens::some_vault(stage, token),
        _ => stage.account_of(&client, token),
    };
    let next = stage.model.next_id.get(&client).copied().unwrap_or(0);
    let id = if stage.chance(97) { next } else { stage.rng.u64(..next + 3) };
    let (mint, token_program) = (stage.cast.tokens[token].mint, stage.cast.tokens[token].program);
    let requirements = if stage.chance(8) { wanted(stage) } else { None };
    let staked_in = stage.chance(30).then(|| stage.cast.tokens[stage.rng.usize(..2)].mint);
    let staked_in = staked_in.filter(|mint| {
        let stake = pda::stake(&pda::pool(mint), &client);
        chain::find(&stage.svm, &stake).is_some()
    });
    let accounts = OpenAccounts { payer, client, source, refund, mint, token_program, requirements, staked_in };
    Some(vec![instruction::open(accounts, id, terms(stage))])
}

/// Requirements that somebody has defined.
fn wanted(stage: &mut Stage) -> Option<Pubkey> {
    let is_it = |address: &&Pubkey| chain::read::<Requirements>(&stage.svm, address).is_some();
    let all: Vec<Pubkey> = stage.model.papers.keys().filter(is_it).copied().collect();
    stage.pick(&all)
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
        _ => stage.rng.u32(3_600..500_000),
    };
    let (accept_window, work_window, review_window) = (window(), window(), window());
    let verification = match stage.rng.u32(..100) {
        0 => 3,
        1..=29 => 0,
        30..=59 => 1,
        _ => 2,
    };
    let is_judged = (1..=2).contains(&verification);
    let jurors = [1, 1, 1, 3, 3, 5][stage.rng.usize(..6)];
    // A panel's members get an hour for each step, at least.
    let shortest = if verification == 2 && !stage.chance(2) { 3_600 } else { 600 };
    let vote_window = stage.rng.u32(shortest..80_000);
    let bond_bps = match stage.rng.u32(..40) {
        0 => stage.rng.u16(..1_000),
        1 => 50_000,
        _ => stage.rng.u16(1_000..15_000),
    };
    let pricing = stage.chance(25) as u8;
    let max_rate = match stage.rng.u32(..60) {
        0 => (1 - pricing) as u64,
        1 => budget,
        _ if pricing == 0 => 0,
        _ => stage.rng.u64(1..=(budget / 500).max(1)),
    };
    Terms {
        budget,
        spec_hash: [3; 32],
        input_hash: [4; 32],
        accept_window,
        bid_window: if stage.chance(30) { accept_window / 2 } else { 0 },
        work_window,
        review_window,
        vote_window: if is_judged { vote_window } else { 0 },
        bond_bps,
        verification,
        pricing,
        jurors: if is_judged { jurors } else { 0 },
        max_rate,
    }
}

fn accept(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let suits = |job: &Job, now: i64| now <= job.accept_by.get() && job.bid_until.get() == 0;
    let (address, job) = stage.job_when(&[JobStatus::Open], suits)?;
    let who = candidate(stage, &job)?;
    let price = price(stage, &job);
    Some(vec![instruction::accept(who, address, &job, price)])
}

/// Base units that somebody asks for, or base units a second.
pub fn price(stage: &mut Stage, job: &Job) -> u64 {
    let budget = job.budget.get();
    let most = if job.pricing == 1 { job.max_rate.get().min(budget).max(1) } else { budget.max(1) };
    match stage.rng.u32(..40) {
        0 => stage.rng.u64(..3),
        1 => most.saturating_add(stage.rng.u64(..2)),
        _ => stage.rng.u64(1..=most),
    }
}

/// A provider that may want the job, and where it is paid.
pub fn candidate(stage: &mut Stage, job: &Job) -> Option<Provider> {
    let (person, sponsor) = (provider(stage, job.mint), stage.person());
    let (authority, provider) = (stage.cast.people[person].hot, stage.cast.people[person].provider);
    let owner = chain::read::<Registered>(&stage.svm, &provider).map_or(authority, |found| found.payout_owner);
    let token = stage.cast.token(&job.mint)?;
    let payout = match stage.rng.u32(..30) {
        0 => stage.any_account(token),
        // Its own bond's: whoever is slashed must not be spared by being paid there.
        1 => pda::bond_vault(&pda::bond(&authority, &job.mint)),
        _ => stage.account_of(&owner, token),
    };
    let payer = if stage.chance(80) { authority } else { stage.cast.people[sponsor].hot };
    let attested = chain::find(&stage.svm, &pda::attestations(&authority)).is_some();
    Some(Provider { authority, payer, payout, attested })
}

/// Somebody who is registered and active, for the most part, and not about to leave.
fn provider(stage: &mut Stage, mint: Pubkey) -> usize {
    let registered = |number: &usize| {
        let found = chain::read::<Registered>(&stage.svm, &stage.cast.people[*number].provider);
        let stays = !stage.is_leaving(&stage.cast.people[*number].hot, &mint);
        stays && found.is_some_and(|found| found.is_active())
    };
    let all: Vec<usize> = (0..stage.cast.people.len()).filter(registered).collect();
    match all.is_empty() || stage.chance(5) {
        true => stage.person(),
        false => all[stage.rng.usize(..all.len())],
    }
}

fn report(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let suits = |job: &Job, now: i64| job.pricing == 1 && now <= job.deliver_by.get();
    let (address, job) = stage.job_when(&[JobStatus::Accepted], suits)?;
    let elapsed = (stage.now - job.accepted_at.get()).clamp(0, u32::MAX as i64 - 2) as u32;
    let least = job.reported.get().min(elapsed);
    let seconds = if stage.chance(90) { stage.rng.u32(least..=elapsed) } else { stage.rng.u32(..elapsed + 2) };
    Some(vec![instruction::report(job.provider_authority, address, seconds, [6; 32])])
}

fn stop(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (address, job) = stage.job_when(&[JobStatus::Accepted], |job, _| job.pricing == 1)?;
    let reported = job.reported.get();
    let seconds =
        if stage.chance(90) { reported.saturating_add(stage.rng.u32(..100)) } else { stage.rng.u32(..=reported) };
    let job = perhaps_misled(stage, job);
    Some(vec![instruction::stop(address, &job, stage.program_of(&job), seconds)])
}

fn submit(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (address, job) = stage.job_when(&[JobStatus::Accepted], |job, now| now <= job.deliver_by.get())?;
    let thief = stage.person();
    let authority = if stage.chance(95) { job.provider_authority } else { stage.cast.people[thief].hot };
    let result = if stage.chance(97) { RESULT } else { [0; 32] };
    Some(vec![instruction::submit(authority, address, result)])
}

fn approve(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (address, job) = stage.job(&[JobStatus::Delivered])?;
    let result = if stage.chance(95) { job.result_hash } else { [9; 32] };
    Some(vec![instruction::approve(address, &job, stage.program_of(&job), result)])
}

fn settle(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (address, job) = stage.job_when(&[JobStatus::Delivered], |job, now| now >= job.settle_after.get())?;
    let job = perhaps_misled(stage, job);
    Some(vec![instruction::settle(address, &job, stage.program_of(&job))])
}

fn cancel(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (address, job) = stage.job(&[JobStatus::Open])?;
    Some(vec![instruction::cancel(address, &job, stage.program_of(&job))])
}

fn expire(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (address, job) = stage.job_when(&[JobStatus::Open], |job, now| now > job.accept_by.get())?;
    let job = perhaps_misled(stage, job);
    Some(vec![instruction::expire(address, &job, stage.program_of(&job))])
}

fn fail(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (address, job) = stage.job_when(&[JobStatus::Accepted], |job, now| now > job.deliver_by.get())?;
    let job = perhaps_misled(stage, job);
    Some(vec![instruction::fail(address, &job, stage.program_of(&job))])
}

fn pay(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (address, job) = stage.job(&[JobStatus::Settled, JobStatus::Refunded])?;
    let job = perhaps_misled(stage, job);
    Some(vec![instruction::pay(address, &job, stage.program_of(&job))])
}

/// A thief's idea of whom a job should pay.
fn perhaps_misled(stage: &mut Stage, mut job: Job) -> Job {
    if stage.chance(10) {
        if let Some(token) = stage.cast.token(&job.mint) {
            job.payout = stage.any_account(token);
            job.refund = stage.any_account(token);
            job.challenger_account = stage.any_account(token);
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
        1..=8 => job.client,
        9..=12 if job.challenger != Pubkey::default() => job.challenger,
        _ if job.payout_owner == Pubkey::default() => job.client,
        _ => job.payout_owner,
    };
    let account = match (stage.rng.u32(..20), stage.job(&[])) {
        (0, Some((_, other))) => other.vault,
        (1, _) => super::tokens::some_vault(stage, token),
        (2, _) => stage.any_account(token),
        _ => stage.account_of(&payee, token),
    };
    Some(vec![instruction::redirect(payee, address, account)])
}
