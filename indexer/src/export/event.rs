//! Events, each with its fields.

use super::{
    sheet::{Column, Holds, Line, List, Sheet, Value},
    Source, Wanted,
};
use crate::{
    decode::{Program, UNDECODABLE},
    row::{
        cell::{Cell, Kind},
        EventRow,
    },
    store::{Between, Scan, Scanned},
};
use joule_api::Commitment;

pub struct Events {
    sheet: Sheet,
    wanted: Vec<Wanted>,
    time: Between,
}

impl Events {
    pub fn new(time: Between, wanted: &[String]) -> anyhow::Result<Self> {
        let sheet = sheet();
        let wanted = Wanted::all(&sheet, wanted, |column| match column.name.as_str() {
            "program" => programs(),
            _ => Vec::new(),
        })?;
        Ok(Self { sheet, wanted, time })
    }
}

pub(super) fn programs() -> Vec<String> {
    Program::ALL.map(|program| program.name().to_owned()).into()
}

impl Source for Events {
    fn sheet(&self) -> &Sheet {
        &self.sheet
    }

    fn scan(&self) -> Scan {
        Scan::Events(self.time)
    }

    fn lines(&mut self, scanned: Scanned) -> anyhow::Result<Vec<Line>> {
        let Scanned::Events(events) = scanned else { return Ok(Vec::new()) };
        let mut lines: Vec<Line> = events.iter().map(line).collect();
        lines.retain(|line| self.wanted.iter().all(|wanted| wanted.matches(line)));
        Ok(lines)
    }
}

pub fn sheet() -> Sheet {
    let account = Column::of("address", Kind::Address, "Its subject first.");
    Sheet {
        name: "events".to_owned(),
        what: "What the programs stated, in the order in which it happened (exports only).".to_owned(),
        columns: columns(),
        lists: vec![List {
            name: "accounts".to_owned(),
            meaning: "The accounts that it concerns.".to_owned(),
            columns: vec![account],
        }],
    }
}

/// When an event happened, where, and what it says.
pub(super) fn columns() -> Vec<Column> {
    vec![
        Column::of("slot", Kind::Count, "Of its block."),
        Column::maybe("time", Kind::Time, "Of its block; null where the node did not know it."),
        Column::of("tx_index", Kind::Count, "Place of its transaction in the block."),
        Column::of("signature", Kind::Signature, "Of its transaction."),
        Column::of("instruction", Kind::Number, "The top-level instruction, from 0 on."),
        Column::of("inner", Kind::Number, "Place among the inner instructions of that."),
        Column::of("program", Kind::Name, "Which of the programs stated it."),
        Column::of("name", Kind::Name, "What happened; undecodable where this indexer cannot read it."),
        Column::maybe("subject", Kind::Address, "The account that it is about; null where it cannot be read."),
        Column::new("fields", Holds::Json, false, "What it says; of one that cannot be read the reason and its bytes."),
    ]
}

/// In the order of [`columns`].
pub(super) fn values(event: &EventRow) -> Vec<Value> {
    let fact = event.fact().ok();
    let subject = fact.as_ref().and_then(|fact| fact.accounts().first().copied());
    let name = fact.as_ref().map_or(UNDECODABLE, |fact| fact.name());
    let program = Program::of(&event.program).map_or("", Program::name);
    vec![
        Cell::Uint(event.slot).into(),
        event.block_time.map_or(Cell::Null, Cell::Int).into(),
        Cell::Uint(event.tx_index).into(),
        Cell::Signature(Box::new(event.key.signature.0)).into(),
        Cell::Int(event.key.instruction.into()).into(),
        Cell::Int(event.key.inner.into()).into(),
        Cell::Name(program.into()).into(),
        Cell::Name(name.into()).into(),
        subject.map_or(Cell::Null, |subject| Cell::Key(subject.0)).into(),
        Value::Json(event.to_api(Commitment::Confirmed).data),
    ]
}

fn line(event: &EventRow) -> Line {
    let accounts = event.fact().map(|fact| fact.accounts()).unwrap_or_default();
    let accounts = accounts.into_iter().map(|address| vec![Cell::Key(address.0)]).collect();
    Line { values: values(event), lists: vec![accounts] }
}
