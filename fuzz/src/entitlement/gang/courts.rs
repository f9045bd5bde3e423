//! Disputes, votes and panels.

use super::{
    jobs::{candidate, job},
    some, Action,
};
use crate::entitlement::{
    calls, honest,
    notes::{LIES, NOTHING, TRUTH},
    play::{Play, What},
};
use joule_sdk::{
    escrow::{
        constants::PANEL_EPOCH,
        state::{Dispute, DisputeStatus, Job as State, JobStatus, Panel, Vote},
    },
    instruction::escrow,
    pda,
    staking::state::Bond,
    Instruction, Pubkey,
};

type Planned = Option<Vec<Instruction>>;

pub const ACTIONS: &[Action] = &[
    ("enrol", 3, enrol),
    ("challenge", 16, challenge),
    ("draw", 6, draw),
    ("commit a vote", 20, commit),
    ("commit a seat", 10, seat),
    ("reveal", 40, reveal),
    ("appeal", 3, appeal),
    ("resolve", 8, resolve),
    ("close a vote", 6, close_vote),
    ("punish the absent", 4, punish),
    ("close a dispute", 4, close_dispute),
    ("close a panel", 1, close_panel),
];

/// A dispute and its job.
fn trial(play: &mut Play) -> Option<(Pubkey, State, Dispute)> {
    let (address, state) = job(play, &[JobStatus::Challenged])?;
    Some((address, state, play.read::<Dispute>(&pda::dispute(&address))?))
}

/// One that was decided.
fn decided(play: &mut Play) -> Option<(Pubkey, State, Dispute)> {
    let (address, state) = job(play, &[JobStatus::Settled, JobStatus::Refunded])?;
    Some((address, state, play.read::<Dispute>(&pda::dispute(&address))?))
}

/// An output that somebody may have an interest in.
fn output(play: &mut Play, state: &State, dispute: Option<&Dispute>) -> [u8; 32] {
    if play.is_contrary {
        return LIES[play.rng.usize(..3)];
    }
    let counter = dispute.map_or(LIES[0], |dispute| dispute.counter_result);
    [TRUTH, state.result_hash, counter, counter, LIES[0], LIES[1], LIES[2], NOTHING][play.rng.usize(..8)]
}

fn enrol(play: &mut Play) -> Planned {
    let (who, _) = play.rogue_that(|person| person.has_bond())?;
    let free = play.read::<Bond>(&pda::bond(&who, &play.cast.mint))?.free().ok()?;
    let stake = if play.chance(50) { free / 2 } else { play.rng.u64(..=free) };
    Some(vec![calls::enroll(who, play.cast.mint, (play.now / PANEL_EPOCH) as u64 + 1, stake)])
}

fn challenge(play: &mut Play) -> Planned {
    let (address, state) = job(play, &[JobStatus::Delivered])?;
    let (who, tokens) = play.rogue()?;
    let counter = output(play, &state, None);
    Some(vec![calls::challenge((who, tokens), address, &state, play.cast.program, counter, play.now)])
}

fn draw(play: &mut Play) -> Planned {
    let (_, _, dispute) = trial(play)?;
    play.hash_slots();
    Some(vec![calls::draw_panel(&dispute)])
}

fn commit(play: &mut Play) -> Planned {
    // Also in the transaction that opens the dispute.
    let (address, state) = job(play, &[JobStatus::Challenged, JobStatus::Delivered])?;
    let dispute = play.read::<Dispute>(&pda::dispute(&address));
    let who = candidate(play)?;
    let free = play.read::<Bond>(&pda::bond(&who.authority, &state.mint))?.free().ok()?;
    let least = state.exposure.get();
    let stake = if play.chance(70) { least } else { play.rng.u64(least.min(free)..=free) };
    let output = output(play, &state, dispute.as_ref());
    let sealed = honest::seal(play, &address, 0, &who.authority, output);
    Some(vec![escrow::commit_vote(who, address, &state, sealed, stake)])
}

fn seat(play: &mut Play) -> Planned {
    let (address, state, dispute) = trial(play)?;
    let members = &dispute.members[..dispute.drawn as usize];
    let all: Vec<(usize, Pubkey)> = members.iter().copied().enumerate().collect();
    let (seat, juror) = play.pick(&all)?;
    if !play.cast.is_rogue(&juror) {
        return None;
    }
    let output = output(play, &state, Some(&dispute));
    let sealed = honest::seal(play, &address, dispute.round, &juror, output);
    Some(vec![calls::commit_seat(juror, play.tokens_of(&juror), &dispute, seat as u8, sealed)])
}

fn reveal(play: &mut Play) -> Planned {
    let (address, _, dispute) = trial(play)?;
    if dispute.status != DisputeStatus::Voting as u8 {
        return None;
    }
    let of = pda::dispute(&address);
    let votes = play.all(What::Vote).into_iter().filter_map(|vote| Some((vote, play.read::<Vote>(&vote)?)));
    let mine = votes.filter(|(_, vote)| vote.dispute == of && vote.choice == 0 && play.cast.is_rogue(&vote.juror));
    let all: Vec<Pubkey> = mine.map(|(address, _)| address).collect();
    let vote = play.pick(&all)?;
    let seal = *play.seals.get(&vote)?;
    Some(vec![escrow::reveal_vote(address, vote, seal.output, seal.salt)])
}

fn appeal(play: &mut Play) -> Planned {
    let (address, state, dispute) = trial(play)?;
    let who = play.pick(&[state.client, state.provider_authority, dispute.challenger])?;
    Some(vec![escrow::appeal(who, play.tokens_of(&who), address, play.cast.program)])
}

fn resolve(play: &mut Play) -> Planned {
    let (address, state, _) = trial(play)?;
    Some(vec![escrow::resolve(address, &state, play.cast.program)])
}

fn close_vote(play: &mut Play) -> Planned {
    let (address, state, dispute) = decided(play)?;
    let of = pda::dispute(&address);
    let votes = play.all(What::Vote).into_iter().filter_map(|vote| Some((vote, play.read::<Vote>(&vote)?)));
    let all: Vec<(Pubkey, Vote)> = votes.filter(|(_, vote)| vote.dispute == of).collect();
    let (vote, found) = play.pick(&all)?;
    Some(vec![calls::close_vote(address, &state, &dispute, vote, &found, play.cast.program)])
}

fn punish(play: &mut Play) -> Planned {
    let (address, state, dispute) = decided(play)?;
    let seat = play.rng.u8(..dispute.drawn.max(1));
    Some(vec![honest::punishing(play, &address, &state, &dispute, seat)?])
}

fn close_dispute(play: &mut Play) -> Planned {
    let (address, _, dispute) = decided(play)?;
    Some(vec![escrow::close_dispute(pda::dispute(&address), &dispute)])
}

fn close_panel(play: &mut Play) -> Planned {
    let address = some(play, What::Panel)?;
    let panel = play.read::<Panel>(&address)?;
    Some(vec![escrow::close_panel(address, &panel)])
}
