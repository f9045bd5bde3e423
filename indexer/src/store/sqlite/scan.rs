//! Everything of a kind, as it is at one moment: a transaction of a reader of its own, which holds no more than a page.

use super::{account, checkpoint, event, open_reader, table};
use crate::{
    query::{Condition, Cursor, PageRequest, Query},
    row::{
        cell::Cell,
        record::{Cells, First, Table},
    },
    store::{Between, Moment, Result, Scan, Scanned},
    types::Address,
};
use rusqlite::{params, Connection, OptionalExtension as _, Params, Row};
use std::{ops::ControlFlow, path::Path};

const PAGE: usize = 1_024;
/// After every other of its second.
const LAST: Address = Address([u8::MAX; 32]);

type Each<'a> = &'a mut dyn FnMut(Scanned) -> ControlFlow<()>;

pub fn run(path: &Path, scan: &Scan, each: Each<'_>) -> Result<Moment> {
    let mut conn = open_reader(path)?;
    // What has to be sorted may be larger than memory.
    conn.pragma_update(None, "temp_store", "FILE")?;
    let conn = conn.transaction()?;
    let genesis = conn.query_row("select genesis from chain where id = 1", [], |row| row.get(0)).optional()?;
    let moment = Moment { genesis, checkpoint: checkpoint::get(&conn)? };
    let _ = match scan {
        Scan::Rows { table, conditions, time } => rows(&conn, table, conditions, *time, each)?,
        Scan::Events(time) => events(&conn, *time, each)?,
        Scan::Trail(address) => trail(&conn, address, each)?,
        Scan::Accounts => {
            let sql = format!("select {} from accounts order by address", account::COLUMNS);
            paged(&conn, &sql, [], account::read, &mut |page| each(Scanned::Accounts(page)))?
        }
    };
    Ok(moment)
}

/// By pages of the table's own order, each by its index.
fn rows(
    conn: &Connection,
    table: &'static Table,
    conditions: &[Condition],
    time: Between,
    each: Each<'_>,
) -> Result<ControlFlow<()>> {
    let Between { from, to } = time;
    let before = |at: Option<i64>| at.map(|at| Cursor { time: at, address: LAST });
    let after = match table.first {
        First::Newest => before(to),
        First::Oldest => before(from.map(|from| from.saturating_sub(1))),
    };
    let is_beyond = |time: i64| match table.first {
        First::Newest => from.is_some_and(|from| time < from),
        First::Oldest => to.is_some_and(|to| time >= to),
    };
    let place = table.column(table.time).map_or(0, |(place, _)| place);
    let cursor = |cells: &Cells| match (&cells.row[place], &cells.row[0]) {
        (Cell::Int(time), Cell::Key(address)) => Some(Cursor { time: *time, address: Address(*address) }),
        _ => None,
    };
    let page = PageRequest { after, limit: PAGE };
    let mut query = Query { conditions: conditions.to_vec(), page, without: Vec::new() };
    loop {
        let mut found = table::list(conn, table, &query)?;
        let is_last = found.len() < PAGE;
        query.page.after = found.last().and_then(cursor);
        let known = found.len();
        found.retain(|cells| cursor(cells).is_some_and(|cursor| !is_beyond(cursor.time)));
        let is_last = is_last || found.len() < known;
        if each(Scanned::Rows(found)).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        if is_last {
            return Ok(ControlFlow::Continue(()));
        }
    }
}

const EVENT: &str = "e.signature, e.instruction, e.inner, e.slot, e.tx_index, e.block_time, e.program, e.data";

fn events(conn: &Connection, time: Between, each: Each<'_>) -> Result<ControlFlow<()>> {
    let Between { from, to } = time;
    let order = "e.slot, e.tx_index, e.instruction, e.inner";
    let bound = match (from, to) {
        (None, None) => "?1 is ?2",
        _ => "e.block_time between ifnull(?1, e.block_time) and ifnull(?2, e.block_time)",
    };
    // The last second is not included, and before the first of all there is none.
    let Ok(to) = to.map(|to| to.checked_sub(1).ok_or(())).transpose() else { return Ok(ControlFlow::Continue(())) };
    let sql = format!("select {EVENT} from events e where {bound} order by {order}");
    paged(conn, &sql, params![from, to], event::read, &mut |page| each(Scanned::Events(page)))
}

fn trail(conn: &Connection, address: &Address, each: Each<'_>) -> Result<ControlFlow<()>> {
    let sql = format!(
        "select {EVENT} from event_accounts a
         join events e on e.signature = a.signature and e.instruction = a.instruction and e.inner = a.inner
         where a.address = ?1 order by a.slot, a.tx_index, a.instruction, a.inner"
    );
    let read = paged(conn, &sql, params![address.0], event::read, &mut |page| each(Scanned::Events(page)))?;
    match (read, account::get(conn, address)?) {
        (ControlFlow::Continue(()), Some(row)) => Ok(each(Scanned::Accounts(vec![row]))),
        (read, _) => Ok(read),
    }
}

/// What a statement finds, a page at a time.
fn paged<T>(
    conn: &Connection,
    sql: &str,
    params: impl Params,
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
    each: &mut dyn FnMut(Vec<T>) -> ControlFlow<()>,
) -> Result<ControlFlow<()>> {
    let mut statement = conn.prepare(sql)?;
    let mut rows = statement.query(params)?;
    let mut page = Vec::with_capacity(PAGE);
    while let Some(row) = rows.next()? {
        page.push(read(row)?);
        if page.len() == PAGE && each(std::mem::take(&mut page)).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(if page.is_empty() { ControlFlow::Continue(()) } else { each(page) })
}
