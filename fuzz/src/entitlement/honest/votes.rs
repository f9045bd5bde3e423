//! Honest jurors and resolvers.

use super::Duty;
use crate::entitlement::{
    calls,
    finding::Kind,
    notes::{Vote, NOTHING, TRUTH},
    play::{By, Play, Seal},
};
use joule_sdk::{
    escrow::{
        constants::PANEL_EPOCH,
        state::{commitment, Dispute, DisputeStatus, Job as State, Panel},
    },
    instruction::escrow::{self, Provider},
    pda,
    staking::state::Bond,
    Pubkey,
};

/// Seals an output, and keeps what opens it.
pub fn seal(play: &mut Play, address: &Pubkey, round: u8, juror: &Pubkey, output: [u8; 32]) -> [u8; 32] {
    let vote = pda::vote(&pda::dispute(address), round, juror);
    let salt = play.rng.u64(..).to_le_bytes().repeat(4).try_into().unwrap_or([1; 32]);
    // Of a vote that was cast the seal must stay.
    if !play.is_there(&vote) {
        play.seals.insert(vote, Seal { output, salt });
    }
    commitment(address, &output, &salt, juror)
}

fn set(play: &mut Play, address: &Pubkey, round: u8, juror: Pubkey, weight: u64, vote: Vote) {
    if let Some(case) = play.jobs.get_mut(address).and_then(|job| job.case.as_mut()) {
        case.votes.insert((round, juror), (weight, vote));
    }
}

pub fn vote(play: &mut Play, address: Pubkey, juror: Pubkey) {
    let Some(state) = play.read::<State>(&address) else { return };
    let Some(dispute) = play.read::<Dispute>(&pda::dispute(&address)) else { return };
    let free = play.read::<Bond>(&pda::bond(&juror, &state.mint)).map_or(0, |bond| bond.free().unwrap_or(0));
    let wanted = play.jobs[&address].wanted.map_or(0, |criteria| criteria.min_bond.get());
    let least = dispute.deposit.get();
    if dispute.status != DisputeStatus::Voting as u8 || play.now > dispute.commit_by.get() {
        return;
    }
    if free < least.max(wanted) {
        return set(play, &address, 0, juror, 0, Vote::Unable);
    }
    let stake = if play.chance(60) { free } else { play.rng.u64(least..=free) };
    let sealed = seal(play, &address, 0, &juror, TRUTH);
    let attested = play.is_there(&pda::attestations(&juror));
    let who = Provider { attested, ..Provider::new(juror, play.tokens_of(&juror)) };
    let commit = escrow::commit_vote(who, address, &state, sealed, stake);
    let name = play.cast.name(&juror);
    match play.send(By::Honest, &format!("{name} seals the truth with {stake}"), &[commit]) {
        Ok(()) => {
            set(play, &address, 0, juror, stake, Vote::Cast);
            let at = play.moment(dispute.commit_by.get() + 1, dispute.reveal_by.get());
            play.plan(at, Duty::Reveal { job: address, juror, round: 0 });
        }
        Err(why) => set(play, &address, 0, juror, stake, Vote::Refused(why)),
    }
}

pub fn seat(play: &mut Play, address: Pubkey, juror: Pubkey, seat: u8, round: u8) {
    let Some(dispute) = play.read::<Dispute>(&pda::dispute(&address)) else { return };
    if dispute.status != DisputeStatus::Voting as u8 || play.now > dispute.commit_by.get() || dispute.round != round {
        return;
    }
    // Nobody has the input any more, perhaps. Such a vote weighs nothing, and costs nothing.
    let (output, weight) = if play.chance(94) { (TRUTH, 1) } else { (NOTHING, 0) };
    let sealed = seal(play, &address, round, &juror, output);
    let commit = calls::commit_seat(juror, play.tokens_of(&juror), &dispute, seat, sealed);
    let name = play.cast.name(&juror);
    match play.send(By::Honest, &format!("{name} seals the truth from seat {seat}"), &[commit]) {
        Ok(()) => {
            set(play, &address, round, juror, weight, Vote::Cast);
            let at = play.moment(dispute.commit_by.get() + 1, dispute.reveal_by.get());
            play.plan(at, Duty::Reveal { job: address, juror, round });
        }
        Err(why) => set(play, &address, round, juror, weight, Vote::Refused(why)),
    }
}

pub fn reveal(play: &mut Play, address: Pubkey, juror: Pubkey, round: u8) {
    let Some(dispute) = play.read::<Dispute>(&pda::dispute(&address)) else { return };
    let vote = pda::vote(&pda::dispute(&address), round, &juror);
    let Some(seal) = play.seals.get(&vote).copied() else { return };
    let weight = play.jobs[&address].case.as_ref().and_then(|case| case.votes.get(&(round, juror))).map_or(0, |v| v.0);
    let reveal = escrow::reveal_vote(address, vote, seal.output, seal.salt);
    match play.send(By::Honest, &format!("{} opens its vote", play.cast.name(&juror)), &[reveal]) {
        Ok(()) => set(play, &address, round, juror, weight, Vote::Open),
        Err(why) if why == "AlreadyRevealed" => set(play, &address, round, juror, weight, Vote::Open),
        Err(why) => {
            let is_timely = dispute.round == round && play.now <= dispute.reveal_by.get();
            if is_timely {
                play.find(Kind::Refused, format!("an honest vote cannot be opened in time: {why}"));
            }
        }
    }
}

pub fn enrol(play: &mut Play, resolver: Pubkey) {
    let mint = play.cast.mint;
    let bond = play.read::<Bond>(&pda::bond(&resolver, &mint)).map_or(0, |bond| bond.free().unwrap_or(0));
    let (epoch, stake) = ((play.now / PANEL_EPOCH) as u64 + 1, bond);
    let stake = if play.chance(70) { stake } else { stake / play.rng.u64(2..20) };
    let is_in = play.read::<Panel>(&pda::panel(&mint, epoch));
    let is_in = is_in.is_some_and(|panel| panel.enrolled().iter().any(|entry| entry.resolver == resolver));
    if stake == 0 || is_in {
        return;
    }
    let enroll = calls::enroll(resolver, mint, epoch, stake);
    let sent = play.send(By::Honest, &format!("{} enrols with {stake}", play.cast.name(&resolver)), &[enroll]);
    if let (Err(why), true) = (sent, play.cast.is_honest(&resolver)) {
        play.find(Kind::Refused, format!("a resolver could not enrol: {why}"));
    }
}
