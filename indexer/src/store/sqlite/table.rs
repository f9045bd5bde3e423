//! Nouns as rows of SQLite's tables.
//!
//! Addresses, hashes and signatures are blobs, names text, flags 0 or 1, times and numbers integers. A count or an amount is an integer
//! up to 2^63 - 1, and decimal text beyond, which is as exact and still sorts above all integers.

use crate::{
    query::{Condition, Cursor, Query},
    row::{
        cell::{Cell, Kind},
        record::{Cells, Column, First, List, Noun, Table},
    },
    store::{Result, StoreError},
    types::Address,
};
use rusqlite::{
    params_from_iter,
    types::{ToSqlOutput, Value, ValueRef},
    Connection, OptionalExtension, Row, ToSql,
};

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
            Self::Signature(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Self::Name(name) => ToSqlOutput::Borrowed(ValueRef::Text(name.as_bytes())),
            Self::Flag(flag) => ToSqlOutput::Owned(Value::Integer((*flag).into())),
            Self::Int(number) => ToSqlOutput::Owned(Value::Integer(*number)),
            Self::Uint(number) => ToSqlOutput::Owned(match i64::try_from(*number) {
                Ok(number) => Value::Integer(number),
                Err(_) => Value::Text(number.to_string()),
            }),
        })
    }
}

fn damaged(table: &str, column: &Column, value: ValueRef<'_>) -> StoreError {
    StoreError::Damaged(table.to_owned(), format!("{} is {value:?}", column.name))
}

fn cell(table: &str, column: &Column, value: ValueRef<'_>) -> Result<Cell> {
    let wrong = || damaged(table, column, value);
    let number = |text: &[u8]| std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    Ok(match (column.kind, value) {
        (_, ValueRef::Null) => Cell::Null,
        (Kind::Address | Kind::Hash, ValueRef::Blob(bytes)) => Cell::Key(bytes.try_into().map_err(|_| wrong())?),
        (Kind::Signature, ValueRef::Blob(bytes)) => Cell::Signature(bytes.try_into().map_err(|_| wrong())?),
        (Kind::Name, ValueRef::Text(name)) => {
            Cell::Name(std::str::from_utf8(name).map_err(|_| wrong())?.to_owned().into())
        }
        (Kind::Flag, ValueRef::Integer(flag @ 0..=1)) => Cell::Flag(flag == 1),
        (Kind::Time | Kind::Number, ValueRef::Integer(number)) => Cell::Int(number),
        (Kind::Count | Kind::Amount, ValueRef::Integer(number)) => {
            Cell::Uint(u64::try_from(number).map_err(|_| wrong())?)
        }
        (Kind::Count | Kind::Amount, ValueRef::Text(text)) => Cell::Uint(number(text).ok_or_else(wrong)?),
        _ => return Err(wrong()),
    })
}

fn cells(table: &str, columns: &[Column], row: &Row<'_>) -> Result<Vec<Cell>> {
    let read = |(place, column)| cell(table, column, row.get_ref(place)?);
    columns.iter().enumerate().map(read).collect()
}

