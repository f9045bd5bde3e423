//! What engines say and do alike.

use super::Result;
use crate::{
    query::Condition,
    row::{
        cell::Cell,
        record::{Cells, First, List, Table},
    },
};
use std::collections::HashMap;

/// Conditions in words: " and a = ? and b in ('c')". `quoted` writes a name, `value` a value or what stands for it.
pub fn conditions<'a>(
    conditions: &'a [Condition],
    quoted: impl Fn(&str) -> String,
    mut value: impl FnMut(&'a Cell) -> String,
) -> String {
    let condition = |condition: &'a Condition| {
        let (column, is, cell) = match condition {
            Condition::Is(column, cell) => (column, "=", cell),
            Condition::From(column, cell) => (column, ">=", cell),
            Condition::Below(column, cell) => (column, "<", cell),
            // In words: a partial index is found by its own.
            Condition::OneOf(column, names) => return format!(" and {} in ('{}')", quoted(column), names.join("', '")),
        };
        format!(" and {} {is} {}", quoted(column), value(cell))
    };
    conditions.iter().map(condition).collect()
}

/// How a later time compares to an earlier one of a list, and what its order is called.
pub fn order(first: First) -> (&'static str, &'static str) {
    match first {
        First::Newest => ("<", " desc"),
        First::Oldest => (">", ""),
    }
}

/// Gives rows their lists: `items` finds those of some rows, by address.
pub fn complete(
    table: &Table,
    rows: &mut [Cells],
    items: impl Fn(&List, &[Cell]) -> Result<HashMap<Cell, Vec<Vec<Cell>>>>,
) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let addresses: Vec<Cell> = match table.lists.is_empty() {
        true => Vec::new(),
        false => rows.iter().map(|cells| cells.row[0].clone()).collect(),
    };
    for list in &table.lists {
        let mut items = items(list, &addresses)?;
        for cells in &mut *rows {
            cells.lists.push(items.remove(&cells.row[0]).unwrap_or_default());
        }
    }
    Ok(())
}
