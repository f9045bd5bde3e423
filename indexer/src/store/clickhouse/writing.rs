//! A batch that is being made: it reads what is stored and what it has written itself, and is written as a whole when it is complete.

use super::{sql, table::Open, value};
use crate::{
    query::{Condition, Cursor, Query},
    row::{
        cell::{Cell, Kind},
        record::{Cells, Column, Listing, Table},
    },
    store::{
        tables::{Change, Each, Range, Tables},
        Result, StoreError,
    },
};
use std::{
    collections::{BTreeMap, HashSet},
    sync::LazyLock,
};

const PAGE: usize = 1_024;

/// What tables of lists have before the items' own columns.
static PLACE: LazyLock<[Column; 2]> = LazyLock::new(|| {
    [("of", Kind::Address), ("place", Kind::Number)].map(|(name, kind)| Column {
        name: name.to_owned(),
        kind,
        nullable: false,
        path: Vec::new(),
    })
});

/// A table's rows, by key.
struct Written {
    table: &'static Table,
    rows: BTreeMap<Vec<Cell>, Entry>,
}

struct Entry {
    /// The lists that are stored; `None`: nobody has said.
    stored: Option<Vec<Vec<Vec<Cell>>>>,
    /// `None`: it is deleted.
    now: Option<Cells>,
}

/// Rows for one table, in `RowBinary`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Insert {
    /// The table and its columns.
    pub into: String,
    pub rows: bytes::Bytes,
}

/// See the module.
pub struct Writing<'a> {
    open: Open<'a>,
    written: BTreeMap<&'static str, Written>,
}

impl<'a> Writing<'a> {
    pub fn new(open: Open<'a>) -> Self {
        Self { open, written: BTreeMap::new() }
    }

    fn of(&self, table: &Table) -> Option<&BTreeMap<Vec<Cell>, Entry>> {
        self.written.get(table.name).map(|written| &written.rows)
    }

    fn rows(&mut self, table: &'static Table) -> &mut BTreeMap<Vec<Cell>, Entry> {
        &mut self.written.entry(table.name).or_insert_with(|| Written { table, rows: BTreeMap::new() }).rows
    }

    /// Rows as they are stored, and as they are within this batch.
    fn overlaid(&self, table: &Table, stored: Vec<Cells>, is_wanted: impl Fn(&Cells) -> bool) -> Vec<Cells> {
        let Some(written) = self.of(table) else { return stored };
        let kept = stored.into_iter().filter(|cells| !written.contains_key(&cells.row[..table.key]));
        let now = written.values().filter_map(|entry| entry.now.as_ref()).filter(|cells| is_wanted(cells)).cloned();
        kept.chain(now).collect()
    }

    /// What the batch writes, as its version.
    pub fn finish(self, version: u64) -> Result<Vec<Insert>> {
        let mut inserts = Vec::new();
        for Written { table, rows } in self.written.into_values() {
            let (open, mut inserted) = (&self.open, Inserted::new(table.name, &[], &table.columns, version));
            let unknown: Vec<Cell> = if table.lists.is_empty() {
                Vec::new()
            } else {
                rows.iter().filter(|(_, entry)| entry.stored.is_none()).map(|(key, _)| key[0].clone()).collect()
            };
            for (key, Entry { now, .. }) in &rows {
                match now {
                    Some(now) => inserted.put(&[], &now.row)?,
                    None => inserted.gone(key)?,
                }
            }
            inserts.extend(inserted.end());
            for (at, list) in table.lists.iter().enumerate() {
                let unknown = open.items(list, &unknown)?;
                let mut inserted = Inserted::new(&list.table, &PLACE[..], &list.columns, version);
                for (key, Entry { stored, now }) in &rows {
                    let none = Vec::new();
                    let before = match stored {
                        Some(lists) => lists.get(at).unwrap_or(&none),
                        None => unknown.get(&key[0]).unwrap_or(&none),
                    };
                    let items = now.as_ref().map_or(&none, |now| &now.lists[at]);
                    if before != items {
                        inserted.list(&key[0], items, before.len())?;
                    }
                }
                inserts.extend(inserted.end());
            }
        }
        Ok(inserts)
    }
}

/// An insert that is being made.
struct Inserted<'a> {
    into: String,
    first: &'a [Column],
    columns: &'a [Column],
    version: u64,
    rows: Vec<u8>,
}

impl<'a> Inserted<'a> {
    fn new(table: &str, first: &'a [Column], columns: &'a [Column], version: u64) -> Self {
        let into = format!("{table} ({}, _version, _gone)", sql::names(first.iter().chain(columns)));
        Self { into, first, columns, version, rows: Vec::new() }
    }

    fn row(&mut self, cells: &[&Cell], gone: bool) -> Result<()> {
        for (at, column) in self.first.iter().chain(self.columns).enumerate() {
            match cells.get(at) {
                Some(cell) => value::put(column, cell, &mut self.rows)?,
                None => value::put_nothing(column, &mut self.rows),
            }
        }
        self.rows.extend_from_slice(&self.version.to_le_bytes());
        self.rows.push(gone.into());
        Ok(())
    }

    fn put(&mut self, first: &[&Cell], row: &[Cell]) -> Result<()> {
        self.row(&first.iter().copied().chain(row).collect::<Vec<_>>(), false)
    }

    fn gone(&mut self, key: &[Cell]) -> Result<()> {
        self.row(&key.iter().collect::<Vec<_>>(), true)
    }

