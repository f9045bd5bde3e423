//! Values as ClickHouse's: addresses and hashes as `FixedString(32)`, signatures as `FixedString(64)`, bytes, names and text as `String`,
//! flags as `UInt8`, times and numbers as `Int64`, counts and amounts as `UInt64`, sums as `Decimal(38, 0)`, which old and new
//! servers read exactly. In `RowBinary`, and as literals.

use crate::row::{
    cell::{bad, BadCell, Cell, Kind},
    record::Column,
};

/// Beyond all that `Decimal(38, 0)` holds.
const LIMIT: u128 = 10u128.pow(38);

/// What a column is kept as.
#[cfg(test)]
pub fn name(column: &Column) -> String {
    let name = match column.kind {
        Kind::Address | Kind::Hash => "FixedString(32)",
        Kind::Signature => "FixedString(64)",
        Kind::Bytes | Kind::Name | Kind::Text => "String",
        Kind::Flag => "UInt8",
        Kind::Time | Kind::Number => "Int64",
        Kind::Count | Kind::Amount => "UInt64",
        Kind::Sum => "Decimal(38, 0)",
    };
    if column.nullable {
        format!("Nullable({name})")
    } else {
        name.to_owned()
    }
}

pub fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    let mut length = bytes.len();
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(bytes);
}

/// A value, in `RowBinary`.
pub fn put(column: &Column, cell: &Cell, out: &mut Vec<u8>) -> Result<(), BadCell> {
    match (cell, column.nullable) {
        (Cell::Null, true) => {
            out.push(1);
            return Ok(());
        }
        (_, true) => out.push(0),
        _ => {}
    }
    match (cell, column.kind) {
        (Cell::Key(bytes), Kind::Address | Kind::Hash) => out.extend_from_slice(bytes),
        (Cell::Signature(bytes), Kind::Signature) => out.extend_from_slice(&bytes[..]),
        (Cell::Bytes(bytes), Kind::Bytes) => put_bytes(bytes, out),
        (Cell::Name(text), Kind::Name | Kind::Text) => put_bytes(text.as_bytes(), out),
        (Cell::Flag(flag), Kind::Flag) => out.push((*flag).into()),
        (Cell::Int(number), Kind::Time | Kind::Number) => out.extend_from_slice(&number.to_le_bytes()),
        (Cell::Uint(number), Kind::Count | Kind::Amount) => out.extend_from_slice(&number.to_le_bytes()),
        (Cell::Sum(sum), Kind::Sum) if sum.unsigned_abs() < LIMIT => out.extend_from_slice(&sum.to_le_bytes()),
        _ => return Err(bad(&column.name, format!("{cell:?} does not fit"))),
    }
    Ok(())
}

/// What stands where a row is gone.
pub fn put_nothing(column: &Column, out: &mut Vec<u8>) {
    let width = match column.kind {
        _ if column.nullable => return out.push(1),
        Kind::Address | Kind::Hash => 32,
        Kind::Signature => 64,
        Kind::Bytes | Kind::Name | Kind::Text | Kind::Flag => 1,
        Kind::Time | Kind::Number | Kind::Count | Kind::Amount => 8,
        Kind::Sum => 16,
    };
    out.extend(std::iter::repeat_n(0, width));
}

/// A value within a statement.
pub fn literal(cell: &Cell) -> String {
    match cell {
        Cell::Null => "NULL".to_owned(),
        Cell::Key(bytes) => escaped(bytes),
        Cell::Signature(bytes) => escaped(&bytes[..]),
        Cell::Bytes(bytes) => escaped(bytes),
        Cell::Name(text) if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') => {
            format!("'{text}'")
        }
        Cell::Name(text) => escaped(text.as_bytes()),
        Cell::Flag(flag) => u8::from(*flag).to_string(),
        Cell::Int(number) => number.to_string(),
        Cell::Uint(number) => number.to_string(),
        Cell::Sum(sum) => format!("toDecimal128('{sum}', 0)"),
    }
}

fn escaped(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 4 + 2);
    text.push('\'');
    for byte in bytes {
        let [high, low] = [byte >> 4, byte & 15].map(|digit| DIGITS[usize::from(digit)] as char);
        text.extend(['\\', 'x', high, low]);
    }
    text.push('\'');
    text
}

