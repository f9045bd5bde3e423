//! Values as PostgreSQL's: addresses, hashes, signatures and bytes as `bytea`, names and text as `text`, flags as `boolean`, times and
//! numbers as `bigint`; counts, amounts and sums as `numeric`, which holds every digit of them.

use crate::row::{
    cell::{bad, BadCell, Cell, Kind},
    record::Column,
};
use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type};

type Failed = Box<dyn std::error::Error + Sync + Send>;

/// What a kind is kept as.
pub const fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Address | Kind::Hash | Kind::Signature | Kind::Bytes => "bytea",
        Kind::Name | Kind::Text => "text",
        Kind::Flag => "boolean",
        Kind::Time | Kind::Number => "bigint",
        Kind::Count | Kind::Amount => "numeric(20)",
        Kind::Sum => "numeric(39)",
    }
}

/// The same, as the protocol names it.
pub const fn of_wire(kind: Kind) -> Type {
    match kind {
        Kind::Address | Kind::Hash | Kind::Signature | Kind::Bytes => Type::BYTEA,
        Kind::Name | Kind::Text => Type::TEXT,
        Kind::Flag => Type::BOOL,
        Kind::Time | Kind::Number => Type::INT8,
        Kind::Count | Kind::Amount | Kind::Sum => Type::NUMERIC,
    }
}

impl ToSql for Cell {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Failed> {
        match self {
            Self::Null => return Ok(IsNull::Yes),
            Self::Key(bytes) => out.put_slice(bytes),
            Self::Signature(bytes) => out.put_slice(&bytes[..]),
            Self::Bytes(bytes) => out.put_slice(bytes),
            // Text has no room for a zero.
            Self::Name(text) if text.contains('\0') => out.put_slice(text.replace('\0', "\u{fffd}").as_bytes()),
            Self::Name(text) => out.put_slice(text.as_bytes()),
            Self::Flag(flag) => out.put_u8((*flag).into()),
            Self::Int(number) => out.put_i64(*number),
            Self::Uint(number) => put_numeric(i128::from(*number), out),
            Self::Sum(sum) => put_numeric(**sum, out),
        }
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        [Type::BYTEA, Type::TEXT, Type::BOOL, Type::INT8, Type::NUMERIC].contains(ty)
    }

    tokio_postgres::types::to_sql_checked!();
}

const NEGATIVE: u16 = 0x4000;
/// A digit of `numeric` in the protocol.
const BASE: u128 = 10_000;

/// How many digits, the power of the first, sign, decimals after the point, digits.
fn put_numeric(value: i128, out: &mut BytesMut) {
    let (mut digits, mut rest) = (Vec::with_capacity(10), value.unsigned_abs());
    while rest > 0 {
        digits.push((rest % BASE) as u16);
        rest /= BASE;
    }
    out.put_u16(digits.len() as u16);
    out.put_i16(digits.len() as i16 - 1);
    out.put_u16(if value < 0 { NEGATIVE } else { 0 });
    out.put_u16(0);
    digits.iter().rev().for_each(|digit| out.put_u16(*digit));
}

fn numeric(bytes: &[u8]) -> Option<i128> {
    let word = |at: usize| Some(u16::from_be_bytes(*bytes.get(2 * at..)?.first_chunk()?));
    let (count, weight, sign) = (word(0)?, word(1)? as i16, word(2)?);
    let mut value: i128 = 0;
    for at in 0..i32::from(weight) + 1 {
        let digit = if at < i32::from(count) { word(4 + at as usize)? } else { 0 };
        value = value.checked_mul(BASE as i128)?.checked_add(digit.into())?;
    }
    match sign {
        0 => Some(value),
        NEGATIVE => value.checked_neg(),
        _ => None,
    }
}

/// What comes over the wire.
pub struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Failed> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

pub fn cell(table: &str, column: &Column, raw: Option<Raw<'_>>) -> Result<Cell, BadCell> {
    let Some(Raw(raw)) = raw else { return Ok(Cell::Null) };
    let wrong = || bad(table, format!("{} is {}", column.name, hex::encode(raw)));
    let text = || String::from_utf8(raw.to_vec()).map_err(|_| wrong());
    Ok(match column.kind {
        Kind::Address | Kind::Hash => Cell::Key(raw.try_into().map_err(|_| wrong())?),
        Kind::Signature => Cell::Signature(Box::new(raw.try_into().map_err(|_| wrong())?)),
        Kind::Bytes => Cell::Bytes(bytes::Bytes::copy_from_slice(raw)),
        Kind::Name | Kind::Text => Cell::Name(text()?.into()),
        Kind::Flag => Cell::Flag(raw == [1]),
        Kind::Time | Kind::Number => Cell::Int(i64::from_be_bytes(raw.try_into().map_err(|_| wrong())?)),
        Kind::Count | Kind::Amount => {
            Cell::Uint(numeric(raw).and_then(|number| number.try_into().ok()).ok_or_else(wrong)?)
        }
        Kind::Sum => Cell::sum(numeric(raw).ok_or_else(wrong)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_comes_back_to_the_last_digit() {
        let edges = [0, 1, 9_999, 10_000, 100_000_000, 1 << 53, (1 << 53) + 1, 1 << 63, u64::MAX.into(), i128::MAX];
        for value in edges.into_iter().flat_map(|value| [value, -value]) {
            let mut bytes = BytesMut::new();
            put_numeric(value, &mut bytes);
            assert_eq!(numeric(&bytes), Some(value));
        }
        // PostgreSQL leaves zeros at the end away: this is 10^8.
        assert_eq!(numeric(&[0, 1, 0, 2, 0, 0, 0, 0, 0, 1]), Some(100_000_000));
        assert_eq!(numeric(&[0, 1, 0, 0, 0xc0, 0, 0, 0, 0, 1]), None, "not a number");
    }
}