    /// The items from now on, where there were some before.
    fn list(&mut self, of: &Cell, items: &[Vec<Cell>], before: usize) -> Result<()> {
        for (place, item) in (0..).zip(items) {
            self.put(&[of, &Cell::Int(place)], item)?;
        }
        for place in items.len()..before {
            self.gone(&[of.clone(), Cell::Int(place as i64)])?;
        }
        Ok(())
    }

    fn end(self) -> Option<Insert> {
        (!self.rows.is_empty()).then(|| Insert { into: self.into, rows: self.rows.into() })
    }
}

fn places(table: &Table, names: &[&str]) -> Result<Vec<usize>> {
    let place = |name: &&str| {
        let missing = || StoreError::Damaged(table.name.to_owned(), format!("there is no column {name}"));
        Ok(table.column(name).ok_or_else(missing)?.0)
    };
    names.iter().map(place).collect()
}

fn fulfils(table: &Table, conditions: &[Condition], cells: &Cells) -> bool {
    let cell = |name: &str| table.column(name).map(|(at, _)| &cells.row[at]);
    conditions.iter().all(|condition| match condition {
        Condition::Is(name, is) => cell(name) == Some(is),
        Condition::From(name, from) => cell(name).is_some_and(|cell| *cell != Cell::Null && cell >= from),
        Condition::Below(name, below) => cell(name).is_some_and(|cell| *cell != Cell::Null && cell < below),
        Condition::OneOf(name, names) => matches!(cell(name), Some(Cell::Name(name)) if names.contains(&&**name)),
    })
}

impl Tables for Writing<'_> {
    fn get(&mut self, table: &'static Table, by: &[&str], of: &[Vec<Cell>]) -> Result<Vec<Cells>> {
        let stored = self.open.get(table, by, of)?;
        if self.of(table).is_none() {
            return Ok(stored);
        }
        let (places, of) = (places(table, by)?, of.iter().collect::<HashSet<_>>());
        let is_wanted =
            |cells: &Cells| of.contains(&places.iter().map(|at| cells.row[*at].clone()).collect::<Vec<_>>());
        Ok(self.overlaid(table, stored, is_wanted))
    }

    fn newest(&mut self, table: &'static Table, ranges: &[Range], limit: usize) -> Result<Vec<Vec<Cells>>> {
        let Some(written) = self.of(table).map(BTreeMap::len) else { return self.open.newest(table, ranges, limit) };
        // As many may be gone.
        let stored = self.open.newest(table, ranges, limit.saturating_add(written))?;
        let newest = |(range, stored): (&Range, Vec<Cells>)| {
            let Range { prefix, above } = range;
            let mut rows = self.overlaid(table, stored, |cells| {
                cells.row.starts_with(prefix) && above.as_ref().is_none_or(|above| cells.row[prefix.len()] > *above)
            });
            rows.sort_unstable_by(|one, other| other.row[..table.key].cmp(&one.row[..table.key]));
            rows.truncate(limit);
            rows
        };
        Ok(ranges.iter().zip(stored).map(newest).collect())
    }

    fn places(&mut self, table: &'static Table, listing: &Listing, query: &Query) -> Result<Vec<Cursor>> {
        if self.of(table).is_some() {
            return Err(StoreError::Database("a batch asks for a list of what it has written itself".into()));
        }
        self.open.places(table, listing, query)
    }

    fn pages(&mut self, table: &'static Table, wanted: &[Condition], order: &[&str], each: Each<'_>) -> Result<()> {
        let mut stored = Vec::new();
        self.open.pages(table, wanted, order, &mut |_, rows| {
            stored.extend(rows);
            Ok(std::ops::ControlFlow::Continue(()))
        })?;
        let mut rows = self.overlaid(table, stored, |cells| fulfils(table, wanted, cells));
        let order = places(table, order)?;
        rows.sort_by(|one, other| {
            let cells = |of: &Cells| order.iter().map(|at| of.row[*at].clone()).collect::<Vec<_>>();
            cells(one).cmp(&cells(other))
        });
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let page = rows.by_ref().take(PAGE).collect();
            if each(self, page)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn count(&mut self, table: &'static Table) -> Result<u64> {
        if self.of(table).is_none() {
            return self.open.count(table);
        }
        let mut count = 0;
        self.pages(table, &[], &[], &mut |_, rows| {
            count += rows.len() as u64;
            Ok(std::ops::ControlFlow::Continue(()))
        })?;
        Ok(count)
    }

    fn put(&mut self, table: &'static Table, changes: Vec<Change>) -> Result<()> {
        let rows = self.rows(table);
        for Change { before, now } in changes {
            let stored = || Some(before.as_ref().map_or_else(Vec::new, |before| before.lists.clone()));
            let key = now.row[..table.key].to_vec();
            rows.entry(key).or_insert_with(|| Entry { stored: stored(), now: None }).now = Some(now);
        }
        Ok(())
    }

    fn delete(&mut self, table: &'static Table, keys: Vec<Vec<Cell>>) -> Result<()> {
        let rows = self.rows(table);
        for key in keys {
            rows.entry(key).or_insert(Entry { stored: None, now: None }).now = None;
        }
        Ok(())
    }
}

/// What a list's table has, for its definition.
#[cfg(test)]
pub fn columns(list: &crate::row::record::List) -> impl Iterator<Item = &Column> {
    PLACE.iter().chain(&list.columns)
}
