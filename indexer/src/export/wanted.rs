//! Which lines, by the value of a column.

use super::sheet::{Column, Holds, Line, Sheet, Value};
use crate::row::cell::{Cell, Kind};
use anyhow::{bail, Context as _};

/// Lines with a value in a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Of the sheet's columns.
    pub place: usize,
    pub cell: Cell,
}

impl Wanted {
    /// `column=value`. `names` are those that a column of names may hold, where that is known.
    pub fn parse(sheet: &Sheet, text: &str, names: impl Fn(&Column) -> Vec<String>) -> anyhow::Result<Self> {
        let (name, value) = text.split_once('=').with_context(|| format!("--where {text}: write COLUMN=VALUE"))?;
        let known = || sheet.columns.iter().filter(|column| is_asked_for(column.holds));
        let Some(place) = sheet.columns.iter().position(|column| column.name == name && is_asked_for(column.holds))
        else {
            let known = known().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ");
            bail!("--where {text}: {} may be filtered by {known}; times by --from and --to", sheet.name);
        };
        let column = &sheet.columns[place];
        let Holds::Kind(kind) = column.holds else { bail!("--where {text}: {name} has no single values") };
        if kind == Kind::Name {
            let names = names(column);
            if !names.is_empty() && !names.iter().any(|name| name == value) {
                bail!("--where {text}: {name} is one of {}", names.join(", "));
            }
        }
        let cell =
            cell(kind, value).with_context(|| format!("--where {text}: {value:?} is no {}", column.holds.unit()))?;
        Ok(Self { place, cell })
    }

    pub fn all(sheet: &Sheet, texts: &[String], names: impl Fn(&Column) -> Vec<String>) -> anyhow::Result<Vec<Self>> {
        texts.iter().map(|text| Self::parse(sheet, text, &names)).collect()
    }

    pub fn matches(&self, line: &Line) -> bool {
        matches!(&line.values[self.place], Value::Cell(cell) if *cell == self.cell)
    }
}

const fn is_asked_for(holds: Holds) -> bool {
    !matches!(holds, Holds::Json | Holds::Bytes | Holds::Kind(Kind::Time))
}

fn cell(kind: Kind, text: &str) -> Option<Cell> {
    Some(match kind {
        Kind::Address => Cell::Key(text.parse::<crate::types::Address>().ok()?.0),
        Kind::Signature => Cell::Signature(Box::new(text.parse::<crate::types::Signature>().ok()?.0)),
        Kind::Hash => {
            let mut bytes = [0; 32];
            hex::decode_to_slice(text, &mut bytes).ok()?;
            Cell::Key(bytes)
        }
        Kind::Name | Kind::Text => Cell::Name(text.to_owned().into()),
        Kind::Flag => match text {
            "true" | "1" => Cell::Flag(true),
            "false" | "0" => Cell::Flag(false),
            _ => return None,
        },
        Kind::Number => Cell::Int(text.parse().ok()?),
        Kind::Count | Kind::Amount => Cell::Uint(text.parse().ok()?),
        Kind::Sum => Cell::sum(text.parse().ok()?),
        Kind::Time | Kind::Bytes => return None,
    })
}
