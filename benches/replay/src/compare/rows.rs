//! Two stores of one chain, cell by cell, table by table.
//!
//! One of them was filled calmly, from the stream alone. Where the other has been shown things by RPC, it may say so in the columns that
//! say when and as what something was seen; nothing else may differ.

use super::{Shown, Stored};
use anyhow::{ensure, Result};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// Examples of a table that are shown.
const EXAMPLES: usize = 4;
/// Tables that say how far a store has come, and not what it has.
const PROGRESS: [&str; 1] = ["checkpoint"];

/// The table of sums: whether one of nothing is there depends on what was added and taken away again.
const SUMS: &str = "aggregates";

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    Null,
    Number(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// A table with its rows, in any order.
#[derive(Debug, Clone, Default)]
pub struct Table {
    pub name: String,
    pub columns: Vec<String>,
    /// Places of the columns that are the key.
    pub key: Vec<usize>,
    pub rows: Vec<Vec<Cell>>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct Found {
    /// Rows that were compared.
    pub rows: u64,
    pub tables: u64,
    /// Rows that differ, by table.
    pub differ: BTreeMap<String, u64>,
    /// Cells that say what RPC has shown.
    pub excused: u64,
    #[serde(skip)]
    pub examples: Vec<String>,
}

impl Found {
    pub fn is_none(&self) -> bool {
        self.differ.is_empty()
    }

    fn note(&mut self, table: &str, example: impl FnOnce() -> String) {
        let count = self.differ.entry(table.to_owned()).or_default();
        *count += 1;
        if *count <= EXAMPLES as u64 {
            self.examples.push(format!("{table}: {}", example()));
        }
    }
}

pub fn differences(calm: &dyn Stored, store: &dyn Stored, shown: &Shown) -> Result<Found> {
    let names = calm.tables()?;
    ensure!(names == store.tables()?, "the stores have other tables");
    let mut found = Found::default();
    for name in names.iter().filter(|name| !PROGRESS.contains(&name.as_str())) {
        let (calm, store) = (calm.table(name)?, store.table(name)?);
        ensure!(calm.columns == store.columns, "{name} has other columns");
        found.tables += 1;
        table(&calm, &store, shown, &mut found);
    }
    Ok(found)
}

fn table(calm: &Table, store: &Table, shown: &Shown, found: &mut Found) {
    let (mut expected, stored) = (by_key(calm), by_key(store));
    let is_nothing = |cells: &[Cell]| calm.name == SUMS && cells.last() == Some(&Cell::Number(0));
    for (key, cells) in stored {
        match expected.remove(&key) {
            Some(calm_cells) => {
                found.rows += 1;
                row(calm, calm_cells, cells, shown, found);
            }
            None if is_nothing(cells) => {}
            None => found.note(&calm.name, || format!("too many: {}", show(calm, cells))),
        }
    }
    for cells in expected.into_values().filter(|cells| !is_nothing(cells)) {
        found.note(&calm.name, || format!("missing: {}", show(calm, cells)));
    }
}

/// The place of a transaction in its block is no part of what a row is, though it is of some keys.
fn by_key(table: &Table) -> BTreeMap<Vec<&Cell>, &Vec<Cell>> {
    let key: Vec<usize> = table.key.iter().copied().filter(|place| table.columns[*place] != "tx_index").collect();
    table.rows.iter().map(|cells| (key.iter().map(|place| &cells[*place]).collect(), cells)).collect()
}

fn row(table: &Table, calm: &[Cell], cells: &[Cell], shown: &Shown, found: &mut Found) {
    let differ: BTreeSet<&str> = (0..cells.len())
        .filter(|place| calm[*place] != cells[*place])
        .map(|place| table.columns[place].as_str())
        .collect();
    if differ.is_empty() {
        return;
    }
    let pair = Pair { table, calm, cells, shown };
    let wrong: Vec<&&str> = differ.iter().filter(|column| !pair.is_excused(column)).collect();
    if wrong.is_empty() {
        found.excused += differ.len() as u64;
        return;
    }
    found.note(&table.name, || {
        let place = |column: &str| table.columns.iter().position(|name| name == column).unwrap_or_default();
        let differences = wrong.iter().map(|column| {
            let place = place(column);
            format!("{column} is {} and should be {}", cells[place], calm[place])
        });
        format!("{}: {}", show(table, cells), differences.collect::<Vec<_>>().join("; "))
    });
}

struct Pair<'a> {
    table: &'a Table,
    calm: &'a [Cell],
    cells: &'a [Cell],
    shown: &'a Shown,
}

impl Pair<'_> {
    fn both(&self, column: &str) -> Option<(&Cell, &Cell)> {
        let place = self.table.columns.iter().position(|name| name == column)?;
        Some((&self.calm[place], &self.cells[place]))
    }

    fn numbers(&self, column: &str) -> Option<(i64, i64)> {
        match self.both(column)? {
            (Cell::Number(calm), Cell::Number(cell)) => Some((*calm, *cell)),
            _ => None,
        }
    }

    /// Whether RPC has shown it as of this slot, later than it was so.
    fn is_shown(&self, column: &str) -> bool {
        let later = |(calm, cell): (i64, i64)| cell >= calm && self.shown.looks.contains(&(cell as u64));
        self.numbers(column).is_some_and(later)
    }

    /// Whether it was so before: a write that changes nothing is not to be seen by RPC.
    fn is_older(&self, column: &str) -> bool {
        self.numbers(column).is_some_and(|(calm, cell)| cell < calm)
    }

    fn is_in_gap(&self, column: &str) -> bool {
        self.numbers(column).is_some_and(|(calm, _)| self.shown.covers(calm as u64))
    }

    /// Whether it is an account that is closed and whose last bytes nobody showed, and has bytes that it once had, or none.
    fn is_unseen(&self) -> bool {
        let (Some((_, Cell::Bytes(address))), Some((_, Cell::Bytes(data)))) = (self.both("address"), self.both("data"))
        else {
            return false;
        };
        let once = self.shown.unseen.get(address.as_slice());
        once.is_some_and(|once| data.is_empty() || once.contains(data))
    }

    /// Whether a cell may be another one, RPC having shown what it has.
    fn is_excused(&self, column: &str) -> bool {
        match (self.table.name.as_str(), column) {
            // Whatever a list of all accounts shows, it has looked at.
            ("accounts", "slot") => self.is_shown(column),
            ("accounts", "live_slot") if !self.is_unseen() => self.is_shown(column),
            ("accounts", "write_version") => {
                self.is_shown("slot") && self.numbers(column).is_some_and(|(_, cell)| cell == 0)
            }
            ("accounts", "live_write_version") if !self.is_unseen() => {
                self.is_shown("live_slot") && self.numbers(column).is_some_and(|(_, cell)| cell == 0)
            }
            // Of what came and went in a gap older bytes may be all that was seen.
            ("accounts", "data" | "live_slot" | "live_write_version") if self.is_unseen() => true,
            // The first that has shown how far a channel had come: in a gap, whatever wrote it next and before RPC has shown it.
            ("channel_days", "slot") => {
                self.is_in_gap(column) && self.numbers(column).is_some_and(|(calm, cell)| cell >= calm)
            }
            // What has changed in a gap was seen when RPC showed it.
            (_, "slot" | "since") => self.is_in_gap(column) && (self.is_shown(column) || self.is_older(column)),
            ("events" | "event_accounts" | "row_events", "tx_index") => self.is_in_gap("slot"),
            // Of a transaction that cannot be read, what there is of it in the form in which it came.
            ("dead_letters", "tx_index" | "data" | "reason") => {
                self.both("kind").is_some_and(|(_, kind)| *kind == Cell::Text("transaction".to_owned()))
                    && self.is_in_gap("slot")
            }
            _ => false,
        }
    }
}

