//! A dispute folded from its events.

use super::{side, verdict};
use crate::{row::job, types::Address};
use joule_api::{Commitment, Dispute, DisputeStatus, Tally, Verdict, Verification, Vote};
use joule_escrow::event as escrow;
use std::collections::HashMap;

/// As the challenge began it.
pub fn from_challenge(address: &Address, e: &escrow::JobChallenged) -> Option<Dispute> {
    let mode = job::verification(e.mode)?;
    let is_panel = mode == Verification::Panel;
    Some(Dispute {
        address: address.to_string(),
        job: Address::from(&e.job).to_string(),
        status: if is_panel { DisputeStatus::Drawing } else { DisputeStatus::Voting },
        mode,
        challenger: Address::from(&e.challenger).to_string(),
        result_hash: hex::encode(e.result_hash),
        counter_result: hex::encode(e.counter_result),
        deposit: e.deposit.get(),
        round: 0,
        appellant: None,
        appeal_deposit: 0,
        panel: job::known(&e.panel),
        draw_slot: e.draw_slot.get(),
        opened_at: e.opened_at.get(),
        draw_by: job::time(e.draw_by.get()),
        commit_by: job::time(e.commit_by.get()),
        reveal_by: job::time(e.reveal_by.get()),
        // A quorum cannot be appealed, so that it can be resolved as soon as its votes are open.
        final_at: job::time(e.reveal_by.get()),
        resolved_at: None,
        verdict: None,
        tallies: vec![Tally::default()],
        members: Vec::new(),
        votes: Vec::new(),
        slot: 0,
        commitment: Commitment::Confirmed,
    })
}

/// Adds what an event says. Facts come in the order in which they happened.
pub fn happened(dispute: &mut Dispute, fact: &escrow::AnyEvent) {
    use escrow::AnyEvent as E;
    match fact {
        E::PanelDrawn(e) => {
            dispute.status = DisputeStatus::Voting;
            dispute.round = e.round;
            dispute.commit_by = job::time(e.commit_by.get());
            dispute.reveal_by = job::time(e.reveal_by.get());
            dispute.final_at = job::time(e.final_at.get());
        }
        E::VoteCommitted(e) => {
            let address = Address::from(&e.vote).to_string();
            if vote(dispute, &address).is_none() {
                dispute.votes.push(Vote {
                    address,
                    juror: Address::from(&e.juror).to_string(),
                    round: e.round,
                    commitment: hex::encode(e.commitment),
                    stake: e.stake.get(),
                    output: None,
                    choice: None,
                    paid: 0,
                    slashed: 0,
                    closed: false,
                });
            }
        }
        E::VoteRevealed(e) => {
            if let Some(vote) = vote(dispute, &Address::from(&e.vote).to_string()) {
                vote.output = Some(hex::encode(e.output));
                vote.choice = verdict(e.choice);
            }
            let counted = count(dispute, e.round);
            *tally(dispute, e.round) = counted;
        }
        E::DisputeAppealed(e) => {
            dispute.status = DisputeStatus::Drawing;
            dispute.round = 1;
            dispute.appellant = side(e.side);
            dispute.appeal_deposit = e.deposit.get();
            dispute.draw_slot = e.draw_slot.get();
            dispute.draw_by = job::time(e.draw_by.get());
            tally(dispute, 1);
        }
        E::DisputeResolved(e) => {
            dispute.status = DisputeStatus::Resolved;
            dispute.verdict = verdict(e.verdict);
            dispute.resolved_at = job::time(e.resolved_at.get());
        }
        E::VoteClosed(e) => {
            if let Some(vote) = vote(dispute, &Address::from(&e.vote).to_string()) {
                vote.paid = e.paid.get();
                vote.slashed = e.slashed.get();
                vote.closed = true;
            }
        }
        E::DisputeClosed(_) => dispute.status = DisputeStatus::Closed,
        // The challenge is where it began, and who was absent the account says.
        _ => {}
    }
}

fn vote<'a>(dispute: &'a mut Dispute, address: &str) -> Option<&'a mut Vote> {
    dispute.votes.iter_mut().find(|vote| vote.address == *address)
}

/// The tally of a round, which is there from now on.
fn tally(dispute: &mut Dispute, round: u8) -> &mut Tally {
    let round = usize::from(round);
    if dispute.tallies.len() <= round {
        dispute.tallies.resize(round + 1, Tally::default());
    }
    &mut dispute.tallies[round]
}

/// What a round's opened votes say. Of third outputs only the one that has most can win, and whoever could not run the job weighs
/// nothing.
fn count(dispute: &Dispute, round: u8) -> Tally {
    let mut tally = Tally::default();
    let mut thirds = HashMap::<&str, u64>::new();
    for vote in dispute.votes.iter().filter(|vote| vote.round == round) {
        let Some(choice) = vote.choice else { continue };
        tally.revealed = tally.revealed.saturating_add(1);
        let side = match choice {
            Verdict::Stands => &mut tally.stands,
            Verdict::Counter => &mut tally.counter,
            Verdict::Neither => thirds.entry(vote.output.as_deref().unwrap_or_default()).or_default(),
            Verdict::Undecided => continue,
        };
        *side = side.saturating_add(vote.stake);
    }
    tally.neither = thirds.into_values().max().unwrap_or_default();
    tally
}
