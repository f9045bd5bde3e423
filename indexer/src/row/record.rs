//! Rows as columns: what a noun of the API is in a table, said once for every engine.
//!
//! [`record!`] names the fields of an API type by kind. A part is a struct within, whose columns bear its name before theirs; an
//! optional one is null in all its columns where there is none; a list is a table of its own, by the row's address and the place in
//! the list. The rest is not stored. [`noun!`] makes a table of a record.

use super::cell::{bad, BadCell, Cell, Kind};
use crate::{store::Store, types::Address};
use joule_api::Commitment;

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub kind: Kind,
    pub nullable: bool,
    /// Where the API has it.
    pub path: Vec<&'static str>,
}

/// A list within a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// The table of its items.
    pub table: String,
    pub columns: Vec<Column>,
    pub field: &'static str,
}

/// Which end of the time a list begins at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum First {
    Newest,
    Oldest,
}

/// A table of rows by address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub name: &'static str,
    /// The first is the address.
    pub columns: Vec<Column>,
    pub lists: Vec<List>,
    /// What lists are ordered by, before the address.
    pub time: &'static str,
    pub first: First,
    /// The API's type.
    pub schema: &'static str,
}

impl Table {
    pub fn column(&self, name: &str) -> Option<(usize, &Column)> {
        self.columns.iter().enumerate().find(|(_, column)| column.name == name)
    }
}

/// A row, as engines keep it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cells {
    /// In the order of [`Table::columns`].
    pub row: Vec<Cell>,
    /// In the order of [`Table::lists`], each item in that of [`List::columns`].
    pub lists: Vec<Vec<Vec<Cell>>>,
}

/// Cells that are read one after the other.
pub struct Reading<'a>(pub &'a mut dyn Iterator<Item = Cell>);

impl Reading<'_> {
    pub fn next(&mut self, what: &str) -> Result<Cell, BadCell> {
        self.0.next().ok_or_else(|| bad(what, "is missing"))
    }
}

/// What is written as cells one after the other.
pub trait Record: Sized {
    /// How many columns it has.
    const WIDTH: usize;

