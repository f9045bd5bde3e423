//! Tables in SQLite.
//!
//! Addresses, hashes and signatures are blobs, names text, flags 0 or 1, times and numbers integers. A count, an amount or a sum is an
//! integer up to 2^63 - 1, and decimal text beyond, which is as exact. Of what has no sign it
//! has twenty digits, so that it sorts rightly too.

use crate::{
    query::{Condition, Cursor, Query},
    row::{
        cell::{Cell, Kind},
        record::{Cells, Column, List, Listing, Table},
    },
    store::{
        sql,
        tables::{Change, Each, Range, Tables},
        Result, StoreError,
    },
    types::Address,
};
use rusqlite::{
    params_from_iter,
    types::{ToSqlOutput, Value, ValueRef},
    CachedStatement, Connection, Params, Row, Statement, ToSql,
};
use std::collections::HashMap;

const PAGE: usize = 1_024;

#[cfg(test)]
thread_local! {
    /// What this thread has asked.
    pub static ASKED: std::cell::RefCell<Vec<String>> = const { std::cell::RefCell::new(Vec::new()) };
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Owned(Value::Null),
            Self::Key(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Self::Signature(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(&bytes[..])),
            Self::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Self::Name(name) => ToSqlOutput::Borrowed(ValueRef::Text(name.as_bytes())),
            Self::Flag(flag) => ToSqlOutput::Owned(Value::Integer((*flag).into())),
            Self::Int(number) => ToSqlOutput::Owned(Value::Integer(*number)),
            Self::Uint(number) => ToSqlOutput::Owned(match i64::try_from(*number) {
                Ok(number) => Value::Integer(number),
                Err(_) => Value::Text(format!("{number:020}")),
            }),
            Self::Sum(sum) => ToSqlOutput::Owned(match i64::try_from(**sum) {
                Ok(sum) => Value::Integer(sum),
                Err(_) => Value::Text(sum.to_string()),
            }),
        })
    }
}

fn damaged(table: &str, column: &Column, value: ValueRef<'_>) -> StoreError {
    StoreError::Damaged(table.to_owned(), format!("{} is {value:?}", column.name))
}

fn cell(table: &str, column: &Column, value: ValueRef<'_>) -> Result<Cell> {
    let wrong = || damaged(table, column, value);
    let text = |text| std::str::from_utf8(text).map_err(|_| wrong());
    Ok(match (column.kind, value) {
        (_, ValueRef::Null) => Cell::Null,
        (Kind::Address | Kind::Hash, ValueRef::Blob(bytes)) => Cell::Key(bytes.try_into().map_err(|_| wrong())?),
        (Kind::Signature, ValueRef::Blob(bytes)) => Cell::Signature(Box::new(bytes.try_into().map_err(|_| wrong())?)),
        (Kind::Bytes, ValueRef::Blob(bytes)) => Cell::Bytes(bytes::Bytes::copy_from_slice(bytes)),
        (Kind::Name | Kind::Text, ValueRef::Text(name)) => Cell::Name(text(name)?.to_owned().into()),
        (Kind::Flag, ValueRef::Integer(flag @ 0..=1)) => Cell::Flag(flag == 1),
        (Kind::Time | Kind::Number, ValueRef::Integer(number)) => Cell::Int(number),
        (Kind::Count | Kind::Amount, ValueRef::Integer(number)) => {
            Cell::Uint(u64::try_from(number).map_err(|_| wrong())?)
        }
        (Kind::Count | Kind::Amount, ValueRef::Text(number)) => Cell::Uint(text(number)?.parse().map_err(|_| wrong())?),
        (Kind::Sum, ValueRef::Integer(sum)) => Cell::sum(sum.into()),
        (Kind::Sum, ValueRef::Text(sum)) => Cell::sum(text(sum)?.parse().map_err(|_| wrong())?),
        _ => return Err(wrong()),
    })
}

