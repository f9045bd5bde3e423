//! Plans: what an account and its events say together.

use super::{
    cell::names,
    job::time,
    record::{noun, record},
    AccountRow, EventRow,
};
use crate::{
    decode::{event::plan_of, Fact, State},
    types::Address,
};
use joule_api::{Commitment, Plan, PlanStatus};
use joule_billing::{event as billing, state};

/// The newest plan at an address, from its account and its events. `None` when neither says what it is.
///
/// The account is the truth while it lives. A channel may have one plan after another, at one address: once the account is
/// closed, the row is of the last that was started.
pub fn rebuild(address: &Address, account: Option<&AccountRow>, events: &[EventRow]) -> Option<Plan> {
    let mut facts: Vec<(&EventRow, billing::AnyEvent)> = events
        .iter()
        .filter_map(|event| match event.fact() {
            Ok(Fact::Billing(fact)) if plan_of(&fact).is_some_and(|named| Address::from(named) == *address) => {
                Some((event, fact))
            }
            _ => None,
        })
        .collect();
    facts.sort_by_key(|(event, _)| event.order());
    let seen = match account.and_then(AccountRow::state) {
        Some(State::Plan(state)) => Some(from_account(address, &state)?),
        _ => None,
    };
    let spoken_until = match (account, &seen) {
        (Some(account), Some(_)) if !account.closed => Some(account.version.slot),
        _ => None,
    };
    // A closed account's last bytes count only where no event says how it began.
    let started = |(_, fact): &(&EventRow, billing::AnyEvent)| matches!(fact, billing::AnyEvent::PlanStarted(_));
    let is_told = facts.iter().any(started);
    let mut plan = seen.clone().filter(|_| spoken_until.is_some() || !is_told);
    let (mut slot, mut started_in) = (0, 0);
    for (event, fact) in &facts {
        if spoken_until.is_some_and(|slot| event.slot <= slot) {
            continue;
        }
        match fact {
            billing::AnyEvent::PlanStarted(e) => {
                plan = Some(from_start(address, e));
                started_in = event.slot;
            }
            _ => plan.iter_mut().for_each(|plan| happened(plan, fact)),
        }
        slot = slot.max(event.slot);
    }
    let mut plan = plan?;
    plan.slot = account.map_or(0, |account| account.since).max(slot);
    // What was closed may have been the one before.
    if account.is_some_and(|account| account.closed && account.version.slot >= started_in) {
        plan.status = PlanStatus::Ended;
        plan.lockup = 0;
    }
    Some(plan)
}

fn from_account(address: &Address, state: &state::Plan) -> Option<Plan> {
    Some(Plan {
        address: address.to_string(),
        channel: Address::from(&state.channel).to_string(),
        payer: Address::from(&state.payer).to_string(),
        status: match state.status().ok()? {
            state::PlanStatus::Running => PlanStatus::Running,
            state::PlanStatus::Paused => PlanStatus::Paused,
            state::PlanStatus::Terminated => PlanStatus::Terminated,
        },
        rate: state.rate.get(),
        lockup: state.lockup.get(),
        period: state.period.get(),
        started_at: state.started_at.get(),
        settled_until: state.settled_until.get(),
        ends_at: time(state.ends_at.get()),
        slot: 0,
        commitment: Commitment::Confirmed,
    })
}

/// As its owner started it.
fn from_start(address: &Address, e: &billing::PlanStarted) -> Plan {
    Plan {
        address: address.to_string(),
        channel: Address::from(&e.channel).to_string(),
        payer: Address::from(&e.payer).to_string(),
        status: PlanStatus::Running,
        rate: e.rate.get(),
        lockup: e.lockup.get(),
        period: e.period.get(),
        started_at: e.at.get(),
        settled_until: e.at.get(),
        ends_at: None,
        slot: 0,
        commitment: Commitment::Confirmed,
    }
}

/// Adds what an event says. Facts come in the order in which they happened.
fn happened(plan: &mut Plan, fact: &billing::AnyEvent) {
    use billing::AnyEvent as E;
    match fact {
        E::PlanPaused(_) => plan.status = PlanStatus::Paused,
        E::PlanResumed(e) => {
            plan.status = PlanStatus::Running;
            plan.settled_until = e.at.get();
        }
        E::PlanTerminated(e) => {
            plan.status = PlanStatus::Terminated;
            plan.ends_at = time(e.ends_at.get());
            end(plan, e.closed);
        }
        E::PlanSettled(e) => {
            plan.settled_until = e.settled_until.get();
            end(plan, e.closed);
        }
        _ => {}
    }
}

fn end(plan: &mut Plan, closed: u8) {
    if closed == 1 {
        plan.status = PlanStatus::Ended;
        plan.lockup = 0;
    }
}

names!(PlanStatus; Running = "running", Paused = "paused", Terminated = "terminated", Ended = "ended");

record! {
    Plan {
        address: Address,
        channel: Address,
        payer: Address,
        status: Name<PlanStatus>,
        rate: Amount,
        lockup: Amount,
        period: Number<u32>,
        started_at: Time,
        settled_until: Time,
        ends_at: Maybe<Time>,
        slot: Count,
    }
    rest { commitment: Commitment::Confirmed }
}

noun!(Plan in "plans", started_at, Newest, of PlanStatus);