fn names<'a>(columns: impl IntoIterator<Item = &'a Column>) -> String {
    columns.into_iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn places(count: usize) -> String {
    vec!["?"; count].join(", ")
}

/// The statements of a table that never change.
struct Statements {
    get: String,
    insert: String,
    lists: Vec<ListStatements>,
}

struct ListStatements {
    get: String,
    delete: String,
    insert: String,
}

impl Statements {
    fn of(table: &Table) -> Self {
        let Table { name, columns, .. } = table;
        let lists = table.lists.iter().map(|List { table, columns, .. }| ListStatements {
            get: format!("select {} from {table} where of = ? order by place", names(columns)),
            delete: format!("delete from {table} where of = ?"),
            insert: format!(
                "insert into {table} (of, place, {}) values ({})",
                names(columns),
                places(columns.len() + 2)
            ),
        });
        Self {
            get: format!("select {} from {name} where address = ?", names(columns)),
            insert: format!("insert or replace into {name} ({}) values ({})", names(columns), places(columns.len())),
            lists: lists.collect(),
        }
    }
}

/// Made once for each table.
fn statements(table: &'static Table) -> &'static Statements {
    use std::{
        collections::HashMap,
        sync::{LazyLock, PoisonError, RwLock},
    };
    static MADE: LazyLock<RwLock<HashMap<&'static str, &'static Statements>>> = LazyLock::new(RwLock::default);
    if let Some(made) = MADE.read().unwrap_or_else(PoisonError::into_inner).get(table.name) {
        return made;
    }
    let mut made = MADE.write().unwrap_or_else(PoisonError::into_inner);
    made.entry(table.name).or_insert_with(|| Box::leak(Box::new(Statements::of(table))))
}

fn lists(conn: &Connection, table: &'static Table, address: &Cell) -> Result<Vec<Vec<Vec<Cell>>>> {
    let of = |(list, made): (&List, &ListStatements)| -> Result<Vec<Vec<Cell>>> {
        let mut statement = conn.prepare_cached(&made.get)?;
        let mut rows = statement.query([address])?;
        let mut items = Vec::new();
        while let Some(row) = rows.next()? {
            items.push(cells(&list.table, &list.columns, row)?);
        }
        Ok(items)
    };
    table.lists.iter().zip(&statements(table).lists).map(of).collect()
}

/// The row at an address.
pub fn get(conn: &Connection, table: &'static Table, address: &Address) -> Result<Option<Cells>> {
    let mut statement = conn.prepare_cached(&statements(table).get)?;
    let row = statement.query_row([address.0], |row| Ok(cells(table.name, &table.columns, row))).optional()?;
    let Some(row) = row.transpose()? else { return Ok(None) };
    let lists = lists(conn, table, &Cell::Key(address.0))?;
    Ok(Some(Cells { row, lists }))
}

/// The same, as what it is.
pub fn find<N: Noun>(conn: &Connection, address: &Address) -> Result<Option<N>> {
    Ok(get(conn, N::table(), address)?.map(N::of_cells).transpose()?)
}

/// Writes a row, given what was there: of that only what is other now, so that no index is written for nothing.
pub fn put<N: Noun>(conn: &Connection, before: Option<&N>, after: &N) -> Result<()> {
    let (table, made) = (N::table(), statements(N::table()));
    let now = after.to_cells()?;
    let address = &now.row[0];
    let then = before.map(N::to_cells).transpose()?;
    match &then {
        None => {
            conn.prepare_cached(&made.insert)?.execute(params_from_iter(&now.row))?;
        }
        Some(then) => {
            let changed: Vec<usize> = (0..now.row.len()).filter(|&at| then.row[at] != now.row[at]).collect();
            if !changed.is_empty() {
                let set: Vec<_> = changed.iter().map(|&at| format!("{} = ?", table.columns[at].name)).collect();
                let sql = format!("update {} set {} where address = ?", table.name, set.join(", "));
                let values = changed.iter().map(|&at| &now.row[at]).chain([address]);
                conn.prepare_cached(&sql)?.execute(params_from_iter(values))?;
            }
        }
    }
    let none = Vec::new();
    for (at, (items, made)) in now.lists.iter().zip(&made.lists).enumerate() {
        let known = then.as_ref().map_or(&none, |then| &then.lists[at]);
        if known == items {
            continue;
        }
        conn.prepare_cached(&made.delete)?.execute([address])?;
        let mut insert = conn.prepare_cached(&made.insert)?;
        for (place, item) in (0i64..).zip(items) {
            let place = Cell::Int(place);
            insert.execute(params_from_iter([address, &place].into_iter().chain(item)))?;
        }
    }
    Ok(())
}

/// Who runs a provider, as far as it is known.
pub fn authority(conn: &Connection, provider: &Address) -> Result<Option<Address>> {
    let mut statement = conn.prepare_cached("select authority from providers where address = ?1")?;
    Ok(statement.query_row([provider.0], |row| row.get(0)).optional()?.map(Address))
}

/// The jobs that a provider accepted.
pub fn of_provider(conn: &Connection, provider: &Address) -> Result<Vec<Address>> {
    let mut statement = conn.prepare_cached("select address from jobs where provider = ?1")?;
    let jobs = statement.query_map([provider.0], |row| row.get(0).map(Address))?.collect::<rusqlite::Result<_>>()?;
    Ok(jobs)
}

/// The rows that are asked for, in the table's order: by its time, then by address.
pub fn list(conn: &Connection, table: &'static Table, query: &Query) -> Result<Vec<Cells>> {
    let mut sql = format!("select {} from {} where 1 = 1", names(&table.columns), table.name);
    let mut values = Vec::new();
    for condition in &query.conditions {
        match condition {
            Condition::Is(column, cell) => {
                sql.push_str(&format!(" and {column} = ?"));
                values.push(cell.clone());
            }
            // In words: a partial index is found by its own.
            Condition::OneOf(column, names) => {
                sql.push_str(&format!(" and {column} in ('{}')", names.join("', '")));
            }
        }
    }
    let time = table.time;
    let (beyond, order) = match table.first {
        First::Newest => ("<", " desc"),
        First::Oldest => (">", ""),
    };
    if let Some(Cursor { time: at, address }) = query.page.after {
        // The first is there for the index: by it a page begins where it begins.
        sql.push_str(&format!(" and {time} {beyond}= ? and ({time} {beyond} ? or address > ?)"));
        values.extend([Cell::Int(at), Cell::Int(at), Cell::Key(address.0)]);
    }
    if !query.without.is_empty() {
        // As one value: there may be thousands, and an expression has no room for so many.
        let hex = query.without.iter().map(|address| hex::encode(address.0)).collect::<Vec<_>>();
        sql.push_str(" and address not in (select unhex(value) from json_each(?))");
        values.push(Cell::Name(format!("[\"{}\"]", hex.join("\", \"")).into()));
    }
    sql.push_str(&format!(" order by {time}{order}, address limit ?"));
    values.push(Cell::Int(i64::try_from(query.page.limit).unwrap_or(i64::MAX)));
    #[cfg(test)]
    ASKED.with_borrow_mut(|asked| asked.push(sql.clone()));
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(&values))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(cells(table.name, &table.columns, row)?);
    }
    let whole = |row: Vec<Cell>| Ok(Cells { lists: lists(conn, table, &row[0])?, row });
    found.into_iter().map(whole).collect()
}

/// What makes the table, without its indexes.
#[cfg(test)]
pub fn definition(table: &Table) -> String {
    let column = |column: &Column| {
        let kind = match column.kind {
            Kind::Address | Kind::Hash | Kind::Signature => "blob",
            Kind::Name => "text",
            Kind::Flag | Kind::Time | Kind::Number => "integer",
            Kind::Count | Kind::Amount => "any",
        };
        format!("    {} {kind}{}", column.name, if column.nullable { "" } else { " not null" })
    };
    let columns = |columns: &[Column]| columns.iter().map(column).collect::<Vec<_>>().join(",\n");
    let mut sql = format!(
        "create table {} (\n{},\n    primary key (address)\n) strict, without rowid;\n",
        table.name,
        columns(&table.columns)
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
