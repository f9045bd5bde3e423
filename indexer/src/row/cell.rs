//! Values, as every engine can hold them.

use crate::types::{Address, Signature};
use std::borrow::Cow;

/// What a column holds. An engine chooses a type of its own for each, and keeps every value of it exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 32 bytes, shown as base58.
    Address,
    /// 64 bytes, shown as base58.
    Signature,
    /// 32 bytes, shown in hexadecimal.
    Hash,
    /// One of some words.
    Name,
    Flag,
    /// Unix seconds.
    Time,
    /// At most 32 bits.
    Number,
    /// 64 bits without a sign: ids, slots, counts.
    Count,
    /// 64 bits without a sign, in base units of a token.
    Amount,
    /// Counts or amounts added together: 128 bits with a sign.
    Sum,
    /// Words that are nobody's choice: a reason, a kind.
    Text,
    /// Any number of bytes.
    Bytes,
}

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cell {
    Null,
    /// Addresses and hashes.
    Key([u8; 32]),
    /// Boxed, or every value would be as large.
    Signature(Box<[u8; 64]>),
    /// Names and text.
    Name(Cow<'static, str>),
    Flag(bool),
    /// Times and numbers.
    Int(i64),
    /// Counts and amounts.
    Uint(u64),
    /// Boxed, or every value would be aligned to it.
    Sum(Box<i128>),
    /// Shared: what was received is copied nowhere.
    Bytes(bytes::Bytes),
}

impl Cell {
    pub fn sum(sum: i128) -> Self {
        Self::Sum(Box::new(sum))
    }
}

/// Why a row cannot be written or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {why}")]
pub struct BadCell {
    pub what: String,
    pub why: String,
}

pub(crate) fn bad(what: impl ToString, why: impl ToString) -> BadCell {
    BadCell { what: what.to_string(), why: why.to_string() }
}

/// What an API type has as text.
pub fn address(text: &str) -> Result<Address, BadCell> {
    text.parse().map_err(|error| bad(text, error))
}

/// How a field of a row is kept, by kind.
pub trait Field: Sized {
    /// As the API's type has it.
    type Api;
    const KIND: Kind;
    const NULLABLE: bool = false;

    fn to_cell(value: &Self::Api) -> Result<Cell, BadCell>;
    fn of_cell(cell: &Cell) -> Result<Self::Api, BadCell>;
}

/// What an API type says in words, both ways.
pub trait Named: Copy + PartialEq + 'static {
    const NAMES: &'static [(Self, &'static str)];

    fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(value, _)| *value == self).map_or("", |(_, name)| name)
    }
}

/// Gives an enum of the API the names that its JSON has.
macro_rules! names {
    ($type:ty; $($variant:ident = $name:literal),+ $(,)?) => {
        impl $crate::row::cell::Named for $type {
            const NAMES: &'static [(Self, &'static str)] = &[$((Self::$variant, $name)),+];
        }
    };
}
pub(crate) use names;

/// The kinds, as types: a string may be an address or a hash.
pub mod kind {
    use std::marker::PhantomData;

    pub struct Address;
    pub struct Signature;
    pub struct Hash;
    /// A hash that is an empty string where nobody knows it.
    pub struct KnownHash;
    pub struct Name<T>(PhantomData<T>);
    pub struct Flag;
    pub struct Time;
    pub struct Number<T>(PhantomData<T>);
    pub struct Count;
    pub struct Amount;
    /// An address that is not text.
    pub struct Key;
    /// A signature that is not text.
    pub struct Sig;
    pub struct Sum;
    pub struct Text;
    pub struct Bytes;
    pub struct Maybe<K>(PhantomData<K>);
}

fn wrong<T>(what: &str, cell: &Cell) -> Result<T, BadCell> {
    Err(bad(what, format!("{cell:?}")))
}

impl Field for kind::Address {
    type Api = String;
    const KIND: Kind = Kind::Address;

    fn to_cell(value: &String) -> Result<Cell, BadCell> {
        address(value).map(|address| Cell::Key(address.0))
    }

    fn of_cell(cell: &Cell) -> Result<String, BadCell> {
        match cell {
            Cell::Key(bytes) => Ok(Address(*bytes).to_string()),
            other => wrong("no address", other),
        }
    }
}

impl Field for kind::Signature {
    type Api = String;
    const KIND: Kind = Kind::Signature;

    fn to_cell(value: &String) -> Result<Cell, BadCell> {
        let signature = value.parse::<Signature>();
        signature.map(|signature| Cell::Signature(Box::new(signature.0))).map_err(|error| bad(value, error))
    }

    fn of_cell(cell: &Cell) -> Result<String, BadCell> {
        match cell {
            Cell::Signature(bytes) => Ok(Signature(**bytes).to_string()),
            other => wrong("no signature", other),
        }
    }
}

impl Field for kind::Hash {
    type Api = String;
    const KIND: Kind = Kind::Hash;

    fn to_cell(value: &String) -> Result<Cell, BadCell> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(value, &mut bytes).map_err(|error| bad(value, error))?;
        Ok(Cell::Key(bytes))
    }

    fn of_cell(cell: &Cell) -> Result<String, BadCell> {
        match cell {
            Cell::Key(bytes) => Ok(hex::encode(bytes)),
            other => wrong("no hash", other),
        }
    }
}