fn cells(table: &str, columns: &[Column], row: &Row<'_>) -> Result<Vec<Cell>> {
    let mut cells = Vec::with_capacity(columns.len());
    for (place, column) in columns.iter().enumerate() {
        cells.push(cell(table, column, row.get_ref(place)?)?);
    }
    Ok(cells)
}

fn names<'a>(columns: impl IntoIterator<Item = &'a Column>) -> String {
    columns.into_iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn places(count: usize) -> String {
    vec!["?"; count].join(", ")
}

/// "a = ? and b = ?".
fn equals(columns: &[&str]) -> String {
    columns.iter().map(|column| format!("{column} = ?")).collect::<Vec<_>>().join(" and ")
}

fn key(table: &Table) -> Vec<&str> {
    table.key().iter().map(|column| column.name.as_str()).collect()
}

/// How many columns begin a key, and whether the next has a bound.
fn shape(range: &Range) -> (usize, bool) {
    (range.prefix.len(), range.above.is_some())
}

/// A connection that is within a transaction.
pub struct Open<'a>(pub &'a Connection);

impl Open<'_> {
    /// What a statement finds with some values, lists and all.
    fn read(
        &self,
        table: &Table,
        statement: &mut Statement<'_>,
        values: impl Params,
        into: &mut Vec<Cells>,
    ) -> Result<()> {
        let first = into.len();
        let mut rows = statement.query(values)?;
        while let Some(row) = rows.next()? {
            into.push(Cells { row: cells(table.name, &table.columns, row)?, lists: Vec::new() });
        }
        if !table.lists.is_empty() {
            for cells in &mut into[first..] {
                cells.lists = self.lists(table, &cells.row[0])?;
            }
        }
        Ok(())
    }

    fn lists(&self, table: &Table, address: &Cell) -> Result<Vec<Vec<Vec<Cell>>>> {
        let of = |list: &List| -> Result<Vec<Vec<Cell>>> {
            let sql = format!("select {} from {} where of = ? order by place", names(&list.columns), list.table);
            let mut statement = self.0.prepare_cached(&sql)?;
            let mut rows = statement.query([address])?;
            let mut items = Vec::new();
            while let Some(row) = rows.next()? {
                items.push(cells(&list.table, &list.columns, row)?);
            }
            Ok(items)
        };
        table.lists.iter().map(of).collect()
    }

    fn execute<'c>(&self, sql: &str, values: impl IntoIterator<Item = &'c Cell>) -> Result<()> {
        self.0.prepare_cached(sql)?.execute(params_from_iter(values))?;
        Ok(())
    }

    /// Each list that is other than it was is written anew.
    fn put_lists(&self, table: &Table, before: Option<&Cells>, now: &Cells) -> Result<()> {
        let (none, address) = (Vec::new(), &now.row[0]);
        for (at, (list, items)) in table.lists.iter().zip(&now.lists).enumerate() {
            let known = before.map_or(&none, |before| &before.lists[at]);
            if known == items {
                continue;
            }
            self.execute(&format!("delete from {} where of = ?", list.table), [address])?;
            let (columns, places) = (names(&list.columns), places(list.columns.len() + 2));
            let sql = format!("insert into {} (of, place, {columns}) values ({places})", list.table);
            for (place, item) in (0i64..).zip(items) {
                self.execute(&sql, [address, &Cell::Int(place)].into_iter().chain(item))?;
            }
        }
        Ok(())
    }
}

/// Statements that write only what is other now of what was there, so that no index is written for nothing: one for each choice of
/// columns.
struct Updates<'a> {
    conn: &'a Connection,
    table: &'a Table,
    prepared: HashMap<Vec<usize>, CachedStatement<'a>>,
}

