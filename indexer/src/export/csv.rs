//! A sheet as CSV: RFC 4180, a first line of names. Numbers in full, times as RFC 3339 in UTC, addresses and signatures in base58,
//! hashes and bytes in hex, nothing for what is null; a list is JSON in its cell.
//!
//! No cell is text that anybody may choose: names are the programs' and ours, and JSON begins with a bracket. So no cell begins a formula.

use super::{
    moment::rfc3339,
    sheet::{Column, Holds, Line, List, Sheet, Value},
    Writer,
};
use crate::{
    row::cell::{Cell, Kind},
    types::{Address, Signature},
};
use anyhow::Context as _;
use serde_json::{Map, Value as Json};
use std::{borrow::Cow, io::Write};

pub struct Csv<W: Write> {
    sheet: Sheet,
    out: csv::Writer<W>,
}

impl<W: Write> Csv<W> {
    pub fn new(sheet: Sheet, out: W) -> anyhow::Result<Self> {
        let mut out = csv::Writer::from_writer(out);
        let lists = sheet.lists.iter().map(|list| &list.name);
        out.write_record(sheet.columns.iter().map(|column| &column.name).chain(lists))?;
        Ok(Self { sheet, out })
    }
}

impl<W: Write> Writer for Csv<W> {
    fn write(&mut self, lines: Vec<Line>) -> anyhow::Result<()> {
        for line in &lines {
            for (column, value) in self.sheet.columns.iter().zip(&line.values) {
                self.out.write_field(text(column.holds, value).as_bytes())?;
            }
            for (list, items) in self.sheet.lists.iter().zip(&line.lists) {
                self.out.write_field(json(list, items).to_string())?;
            }
            self.out.write_record(None::<&[u8]>)?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>, _about: &[(&str, String)]) -> anyhow::Result<()> {
        self.out.flush().context("the end cannot be written")
    }
}

fn text(holds: Holds, value: &Value) -> Cow<'_, str> {
    match (holds, value) {
        (Holds::Kind(kind), Value::Cell(cell)) => plain(kind, cell),
        (_, Value::Json(json)) => json.to_string().into(),
        (_, Value::Bytes(bytes)) => hex::encode(bytes).into(),
        (_, Value::Cell(_)) => "".into(),
    }
}

/// A cell as text; of null there is none.
pub(super) fn plain(kind: Kind, cell: &Cell) -> Cow<'_, str> {
    match (kind, cell) {
        (_, Cell::Null) => "".into(),
        (Kind::Hash, Cell::Key(bytes)) => hex::encode(bytes).into(),
        (_, Cell::Key(bytes)) => Address(*bytes).to_string().into(),
        (_, Cell::Signature(bytes)) => Signature(**bytes).to_string().into(),
        (_, Cell::Name(name)) => name.as_ref().into(),
        (_, Cell::Flag(flag)) => if *flag { "true" } else { "false" }.into(),
        (Kind::Time, Cell::Int(time)) => rfc3339(*time).into(),
        (_, Cell::Int(number)) => number.to_string().into(),
        (_, Cell::Uint(number)) => number.to_string().into(),
        (_, Cell::Sum(sum)) => sum.to_string().into(),
        (_, Cell::Bytes(bytes)) => hex::encode(bytes).into(),
    }
}

/// Counts and amounts are text, as readers of JSON may have no room for their digits.
fn json(list: &List, items: &[Vec<Cell>]) -> Json {
    let field = |(column, cell): (&Column, &Cell)| {
        let value = match (column.holds, cell) {
            (_, Cell::Null) => Json::Null,
            (_, Cell::Flag(flag)) => (*flag).into(),
            (Holds::Kind(Kind::Number), Cell::Int(number)) => (*number).into(),
            (Holds::Kind(kind), cell) => plain(kind, cell).into(),
            _ => Json::Null,
        };
        (column.name.clone(), value)
    };
    let item = |cells: &Vec<Cell>| Json::Object(list.columns.iter().zip(cells).map(field).collect::<Map<_, _>>());
    items.iter().map(item).collect()
}
