//! Disputes: what an account and its events say together.

mod history;

use super::{
    cell::names,
    job,
    record::{noun, record},
    AccountRow, EventRow,
};
use crate::{
    decode::{event::dispute_of, Fact, State},
    types::Address,
};
use joule_api::{Commitment, Dispute, DisputeStatus, Member, Side, Tally, Verdict, Verification, Vote};
use joule_escrow::{event as escrow, state};

/// The dispute, from its account and the events that concern it. `None` when neither says what it is about.
///
/// Events tell everything but who was drawn, and a later slot that was chosen to draw by: those are in the account alone,
/// which is also the truth while it lives.
pub fn rebuild(address: &Address, account: Option<&AccountRow>, events: &[EventRow]) -> Option<Dispute> {
    let mut facts: Vec<(&EventRow, escrow::AnyEvent)> = events
        .iter()
        .filter_map(|event| match event.fact() {
            Ok(Fact::Escrow(fact)) if dispute_of(&fact).is_some_and(|named| Address::from(named) == *address) => {
                Some((event, fact))
            }
            _ => None,
        })
        .collect();
    facts.sort_by_key(|(event, _)| event.order());
    let state = match account.and_then(AccountRow::state) {
        Some(State::Dispute(state)) => Some(state),
        _ => None,
    };
    let challenged = facts.iter().find_map(|(_, fact)| match fact {
        escrow::AnyEvent::JobChallenged(e) => Some(e),
        _ => None,
    });
    let newest = facts.iter().map(|(event, _)| event.slot).max().unwrap_or_default();
    let mut dispute = match (challenged, &state) {
        (Some(challenged), _) => history::from_challenge(address, challenged)?,
        (None, Some(state)) => from_account(address, state)?,
        (None, None) => return None,
    };
    for (_, fact) in &facts {
        history::happened(&mut dispute, fact);
    }
    if let (Some(account), Some(state)) = (account, &state) {
        let is_newest = !account.closed && account.version.slot >= newest;
        if is_newest || challenged.is_none() {
            written(&mut dispute, state);
            // What is left of other third outputs once one of them has won, the account says no more.
            if challenged.is_none() || dispute.verdict != Some(Verdict::Neither) {
                dispute.tallies = tallies(state);
            }
        }
        seat(&mut dispute, state);
    }
    dispute.slot = account.map_or(0, |account| account.since).max(newest);
    if account.is_some_and(|account| account.closed) {
        dispute.status = DisputeStatus::Closed;
    }
    dispute.votes.sort_by(|a, b| (a.round, &a.juror).cmp(&(b.round, &b.juror)));
    Some(dispute)
}

fn from_account(address: &Address, state: &state::Dispute) -> Option<Dispute> {
    Some(Dispute {
        address: address.to_string(),
        job: Address::from(&state.job).to_string(),
        status: DisputeStatus::Voting,
        mode: job::verification(state.mode)?,
        challenger: Address::from(&state.challenger).to_string(),
        // The job has it, and its challenge is not known.
        result_hash: String::new(),
        counter_result: hex::encode(state.counter_result),
        deposit: state.deposit.get(),
        round: 0,
        appellant: None,
        appeal_deposit: 0,
        panel: job::known(&state.panel),
        draw_slot: 0,
        opened_at: state.opened_at.get(),
        draw_by: None,
        commit_by: None,
        reveal_by: None,
        final_at: None,
        resolved_at: None,
        verdict: None,
        tallies: vec![Tally::default()],
        members: Vec::new(),
        votes: Vec::new(),
        slot: 0,
        commitment: Commitment::Confirmed,
    })
}

