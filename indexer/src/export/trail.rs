//! The trail of one account: every event that concerns it, what its row was after each, and what it is now.

use super::{
    event,
    sheet::{Column, Holds, Line, Sheet, Value},
    Source,
};
use crate::{
    decode::{Program, Row},
    row::{
        cell::{Cell, Kind},
        channel, dispute, job, plan, provider, AccountRow, EventRow,
    },
    store::{Scan, Scanned},
    types::Address,
};
use serde::Serialize;
use std::collections::VecDeque;

/// As many of what can happen again and again count for a row as in the store.
const NEWEST: usize = 256;

pub struct Trail {
    of: Address,
    sheet: Sheet,
    /// What happened to its row once.
    once: Vec<EventRow>,
    /// The newest of the rest.
    again: VecDeque<EventRow>,
}

impl Trail {
    pub fn new(of: Address) -> Self {
        Self { of, sheet: sheet(), once: Vec::new(), again: VecDeque::new() }
    }

    fn event(&mut self, event: EventRow) -> Line {
        let mut values = vec![Cell::Name("event".into()).into()];
        values.extend(event::values(&event));
        values.push(self.after(event).map_or(Value::NULL, Value::Json));
        Line { values, lists: Vec::new() }
    }

    /// The row after one more event.
    fn after(&mut self, event: EventRow) -> Option<serde_json::Value> {
        let fact = event.fact().ok()?;
        let row = fact.rows().into_iter().find(|row| row.address() == self.of)?;
        if !fact.repeats() {
            self.once.push(event);
        } else {
            self.again.push_back(event);
            if self.again.len() > NEWEST {
                self.again.pop_front();
            }
        }
        let events: Vec<EventRow> = self.once.iter().chain(&self.again).cloned().collect();
        told(&row, &events)
    }

    /// The last line.
    fn account(&self, row: AccountRow) -> Line {
        let state = row.state();
        let kind = row.kind.clone();
        let values = vec![
            Cell::Name(if row.closed { "closed account" } else { "account" }.into()).into(),
            Cell::Uint(row.since).into(),
            Value::NULL,
            Value::NULL,
            Value::NULL,
            Value::NULL,
            Value::NULL,
            Cell::Name(Program::of(&row.program).map_or("", Program::name).into()).into(),
            Cell::Name(kind).into(),
            Cell::Key(row.address.0).into(),
            state.map_or(Value::NULL, |state| Value::Json(state.fields())),
            Value::NULL,
        ];
        Line { values, lists: Vec::new() }
    }
}

/// A row as its events alone tell it.
fn told(row: &Row, events: &[EventRow]) -> Option<serde_json::Value> {
    match row {
        Row::Job(address) => json(job::rebuild(address, None, events, |_| None)),
        Row::Provider(address) => json(provider::rebuild(address, None, events)),
        Row::Dispute(address) => json(dispute::rebuild(address, None, events)),
        Row::Channel(address) => json(channel::rebuild(address, None, events)),
        Row::Plan(address) => json(plan::rebuild(address, None, events)),
    }
}

fn json<N: Serialize>(noun: Option<N>) -> Option<serde_json::Value> {
    let mut value = serde_json::to_value(noun?).ok()?;
    // That is what it is now, not what it was.
    value.as_object_mut()?.remove("commitment");
    Some(value)
}

impl Source for Trail {
    fn sheet(&self) -> &Sheet {
        &self.sheet
    }

    fn scan(&self) -> Scan {
        Scan::Trail(self.of)
    }

    fn lines(&mut self, scanned: Scanned) -> anyhow::Result<Vec<Line>> {
        Ok(match scanned {
            Scanned::Events(events) => events.into_iter().map(|event| self.event(event)).collect(),
            Scanned::Accounts(rows) => rows.into_iter().map(|row| self.account(row)).collect(),
            Scanned::Rows(_) => Vec::new(),
        })
    }
}

pub fn sheet() -> Sheet {
    let mut columns = vec![Column::of(
        "what",
        Kind::Name,
        "event; and once, at the end, account or closed account: what is stored of it.",
    )];
    columns.extend(event::columns().into_iter().map(|mut column| {
        column.nullable |= !matches!(column.name.as_str(), "slot" | "program" | "name");
        column.nullable |= column.name == "fields";
        column
    }));
    columns.push(Column::new(
        "row",
        Holds::Json,
        true,
        "What the API would have answered for it after this event, as far as events tell; null of accounts that have no row.",
    ));
    Sheet {
        name: "trail".to_owned(),
        what: "Everything that concerns one account, in the order in which it happened (exports only). Of the last line the slot is that \
               which changed the account, the name its kind, the fields what its last bytes say."
            .to_owned(),
        columns,
        lists: Vec::new(),
    }
}
