//! The days of channels.

use super::{
    tables::{Change, Tables},
    Result,
};
use crate::{
    row::{
        cell::Cell,
        record::{key_cells, Kept as _},
        revenue::{DayKey, DayRow, Days, Seen},
    },
    types::Address,
};

pub fn load(tables: &mut dyn Tables, channel: &Address) -> Result<Days> {
    let mut days = Days::default();
    for cells in tables.get(DayRow::table(), &["channel"], &[vec![Cell::Key(channel.0)]])? {
        let DayRow { key, seen } = DayRow::of_cells(cells)?;
        days.0.insert(key.day, seen);
    }
    Ok(days)
}

/// Writes what is new or other than before. A day of which nothing was seen is not there.
pub fn put(tables: &mut dyn Tables, channel: &Address, before: &Days, now: &Days) -> Result<()> {
    let row = |day: &i64, seen: &Seen| DayRow { key: DayKey { channel: *channel, day: *day }, seen: seen.clone() };
    let is_something = |seen: &&Seen| **seen != Seen::default();
    let known = |days: &Days, day: &i64| days.0.get(day).filter(is_something).is_some();
    let changed = now.0.iter().filter(|(day, seen)| is_something(seen) && before.0.get(day) != Some(seen));
    let change = |(day, seen): (&i64, &Seen)| -> Result<Change> {
        let before = before.0.get(day).filter(is_something).map(|seen| row(day, seen).to_cells()).transpose()?;
        Ok(Change { before, now: row(day, seen).to_cells()? })
    };
    let changes = changed.map(change).collect::<Result<Vec<_>>>()?;
    let gone = before.0.keys().filter(|day| !known(now, day));
    let gone = gone.map(|day| key_cells(&DayKey { channel: *channel, day: *day }));
    let gone = gone.collect::<std::result::Result<Vec<_>, _>>()?;
    if !gone.is_empty() {
        tables.delete(DayRow::table(), gone)?;
    }
    tables.put(DayRow::table(), changes)
}
