//! A transaction that is written beside the work which leads to it: a thread of its own writes what is put, in that order. Until there is
//! anything to write, what is read is read where it will be written, whose pages are then at hand; afterwards by another connection, as it
//! was before, but for what was put already.

use super::{
    tables::{Change, Each, Range, Tables},
    Result, StoreError,
};
use crate::{
    query::{Condition, Cursor, Query},
    row::{
        cell::Cell,
        record::{Cells, Listing, Table},
    },
};
use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        mpsc::{sync_channel, Receiver, SyncSender},
        Mutex, MutexGuard, PoisonError,
    },
    thread::Builder,
};

/// What waits to be written: as cells it is large.
const WAITING: usize = 2;

/// A connection that is within a transaction.
pub trait Within: Send {
    type Open<'a>: Tables
    where
        Self: 'a;

    fn tables(&self) -> Self::Open<'_>;
}

/// That of whoever writes.
type Writer<'a, C> = Mutex<&'a mut C>;

enum Step {
    Put(&'static Table, Vec<Change>),
    Delete(&'static Table, Vec<Vec<Cell>>),
    /// Says when everything before it is written.
    Say(SyncSender<()>),
}

fn lock<'l, 'a, C>(writer: &'l Writer<'a, C>) -> MutexGuard<'l, &'a mut C> {
    writer.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes until nobody sends any more, or until something fails.
fn write(steps: &Receiver<Step>, writer: &Writer<'_, impl Within>) -> Result<()> {
    for step in steps {
        let connection = lock(writer);
        let mut open = connection.tables();
        match step {
            Step::Put(table, changes) => open.put(table, changes)?,
            Step::Delete(table, keys) => open.delete(table, keys)?,
            // Whoever asked may have been given up.
            Step::Say(done) => drop(done.send(())),
        }
    }
    Ok(())
}

/// See the module. `writer` is within a transaction that nobody else can write beside, and `before` within one that reads
/// what was there when that had begun.
pub fn act<C: Within, T>(writer: &mut C, before: &C, act: impl FnOnce(&mut dyn Tables) -> Result<T>) -> Result<T> {
    let writer = &Mutex::new(writer);
    std::thread::scope(|scope| {
        let (steps, received) = sync_channel(WAITING);
        let begun = Builder::new().name("storing".to_owned()).spawn_scoped(scope, move || write(&received, writer));
        let writing = begun.map_err(|error| StoreError::Database(error.into()))?;
        let mut beside = Beside { before, writer, steps, written: HashMap::new() };
        let done = act(&mut beside);
        drop(beside);
        let written = writing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        // Why nothing could be sent any more says more than that.
        written.and(done)
    })
}

struct Beside<'a, 'c, C> {
    before: &'a C,
    writer: &'a Writer<'c, C>,
    steps: SyncSender<Step>,
    /// Keys, by table.
    written: HashMap<&'static str, BTreeSet<Vec<Cell>>>,
}

fn ended<T>(_: T) -> StoreError {
    StoreError::Database("the thread that writes has ended".into())
}

impl<C: Within> Beside<'_, '_, C> {
    fn send(&self, step: Step) -> Result<()> {
        self.steps.send(step).map_err(ended)
    }

    /// Does something where everything is written.
    fn after<T>(&self, act: impl FnOnce(&mut C::Open<'_>) -> Result<T>) -> Result<T> {
        let (done, waiting) = sync_channel(1);
        self.send(Step::Say(done))?;
        waiting.recv().map_err(ended)?;
        act(&mut lock(self.writer).tables())
    }

    fn is_written(&self, table: &Table) -> bool {
        self.written.contains_key(table.name)
    }

    /// Does something that reads nothing that was written.
    fn meanwhile<T>(&self, act: impl FnOnce(&mut C::Open<'_>) -> Result<T>) -> Result<T> {
        match self.written.is_empty() {
            true => act(&mut lock(self.writer).tables()),
            false => act(&mut self.before.tables()),
        }
    }

    /// Whether any of the rows may have been written.
    fn may_be_written(&self, table: &Table, by: &[&str], of: &[Vec<Cell>]) -> bool {
        let Some(written) = self.written.get(table.name) else { return false };
        let begins_key =
            table.columns.iter().map(|column| &*column.name).take(table.key).take(by.len()).eq(by.iter().copied());
        let is_written = |prefix: &Vec<Cell>| {
            written.range::<Vec<Cell>, _>(prefix..).next().is_some_and(|key| key.starts_with(prefix))
        };
        !begins_key || of.iter().any(is_written)
    }
}

impl<C: Within> Tables for Beside<'_, '_, C> {
    fn get(&mut self, table: &'static Table, by: &[&str], of: &[Vec<Cell>]) -> Result<Vec<Cells>> {
        match self.may_be_written(table, by, of) {
            true => self.after(|open| open.get(table, by, of)),
            false => self.meanwhile(|open| open.get(table, by, of)),
        }
    }

    fn newest(&mut self, table: &'static Table, ranges: &[Range], limit: usize) -> Result<Vec<Vec<Cells>>> {
        match self.is_written(table) {
            true => self.after(|open| open.newest(table, ranges, limit)),
            false => self.meanwhile(|open| open.newest(table, ranges, limit)),
        }
    }

    fn places(&mut self, table: &'static Table, listing: &Listing, query: &Query) -> Result<Vec<Cursor>> {
        match self.is_written(table) {
            true => self.after(|open| open.places(table, listing, query)),
            false => self.meanwhile(|open| open.places(table, listing, query)),
        }
    }

    fn pages(&mut self, table: &'static Table, wanted: &[Condition], order: &[&str], each: Each<'_>) -> Result<()> {
        // Whatever `each` does, it does where everything is written.
        self.after(|open| open.pages(table, wanted, order, each))
    }

    fn count(&mut self, table: &'static Table) -> Result<u64> {
        self.after(|open| open.count(table))
    }

    fn put(&mut self, table: &'static Table, changes: Vec<Change>) -> Result<()> {
        let keys = changes.iter().map(|change| change.now.row[..table.key].to_vec());
        self.written.entry(table.name).or_default().extend(keys);
        self.send(Step::Put(table, changes))
    }

    fn delete(&mut self, table: &'static Table, keys: Vec<Vec<Cell>>) -> Result<()> {
        self.written.entry(table.name).or_default().extend(keys.iter().cloned());
        self.send(Step::Delete(table, keys))
    }
}
