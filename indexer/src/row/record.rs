//! Rows as columns: what a noun of the API is in a table, said once for every engine.
//!
//! [`record!`] names the fields of a type by kind. A part is a struct within, whose columns bear its name before theirs; a flat one's
//! do not, nor do those of the key, which come first; an optional one is null in all its columns where there is none; a list is a table of its own, by the row's address and the place in
//! the list. The rest is not stored. [`noun!`] makes a table of a record.

use super::cell::{bad, kind, BadCell, Cell, Field as _, Kind};
use crate::{store::Store, types::Address};
use joule_api::Commitment;
use std::{borrow::Borrow, fmt::Debug, hash::Hash};

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

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub name: &'static str,
    pub columns: Vec<Column>,
    /// How many columns its key has, which come first.
    pub key: usize,
    pub lists: Vec<List>,
    /// Of nouns, whose key is their address.
    pub listing: Option<Listing>,
}

/// How a noun is listed: by its time, then by its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    pub time: &'static str,
    pub first: First,
    /// The API's type.
    pub schema: &'static str,
    /// Every value of the column `status`, which leads all of its indexes: a list of any status is merged of those of each.
    /// Empty where there is no such column.
    pub statuses: Vec<&'static str>,
}

impl Table {
    /// Of rows that are nothing but a key.
    pub fn of_keys<R: Record>(name: &'static str) -> Self {
        Self { name, columns: columns::<R>(), key: R::WIDTH, lists: Vec::new(), listing: None }
    }

    /// The columns of the key.
    pub fn key(&self) -> &[Column] {
        &self.columns[..self.key]
    }

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
pub struct Reading<'a>(pub &'a [Cell]);

impl<'a> Reading<'a> {
    pub fn next(&mut self, what: &str) -> Result<&'a Cell, BadCell> {
        let (first, rest) = self.0.split_first().ok_or_else(|| bad(what, "is missing"))?;
        self.0 = rest;
        Ok(first)
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

    fn read_lists(&mut self, _lists: &[Vec<Vec<Cell>>]) -> Result<(), BadCell> {
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
    let (part, rest) = from.0.split_at_checked(R::WIDTH).ok_or_else(|| bad(what, "is missing"))?;
    if part.iter().all(|cell| *cell == Cell::Null) {
        from.0 = rest;
        return Ok(None);
    }
    R::read(from).map(Some)
}

pub fn write_list<R: Record>(items: &[R]) -> Result<Vec<Vec<Cell>>, BadCell> {
    let write = |item: &R| {
        let mut cells = Vec::with_capacity(R::WIDTH);
        item.write(&mut cells).map(|()| cells)
    };
    items.iter().map(write).collect()
}

pub fn read_list<R: Record>(items: &[Vec<Cell>]) -> Result<Vec<R>, BadCell> {
    items.iter().map(|cells| R::read(&mut Reading(cells))).collect()
}

/// The columns of a list's items.
pub fn list<R: Record>(table: &str, field: &'static str) -> List {
    let mut columns = Vec::new();
    R::columns("", &[field], &mut columns);
    List { table: format!("{table}_{field}"), columns, field }
}

/// What a table is made of.
pub trait Kept: Record + Clone + Send + Sync + 'static {
    /// Its first columns.
    type Key: Record + Copy + Ord + Hash + Debug;

    fn table() -> &'static Table;

    fn to_cells(&self) -> Result<Cells, BadCell> {
        let mut row = Vec::with_capacity(Self::WIDTH);
        self.write(&mut row)?;
        Ok(Cells { row, lists: self.write_lists()? })
    }

    fn of_cells(cells: impl Borrow<Cells>) -> Result<Self, BadCell> {
        let Cells { row, lists } = cells.borrow();
        let mut kept = Self::read(&mut Reading(row))?;
        kept.read_lists(lists)?;
        Ok(kept)
    }

    fn key_of(cells: &Cells) -> Result<Self::Key, BadCell> {
        Self::Key::read(&mut Reading(&cells.row))
    }
}

/// The cells of a key.
pub fn key_cells<K: Record>(key: &K) -> Result<Vec<Cell>, BadCell> {
    let mut cells = Vec::with_capacity(K::WIDTH);
    key.write(&mut cells)?;
    Ok(cells)
}

/// The columns of a record.
pub fn columns<R: Record>() -> Vec<Column> {
    let mut columns = Vec::with_capacity(R::WIDTH);
    R::columns("", &[], &mut columns);
    columns
}

impl Record for Address {
    const WIDTH: usize = 1;

