//! Bids: placed, picked, awarded, withdrawn.

use super::{
    jobs::{candidate, price},
    Action,
};
use crate::stage::Stage;
use joule_sdk::{
    escrow::state::{Bid, Job, JobStatus},
    instruction::escrow as instruction,
    Instruction, Pubkey,
};

pub const ACTIONS: &[Action] = &[
    Action { name: "bid: place", weight: 30, plan: place },
    Action { name: "bid: pick", weight: 3, plan: pick },
    Action { name: "bid: award", weight: 12, plan: award },
    Action { name: "bid: withdraw", weight: 12, plan: withdraw },
];

fn place(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (address, job) = stage.job_when(&[JobStatus::Open], |job, now| now <= job.bid_until.get())?;
    let who = candidate(stage, &job)?;
    let price = price(stage, &job);
    Some(vec![instruction::place_bid(who, address, &job, price)])
}

/// A bid on a job that fits, most often.
fn bid(stage: &mut Stage, fits: fn(&Bid, Option<&Job>, i64) -> bool) -> Option<(Pubkey, Bid, Pubkey)> {
    let is_strict = stage.chance(92);
    let all = stage.model.bids.iter().filter(|(_, offer)| {
        let job = stage.model.jobs.get(&offer.bid.job).map(|entry| &entry.job);
        !is_strict || fits(&offer.bid, job, stage.now)
    });
    let all: Vec<Pubkey> = all.map(|(address, _)| *address).collect();
    let address = stage.pick(&all)?;
    let offer = stage.model.bids.get(&address)?;
    Some((address, offer.bid, offer.mint))
}

fn is_open(job: Option<&Job>, now: i64) -> bool {
    job.is_some_and(|job| job.status == JobStatus::Open as u8 && now <= job.accept_by.get())
}

fn pick(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (address, bid, _) = bid(stage, |_, job, now| is_open(job, now))?;
    let client = stage.model.jobs.get(&bid.job).map(|entry| entry.job.client)?;
    Some(vec![instruction::pick_bid(client, address, &bid)])
}

fn award(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (address, bid, _) =
        bid(stage, |_, job, now| is_open(job, now) && job.is_some_and(|job| now > job.bid_until.get()))?;
    // The cheapest, most often.
    let best = stage.model.jobs.get(&bid.job).map(|entry| entry.job.best_bid);
    let best = best.filter(|_| stage.rng.u32(..10) > 2).and_then(|best| Some((best, stage.model.bids.get(&best)?.bid)));
    let (address, bid) = best.unwrap_or((address, bid));
    Some(vec![instruction::award_bid(address, &bid)])
}

fn withdraw(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (address, bid, mint) = bid(stage, |_, job, _| job.is_none_or(|job| job.status != JobStatus::Open as u8))?;
    Some(vec![instruction::withdraw_bid(address, &bid, mint)])
}
