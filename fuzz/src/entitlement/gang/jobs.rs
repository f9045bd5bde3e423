//! Jobs, as clients and workers of the gang see them, and as anybody does.

use super::{some, Action};
use crate::entitlement::{
    honest,
    notes::{LIES, TRUTH},
    play::{Play, What},
};
use joule_sdk::{
    escrow::state::{Bid, Job as State, JobStatus},
    instruction::escrow::{self, Provider},
    pda, Instruction, Pubkey,
};

type Planned = Option<Vec<Instruction>>;

pub const ACTIONS: &[Action] = &[
    ("open a job", 8, open),
    ("place a bid", 3, bid),
    ("accept", 14, accept),
    ("pick a bid", 2, pick),
    ("award a bid", 2, award),
    ("report", 2, report),
    ("submit", 14, submit),
    ("stop", 1, stop),
    ("approve", 2, approve),
    ("cancel", 1, cancel),
    ("redirect", 2, redirect),
    ("settle", 6, settle),
    ("expire", 3, expire),
    ("fail", 4, fail),
    ("withdraw a bid", 2, withdraw_bid),
    ("pay", 5, pay),
];

/// A job, most often in a state that suits.
pub fn job(play: &mut Play, states: &[JobStatus]) -> Option<(Pubkey, State)> {
    for _ in 0..4 {
        let address = some(play, What::Job)?;
        let state = play.read::<State>(&address)?;
        if states.iter().any(|status| *status as u8 == state.status) || play.chance(4) {
            return Some((address, state));
        }
    }
    None
}

pub fn candidate(play: &mut Play) -> Option<Provider> {
    let (who, tokens) = play.rogue_that(|person| person.is_provider())?;
    let attested = play.is_there(&pda::attestations(&who));
    Some(Provider { attested, ..Provider::new(who, tokens) })
}

fn open(play: &mut Play) -> Planned {
    if play.all(What::Job).len() > 8 {
        return None;
    }
    let (client, tokens) = play.rogue()?;
    Some(vec![honest::opening(play, client, tokens)])
}

fn price(play: &mut Play, state: &State) -> u64 {
    let most = if state.pricing == 1 { state.max_rate.get() } else { state.budget.get() };
    if play.chance(60) {
        most
    } else {
        play.rng.u64(1..=most.max(1))
    }
}

fn bid(play: &mut Play) -> Planned {
    let (address, state) = job(play, &[JobStatus::Open])?;
    let (who, price) = (candidate(play)?, price(play, &state));
    Some(vec![escrow::place_bid(who, address, &state, price)])
}

fn accept(play: &mut Play) -> Planned {
    let (address, state) = job(play, &[JobStatus::Open])?;
    let (who, price) = (candidate(play)?, price(play, &state));
    Some(vec![escrow::accept(who, address, &state, price)])
}

fn some_bid(play: &mut Play) -> Option<(Pubkey, Bid)> {
    let address = some(play, What::Bid)?;
    Some((address, play.read::<Bid>(&address)?))
}

fn pick(play: &mut Play) -> Planned {
    let (address, bid) = some_bid(play)?;
    let client = play.jobs.get(&bid.job)?.state.client;
    Some(vec![escrow::pick_bid(client, address, &bid)])
}

fn award(play: &mut Play) -> Planned {
    let (address, bid) = some_bid(play)?;
    Some(vec![escrow::award_bid(address, &bid)])
}

fn withdraw_bid(play: &mut Play) -> Planned {
    let (address, bid) = some_bid(play)?;
    Some(vec![escrow::withdraw_bid(address, &bid, play.cast.mint)])
}

fn report(play: &mut Play) -> Planned {
    let (address, state) = job(play, &[JobStatus::Accepted])?;
    let passed = (play.now - state.accepted_at.get()).clamp(0, 1_000_000) as u32;
    Some(vec![escrow::report(state.provider_authority, address, play.rng.u32(..=passed), [6; 32])])
}

fn submit(play: &mut Play) -> Planned {
    let (address, state) = job(play, &[JobStatus::Accepted])?;
    let result = if play.chance(35) { TRUTH } else { LIES[play.rng.usize(..2)] };
    Some(vec![escrow::submit(state.provider_authority, address, result)])
}

fn stop(play: &mut Play) -> Planned {
    let (address, state) = job(play, &[JobStatus::Accepted])?;
    Some(vec![escrow::stop(address, &state, play.cast.program, state.reported.get())])
}

fn approve(play: &mut Play) -> Planned {
    let (address, state) = job(play, &[JobStatus::Delivered])?;
    Some(vec![escrow::approve(address, &state, play.cast.program, state.result_hash)])
}

fn cancel(play: &mut Play) -> Planned {
    let (address, state) = job(play, &[JobStatus::Open])?;
    Some(vec![escrow::cancel(address, &state, play.cast.program)])
}

fn redirect(play: &mut Play) -> Planned {
    let all = [JobStatus::Open, JobStatus::Accepted, JobStatus::Settled, JobStatus::Refunded];
    let (address, state) = job(play, &all)?;
    let payee = play.pick(&[state.client, state.payout_owner, state.challenger])?;
    let (_, tokens) = play.rogue()?;
    Some(vec![escrow::redirect(payee, address, tokens)])
}

fn settle(play: &mut Play) -> Planned {
    let (address, state) = job(play, &[JobStatus::Delivered])?;
    Some(vec![escrow::settle(address, &state, play.cast.program)])
}

fn expire(play: &mut Play) -> Planned {
    let (address, state) = job(play, &[JobStatus::Open])?;
    Some(vec![escrow::expire(address, &state, play.cast.program)])
}

fn fail(play: &mut Play) -> Planned {
    let (address, state) = job(play, &[JobStatus::Accepted])?;
    Some(vec![escrow::fail(address, &state, play.cast.program)])
}

fn pay(play: &mut Play) -> Planned {
    let (address, state) = job(play, &[JobStatus::Settled, JobStatus::Refunded])?;
    Some(vec![escrow::pay(address, &state, play.cast.program)])
}