impl Field for kind::KnownHash {
    type Api = String;
    const KIND: Kind = Kind::Hash;
    const NULLABLE: bool = true;

    fn to_cell(value: &String) -> Result<Cell, BadCell> {
        if value.is_empty() {
            return Ok(Cell::Null);
        }
        kind::Hash::to_cell(value)
    }

    fn of_cell(cell: &Cell) -> Result<String, BadCell> {
        match cell {
            Cell::Null => Ok(String::new()),
            cell => kind::Hash::of_cell(cell),
        }
    }
}

impl<T: Named> Field for kind::Name<T> {
    type Api = T;
    const KIND: Kind = Kind::Name;

    fn to_cell(value: &T) -> Result<Cell, BadCell> {
        Ok(Cell::Name(value.name().into()))
    }

    fn of_cell(cell: &Cell) -> Result<T, BadCell> {
        let Cell::Name(name) = cell else { return wrong("no name", cell) };
        let known = T::NAMES.iter().find(|(_, known)| known == name);
        known.map(|(value, _)| *value).ok_or_else(|| bad(name, "no such name"))
    }
}

impl Field for kind::Flag {
    type Api = bool;
    const KIND: Kind = Kind::Flag;

    fn to_cell(value: &bool) -> Result<Cell, BadCell> {
        Ok(Cell::Flag(*value))
    }

    fn of_cell(cell: &Cell) -> Result<bool, BadCell> {
        match cell {
            Cell::Flag(flag) => Ok(*flag),
            other => wrong("no flag", other),
        }
    }
}

impl Field for kind::Time {
    type Api = i64;
    const KIND: Kind = Kind::Time;

    fn to_cell(value: &i64) -> Result<Cell, BadCell> {
        Ok(Cell::Int(*value))
    }

    fn of_cell(cell: &Cell) -> Result<i64, BadCell> {
        match cell {
            Cell::Int(time) => Ok(*time),
            other => wrong("no time", other),
        }
    }
}

impl<T: Copy + Into<i64> + TryFrom<i64>> Field for kind::Number<T> {
    type Api = T;
    const KIND: Kind = Kind::Number;

    fn to_cell(value: &T) -> Result<Cell, BadCell> {
        Ok(Cell::Int((*value).into()))
    }

    fn of_cell(cell: &Cell) -> Result<T, BadCell> {
        let Cell::Int(number) = cell else { return wrong("no number", cell) };
        T::try_from(*number).map_err(|_| bad(number, "does not fit"))
    }
}

fn uint(cell: &Cell) -> Result<u64, BadCell> {
    match cell {
        Cell::Uint(number) => Ok(*number),
        other => wrong("no count", other),
    }
}

impl Field for kind::Count {
    type Api = u64;
    const KIND: Kind = Kind::Count;

    fn to_cell(value: &u64) -> Result<Cell, BadCell> {
        Ok(Cell::Uint(*value))
    }

    fn of_cell(cell: &Cell) -> Result<u64, BadCell> {
        uint(cell)
    }
}

impl Field for kind::Amount {
    type Api = u64;
    const KIND: Kind = Kind::Amount;

    fn to_cell(value: &u64) -> Result<Cell, BadCell> {
        Ok(Cell::Uint(*value))
    }

    fn of_cell(cell: &Cell) -> Result<u64, BadCell> {
        uint(cell)
    }
}

impl<K: Field> Field for kind::Maybe<K> {
    type Api = Option<K::Api>;
    const KIND: Kind = K::KIND;
    const NULLABLE: bool = true;

    fn to_cell(value: &Self::Api) -> Result<Cell, BadCell> {
        value.as_ref().map_or(Ok(Cell::Null), K::to_cell)
    }

    fn of_cell(cell: &Cell) -> Result<Self::Api, BadCell> {
        match cell {
            Cell::Null => Ok(None),
            cell => K::of_cell(cell).map(Some),
        }
    }
}

/// Fields that are kept as what they are.
macro_rules! plain {
    ($($kind:ident: $api:ty as $stored:ident, $value:ident => $to:expr, $from:pat => $of:expr;)+) => {
        $(impl Field for kind::$kind {
            type Api = $api;
            const KIND: Kind = Kind::$stored;

            fn to_cell($value: &$api) -> Result<Cell, BadCell> {
                Ok($to)
            }

            fn of_cell(cell: &Cell) -> Result<$api, BadCell> {
                match cell {
                    $from => Ok($of),
                    other => wrong(stringify!($kind), other),
                }
            }
        })+
    };
}
plain! {
    Key: Address as Address, value => Cell::Key(value.0), Cell::Key(bytes) => Address(*bytes);
    Sig: Signature as Signature, value => Cell::Signature(Box::new(value.0)), Cell::Signature(bytes) => Signature(**bytes);
    Sum: i128 as Sum, value => Cell::sum(*value), Cell::Sum(sum) => **sum;
    Text: Cow<'static, str> as Text, value => Cell::Name(value.clone()), Cell::Name(text) => text.clone();
    Bytes: bytes::Bytes as Bytes, value => Cell::Bytes(value.clone()), Cell::Bytes(bytes) => bytes.clone();
}