impl Updates<'_> {
    fn update(&mut self, before: &Cells, now: &Cells) -> Result<()> {
        let table = self.table;
        let changed: Vec<usize> = (table.key..now.row.len()).filter(|&at| before.row[at] != now.row[at]).collect();
        if changed.is_empty() {
            return Ok(());
        }
        let values = changed.iter().map(|&at| &now.row[at]).chain(&now.row[..table.key]);
        if let Some(statement) = self.prepared.get_mut(&changed) {
            statement.execute(params_from_iter(values))?;
            return Ok(());
        }
        let set: Vec<_> = changed.iter().map(|&at| format!("{} = ?", table.columns[at].name)).collect();
        let sql = format!("update {} set {} where {}", table.name, set.join(", "), equals(&key(table)));
        let mut statement = self.conn.prepare_cached(&sql)?;
        statement.execute(params_from_iter(values))?;
        self.prepared.insert(changed, statement);
        Ok(())
    }
}

/// In words, whose values come after those that are there.
fn conditions<'a>(conditions: &'a [Condition], values: &mut Vec<&'a Cell>) -> String {
    sql::conditions(conditions, str::to_owned, |cell| {
        values.push(cell);
        "?".to_owned()
    })
}

impl Tables for Open<'_> {
    fn get(&mut self, table: &'static Table, by: &[&str], of: &[Vec<Cell>]) -> Result<Vec<Cells>> {
        let sql = format!("select {} from {} where {}", names(&table.columns), table.name, equals(by));
        let mut statement = self.0.prepare_cached(&sql)?;
        let mut found = Vec::with_capacity(of.len());
        for values in of {
            self.read(table, &mut statement, params_from_iter(values), &mut found)?;
        }
        Ok(found)
    }

    fn newest(&mut self, table: &'static Table, ranges: &[Range], limit: usize) -> Result<Vec<Vec<Cells>>> {
        let limit = Cell::Int(i64::try_from(limit).unwrap_or(i64::MAX));
        let key = key(table);
        let sql = |width: usize, is_above: bool| {
            let (by, order) = key.split_at(width);
            let above = if is_above { format!(" and {} > ?", order[0]) } else { String::new() };
            let (columns, order) = (names(&table.columns), order.join(" desc, "));
            format!("select {columns} from {} where {}{above} order by {order} desc limit ?", table.name, equals(by))
        };
        let mut found = Vec::with_capacity(ranges.len());
        for alike in ranges.chunk_by(|one, next| shape(one) == shape(next)) {
            let (width, is_above) = shape(&alike[0]);
            let mut statement = self.0.prepare_cached(&sql(width, is_above))?;
            for Range { prefix, above } in alike {
                let mut rows = Vec::new();
                let values = prefix.iter().chain(above).chain([&limit]);
                self.read(table, &mut statement, params_from_iter(values), &mut rows)?;
                found.push(rows);
            }
        }
        Ok(found)
    }

    fn places(&mut self, table: &'static Table, listing: &Listing, query: &Query) -> Result<Vec<Cursor>> {
        let Listing { time, first, .. } = listing;
        let mut sql = format!("select {time}, address from {} where 1 = 1", table.name);
        let mut values = Vec::new();
        sql.push_str(&conditions(&query.conditions, &mut values));
        let (beyond, order) = sql::order(*first);
        let after = query.page.after.map(|Cursor { time, address }| (Cell::Int(time), Cell::Key(address.0)));
        if let Some((at, address)) = &after {
            // The first is there for the index: by it a page begins where it begins.
            sql.push_str(&format!(" and {time} {beyond}= ? and ({time} {beyond} ? or address > ?)"));
            values.extend([at, at, address]);
        }
        // As one value: there may be thousands, and an expression has no room for so many.
        let hex = query.without.iter().map(|address| hex::encode(address.0)).collect::<Vec<_>>();
        let without = Cell::Name(format!("[\"{}\"]", hex.join("\", \"")).into());
        if !query.without.is_empty() {
            sql.push_str(" and address not in (select unhex(value) from json_each(?))");
            values.push(&without);
        }
        sql.push_str(&format!(" order by {time}{order}, address limit ?"));
        let limit = Cell::Int(i64::try_from(query.page.limit).unwrap_or(i64::MAX));
        values.push(&limit);
        #[cfg(test)]
        ASKED.with_borrow_mut(|asked| asked.push(sql.clone()));
        let mut statement = self.0.prepare_cached(&sql)?;
        let places = statement.query_map(params_from_iter(values), |row| {
            Ok(Cursor { time: row.get(0)?, address: Address(row.get(1)?) })
        })?;
        Ok(places.collect::<rusqlite::Result<_>>()?)
    }

    fn pages(&mut self, table: &'static Table, wanted: &[Condition], order: &[&str], each: Each<'_>) -> Result<()> {
        let mut sql = format!("select {} from {} where 1 = 1", names(&table.columns), table.name);
        let mut values = Vec::new();
        sql.push_str(&conditions(wanted, &mut values));
        if !order.is_empty() {
            sql.push_str(&format!(" order by {}", order.join(", ")));
        }
        let mut statement = self.0.prepare(&sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        let mut page = Vec::with_capacity(PAGE);
        while let Some(row) = rows.next()? {
            let row = cells(table.name, &table.columns, row)?;
            page.push(Cells { lists: self.lists(table, &row[0])?, row });
            if page.len() == PAGE && each(&mut Open(self.0), std::mem::take(&mut page))?.is_break() {
                return Ok(());
            }
        }
        if !page.is_empty() {
            let _ = each(&mut Open(self.0), page)?;
        }
        Ok(())
    }

    fn count(&mut self, table: &'static Table) -> Result<u64> {
        let sql = format!("select count(*) from {}", table.name);
        let count: i64 = self.0.prepare_cached(&sql)?.query_row([], |row| row.get(0))?;
        Ok(count as u64)
    }

    fn put(&mut self, table: &'static Table, changes: Vec<Change>) -> Result<()> {
        let (columns, places) = (names(&table.columns), places(table.columns.len()));
        let insert = format!("insert or replace into {} ({columns}) values ({places})", table.name);
        let mut insert = self.0.prepare_cached(&insert)?;
        let mut updates = Updates { conn: self.0, table, prepared: HashMap::new() };
        for Change { before, now } in &changes {
            match before {
                None => drop(insert.execute(params_from_iter(&now.row))?),
                Some(before) => updates.update(before, now)?,
            }
            if !table.lists.is_empty() {
                self.put_lists(table, before.as_ref(), now)?;
            }
        }
        Ok(())
    }

    fn delete(&mut self, table: &'static Table, keys: Vec<Vec<Cell>>) -> Result<()> {
        let sql = format!("delete from {} where {}", table.name, equals(&key(table)));
        keys.iter().try_for_each(|key| self.execute(&sql, key))
    }
}