fn show(table: &Table, cells: &[Cell]) -> String {
    let key = table.key.iter().map(|place| format!("{} {}", table.columns[*place], cells[*place]));
    key.collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Bytes(bytes) if matches!(bytes.len(), 32 | 64) => f.write_str(&bs58::encode(bytes).into_string()),
            Self::Bytes(bytes) => {
                write!(f, "{} bytes {}", bytes.len(), hex::encode(&bytes[..bytes.len().min(24)]))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jobs(slot: i64, budget: &str) -> Table {
        Table {
            name: "jobs".to_owned(),
            columns: ["address", "budget", "slot"].map(str::to_owned).to_vec(),
            key: vec![0],
            rows: vec![vec![Cell::Bytes(vec![7; 32]), Cell::Text(budget.to_owned()), Cell::Number(slot)]],
        }
    }

    fn differ(calm: &Table, store: &Table, shown: &Shown) -> u64 {
        let mut found = Found::default();
        table(calm, store, shown, &mut found);
        found.differ.values().sum()
    }

    #[test]
    fn a_slot_may_be_the_one_that_rpc_has_shown_and_only_in_a_gap_and_nothing_else_may() {
        let shown = Shown { gaps: vec![(40, 60)], looks: [60].into(), ..Shown::default() };
        let calm = jobs(50, "5");
        assert_eq!(differ(&calm, &calm, &Shown::default()), 0);
        assert_eq!(differ(&calm, &jobs(60, "5"), &shown), 0);
        assert_eq!(differ(&calm, &jobs(60, "5"), &Shown::default()), 1, "nothing was shown");
        assert_eq!(differ(&calm, &jobs(59, "5"), &shown), 1, "as of another slot");
        assert_eq!(differ(&jobs(30, "5"), &jobs(60, "5"), &shown), 1, "the stream has brought it");
        assert_eq!(differ(&calm, &jobs(60, "6"), &shown), 1, "another budget");
        let (none, other) = (Table { rows: Vec::new(), ..jobs(50, "5") }, Cell::Bytes(vec![8; 32]));
        assert_eq!(differ(&calm, &none, &shown), 1, "missing");
        assert_eq!(differ(&none, &calm, &shown), 1, "too many");
        let mut two = jobs(50, "5");
        two.rows.push(vec![other, Cell::Null, Cell::Null]);
        assert_eq!(differ(&calm, &two, &shown), 1, "too many");
    }
}
