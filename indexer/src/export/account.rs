//! Accounts, each with its bytes and fields.

use super::{
    event::programs,
    sheet::{Column, Holds, Line, Sheet, Value},
    Source, Wanted,
};
use crate::{
    decode::Program,
    row::{
        cell::{Cell, Kind},
        AccountRow,
    },
    store::{Scan, Scanned},
};

pub struct Accounts {
    sheet: Sheet,
    wanted: Vec<Wanted>,
}

impl Accounts {
    pub fn new(wanted: &[String]) -> anyhow::Result<Self> {
        let sheet = sheet();
        let wanted = Wanted::all(&sheet, wanted, |column| match column.name.as_str() {
            "program" => programs(),
            _ => Vec::new(),
        })?;
        Ok(Self { sheet, wanted })
    }
}

impl Source for Accounts {
    fn sheet(&self) -> &Sheet {
        &self.sheet
    }

    fn scan(&self) -> Scan {
        Scan::Accounts
    }

    fn lines(&mut self, scanned: Scanned) -> anyhow::Result<Vec<Line>> {
        let Scanned::Accounts(rows) = scanned else { return Ok(Vec::new()) };
        let mut lines: Vec<Line> = rows.into_iter().map(line).collect();
        lines.retain(|line| self.wanted.iter().all(|wanted| wanted.matches(line)));
        Ok(lines)
    }
}

pub fn sheet() -> Sheet {
    Sheet {
        name: "accounts".to_owned(),
        what: "Every account of the programs that was ever seen, as its newest write left it (exports only)."
            .to_owned(),
        columns: vec![
            Column::of("address", Kind::Address, "Where it is."),
            Column::of("program", Kind::Name, "Which program it belongs to; empty where only its closing was seen."),
            Column::of("kind", Kind::Name, "What it is; undecodable where this indexer cannot read it."),
            Column::of("closed", Kind::Flag, "Whether it is gone; what it was stays."),
            Column::of("lamports", Kind::Count, "What it holds, in lamports."),
            Column::of("slot", Kind::Count, "The slot of whatever has shown it last."),
            Column::of("write_version", Kind::Count, "Of that write within its slot; 0 of a snapshot."),
            Column::of("since", Kind::Count, "The slot that changed it."),
            Column::new(
                "fields",
                Holds::Json,
                true,
                "What its bytes say; null where they cannot be read or were never seen.",
            ),
            Column::new("data", Holds::Bytes, false, "Its bytes; of a closed one those of its last live state."),
        ],
        lists: Vec::new(),
    }
}

fn line(row: AccountRow) -> Line {
    let fields = row.state().map_or(Value::NULL, |state| Value::Json(state.fields()));
    let program = Program::of(&row.program).map_or("", Program::name);
    let values = vec![
        Cell::Key(row.address.0).into(),
        Cell::Name(program.into()).into(),
        Cell::Name(row.kind).into(),
        Cell::Flag(row.closed).into(),
        Cell::Uint(row.lamports).into(),
        Cell::Uint(row.version.slot).into(),
        Cell::Uint(row.version.write).into(),
        Cell::Uint(row.since).into(),
        fields,
        Value::Bytes(row.data),
    ];
    Line { values, lists: Vec::new() }
}
