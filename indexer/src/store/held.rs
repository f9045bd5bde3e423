//! The rows of one table that a batch reads and writes: read at most once, written at most once, unless they are too many to hold.

use super::{
    tables::{Change, Tables},
    Result,
};
use crate::row::record::{key_cells, Cells, Kept};
use crate::types::HashMap;
use std::collections::hash_map::Entry;

/// Rows that are held without a thought.
const ENOUGH: usize = 32_768;
/// Rows that are written at a time: as cells they are large.
const AT_ONCE: usize = 4_096;

/// See the module.
pub struct Held<R: Kept> {
    rows: HashMap<R::Key, Box<Row<R>>>,
}

struct Row<R> {
    stored: Option<Cells>,
    now: Now<R>,
    /// There was one before the batch.
    was_stored: bool,
}

enum Now<R> {
    /// It is as it is stored; that is made a row only when somebody asks.
    Stored(Option<R>),
    Changed(Option<R>),
}

impl<R: Kept> Row<R> {
    fn of(stored: Option<Cells>) -> Box<Self> {
        Box::new(Self { was_stored: stored.is_some(), stored, now: Now::Stored(None) })
    }

    fn get(&mut self) -> Result<Option<&R>> {
        Ok(match &mut self.now {
            Now::Changed(now) => now.as_ref(),
            Now::Stored(read @ None) => {
                *read = self.stored.as_ref().map(R::of_cells).transpose()?;
                read.as_ref()
            }
            Now::Stored(read) => read.as_ref(),
        })
    }
}

impl<R: Kept> Default for Held<R> {
    fn default() -> Self {
        Self { rows: HashMap::default() }
    }
}

impl<R: Kept> Held<R> {
    /// Reads rows that will be asked for, at once.
    pub fn load(&mut self, tables: &mut dyn Tables, keys: impl IntoIterator<Item = R::Key>) -> Result<()> {
        let keys = keys.into_iter();
        self.rows.reserve(keys.size_hint().0);
        let mut wanted = Vec::new();
        for key in keys {
            if let Entry::Vacant(new) = self.rows.entry(key) {
                wanted.push(key_cells(&key)?);
                new.insert(Row::of(None));
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let table = R::table();
        let by: Vec<&str> = table.key().iter().map(|column| column.name.as_str()).collect();
        for stored in tables.get(table, &by, &wanted)? {
            self.rows.insert(R::key_of(&stored)?, Row::of(Some(stored)));
        }
        Ok(())
    }

    /// Says that there is no such row, where that is known otherwise.
    pub fn absent(&mut self, key: R::Key) {
        self.rows.entry(key).or_insert_with(|| Row::of(None));
    }

    pub fn get(&mut self, tables: &mut dyn Tables, key: &R::Key) -> Result<Option<&R>> {
        self.load(tables, [*key])?;
        self.rows.get_mut(key).map_or(Ok(None), |row| row.get())
    }

    pub fn put(&mut self, tables: &mut dyn Tables, key: R::Key, now: R) -> Result<()> {
        self.set(tables, key, Some(now))
    }

    pub fn remove(&mut self, tables: &mut dyn Tables, key: R::Key) -> Result<()> {
        self.set(tables, key, None)
    }

    fn set(&mut self, tables: &mut dyn Tables, key: R::Key, now: Option<R>) -> Result<()> {
        self.load(tables, [key])?;
        if let Some(row) = self.rows.get_mut(&key) {
            row.now = Now::Changed(now);
        }
        Ok(())
    }

    /// Whether there was such a row before the batch, or since it was forgotten by [`Self::spill`].
    pub fn is_stored(&self, key: &R::Key) -> bool {
        self.rows.get(key).is_some_and(|row| row.was_stored)
    }

    fn write(
        &mut self,
        tables: &mut dyn Tables,
        keeps: bool,
        mut written: impl FnMut(Option<&Cells>, &Cells, R) -> Result<()>,
    ) -> Result<()> {
        let is_changed = |row: &Row<R>| matches!(row.now, Now::Changed(_));
        let mut changed: Vec<_> = self.rows.iter_mut().filter(|(_, row)| is_changed(row)).collect();
        changed.sort_unstable_by_key(|(key, _)| **key);
        let (mut changes, mut gone) = (Vec::with_capacity(changed.len().min(AT_ONCE)), Vec::new());
        for (key, row) in changed {
            let Now::Changed(now) = std::mem::replace(&mut row.now, Now::Stored(None)) else { continue };
            let before = row.stored.take();
            match now {
                Some(now) => {
                    let cells = now.to_cells()?;
                    if keeps {
                        (row.stored, row.now) = (Some(cells.clone()), Now::Stored(Some(now.clone())));
                    }
                    if before.as_ref() != Some(&cells) {
                        written(before.as_ref(), &cells, now)?;
                        changes.push(Change { before, now: cells });
                    }
                }
                None if before.is_some() => gone.push(key_cells(key)?),
                None => {}
            }
            if changes.len() == AT_ONCE {
                tables.put(R::table(), std::mem::replace(&mut changes, Vec::with_capacity(AT_ONCE)))?;
            }
        }
        if !gone.is_empty() {
            tables.delete(R::table(), gone)?;
        }
        if !changes.is_empty() {
            tables.put(R::table(), changes)?;
        }
        Ok(())
    }

    /// Writes and forgets what is held if it is much, so that a large batch needs no more memory than a small one.
    pub fn spill(&mut self, tables: &mut dyn Tables) -> Result<()> {
        if self.rows.len() < ENOUGH {
            return Ok(());
        }
        std::mem::take(self).flush(tables)
    }

    /// Writes it, and goes on holding it.
    pub fn settle(&mut self, tables: &mut dyn Tables) -> Result<()> {
        self.write(tables, true, |_, _, _| Ok(()))
    }

    pub fn flush(self, tables: &mut dyn Tables) -> Result<()> {
        self.flush_to(tables, |_, _, _| Ok(()))
    }

    /// The same, and hands on what is other than it was, in the order of keys: as it was, as it is, and as the row.
    pub fn flush_to(
        mut self,
        tables: &mut dyn Tables,
        written: impl FnMut(Option<&Cells>, &Cells, R) -> Result<()>,
    ) -> Result<()> {
        self.write(tables, false, written)
    }
}