    fn columns(prefix: &str, path: &[&'static str], into: &mut Vec<Column>);
    fn write(&self, into: &mut Vec<Cell>) -> Result<(), BadCell>;
    fn read(from: &mut Reading<'_>) -> Result<Self, BadCell>;

    fn list_tables(_table: &str) -> Vec<List> {
        Vec::new()
    }

    fn write_lists(&self) -> Result<Vec<Vec<Vec<Cell>>>, BadCell> {
        Ok(Vec::new())
    }

    fn read_lists(&mut self, _lists: Vec<Vec<Vec<Cell>>>) -> Result<(), BadCell> {
        Ok(())
    }
}

/// A part that need not be there.
pub fn write_optional<R: Record>(part: Option<&R>, into: &mut Vec<Cell>) -> Result<(), BadCell> {
    match part {
        Some(part) => part.write(into),
        None => {
            into.extend(std::iter::repeat_n(Cell::Null, R::WIDTH));
            Ok(())
        }
    }
}

pub fn read_optional<R: Record>(from: &mut Reading<'_>, what: &str) -> Result<Option<R>, BadCell> {
    let cells = (0..R::WIDTH).map(|_| from.next(what)).collect::<Result<Vec<_>, _>>()?;
    if cells.iter().all(|cell| *cell == Cell::Null) {
        return Ok(None);
    }
    R::read(&mut Reading(&mut cells.into_iter())).map(Some)
}

pub fn write_list<R: Record>(items: &[R]) -> Result<Vec<Vec<Cell>>, BadCell> {
    let write = |item: &R| {
        let mut cells = Vec::new();
        item.write(&mut cells).map(|()| cells)
    };
    items.iter().map(write).collect()
}

pub fn read_list<R: Record>(items: Vec<Vec<Cell>>) -> Result<Vec<R>, BadCell> {
    items.into_iter().map(|cells| R::read(&mut Reading(&mut cells.into_iter()))).collect()
}

/// The columns of a list's items.
pub fn list<R: Record>(table: &str, field: &'static str) -> List {
    let mut columns = Vec::new();
    R::columns("", &[field], &mut columns);
    List { table: format!("{table}_{field}"), columns, field }
}

/// What a table is made of, and what the API answers.
pub trait Noun: Record + Clone + PartialEq + Send + Sync + 'static {
    fn table() -> &'static Table;
    fn address(&self) -> &str;
    /// What lists are ordered by. It never changes for a row, so that pages do not shift.
    fn time(&self) -> i64;
    fn slot(&self) -> u64;
    fn set_commitment(&mut self, commitment: Commitment);
    /// Adds what other tables say.
    fn complete(&mut self, _store: &dyn Store) -> crate::store::Result<()> {
        Ok(())
    }

    fn key(&self) -> Result<Address, BadCell> {
        self.address().parse().map_err(|error| bad(self.address(), error))
    }

    fn to_cells(&self) -> Result<Cells, BadCell> {
        let mut row = Vec::with_capacity(Self::WIDTH);
        self.write(&mut row)?;
        Ok(Cells { row, lists: self.write_lists()? })
    }

    fn of_cells(cells: Cells) -> Result<Self, BadCell> {
        let mut noun = Self::read(&mut Reading(&mut cells.row.into_iter()))?;
        noun.read_lists(cells.lists)?;
        Ok(noun)
    }

    /// What a column holds of it.
    fn cell(&self, column: &str) -> Result<Cell, BadCell> {
        let (place, _) = Self::table().column(column).ok_or_else(|| bad(column, "no such column"))?;
        let mut cells = Vec::new();
        self.write(&mut cells)?;
        cells.into_iter().nth(place).ok_or_else(|| bad(column, "is missing"))
    }
}

/// See the module.
macro_rules! record {
    ($type:ident {
        $($field:ident: $kind:ty),* $(,)?
    } $(parts { $($part:ident: $of:ty),* $(,)? })? $(optional { $($maybe:ident: $maybe_of:ty),* $(,)? })?
    $(lists { $($list:ident: $item:ty),* $(,)? })? $(rest { $($rest:ident: $value:expr),* $(,)? })?) => {
        impl $crate::row::record::Record for $type {
            const WIDTH: usize = [$(stringify!($field)),*].len()
                $($(+ <$of as $crate::row::record::Record>::WIDTH)*)?
                $($(+ <$maybe_of as $crate::row::record::Record>::WIDTH)*)?;

            fn columns(prefix: &str, path: &[&'static str], into: &mut Vec<$crate::row::record::Column>) {
                #[allow(unused_imports)]
                use $crate::row::cell::{kind::*, Field};
                let at = |field: &'static str| [path, &[field]].concat();
                $(into.push($crate::row::record::Column {
                    name: format!("{prefix}{}", stringify!($field)),
                    kind: <$kind as Field>::KIND,
                    nullable: <$kind as Field>::NULLABLE,
                    path: at(stringify!($field)),
                });)*
                $($(<$of as $crate::row::record::Record>::columns(
                    &format!("{prefix}{}_", stringify!($part)), &at(stringify!($part)), into);)*)?
                $($(
                    let first = into.len();
                    <$maybe_of as $crate::row::record::Record>::columns(
                        &format!("{prefix}{}_", stringify!($maybe)), &at(stringify!($maybe)), into);
                    into[first..].iter_mut().for_each(|column| column.nullable = true);
                )*)?
            }

            fn write(&self, into: &mut Vec<$crate::row::cell::Cell>) -> Result<(), $crate::row::cell::BadCell> {
                #[allow(unused_imports)]
                use $crate::row::cell::{kind::*, Field};
                $(into.push(<$kind as Field>::to_cell(&self.$field)?);)*
                $($($crate::row::record::Record::write(&self.$part, into)?;)*)?
                $($($crate::row::record::write_optional(self.$maybe.as_ref(), into)?;)*)?
                Ok(())
            }

            fn read(from: &mut $crate::row::record::Reading<'_>) -> Result<Self, $crate::row::cell::BadCell> {
                #[allow(unused_imports)]
                use $crate::row::cell::{kind::*, Field};
                Ok(Self {
                    $($field: <$kind as Field>::of_cell(from.next(stringify!($field))?)?,)*
                    $($($part: <$of as $crate::row::record::Record>::read(from)?,)*)?
                    $($($maybe: $crate::row::record::read_optional::<$maybe_of>(from, stringify!($maybe))?,)*)?
                    $($($list: Vec::new(),)*)?
                    $($($rest: $value,)*)?
                })
            }

            $(
                fn list_tables(table: &str) -> Vec<$crate::row::record::List> {
                    vec![$($crate::row::record::list::<$item>(table, stringify!($list))),*]
                }

                fn write_lists(&self) -> Result<Vec<Vec<Vec<$crate::row::cell::Cell>>>, $crate::row::cell::BadCell> {
                    Ok(vec![$($crate::row::record::write_list(&self.$list)?),*])
                }

                fn read_lists(
                    &mut self,
                    lists: Vec<Vec<Vec<$crate::row::cell::Cell>>>,
                ) -> Result<(), $crate::row::cell::BadCell> {
                    let mut lists = lists.into_iter();
                    $(self.$list = $crate::row::record::read_list(lists.next().unwrap_or_default())?;)*
                    Ok(())
                }
            )?
        }
    };
}
pub(crate) use record;

/// Makes a table of a record: `noun!(Job in "jobs", opened_at, Newest)`. It is described where the API's type of the same name is.
macro_rules! noun {
    ($type:ident in $table:literal, $time:ident, $first:ident $(, complete $complete:path)?) => {
        $crate::row::record::noun!($type as $type in $table, $time, $first $(, complete $complete)?);
    };
    ($type:ident as $schema:ident in $table:literal, $time:ident, $first:ident $(, complete $complete:path)?) => {
        impl $crate::row::record::Noun for $type {
            fn table() -> &'static $crate::row::record::Table {
                static TABLE: std::sync::LazyLock<$crate::row::record::Table> = std::sync::LazyLock::new(|| {
                    let mut columns = Vec::new();
                    <$type as $crate::row::record::Record>::columns("", &[], &mut columns);
                    $crate::row::record::Table {
                        name: $table,
                        columns,
                        lists: <$type as $crate::row::record::Record>::list_tables($table),
                        time: stringify!($time),
                        first: $crate::row::record::First::$first,
                        schema: stringify!($schema),
                    }
                });
                &TABLE
            }

            fn address(&self) -> &str {
                &self.address
            }

            fn time(&self) -> i64 {
                self.$time
            }

            fn slot(&self) -> u64 {
                self.slot
            }

            fn set_commitment(&mut self, commitment: joule_api::Commitment) {
                self.commitment = commitment;
            }

            $(fn complete(&mut self, store: &dyn $crate::store::Store) -> $crate::store::Result<()> {
                $complete(self, store)
            })?
        }
    };
}
pub(crate) use noun;
