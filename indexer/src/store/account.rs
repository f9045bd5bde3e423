//! Accounts, and what is listed under them.

use super::{
    tables::{Change, Tables},
    Result,
};
use crate::{
    query::Condition,
    row::{
        account::Member,
        cell::Cell,
        record::{Cells, Kept as _, Reading, Record as _},
        AccountRow,
    },
    types::Address,
};
use std::ops::ControlFlow;

fn rows(cells: Vec<Cells>) -> Result<Vec<AccountRow>> {
    let mut rows = cells.into_iter().map(AccountRow::of_cells).collect::<std::result::Result<Vec<_>, _>>()?;
    rows.sort_unstable_by_key(|row| row.address);
    Ok(rows)
}

pub fn get(tables: &mut dyn Tables, address: &Address) -> Result<Option<AccountRow>> {
    Ok(rows(tables.get(AccountRow::table(), &["address"], &[vec![Cell::Key(address.0)]])?)?.pop())
}

/// Every account of a program that is not closed, in no order. No index leads to them: they are much of the table.
pub fn live(tables: &mut dyn Tables, program: &Address, mut each: impl FnMut(AccountRow)) -> Result<()> {
    let wanted = [Condition::Is("program", Cell::Key(program.0)), Condition::Is("closed", Cell::Flag(false))];
    tables.pages(AccountRow::table(), &wanted, &[], &mut |_, page| {
        for cells in page {
            each(AccountRow::of_cells(cells)?);
        }
        Ok(ControlFlow::Continue(()))
    })
}

/// The accounts of a kind that live and belong to `parent`, by address.
pub fn members(tables: &mut dyn Tables, kind: &str, parent: &Address) -> Result<Vec<AccountRow>> {
    let of = vec![Cell::Name(kind.to_owned().into()), Cell::Key(parent.0)];
    let listed = tables.get(Member::table(), &["kind", "parent"], &[of])?;
    let address = |cells: Cells| Ok(vec![Cell::Key(Member::read(&mut Reading(&cells.row))?.address.0)]);
    let addresses = listed.into_iter().map(address).collect::<Result<Vec<_>>>()?;
    let mut rows = rows(tables.get(AccountRow::table(), &["address"], &addresses)?)?;
    // A row too many does no harm.
    rows.retain(|row| row.belongs_to(kind, parent));
    Ok(rows)
}

/// Writes who is listed from now on, and who is not. The keys are those of [`Member`].
pub fn list(tables: &mut dyn Tables, keys: impl IntoIterator<Item = (Vec<Cell>, bool)>) -> Result<()> {
    let (mut listed, mut unlisted) = (Vec::new(), Vec::new());
    for (row, is_listed) in keys {
        if is_listed {
            listed.push(Change { before: None, now: Cells { row, lists: Vec::new() } });
        } else {
            unlisted.push(row);
        }
    }
    if !unlisted.is_empty() {
        tables.delete(Member::table(), unlisted)?;
    }
    if !listed.is_empty() {
        tables.put(Member::table(), listed)?;
    }
    Ok(())
}
