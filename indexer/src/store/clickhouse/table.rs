//! Tables in ClickHouse, read. See [`Writing`](super::writing::Writing) for what is written.

use super::{
    sql,
    value::Input,
    wire::{Bound, Wire},
};
use crate::{
    query::{Condition, Cursor, Query},
    row::{
        cell::Cell,
        record::{Cells, List, Listing, Table},
    },
    store::{
        sql::complete,
        tables::{Change, Each, Range, Tables},
        Result, StoreError,
    },
    types::Address,
};
use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

/// Keys of one statement.
const KEYS: usize = 2_000;
const PAGE: usize = 1_024;
/// Each shard has all rows of what it is asked for, and answers alone.
const ALONE: &[(&str, &str)] = &[("distributed_group_by_no_merge", "1")];

/// What a batch writes is seen by whoever holds this, whole or not at all.
pub type Batches = RwLock<super::journal::State>;

/// Reads.
pub struct Open<'a> {
    pub wire: &'a Wire,
    pub bound: Bound,
    /// Whoever does not hold it for as long as it reads takes it for each answer.
    pub batches: Option<&'a Batches>,
}

fn cut(table: &str) -> StoreError {
    StoreError::Damaged(table.to_owned(), "an answer ends within a row".to_owned())
}

fn rows(table: &Table, answer: &[u8]) -> Result<Vec<Cells>> {
    let (mut input, mut rows) = (Input(answer), Vec::new());
    while !input.0.is_empty() {
        let row = input.row(table.name, &table.columns)?.ok_or_else(|| cut(table.name))?;
        rows.push(Cells { row, lists: Vec::new() });
    }
    Ok(rows)
}

impl Open<'_> {
    fn whole_batches<T>(&self, act: impl FnOnce() -> Result<T>) -> Result<T> {
        let _held = self.batches.map(|batches| batches.read().unwrap_or_else(PoisonError::into_inner));
        act()
    }

    fn ask(&self, sql: &str, options: &[(&str, &str)]) -> Result<bytes::Bytes> {
        self.wire.select(sql, self.bound, options)
    }

    /// Adds their lists to rows.
    fn complete(&self, table: &Table, rows: &mut [Cells]) -> Result<()> {
        complete(table, rows, |list, of| self.items(list, of))
    }

    /// A list's items by the rows that they are within.
    pub fn items(&self, list: &List, of: &[Cell]) -> Result<HashMap<Cell, Vec<Vec<Cell>>>> {
        let mut items: HashMap<Cell, Vec<Vec<Cell>>> = HashMap::new();
        for some in of.chunks(KEYS) {
            let answer = self.ask(&sql::items(list, some), &[])?;
            let mut input = Input(&answer);
            while !input.0.is_empty() {
                let item = input.row(&list.table, &list.columns)?.ok_or_else(|| cut(&list.table))?;
                let of = input.key().ok_or_else(|| cut(&list.table))?;
                items.entry(Cell::Key(of)).or_default().push(item);
            }
        }
        Ok(items)
    }

    fn found(&self, table: &'static Table, by: &[&str], of: &[Vec<Cell>]) -> Result<Vec<Cells>> {
        let mut found = Vec::new();
        for some in of.chunks(KEYS) {
            found.append(&mut rows(table, &self.ask(&sql::get(table, by, some), &[])?)?);
        }
        self.complete(table, &mut found)?;
        Ok(found)
    }

    fn newest_of(&self, table: &'static Table, ranges: &[Range], limit: usize) -> Result<Vec<Vec<Cells>>> {
        let mut found = vec![Vec::new(); ranges.len()];
        let limit = (limit < i64::MAX as usize).then_some(limit);
        // Those of about one bound are asked for together, by the least of them.
        let mut order: Vec<usize> = (0..ranges.len()).collect();
        order.sort_by(|a, b| ranges[*a].above.cmp(&ranges[*b].above));
        let (free, bound) = order.split_at(order.partition_point(|at| ranges[*at].above.is_none()));
        for some in free.chunks(KEYS).chain(bound.chunks(KEYS)) {
            let prefixes: Vec<_> = some.iter().map(|at| ranges[*at].prefix.clone()).collect();
            let width = prefixes[0].len();
            let above = ranges[some[0]].above.as_ref();
            // A limit counts what is above each row's own bound.
            let is_shared = some.iter().all(|at| ranges[*at].above.as_ref() == above);
            let asked = sql::newest(table, &prefixes, above, limit.filter(|_| is_shared));
            let mut of: HashMap<Vec<Cell>, Vec<Cells>> = HashMap::new();
            for cells in rows(table, &self.ask(&asked, ALONE)?)? {
                of.entry(cells.row[..width].to_vec()).or_default().push(cells);
            }
            for at in some {
                let range = &ranges[*at];
                let mut rows = of.get(&range.prefix).cloned().unwrap_or_default();
                rows.retain(|cells| range.above.as_ref().is_none_or(|above| cells.row[width] > *above));
                rows.truncate(limit.unwrap_or(usize::MAX));
                found[*at] = rows;
            }
        }
        Ok(found)
    }
}

