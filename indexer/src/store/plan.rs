//! Plans: what an account and its events say together.

use super::{
    job::time,
    listing::{body, column, parse, First, Listing},
    page::PageRequest,
    AccountRow, EventRow, Result,
};
use crate::{
    decode::{event::plan_of, Fact, State},
    types::Address,
};
use joule_api::{Commitment, Plan, PlanStatus};
use joule_billing::{event as billing, state};
use rusqlite::{params, Connection, OptionalExtension};

/// Which plans to list. Empty fields match everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlanFilter {
    pub payer: Option<Address>,
    pub channel: Option<Address>,
    pub status: Option<PlanStatus>,
}

impl PlanFilter {
    pub fn matches(&self, plan: &Plan) -> bool {
        let same = |wanted: &Option<Address>, is: &String| wanted.is_none_or(|wanted| *is == wanted.to_string());
        self.status.is_none_or(|status| status == plan.status)
            && same(&self.payer, &plan.payer)
            && same(&self.channel, &plan.channel)
    }
}

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

fn status_name(status: PlanStatus) -> &'static str {
    match status {
        PlanStatus::Running => "running",
        PlanStatus::Paused => "paused",
        PlanStatus::Terminated => "terminated",
        PlanStatus::Ended => "ended",
    }
}

/// The row as it was stored, with commitment `confirmed`.
pub fn get(conn: &Connection, address: &Address) -> Result<Option<Plan>> {
    let mut statement = conn.prepare_cached("select body from plans where address = ?1")?;
    statement.query_row([address.0], |row| row.get::<_, String>(0)).optional()?.map(|body| parse(&body)).transpose()
}

pub fn put(conn: &Connection, address: &Address, plan: &Plan) -> Result<()> {
    let blob = |text: &str| column(address, text);
    let body = body(address, plan)?;
    conn.prepare_cached(
        "insert or replace into plans (address, channel, payer, status, started_at, slot, body)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        address.0,
        blob(&plan.channel)?,
        blob(&plan.payer)?,
        status_name(plan.status),
        plan.started_at,
        plan.slot as i64,
        body,
    ])?;
    Ok(())
}

/// Newest first: by when they started, then by address.
pub fn list(conn: &Connection, filter: &PlanFilter, page: &PageRequest, without: &[Address]) -> Result<Vec<Plan>> {
    Listing::of("plans")
        .text("status", filter.status.map(status_name))
        .address("payer", filter.payer)
        .address("channel", filter.channel)
        .read(conn, "started_at", First::Newest, page, without)
}
