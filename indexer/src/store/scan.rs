//! Everything of a kind, as it is at one moment, a page at a time.

use super::{account, batch::history, listing, tables::Tables, Between, Result, Scan, Scanned};
use crate::{
    query::{Condition, Cursor, PageRequest, Query},
    row::{
        cell::Cell,
        event::{Filed, Link, EVENT_ACCOUNTS},
        record::{Cells, First, Kept as _, Reading, Record as _, Table},
        AccountRow, EventRow,
    },
    types::Address,
};
use std::ops::ControlFlow;

const PAGE: usize = 1_024;
/// After every other of its second.
const LAST: Address = Address([u8::MAX; 32]);

type Each<'a> = &'a mut dyn FnMut(Scanned) -> ControlFlow<()>;

pub fn run(tables: &mut dyn Tables, scan: &Scan, each: Each<'_>) -> Result<()> {
    match scan {
        Scan::Rows { table, conditions, time } => rows(tables, table, conditions, *time, each),
        Scan::Events(time) => events(tables, *time, each),
        Scan::Trail(address) => trail(tables, address, each),
        Scan::Accounts => tables.pages(AccountRow::table(), &[], &["address"], &mut |_, page| {
            let rows = page.into_iter().map(AccountRow::of_cells).collect::<std::result::Result<_, _>>()?;
            Ok(each(Scanned::Accounts(rows)))
        }),
    }
}

/// By pages of the table's own order, each by its index.
fn rows(
    tables: &mut dyn Tables,
    table: &'static Table,
    conditions: &[Condition],
    time: Between,
    each: Each<'_>,
) -> Result<()> {
    let Some(listing) = &table.listing else { return Ok(()) };
    let Between { from, to } = time;
    let before = |at: Option<i64>| at.map(|at| Cursor { time: at, address: LAST });
    let after = match listing.first {
        First::Newest => before(to),
        First::Oldest => before(from.map(|from| from.saturating_sub(1))),
    };
    let is_beyond = |time: i64| match listing.first {
        First::Newest => from.is_some_and(|from| time < from),
        First::Oldest => to.is_some_and(|to| time >= to),
    };
    let place = table.column(listing.time).map_or(0, |(place, _)| place);
    let cursor = |cells: &Cells| match (&cells.row[place], &cells.row[0]) {
        (Cell::Int(time), Cell::Key(address)) => Some(Cursor { time: *time, address: Address(*address) }),
        _ => None,
    };
    let page = PageRequest { after, limit: PAGE };
    let mut query = Query { conditions: conditions.to_vec(), page, without: Vec::new() };
    loop {
        let mut found = listing::rows(tables, table, &query)?;
        let known = found.len();
        query.page.after = found.last().and_then(cursor);
        found.retain(|cells| cursor(cells).is_some_and(|cursor| !is_beyond(cursor.time)));
        let is_last = known < PAGE || found.len() < known;
        if each(Scanned::Rows(found)).is_break() || is_last {
            return Ok(());
        }
    }
}

fn events(tables: &mut dyn Tables, Between { from, to }: Between, each: Each<'_>) -> Result<()> {
    let mut conditions = Vec::new();
    conditions.extend(from.map(|from| Condition::From("block_time", Cell::Int(from))));
    conditions.extend(to.map(|to| Condition::Below("block_time", Cell::Int(to))));
    tables.pages(Filed::table(), &conditions, &["slot", "tx_index", "instruction", "inner"], &mut |_, page| {
        let event = |cells| Filed::of_cells(cells).map(|filed| filed.event);
        Ok(each(Scanned::Events(page.into_iter().map(event).collect::<std::result::Result<_, _>>()?)))
    })
}

fn trail(tables: &mut dyn Tables, address: &Address, each: Each<'_>) -> Result<()> {
    let of = [Condition::Is("address", Cell::Key(address.0))];
    let mut broken = false;
    tables.pages(&EVENT_ACCOUNTS, &of, &["slot", "tx_index", "instruction", "inner"], &mut |tables, page| {
        let link = |cells: Cells| Link::read(&mut Reading(&cells.row));
        let links = page.into_iter().map(link).collect::<std::result::Result<Vec<_>, _>>()?;
        let mut found = history::rows(tables, &links.iter().map(Link::key).collect::<Vec<_>>())?;
        let events: Vec<EventRow> = links.iter().filter_map(|link| found.remove(&link.key())).collect();
        let done = each(Scanned::Events(events));
        broken = done.is_break();
        Ok(done)
    })?;
    if !broken {
        if let Some(row) = account::get(tables, address)? {
            let _ = each(Scanned::Accounts(vec![row]));
        }
    }
    Ok(())
}