fn read_only<T>() -> Result<T> {
    Err(StoreError::Database("nothing is written by whoever reads".into()))
}

impl Tables for Open<'_> {
    fn get(&mut self, table: &'static Table, by: &[&str], of: &[Vec<Cell>]) -> Result<Vec<Cells>> {
        self.whole_batches(|| self.found(table, by, of))
    }

    fn newest(&mut self, table: &'static Table, ranges: &[Range], limit: usize) -> Result<Vec<Vec<Cells>>> {
        self.whole_batches(|| self.newest_of(table, ranges, limit))
    }

    fn places(&mut self, table: &'static Table, listing: &Listing, query: &Query) -> Result<Vec<Cursor>> {
        let answer = self.whole_batches(|| self.ask(&sql::places(table, listing, query), &[]))?;
        let (mut input, mut places) = (Input(&answer), Vec::new());
        while !input.0.is_empty() {
            let place = input.int().zip(input.key()).ok_or_else(|| cut(table.name))?;
            places.push(Cursor { time: place.0, address: Address(place.1) });
        }
        Ok(places)
    }

    fn pages(&mut self, table: &'static Table, wanted: &[Condition], order: &[&str], each: Each<'_>) -> Result<()> {
        // The server has the whole answer before it begins to send it.
        let sql = sql::pages(table, wanted, order);
        let (mut stream, mut piece) = self.whole_batches(|| {
            let mut stream = self.wire.stream(&sql, self.bound)?;
            let first = stream.next()?;
            Ok((stream, first))
        })?;
        let (mut rest, mut page) = (Vec::new(), Vec::with_capacity(PAGE));
        while let Some(bytes) = piece {
            rest.extend_from_slice(&bytes);
            let mut input = Input(&rest);
            while let Some(row) = input.row(table.name, &table.columns)? {
                page.push(Cells { row, lists: Vec::new() });
                if page.len() == PAGE {
                    let mut rows = std::mem::take(&mut page);
                    self.whole_batches(|| self.complete(table, &mut rows))?;
                    if each(self, rows)?.is_break() {
                        return Ok(());
                    }
                }
            }
            let left = input.0.len();
            rest.drain(..rest.len() - left);
            piece = stream.next()?;
        }
        if !rest.is_empty() {
            return Err(cut(table.name));
        }
        if !page.is_empty() {
            self.whole_batches(|| self.complete(table, &mut page))?;
            let _ = each(self, page)?;
        }
        Ok(())
    }

    fn count(&mut self, table: &'static Table) -> Result<u64> {
        let answer = self.whole_batches(|| self.ask(&sql::count(table), &[]))?;
        Input(&answer).uint().ok_or_else(|| cut(table.name))
    }

    fn put(&mut self, _: &'static Table, _: Vec<Change>) -> Result<()> {
        read_only()
    }

    fn delete(&mut self, _: &'static Table, _: Vec<Vec<Cell>>) -> Result<()> {
        read_only()
    }
}