/// What makes the table, without its indexes. Large rows lie in the order in which they came, and are found by the index of their
/// keys; what is small lies in the order of its keys.
#[cfg(test)]
pub fn definition(table: &Table) -> String {
    let column = |column: &Column| {
        let kind = match column.kind {
            Kind::Address | Kind::Hash | Kind::Signature | Kind::Bytes => "blob",
            Kind::Name | Kind::Text => "text",
            Kind::Flag | Kind::Time | Kind::Number => "integer",
            Kind::Count | Kind::Amount | Kind::Sum => "any",
        };
        format!("    {} {kind}{}", column.name, if column.nullable { "" } else { " not null" })
    };
    let columns = |columns: &[Column]| columns.iter().map(column).collect::<Vec<_>>().join(",\n");
    let is_large = table.listing.is_some() || table.columns.iter().any(|column| column.kind == Kind::Bytes);
    let mut sql = format!(
        "create table {} (\n{},\n    primary key ({})\n) strict{};\n",
        table.name,
        columns(&table.columns),
        key(table).join(", "),
        if is_large { "" } else { ", without rowid" }
    );
    for list in &table.lists {
        sql.push_str(&format!(
            "create table {} (\n    of blob not null,\n    place integer not null,\n{},\n    primary key (of, place)\n) strict, without rowid;\n",
            list.table,
            columns(&list.columns)
        ));
    }
    sql
}
