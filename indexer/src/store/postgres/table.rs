//! Tables in PostgreSQL: what a batch reads of a table is one statement, and so is what it writes; many rows go by `COPY`, those that are
//! there already into a table of their own, from where they are merged.

use super::{value, wire::Connection};
use crate::{
    query::{Condition, Cursor, Query},
    row::{
        cell::Cell,
        record::{Cells, Column, List, Listing, Table},
    },
    store::{
        sql,
        tables::{Change, Each, Range, Tables},
        Result, StoreError,
    },
    types::Address,
};
use std::collections::HashMap;
use tokio_postgres::Row;

/// Rows that are copied; fewer are one statement's values.
const MANY: usize = 256;
const PAGE: usize = 1_024;

/// Some names, such as `inner`, are words of the language.
pub fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

fn names<'a>(columns: impl IntoIterator<Item = &'a Column>) -> String {
    columns.into_iter().map(|column| quoted(&column.name)).collect::<Vec<_>>().join(", ")
}

fn key(table: &Table) -> Vec<String> {
    table.key().iter().map(|column| quoted(&column.name)).collect()
}

fn cells(table: &str, columns: &[Column], row: &Row, from: usize) -> Result<Vec<Cell>> {
    let cell = |(place, column)| Ok(value::cell(table, column, row.try_get(from + place)?)?);
    columns.iter().enumerate().map(cell).collect()
}

/// "unnest($1::bytea[], $2::text[])", the first being the number after `before`.
fn unnest<'a>(columns: impl IntoIterator<Item = &'a Column>) -> String {
    let array = |(place, column): (usize, &Column)| format!("${}::{}[]", place + 1, value::name(column.kind));
    format!("unnest({})", columns.into_iter().enumerate().map(array).collect::<Vec<_>>().join(", "))
}

/// Rows as columns.
fn turned<'a>(rows: impl IntoIterator<Item = &'a [Cell]>, width: usize) -> Vec<Vec<Cell>> {
    let mut columns = vec![Vec::new(); width];
    for row in rows {
        columns.iter_mut().zip(row).for_each(|(column, cell)| column.push(cell.clone()));
    }
    columns
}

fn find<'t>(table: &'t Table, column: &str) -> Result<&'t Column> {
    let missing = || StoreError::Damaged(table.name.to_owned(), format!("there is no column {column}"));
    Ok(table.column(column).ok_or_else(missing)?.1)
}

/// In words, whose values come after those that are there.
fn conditions(conditions: &[Condition], values: &mut Vec<Cell>) -> String {
    sql::conditions(conditions, quoted, |cell| {
        values.push(cell.clone());
        format!("${}", values.len())
    })
}

/// A connection that is within a transaction.
pub struct Open<'a>(pub &'a Connection);

impl Open<'_> {
    /// Rows of a statement whose first columns are the table's, with their lists.
    fn whole(&self, table: &'static Table, rows: &[Row]) -> Result<Vec<Cells>> {
        let plain = |row| Ok(Cells { row: cells(table.name, &table.columns, row, 0)?, lists: Vec::new() });
        let mut rows = rows.iter().map(plain).collect::<Result<Vec<_>>>()?;
        sql::complete(table, &mut rows, |list, of| self.items(list, of))?;
        Ok(rows)
    }

    /// A list's items by the rows that they are within.
    fn items(&self, list: &List, of: &[Cell]) -> Result<HashMap<Cell, Vec<Vec<Cell>>>> {
        let columns = names(&list.columns);
        let sql =
            format!("select {columns}, \"of\" from {} where \"of\" = any($1) order by \"of\", \"place\"", list.table);
        let mut items: HashMap<Cell, Vec<Vec<Cell>>> = HashMap::new();
        for row in self.0.query(sql, vec![of.to_vec()])? {
            let of: &[u8] = row.try_get(list.columns.len())?;
            let of = <[u8; 32]>::try_from(of).map_err(|_| StoreError::Damaged(list.table.clone(), hex::encode(of)))?;
            items.entry(Cell::Key(of)).or_default().push(cells(&list.table, &list.columns, &row, 0)?);
        }
        Ok(items)
    }

    fn put_lists(&self, table: &Table, changes: &[Change]) -> Result<()> {
        let none = Vec::new();
        for (at, list) in table.lists.iter().enumerate() {
            let known = |change: &Change| change.before.as_ref().map_or(&none, |before| &before.lists[at]).clone();
            let other: Vec<&Change> = changes.iter().filter(|change| known(change) != change.now.lists[at]).collect();
            if other.is_empty() {
                continue;
            }
            let of = other.iter().map(|change| change.now.row[0].clone()).collect();
            self.0.execute(format!("delete from {} where \"of\" = any($1)", list.table), vec![of])?;
            let item = |change: &&Change| {
                let of = change.now.row[0].clone();
                let items = change.now.lists[at].iter().enumerate();
                let row = move |(place, item): (usize, &Vec<Cell>)| {
                    let mut row = vec![of.clone(), Cell::Int(place as i64)];
                    row.extend(item.iter().cloned());
                    row
                };
                items.map(row).collect::<Vec<_>>()
            };
            let rows: Vec<Vec<Cell>> = other.iter().flat_map(item).collect();
            if rows.is_empty() {
                continue;
            }
            let place = |name: &str, kind| Column { name: name.to_owned(), kind, nullable: false, path: Vec::new() };
            let mut columns =
                vec![place("of", crate::row::cell::Kind::Address), place("place", crate::row::cell::Kind::Number)];
            columns.extend(list.columns.iter().cloned());
            let sql = format!("insert into {} ({}) select * from {}", list.table, names(&columns), unnest(&columns));
            self.0.execute(sql, turned(rows.iter().map(Vec::as_slice), columns.len()))?;
        }
        Ok(())
    }
}

