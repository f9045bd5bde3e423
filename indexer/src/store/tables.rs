//! What an engine can do with tables: few verbs, the same for all. Everything that is stored is read and written through these, so
//! that an engine is no more than they are.

use super::Result;
use crate::{
    query::{Condition, Cursor, Query},
    row::{
        cell::Cell,
        record::{Cells, Listing, Table},
    },
};
use std::ops::ControlFlow;

/// A row that is written.
#[derive(Debug, Clone)]
pub struct Change {
    /// As it is stored now; `None` where there is no row of this key, or where all of the row is its key, which may be there already.
    pub before: Option<Cells>,
    pub now: Cells,
}

/// Rows of one beginning of their key.
#[derive(Debug, Clone)]
pub struct Range {
    pub prefix: Vec<Cell>,
    /// Only those in which the column after the prefix is above this.
    pub above: Option<Cell>,
}

/// What is done with a page of rows.
pub type Each<'a> = &'a mut dyn FnMut(&mut dyn Tables, Vec<Cells>) -> Result<ControlFlow<()>>;

impl dyn Tables + '_ {
    /// All of it at once, in no order.
    pub fn all(&mut self, table: &'static Table, conditions: &[Condition]) -> Result<Vec<Cells>> {
        let mut all = Vec::new();
        self.pages(table, conditions, &[], &mut |_, rows| {
            all.extend(rows);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(all)
    }
}

/// A transaction, or one consistent state.
pub trait Tables {
    /// The rows in which some columns have one of these values each, in no order. The columns begin the table's key, or an index.
    fn get(&mut self, table: &'static Table, by: &[&str], of: &[Vec<Cell>]) -> Result<Vec<Cells>>;
    /// Of each range the newest rows, which are the last by key, the newest first.
    fn newest(&mut self, table: &'static Table, ranges: &[Range], limit: usize) -> Result<Vec<Vec<Cells>>>;
    /// Where the rows of a noun are that are asked for, in the order of its lists.
    fn places(&mut self, table: &'static Table, listing: &Listing, query: &Query) -> Result<Vec<Cursor>>;
    /// Every row that fulfils the conditions, in the order of some columns, some thousand at a time, until `each` breaks. There may be
    /// more than memory holds.
    fn pages(&mut self, table: &'static Table, conditions: &[Condition], order: &[&str], each: Each<'_>) -> Result<()>;
    fn count(&mut self, table: &'static Table) -> Result<u64>;
    /// Rows of different keys.
    fn put(&mut self, table: &'static Table, changes: Vec<Change>) -> Result<()>;
    /// By keys, of which some may have no row.
    fn delete(&mut self, table: &'static Table, keys: Vec<Vec<Cell>>) -> Result<()>;
}

/// Something that keeps tables.
pub trait Engine: Send + Sync + 'static {
    /// One consistent state. What anybody may ask is `bounded`: indexes lead to an answer in few steps, and what takes many is given
    /// up with [`StoreError::TooMuch`](super::StoreError::TooMuch).
    fn read<T>(&self, bounded: bool, act: impl FnOnce(&mut dyn Tables) -> Result<T>) -> Result<T>;
    /// The same, for as long as it takes, beside others that read and write.
    fn read_long<T>(&self, act: impl FnOnce(&mut dyn Tables) -> Result<T>) -> Result<T>;
    /// One transaction: all of it or nothing.
    fn write<T>(&self, act: impl FnOnce(&mut dyn Tables) -> Result<T>) -> Result<T>;
    /// The same where there is a lot to do.
    fn write_much<T>(&self, act: impl FnOnce(&mut dyn Tables) -> Result<T>) -> Result<T> {
        self.write(act)
    }
}
