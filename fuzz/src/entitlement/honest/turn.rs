//! What anybody may do so that things go on, and somebody honest does.

use super::Duty;
use crate::entitlement::{
    calls,
    play::{By, Play, What},
};
use joule_sdk::{
    escrow::state::{Bid, Dispute, DisputeStatus, Job as State, JobStatus, Panel, Vote},
    instruction::escrow,
    pda,
    staking::state::Claim,
    Instruction, Pubkey,
};

const DAY: i64 = 24 * 60 * 60;

/// Somebody draws once the slot has come.
pub fn draw_soon(play: &mut Play, address: &Pubkey, dispute: &Dispute) {
    // A slot takes two fifths of a second, and draws come by sixteen slots.
    let soon = play.now + 8;
    let at = play.moment(soon, (soon + 90).min(dispute.draw_by.get()));
    play.plan(at, Duty::Draw { job: *address });
    let late = dispute.draw_by.get() + 1;
    let at = play.moment(late, late + DAY);
    play.plan(at, Duty::Turn { job: *address });
}

pub fn draw(play: &mut Play, address: Pubkey) {
    let Some(dispute) = play.read::<Dispute>(&pda::dispute(&address)) else { return };
    if dispute.status != DisputeStatus::Drawing as u8 || !play.is_there(&dispute.panel) {
        return;
    }
    play.hash_slots();
    let draw = calls::draw_panel(&dispute);
    let _ = play.send(By::Honest, "somebody draws", &[draw]);
    let again = play.read::<Dispute>(&pda::dispute(&address));
    let Some(again) = again else { return };
    if again.status == DisputeStatus::Drawing as u8 {
        // A slot that is to come, or a member that is busy.
        let is_busy = again.lot != [0; 32];
        let soon = play.now + if is_busy { again.vote_window.get() as i64 / 2 } else { 8 + play.rng.i64(0..120) };
        if soon <= again.draw_by.get() {
            play.plan(soon, Duty::Draw { job: address });
        }
    }
}

/// Takes a job as far as its state and the clock allow.
pub fn turn(play: &mut Play, address: &Pubkey) {
    let Some(state) = play.read::<State>(address) else { return };
    let (now, program) = (play.now, play.cast.program);
    let crank = |what: &str, play: &mut Play, call: Instruction| {
        let _ = play.send(By::Honest, what, &[call]);
    };
    match state.status {
        status if status == JobStatus::Open as u8 => {
            if now > state.accept_by.get() {
                crank("somebody expires", play, escrow::expire(*address, &state, program));
            } else if now > state.bid_until.get() && state.best_bid != Pubkey::default() {
                if let Some(bid) = play.read::<Bid>(&state.best_bid) {
                    crank("somebody awards", play, escrow::award_bid(state.best_bid, &bid));
                }
            }
        }
        status if status == JobStatus::Accepted as u8 => {
            if now > state.deliver_by.get() {
                crank("somebody fails a late job", play, escrow::fail(*address, &state, program));
            }
        }
        status if status == JobStatus::Delivered as u8 => {
            if now >= state.settle_after.get() {
                crank("somebody settles", play, escrow::settle(*address, &state, program));
            }
        }
        status if status == JobStatus::Challenged as u8 => {
            let Some(dispute) = play.read::<Dispute>(&pda::dispute(address)) else { return };
            let over = match dispute.status == DisputeStatus::Drawing as u8 {
                true => dispute.draw_by.get(),
                false => dispute.final_at.get(),
            };
            if now > over {
                crank("somebody resolves", play, escrow::resolve(*address, &state, program));
            }
        }
        _ => {}
    }
    wind_up(play, address);
    again(play, address);
}

/// Somebody will look at it again.
fn again(play: &mut Play, address: &Pubkey) {
    let Some(state) = play.read::<State>(address).filter(|_| !play.is_over) else { return };
    let dispute = play.read::<Dispute>(&pda::dispute(address));
    let at = match (state.status, dispute) {
        (status, Some(dispute)) if status == JobStatus::Challenged as u8 => {
            match dispute.status == DisputeStatus::Drawing as u8 {
                true => dispute.draw_by.get() + 1,
                false => dispute.final_at.get() + 1,
            }
            // Without a verdict nobody is paid before the review is over.
            .max(if play.rng.u32(..2) == 0 { state.settle_after.get() } else { 0 })
        }
        (status, Some(_)) if status != JobStatus::Challenged as u8 => play.now + 4_000,
        _ => return,
    };
    let from = at.max(play.now + 1);
    let at = play.moment(from, from + DAY / 2);
    play.plan(at, Duty::Turn { job: *address });
}

/// Closes votes, punishes who did not come, closes dispute and job, as far as that goes.
pub fn wind_up(play: &mut Play, address: &Pubkey) {
    let (dispute_address, program) = (pda::dispute(address), play.cast.program);
    let Some(state) = play.read::<State>(address) else { return };
    if ![JobStatus::Settled as u8, JobStatus::Refunded as u8].contains(&state.status) {
        return;
    }
    if let Some(dispute) = play.read::<Dispute>(&dispute_address) {
        let votes: Vec<(Pubkey, Vote)> = play
            .all(What::Vote)
            .into_iter()
            .filter_map(|vote| Some((vote, play.read::<Vote>(&vote)?)))
            .filter(|(_, vote)| vote.dispute == dispute_address)
            .collect();
        for (vote, found) in votes {
            let close = calls::close_vote(*address, &state, &dispute, vote, &found, program);
            let _ = play.send(By::Honest, "somebody closes a vote", &[close]);
        }
        for seat in 0..dispute.drawn {
            let done = dispute.committed.get() | dispute.punished.get();
            if done & (1 << seat) == 0 {
                if let Some(punish) = punishing(play, address, &state, &dispute, seat) {
                    let _ = play.send(By::Honest, "somebody punishes an absent member", &[punish]);
                }
            }
        }
        let close = escrow::close_dispute(dispute_address, &dispute);
        let _ = play.send(By::Honest, "somebody closes a dispute", &[close]);
    }
    let Some(state) = play.read::<State>(address) else { return };
    if state.disputed == 0 {
        let _ = play.send(By::Honest, "somebody pays", &[escrow::pay(*address, &state, program)]);
    }
}

/// The instruction that punishes a member for not coming.
pub fn punishing(play: &Play, address: &Pubkey, state: &State, dispute: &Dispute, seat: u8) -> Option<Instruction> {
    let member = dispute.members.get(seat as usize)?;
    let claim = pda::seat_claim(&dispute.panel, member);
    let payer = play.read::<Claim>(&claim).map_or(*member, |claim| claim.rent_payer);
    play.read::<Panel>(&dispute.panel)?;
    Some(escrow::punish_absent(*address, state, dispute, seat, payer, play.cast.program))
}