impl Tables for Open<'_> {
    fn get(&mut self, table: &'static Table, by: &[&str], of: &[Vec<Cell>]) -> Result<Vec<Cells>> {
        if of.is_empty() {
            return Ok(Vec::new());
        }
        let values = turned(of.iter().map(Vec::as_slice), by.len());
        let columns = names(&table.columns);
        let sql = match by {
            [one] => format!("select {columns} from {} where \"{one}\" = any($1)", table.name),
            many => {
                let kinds = many.iter().map(|name| find(table, name)).collect::<Result<Vec<_>>>()?;
                let known: Vec<String> = (0..many.len()).map(|at| format!("k{at}")).collect();
                let on: Vec<_> = many.iter().zip(&known).map(|(name, known)| format!("\"{name}\" = {known}")).collect();
                let (known, on) = (known.join(", "), on.join(" and "));
                format!("select {columns} from {} join {} as known({known}) on {on}", table.name, unnest(kinds))
            }
        };
        let rows = self.0.query(sql, values)?;
        self.whole(table, &rows)
    }

    fn newest(&mut self, table: &'static Table, ranges: &[Range], limit: usize) -> Result<Vec<Vec<Cells>>> {
        let mut found = vec![Vec::new(); ranges.len()];
        // Of one statement all have a bound or none.
        for is_bound in [false, true] {
            let some: Vec<(usize, &Range)> =
                ranges.iter().enumerate().filter(|(_, range)| range.above.is_some() == is_bound).collect();
            let Some((_, first)) = some.first() else { continue };
            let key = key(table);
            let (by, order) = key.split_at(first.prefix.len());
            let mut columns: Vec<&Column> = table.columns[..by.len()].iter().collect();
            let mut known: Vec<String> = (0..by.len()).map(|at| format!("k{at}")).collect();
            let mut on: Vec<String> = by.iter().zip(&known).map(|(name, known)| format!("{name} = {known}")).collect();
            let row =
                |(_, range): &(usize, &Range)| range.prefix.iter().chain(&range.above).cloned().collect::<Vec<_>>();
            if is_bound {
                columns.push(&table.columns[by.len()]);
                on.push(format!("{} > above", order[0]));
                known.push("above".to_owned());
            }
            let rows: Vec<Vec<Cell>> = some.iter().map(row).collect();
            let sql = format!(
                "select found.*, known.n from {} with ordinality as known({}, n) cross join lateral
                     (select {} from {} where {} order by {} desc limit {}) as found order by known.n",
                unnest(columns.iter().copied()),
                known.join(", "),
                names(&table.columns),
                table.name,
                on.join(" and "),
                order.join(" desc, "),
                i64::try_from(limit).unwrap_or(i64::MAX),
            );
            for row in self.0.query(sql, turned(rows.iter().map(Vec::as_slice), columns.len()))? {
                let n: i64 = row.try_get(table.columns.len())?;
                let cells = Cells { row: cells(table.name, &table.columns, &row, 0)?, lists: Vec::new() };
                found[some[n as usize - 1].0].push(cells);
            }
        }
        Ok(found)
    }

    fn places(&mut self, table: &'static Table, listing: &Listing, query: &Query) -> Result<Vec<Cursor>> {
        let Listing { time, first, .. } = listing;
        let mut sql = format!("select {time}, address from {} where true", table.name);
        let mut values = Vec::new();
        sql.push_str(&conditions(&query.conditions, &mut values));
        let (beyond, order) = sql::order(*first);
        if let Some(Cursor { time: at, address }) = query.page.after {
            let n = values.len();
            sql.push_str(&format!(
                " and {time} {beyond}= ${} and ({time} {beyond} ${} or address > ${})",
                n + 1,
                n + 1,
                n + 2
            ));
            values.extend([Cell::Int(at), Cell::Key(address.0)]);
        }
        let mut arrays = Vec::new();
        if !query.without.is_empty() {
            sql.push_str(&format!(" and address <> all(${})", values.len() + 1));
            arrays.push(query.without.iter().map(|address| Cell::Key(address.0)).collect::<Vec<_>>());
        }
        let limit = i64::try_from(query.page.limit).unwrap_or(i64::MAX);
        sql.push_str(&format!(" order by {time}{order}, address limit {limit}"));
        let place = |row: &Row| {
            let address: &[u8] = row.try_get(1)?;
            let wrong = |_| StoreError::Damaged(table.name.to_owned(), hex::encode(address));
            Ok(Cursor { time: row.try_get(0)?, address: Address::try_from(address).map_err(wrong)? })
        };
        self.0.select(sql, values, arrays)?.iter().map(place).collect()
    }

    fn pages(&mut self, table: &'static Table, wanted: &[Condition], order: &[&str], each: Each<'_>) -> Result<()> {
        let mut sql = format!("select {} from {} where true", names(&table.columns), table.name);
        let mut values = Vec::new();
        sql.push_str(&conditions(wanted, &mut values));
        if !order.is_empty() {
            let order: Vec<_> = order.iter().map(|name| quoted(name)).collect();
            sql.push_str(&format!(" order by {}", order.join(", ")));
        }
        let name = self.0.cursor(sql, values)?;
        loop {
            let rows = self.0.fetch(PAGE, &name)?;
            let is_last = rows.len() < PAGE;
            let rows = self.whole(table, &rows)?;
            if rows.is_empty() || each(&mut Open(self.0), rows)?.is_break() || is_last {
                return self.0.batch(format!("close {name}"));
            }
        }
    }

    fn count(&mut self, table: &'static Table) -> Result<u64> {
        let rows = self.0.query(format!("select count(*) from {}", table.name), Vec::new())?;
        let count: i64 = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
        Ok(count as u64)
    }

    fn put(&mut self, table: &'static Table, changes: Vec<Change>) -> Result<()> {
        self.put_lists(table, &changes)?;
        // What is nothing but a key may be there already.
        let is_new = |change: &Change| change.before.is_none() && table.key < table.columns.len();
        let (new, known): (Vec<_>, Vec<_>) = changes.into_iter().partition(is_new);
        let rows = |changes: Vec<Change>| changes.into_iter().map(|change| change.now.row).collect::<Vec<_>>();
        let (mut new, mut known) = (rows(new), rows(known));
        let (name, columns, width) = (table.name, names(&table.columns), table.columns.len());
        let types = || table.columns.iter().map(|column| value::of_wire(column.kind)).collect();
        if new.len() < MANY {
            known.append(&mut new);
        } else {
            self.0.copy(format!("copy {name} ({columns}) from stdin binary"), types(), new)?;
        }
        if known.is_empty() {
            return Ok(());
        }
        let rest: Vec<_> =
            table.columns[table.key..].iter().map(|of| format!("{0} = excluded.{0}", quoted(&of.name))).collect();
        let then = if rest.is_empty() { "nothing".to_owned() } else { format!("update set {}", rest.join(", ")) };
        let then = format!("on conflict ({}) do {then}", key(table).join(", "));
        if known.len() < MANY {
            let values = turned(known.iter().map(Vec::as_slice), width);
            let from = unnest(&table.columns);
            return self.0.execute(format!("insert into {name} ({columns}) select * from {from} {then}"), values);
        }
        let staged = format!("staged_{name}");
        self.0
            .stage(&staged, &format!("create temp table if not exists {staged} (like {name}) on commit delete rows"))?;
        self.0.copy(format!("copy {staged} ({columns}) from stdin binary"), types(), known)?;
        let merge = format!("insert into {name} ({columns}) select {columns} from {staged} {then}");
        self.0.execute(merge, Vec::new())
    }

    fn delete(&mut self, table: &'static Table, keys: Vec<Vec<Cell>>) -> Result<()> {
        let known: Vec<String> = (0..table.key).map(|at| format!("k{at}")).collect();
        let on: Vec<_> = key(table).iter().zip(&known).map(|(name, known)| format!("{name} = {known}")).collect();
        let from = unnest(table.key());
        let sql = format!(
            "delete from {} using {from} as known({}) where {}",
            table.name,
            known.join(", "),
            on.join(" and ")
        );
        self.0.execute(sql, turned(keys.iter().map(Vec::as_slice), table.key))
    }
}
