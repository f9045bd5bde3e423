//! What is exported, apart from how: columns, each with its unit and meaning, and lines of values.

use crate::row::{
    cell::{Cell, Kind},
    record::Cells,
};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    Kind(Kind),
    /// An object as JSON: amounts in it are decimal text, addresses base58, hashes hex, times Unix seconds, as the API answers.
    Json,
    Bytes,
}

impl Holds {
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Kind(Kind::Address) => "address",
            Self::Kind(Kind::Signature) => "signature",
            Self::Kind(Kind::Hash) => "sha-256",
            Self::Kind(Kind::Name) => "name",
            Self::Kind(Kind::Flag) => "0 or 1",
            Self::Kind(Kind::Time) => "Unix seconds",
            Self::Kind(Kind::Number) => "number",
            Self::Kind(Kind::Count) => "count",
            Self::Kind(Kind::Amount) => "base units",
            Self::Json => "JSON",
            Self::Kind(Kind::Sum) => "sum",
            Self::Kind(Kind::Text) => "text",
            Self::Bytes | Self::Kind(Kind::Bytes) => "bytes",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub holds: Holds,
    pub nullable: bool,
    pub meaning: String,
}

impl Column {
    pub fn new(name: &str, holds: Holds, nullable: bool, meaning: &str) -> Self {
        Self { name: name.to_owned(), holds, nullable, meaning: meaning.to_owned() }
    }

    pub fn of(name: &str, kind: Kind, meaning: &str) -> Self {
        Self::new(name, Holds::Kind(kind), false, meaning)
    }

    pub fn maybe(name: &str, kind: Kind, meaning: &str) -> Self {
        Self::new(name, Holds::Kind(kind), true, meaning)
    }
}

/// A list within a line. Its columns are of kinds alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    pub name: String,
    pub meaning: String,
    pub columns: Vec<Column>,
}

/// A table, as whoever reads an export has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    pub name: String,
    pub what: String,
    pub columns: Vec<Column>,
    pub lists: Vec<List>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Cell(Cell),
    Json(serde_json::Value),
    Bytes(bytes::Bytes),
}

impl Value {
    pub const NULL: Self = Self::Cell(Cell::Null);
}

impl From<Cell> for Value {
    fn from(cell: Cell) -> Self {
        Self::Cell(cell)
    }
}

/// One line of a sheet: a value a column, and the items of each list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub values: Vec<Value>,
    pub lists: Vec<Vec<Vec<Cell>>>,
}

impl From<Cells> for Line {
    fn from(Cells { row, lists }: Cells) -> Self {
        Self { values: row.into_iter().map(Value::Cell).collect(), lists }
    }
}
