//! The rows of one table that a batch reads and writes: read at most once, written at most once.

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
    rows: HashMap<R::Key, Row<R>>,
}

struct Row<R> {
    stored: Option<Cells>,
    now: Option<R>,
    changed: bool,
}

impl<R: Kept> Default for Held<R> {
    fn default() -> Self {
        Self { rows: HashMap::default() }
    }
}

impl<R: Kept> Held<R> {
    /// Reads rows that will be asked for, at once.
    pub fn load(&mut self, tables: &mut dyn Tables, keys: impl IntoIterator<Item = R::Key>) -> Result<()> {
        let mut wanted = Vec::new();
        for key in keys {
            if let Entry::Vacant(new) = self.rows.entry(key) {
                wanted.push(key_cells(&key)?);
                new.insert(Row { stored: None, now: None, changed: false });
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let table = R::table();
        let by: Vec<&str> = table.key().iter().map(|column| column.name.as_str()).collect();
        for stored in tables.get(table, &by, &wanted)? {
            let (key, now) = (R::key_of(&stored)?, R::of_cells(&stored)?);
            self.rows.insert(key, Row { stored: Some(stored), now: Some(now), changed: false });
        }
        Ok(())
    }

    /// Says that there is no such row, where that is known otherwise.
    pub fn absent(&mut self, key: R::Key) {
        self.rows.entry(key).or_insert(Row { stored: None, now: None, changed: false });
    }

    pub fn get(&mut self, tables: &mut dyn Tables, key: &R::Key) -> Result<Option<&R>> {
        self.load(tables, [*key])?;
        Ok(self.rows.get(key).and_then(|row| row.now.as_ref()))
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
            (row.now, row.changed) = (now, true);
        }
        Ok(())
    }

    /// Whether there was such a row before the batch.
    pub fn is_stored(&self, key: &R::Key) -> bool {
        self.rows.get(key).is_some_and(|row| row.stored.is_some())
    }

    /// Writes and forgets what is held if it is much, so that a large batch needs no more memory than a small one.
    pub fn spill(&mut self, tables: &mut dyn Tables, written: impl FnMut(R)) -> Result<()> {
        if self.rows.len() < ENOUGH {
            return Ok(());
        }
        std::mem::take(self).flush_to(tables, written)
    }

    /// Writes what is other than what is stored.
    pub fn flush(self, tables: &mut dyn Tables) -> Result<()> {
        self.flush_to(tables, drop)
    }

    /// The same, and hands on what was written, in the order of keys.
    pub fn flush_to(self, tables: &mut dyn Tables, mut written: impl FnMut(R)) -> Result<()> {
        let mut changed: Vec<_> = self.rows.into_iter().filter(|(_, row)| row.changed).collect();
        changed.sort_unstable_by_key(|(key, _)| *key);
        let (mut changes, mut gone) = (Vec::with_capacity(changed.len().min(AT_ONCE)), Vec::new());
        for (key, Row { stored, now, .. }) in changed {
            match now {
                Some(row) => {
                    let now = row.to_cells()?;
                    if stored.as_ref() != Some(&now) {
                        changes.push(Change { before: stored, now });
                        written(row);
                    }
                }
                None if stored.is_some() => gone.push(key_cells(&key)?),
                None => {}
            }
            if changes.len() == AT_ONCE {
                tables.put(R::table(), &changes)?;
                changes.clear();
            }
        }
        if !gone.is_empty() {
            tables.delete(R::table(), &gone)?;
        }
        if !changes.is_empty() {
            tables.put(R::table(), &changes)?;
        }
        Ok(())
    }
}
