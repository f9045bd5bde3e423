//! Accounts and events, and the rows that are made of them.

use super::{
    chain::{Corpus, History},
    mutate,
    samples::Sample,
};
use crate::{
    decode::{self, Row, State},
    row::{
        bid, bond, channel, dispute, distribution, job, model, payer, plan, provider, record::Noun, revenue,
        AccountRow, EventRow,
    },
    types::{AccountWrite, Address, EventKey, RawEvent, Signature, Version},
};
use fastrand::Rng;
use joule_api::Commitment;
use joule_billing::event::AnyEvent;
use std::hint::black_box;

/// Mutated, mostly.
fn mutated(rng: &mut Rng, from: &[Sample]) -> Sample {
    let mut sample = from[rng.usize(..from.len())].clone();
    if rng.u8(..8) > 0 {
        let other = &from[rng.usize(..from.len())].data;
        mutate::bytes(rng, &mut sample.data, other);
    }
    sample
}

/// A slot, often one about which something is special.
fn slot(rng: &mut Rng) -> u64 {
    [0, 1, rng.u64(..20), rng.u64(..2_000), u64::MAX][rng.usize(..5)]
}

pub fn an_account(rng: &mut Rng, corpus: &Corpus) -> (AccountWrite, AccountRow) {
    let sample = mutated(rng, &corpus.accounts);
    let version = Version { slot: slot(rng), write: slot(rng) };
    let (owner, lamports) = (sample.program.address(), u64::from(rng.u8(..8) > 0));
    let write =
        AccountWrite { address: Address([1 + rng.u8(..3); 32]), owner, lamports, data: sample.data.into(), version };
    let row = AccountRow::after(None, &write).expect("a first write makes a row");
    (write, row)
}

pub fn an_event(rng: &mut Rng, corpus: &Corpus) -> EventRow {
    let sample = mutated(rng, &corpus.events);
    let (key, program) = (key(rng), sample.program.address());
    let raw = RawEvent { instruction: key.instruction, inner: key.inner, program, data: sample.data.into() };
    EventRow::new(key.signature, rng.u64(..4), slot(rng), rng.bool().then(|| slot(rng) as i64), &raw)
}

fn key(rng: &mut Rng) -> EventKey {
    EventKey { signature: Signature([rng.u8(..); 64]), instruction: rng.u32(..4), inner: rng.u32(..4) }
}

/// Everything that is done with an account when it is stored and when somebody asks. True if it could be decoded.
pub fn account(write: &AccountWrite, row: &AccountRow) -> Result<bool, String> {
    let program = decode::Program::of(&write.owner).ok_or("of no program")?;
    let state = decode::account(program, write.version.slot, &write.data);
    let Ok(state) = state.map_err(|error| black_box(error.to_string())) else { return Ok(false) };
    black_box((state.kind(), state.parent(), state.fields(), row.told_until()));
    stored(model::from_account(row, Commitment::Confirmed))?;
    black_box((payer::from_account(row, Commitment::Confirmed), model::price_list(row, Commitment::Confirmed)));
    black_box((bid::from_account(row), bond::claim(row), bond::from_account(row, Commitment::Confirmed)));
    if let State::Channel(channel) = &state {
        let mut days = revenue::Days::default();
        days.saw(channel.opened_at.get(), revenue::HowFar::of(channel, 0));
        black_box(days.total().report(None, None, &row.address));
    }
    let one = std::slice::from_ref(row);
    [Row::Job, Row::Provider, Row::Dispute, Row::Channel, Row::Plan]
        .into_iter()
        .try_for_each(|of| rebuilt(&of(row.address), one.first(), &[]))?;
    Ok(true)
}

/// The same of an event.
pub fn event(event: &EventRow) -> Result<bool, String> {
    black_box(event.to_api(Commitment::Confirmed));
    let Ok(fact) = event.fact() else { return Ok(false) };
    black_box((fact.accounts(), fact.life(), fact.repeats(), fact.name()));
    let events = std::slice::from_ref(event);
    for row in fact.rows() {
        rebuilt(&row, None, events)?;
    }
    if let Some((_, fact)) = revenue::channel_of(&fact) {
        let mut days = revenue::Days::default();
        days.happened(fact, distribution::time(event));
        black_box(days.total().report(None, None, &Address::SYSTEM));
        if let AnyEvent::Distributed(e) = fact {
            stored(Some(distribution::from_event(event, e, [None, None, None])))?;
        }
    }
    black_box(bond::recompute(&Address([2; 32]), events));
    Ok(true)
}

/// A row's whole history, of which some events and perhaps the account are not what they were.
pub fn a_history(rng: &mut Rng, corpus: &Corpus) -> History {
    let mut history = corpus.histories[rng.usize(..corpus.histories.len())].clone();
    let events = &mut history.events;
    for _ in 0..1 + rng.usize(..4) {
        let at = rng.usize(..events.len());
        let other = &corpus.events[rng.usize(..corpus.events.len())].data;
        match rng.u8(..6) {
            0 => events.push(events[at].clone()),
            1 if events.len() > 1 => drop(events.remove(at)),
            2 => rng.shuffle(events),
            3 => events[at].slot = slot(rng),
            _ => events[at].data = mutate::shared(rng, &events[at].data, other),
        }
    }
    history.account = history.account.filter(|_| rng.u8(..4) > 0);
    if let Some(account) = history.account.as_mut().filter(|_| rng.bool()) {
        let other = &corpus.accounts[rng.usize(..corpus.accounts.len())].data;
        account.data = mutate::shared(rng, &account.data, other);
        (account.closed, account.version.slot) = (rng.bool(), slot(rng));
    }
    history
}

/// Makes the row of it. True if its account could be read.
pub fn history(History { row, account, events }: &History) -> Result<bool, String> {
    rebuilt(row, account.as_ref(), events)?;
    Ok(account.as_ref().is_some_and(|account| account.state().is_some()))
}

fn rebuilt(row: &Row, account: Option<&AccountRow>, events: &[EventRow]) -> Result<(), String> {
    match row {
        Row::Job(address) => stored(job::rebuild(address, account, events, |_| None)),
        Row::Provider(address) => stored(provider::rebuild(address, account, events)),
        Row::Dispute(address) => stored(dispute::rebuild(address, account, events)),
        Row::Channel(address) => stored(channel::rebuild(address, account, events)),
        Row::Plan(address) => stored(plan::rebuild(address, account, events)),
    }
}

/// Whatever a row is made of, a store can keep it, and reads it as it was.
fn stored<N: Noun>(noun: Option<N>) -> Result<(), String> {
    let Some(noun) = noun else { return Ok(()) };
    let cells = noun.to_cells().map_err(|error| format!("a row that no store can keep: {error}"))?;
    let read = N::of_cells(&cells).map_err(|error| format!("a row that nobody can read: {error}"))?;
    match read.to_cells() {
        Ok(again) if again == cells => Ok(()),
        other => Err(format!("a row that is read as another: {cells:?} as {other:?}")),
    }
}