/// What changes while a dispute goes on, as its account has it.
fn written(dispute: &mut Dispute, state: &state::Dispute) {
    use state::DisputeStatus as S;
    dispute.status = match state.status {
        s if s == S::Drawing as u8 => DisputeStatus::Drawing,
        s if s == S::Resolved as u8 => DisputeStatus::Resolved,
        _ => DisputeStatus::Voting,
    };
    dispute.round = state.round;
    dispute.appellant = side(state.appellant);
    dispute.appeal_deposit = state.appeal_deposit.get();
    dispute.draw_slot = state.draw_slot.get();
    dispute.draw_by = job::time(state.draw_by.get());
    dispute.commit_by = job::time(state.commit_by.get());
    dispute.reveal_by = job::time(state.reveal_by.get());
    dispute.final_at = job::time(state.final_at.get());
    dispute.resolved_at = job::time(state.resolved_at.get());
    dispute.verdict = verdict(state.verdict);
}

fn tallies(state: &state::Dispute) -> Vec<Tally> {
    let rounds = state.rounds.iter().take(usize::from(state.round) + 1);
    rounds
        .map(|round| {
            let [stands, counter, neither] = round.tally.map(|weight| weight.get());
            Tally { stands, counter, neither, revealed: round.revealed.get() }
        })
        .collect()
}

/// Who was drawn, as the account has it or last had it.
fn seat(dispute: &mut Dispute, state: &state::Dispute) {
    let members = state.members.iter().take(usize::from(state.drawn));
    dispute.members = (0u8..)
        .zip(members)
        .map(|(seat, member)| Member {
            seat,
            resolver: Address::from(member).to_string(),
            committed: state.committed.get() >> seat & 1 == 1,
            punished: state.punished.get() >> seat & 1 == 1,
        })
        .collect();
}

pub fn verdict(number: u8) -> Option<Verdict> {
    Some(match state::Verdict::from_number(number).ok()? {
        state::Verdict::Stands => Verdict::Stands,
        state::Verdict::Counter => Verdict::Counter,
        state::Verdict::Neither => Verdict::Neither,
        state::Verdict::Undecided => Verdict::Undecided,
    })
}

fn side(number: u8) -> Option<Side> {
    match number {
        n if n == joule_escrow::math::Side::Provider as u8 => Some(Side::Provider),
        n if n == joule_escrow::math::Side::Challenger as u8 => Some(Side::Challenger),
        n if n == joule_escrow::math::Side::Client as u8 => Some(Side::Client),
        _ => None,
    }
}

names!(DisputeStatus; Drawing = "drawing", Voting = "voting", Resolved = "resolved", Closed = "closed");
names!(Verdict; Stands = "stands", Counter = "counter", Neither = "neither", Undecided = "undecided");
names!(Side; Provider = "provider", Challenger = "challenger", Client = "client");

record! {
    Tally { stands: Amount, counter: Amount, neither: Amount, revealed: Number<u32> }
}

record! {
    Member { seat: Number<u8>, resolver: Address, committed: Flag, punished: Flag }
}

record! {
    Vote {
        address: Address,
        juror: Address,
        round: Number<u8>,
        commitment: Hash,
        stake: Amount,
        output: Maybe<Hash>,
        choice: Maybe<Name<Verdict>>,
        paid: Amount,
        slashed: Amount,
        closed: Flag,
    }
}

record! {
    Dispute {
        address: Address,
        job: Address,
        status: Name<DisputeStatus>,
        mode: Name<Verification>,
        challenger: Address,
        result_hash: KnownHash,
        counter_result: Hash,
        deposit: Amount,
        round: Number<u8>,
        appellant: Maybe<Name<Side>>,
        appeal_deposit: Amount,
        panel: Maybe<Address>,
        draw_slot: Count,
        opened_at: Time,
        draw_by: Maybe<Time>,
        commit_by: Maybe<Time>,
        reveal_by: Maybe<Time>,
        final_at: Maybe<Time>,
        resolved_at: Maybe<Time>,
        verdict: Maybe<Name<Verdict>>,
        slot: Count,
    }
    lists { tallies: Tally, members: Member, votes: Vote }
    rest { commitment: Commitment::Confirmed }
}

noun!(Dispute in "disputes", opened_at, Newest, of DisputeStatus);
