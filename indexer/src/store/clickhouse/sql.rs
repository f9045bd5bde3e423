//! What is asked, in ClickHouse's words. A row is there in every version that was written of it until the server merges them: `final`
//! shows the last, and `_gone` says of that one that it is deleted.

use super::value::literal;
use crate::{
    query::{Condition, Cursor, Query},
    row::{
        cell::Cell,
        record::{Column, List, Listing, Table},
    },
    store::sql,
};

/// Some names, such as `of`, are words of the language.
pub fn quoted(name: &str) -> String {
    format!("`{name}`")
}

fn listed(names: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    names.into_iter().map(|name| quoted(name.as_ref())).collect::<Vec<_>>().join(", ")
}

pub fn names<'a>(columns: impl IntoIterator<Item = &'a Column>) -> String {
    listed(columns.into_iter().map(|column| &column.name))
}

pub fn key(table: &Table) -> Vec<&str> {
    table.key().iter().map(|column| column.name.as_str()).collect()
}

/// "(a, b) in ((1, 2), (3, 4))".
fn among(by: &[&str], of: &[Vec<Cell>]) -> String {
    let tuple = |cells: &Vec<Cell>| {
        let cells = cells.iter().map(literal).collect::<Vec<_>>().join(", ");
        if by.len() == 1 {
            cells
        } else {
            format!("({cells})")
        }
    };
    let of = of.iter().map(tuple).collect::<Vec<_>>().join(", ");
    if by.len() == 1 {
        format!("{} in ({of})", listed(by))
    } else {
        format!("({}) in ({of})", listed(by))
    }
}

fn select(table: &Table) -> String {
    format!("select {} from {} final where _gone = 0", names(&table.columns), table.name)
}

/// The rows in which some columns have one of these values each. What does not begin the key is looked for in every version first, by
/// its columns alone, and whole rows are read only of the keys that are found.
pub fn get(table: &Table, by: &[&str], of: &[Vec<Cell>]) -> String {
    let (key, among) = (key(table), among(by, of));
    let mut sql = select(table);
    if !key.starts_with(by) {
        let known = if key.len() == 1 { listed(&key) } else { format!("({})", listed(&key)) };
        sql.push_str(&format!(" and {known} in (select {} from {} where {among})", listed(&key), table.name));
    }
    sql.push_str(&format!(" and {among}"));
    sql
}

/// Items of a list, by the rows that they are within, in their order.
pub fn items(list: &List, of: &[Cell]) -> String {
    let of = of.iter().map(literal).collect::<Vec<_>>().join(", ");
    format!(
        "select {}, `of` from {} final where _gone = 0 and `of` in ({of}) order by `of`, `place`",
        names(&list.columns),
        list.table
    )
}

/// Of each beginning of the key the newest rows, the newest first; none at or below `above` in the column after it.
pub fn newest(table: &Table, prefixes: &[Vec<Cell>], above: Option<&Cell>, limit: Option<usize>) -> String {
    let key = key(table);
    let (by, order) = key.split_at(prefixes.first().map_or(0, Vec::len));
    let mut sql = select(table);
    sql.push_str(&format!(" and {}", among(by, prefixes)));
    if let Some(above) = above {
        sql.push_str(&format!(" and {} > {}", listed(&order[..1]), literal(above)));
    }
    let order: Vec<_> = order.iter().map(|name| format!("{} desc", quoted(name))).collect();
    sql.push_str(&format!(" order by {}, {}", listed(by), order.join(", ")));
    match limit {
        // One row needs no more than a limit.
        Some(limit) if prefixes.len() == 1 => sql.push_str(&format!(" limit {limit}")),
        Some(limit) => sql.push_str(&format!(" limit {limit} by {}", listed(by))),
        None => {}
    }
    sql
}

/// Where the rows of a noun are: time and address.
pub fn places(table: &Table, listing: &Listing, query: &Query) -> String {
    let time = quoted(listing.time);
    let mut sql = format!("select {time}, `address` from {} final where _gone = 0", table.name);
    sql.push_str(&sql::conditions(&query.conditions, quoted, literal));
    let (beyond, order) = sql::order(listing.first);
    if let Some(Cursor { time: at, address }) = query.page.after {
        let address = literal(&Cell::Key(address.0));
        sql.push_str(&format!(" and ({time} {beyond} {at} or ({time} = {at} and `address` > {address}))"));
    }
    if !query.without.is_empty() {
        let without = query.without.iter().map(|address| literal(&Cell::Key(address.0))).collect::<Vec<_>>();
        sql.push_str(&format!(" and `address` not in ({})", without.join(", ")));
    }
    let limit = i64::try_from(query.page.limit).unwrap_or(i64::MAX);
    sql.push_str(&format!(" order by {time}{order}, `address` limit {limit}"));
    sql
}

/// Every row that fulfils conditions, in an order.
pub fn pages(table: &Table, wanted: &[Condition], order: &[&str]) -> String {
    let mut sql = select(table);
    sql.push_str(&sql::conditions(wanted, quoted, literal));
    if !order.is_empty() {
        sql.push_str(&format!(" order by {}", listed(order)));
    }
    sql
}

pub fn count(table: &Table) -> String {
    format!("select count() from {} final where _gone = 0", table.name)
}