/// `RowBinary` that is read.
pub struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    /// `None`: the rest has not come yet.
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn fixed<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub fn uint(&mut self) -> Option<u64> {
        self.fixed().map(u64::from_le_bytes)
    }

    pub fn int(&mut self) -> Option<i64> {
        self.fixed().map(i64::from_le_bytes)
    }

    pub fn key(&mut self) -> Option<[u8; 32]> {
        self.fixed()
    }

    pub fn bytes(&mut self) -> Option<&'a [u8]> {
        let (mut length, mut shift) = (0usize, 0);
        loop {
            let byte = *self.take(1)?.first()?;
            length |= usize::from(byte & 0x7f).checked_shl(shift)?;
            shift += 7;
            if byte & 0x80 == 0 {
                return self.take(length);
            }
        }
    }

    pub fn cell(&mut self, table: &str, column: &Column) -> Result<Option<Cell>, BadCell> {
        if column.nullable {
            match self.take(1) {
                None => return Ok(None),
                Some([0]) => {}
                Some(_) => return Ok(Some(Cell::Null)),
            }
        }
        let text = |bytes: &[u8]| {
            let text = String::from_utf8(bytes.to_vec());
            text.map(|text| Cell::Name(text.into()))
                .map_err(|error| bad(table, format!("{} is {}", column.name, hex::encode(error.as_bytes()))))
        };
        Ok(match column.kind {
            Kind::Address | Kind::Hash => self.fixed().map(Cell::Key),
            Kind::Signature => self.fixed().map(|bytes| Cell::Signature(Box::new(bytes))),
            Kind::Bytes => self.bytes().map(|bytes| Cell::Bytes(bytes.to_vec().into())),
            Kind::Name | Kind::Text => self.bytes().map(text).transpose()?,
            Kind::Flag => self.take(1).map(|flag| Cell::Flag(flag == [1])),
            Kind::Time | Kind::Number => self.int().map(Cell::Int),
            Kind::Count | Kind::Amount => self.uint().map(Cell::Uint),
            Kind::Sum => self.fixed().map(|bytes| Cell::sum(i128::from_le_bytes(bytes))),
        })
    }

    /// One row; `None` where the rest of it has not come yet.
    pub fn row(&mut self, table: &str, columns: &[Column]) -> Result<Option<Vec<Cell>>, BadCell> {
        let (start, mut row) = (self.0, Vec::with_capacity(columns.len()));
        for column in columns {
            match self.cell(table, column)? {
                Some(cell) => row.push(cell),
                None => {
                    self.0 = start;
                    return Ok(None);
                }
            }
        }
        Ok(Some(row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(kind: Kind, nullable: bool) -> Column {
        Column { name: "x".to_owned(), kind, nullable, path: Vec::new() }
    }

    #[test]
    fn every_value_comes_back_to_the_last_digit() {
        let most = LIMIT as i128 - 1;
        let cells = [
            (Kind::Address, Cell::Key([7; 32])),
            (Kind::Signature, Cell::Signature(Box::new([9; 64]))),
            (Kind::Bytes, Cell::Bytes(vec![5; 70_000].into())),
            (Kind::Bytes, Cell::Bytes(Vec::new().into())),
            (Kind::Name, Cell::Name("open".into())),
            (Kind::Flag, Cell::Flag(true)),
            (Kind::Time, Cell::Int(i64::MIN)),
            (Kind::Number, Cell::Int(-1)),
            (Kind::Count, Cell::Uint((1 << 53) + 1)),
            (Kind::Amount, Cell::Uint(u64::MAX)),
            (Kind::Sum, Cell::sum(most)),
            (Kind::Sum, Cell::sum(-most)),
        ];
        let nulls = cells.iter().map(|(kind, _)| (*kind, Cell::Null)).collect::<Vec<_>>();
        for (nullable, cells) in [(false, &cells[..]), (true, &cells[..]), (true, &nulls[..])] {
            let columns: Vec<_> = cells.iter().map(|(kind, _)| column(*kind, nullable)).collect();
            let (mut bytes, row) = (Vec::new(), cells.iter().map(|(_, cell)| cell.clone()).collect::<Vec<_>>());
            columns.iter().zip(&row).for_each(|(column, cell)| put(column, cell, &mut bytes).unwrap());
            assert_eq!(Input(&bytes).row("t", &columns).unwrap(), Some(row));
            // A row that has not come whole is none yet.
            let mut cut = Input(&bytes[..bytes.len() - 1]);
            assert_eq!((cut.row("t", &columns).unwrap(), cut.0.len()), (None, bytes.len() - 1));
        }
        assert!(put(&column(Kind::Sum, false), &Cell::sum(most + 1), &mut Vec::new()).is_err());
        assert!(put(&column(Kind::Count, false), &Cell::Null, &mut Vec::new()).is_err());
    }

    #[test]
    fn what_is_gone_is_as_wide_as_what_is_there() {
        let kinds =
            [Kind::Address, Kind::Signature, Kind::Bytes, Kind::Name, Kind::Flag, Kind::Time, Kind::Amount, Kind::Sum];
        for nullable in [false, true] {
            let columns = kinds.map(|kind| column(kind, nullable));
            let mut bytes = Vec::new();
            columns.iter().for_each(|column| put_nothing(column, &mut bytes));
            let mut input = Input(&bytes);
            assert!(input.row("t", &columns).unwrap().is_some() && input.0.is_empty());
        }
    }
}