    fn columns(prefix: &str, path: &[&'static str], into: &mut Vec<Column>) {
        let path = [path, &["address"]].concat();
        into.push(Column { name: format!("{prefix}address"), kind: Kind::Address, nullable: false, path });
    }

    fn write(&self, into: &mut Vec<Cell>) -> Result<(), BadCell> {
        into.push(Cell::Key(self.0));
        Ok(())
    }

    fn read(from: &mut Reading<'_>) -> Result<Self, BadCell> {
        kind::Key::of_cell(from.next("address")?)
    }
}

/// What the API answers.
pub trait Noun: Kept<Key = Address> + PartialEq {
    /// Which end of the time lists begin at.
    const FIRST: First;

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
        super::cell::address(self.address())
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
    ($type:ident $(key $key:ident: $key_of:ty)? {
        $($field:ident: $kind:ty),* $(,)?
    } $(flat { $($flat:ident: $flat_of:ty),* $(,)? })? $(parts { $($part:ident: $of:ty),* $(,)? })? $(optional { $($maybe:ident: $maybe_of:ty),* $(,)? })?
    $(lists { $($list:ident: $item:ty),* $(,)? })? $(rest { $($rest:ident: $value:expr),* $(,)? })?) => {
        impl $crate::row::record::Record for $type {
            const WIDTH: usize = <[&str]>::len(&[$(stringify!($field)),*])
                $(+ <$key_of as $crate::row::record::Record>::WIDTH)?
                $($(+ <$flat_of as $crate::row::record::Record>::WIDTH)*)?
                $($(+ <$of as $crate::row::record::Record>::WIDTH)*)?
                $($(+ <$maybe_of as $crate::row::record::Record>::WIDTH)*)?;

            fn columns(prefix: &str, path: &[&'static str], into: &mut Vec<$crate::row::record::Column>) {
                #[allow(unused_imports)]
                use $crate::row::cell::{kind::*, Field};
                #[allow(unused_variables)]
                let at = |field: &'static str| [path, &[field]].concat();
                $(<$key_of as $crate::row::record::Record>::columns(prefix, path, into);)?
                $(into.push($crate::row::record::Column {
                    name: format!("{prefix}{}", stringify!($field)),
                    kind: <$kind as Field>::KIND,
                    nullable: <$kind as Field>::NULLABLE,
                    path: at(stringify!($field)),
                });)*
                $($(<$flat_of as $crate::row::record::Record>::columns(prefix, path, into);)*)?
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
                $($crate::row::record::Record::write(&self.$key, into)?;)?
                $(into.push(<$kind as Field>::to_cell(&self.$field)?);)*
                $($($crate::row::record::Record::write(&self.$flat, into)?;)*)?
                $($($crate::row::record::Record::write(&self.$part, into)?;)*)?
                $($($crate::row::record::write_optional(self.$maybe.as_ref(), into)?;)*)?
                Ok(())
            }

            fn read(from: &mut $crate::row::record::Reading<'_>) -> Result<Self, $crate::row::cell::BadCell> {
                #[allow(unused_imports)]
                use $crate::row::cell::{kind::*, Field};
                Ok(Self {
                    $($key: <$key_of as $crate::row::record::Record>::read(from)?,)?
                    $($field: <$kind as Field>::of_cell(from.next(stringify!($field))?)?,)*
                    $($($flat: <$flat_of as $crate::row::record::Record>::read(from)?,)*)?
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
                    lists: &[Vec<Vec<$crate::row::cell::Cell>>],
                ) -> Result<(), $crate::row::cell::BadCell> {
                    let mut lists = lists.iter();
                    $(self.$list = lists.next().map_or(Ok(Vec::new()), |list| $crate::row::record::read_list(list))?;)*
                    Ok(())
                }
            )?
        }
    };
}
pub(crate) use record;

/// Makes a table of a record, whose key comes first: `kept!(Member in "members" by MemberKey)`.
macro_rules! kept {
    ($type:ident in $table:literal by $key:ty) => {
        $crate::row::record::kept!($type in $table by $key, None);
    };
    ($type:ident in $table:literal by $key:ty, $listing:expr) => {
        impl $crate::row::record::Kept for $type {
            type Key = $key;

            fn table() -> &'static $crate::row::record::Table {
                static TABLE: std::sync::LazyLock<$crate::row::record::Table> =
                    std::sync::LazyLock::new(|| $crate::row::record::Table {
                        name: $table,
                        columns: $crate::row::record::columns::<$type>(),
                        key: <$key as $crate::row::record::Record>::WIDTH,
                        lists: <$type as $crate::row::record::Record>::list_tables($table),
                        listing: $listing,
                    });
                &TABLE
            }
        }
    };
}
pub(crate) use kept;

/// Makes a table of what the API answers: `noun!(Job in "jobs", opened_at, Newest, of JobStatus)`. It is described where the API's
/// type of the same name is.
macro_rules! noun {
    ($type:ident in $table:literal, $($rest:tt)*) => {
        $crate::row::record::noun!($type as $type in $table, $($rest)*);
    };
    ($type:ident as $schema:ident in $table:literal, $time:ident, $first:ident
        $(, of $status:ty)? $(, complete $complete:path)?) => {
        $crate::row::record::kept!($type in $table by $crate::types::Address, {
            #[allow(unused_mut)]
            let mut listing = $crate::row::record::Listing {
                time: stringify!($time),
                first: $crate::row::record::First::$first,
                schema: stringify!($schema),
                statuses: Vec::new(),
            };
            $(listing.statuses.extend(<$status as $crate::row::cell::Named>::NAMES.iter().map(|(_, name)| *name));)?
            Some(listing)
        });

        impl $crate::row::record::Noun for $type {
            const FIRST: $crate::row::record::First = $crate::row::record::First::$first;

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
