//! Fields of accounts as columns.

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{to_sql_checked, FromSql, IsNull, ToSql, Type};

pub type Failed = Box<dyn std::error::Error + Sync + Send>;
pub type Value = Box<dyn ToSql + Sync + Send>;

pub trait Column: Sized {
    /// What it is in a table.
    const TYPE: &'static str;
    type Sql: ToSql + for<'r> FromSql<'r> + Sync + Send + 'static;

    fn sql(&self) -> Self::Sql;
    fn of(sql: Self::Sql) -> Result<Self, Failed>;
}

/// An integer as `numeric`, which holds every digit of it.
#[derive(Debug, Clone, Copy)]
pub struct Numeric(pub u128);

impl ToSql for Numeric {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Failed> {
        let (mut digits, mut rest) = (Vec::with_capacity(10), self.0);
        while rest > 0 {
            digits.push((rest % 10_000) as u16);
            rest /= 10_000;
        }
        // How many digits of four places, the power of the first, sign, decimals.
        out.put_u16(digits.len() as u16);
        out.put_i16(digits.len() as i16 - 1);
        out.put_u32(0);
        digits.iter().rev().for_each(|digit| out.put_u16(*digit));
        Ok(IsNull::No)
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::NUMERIC
    }

    to_sql_checked!();
}

impl<'r> FromSql<'r> for Numeric {
    fn from_sql(_: &Type, raw: &'r [u8]) -> Result<Self, Failed> {
        let word = |at: usize| raw.get(2 * at..2 * at + 2).map(|word| u16::from_be_bytes([word[0], word[1]]));
        let (Some(count), Some(weight), Some(0)) = (word(0), word(1), word(2)) else {
            return Err("no whole number".into());
        };
        let digit = |at: i16| if at < count as i16 { word(4 + at as usize).unwrap_or(0) } else { 0 };
        Ok(Self((0..=weight as i16).fold(0, |value, at| value * 10_000 + u128::from(digit(at)))))
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::NUMERIC
    }
}

/// What stands alone or in an array: a type of PostgreSQL's that holds it, there and back.
macro_rules! number {
    ($($kind:ty, $sql:ty, $type:literal, $many:literal, $to:expr, $from:expr;)+) => {$(
        impl Column for $kind {
            const TYPE: &'static str = $type;
            type Sql = $sql;

            fn sql(&self) -> $sql {
                $to(*self)
            }

            fn of(sql: $sql) -> Result<Self, Failed> {
                Ok($from(sql).try_into()?)
            }
        }

        impl<const N: usize> Column for [$kind; N] {
            const TYPE: &'static str = $many;
            type Sql = Vec<$sql>;

            fn sql(&self) -> Vec<$sql> {
                self.iter().map(|item| $to(*item)).collect()
            }

            fn of(sql: Vec<$sql>) -> Result<Self, Failed> {
                let items = sql.into_iter().map(|item| Ok($from(item).try_into()?)).collect::<Result<Vec<$kind>, Failed>>()?;
                items.try_into().map_err(|_| "an array of another length".into())
            }
        }
    )+};
}

number! {
    u16, i32, "integer", "integer[]", i32::from, |number: i32| number;
    u32, i64, "bigint", "bigint[]", i64::from, |number: i64| number;
    i64, i64, "bigint", "bigint[]", |number: i64| number, |number: i64| number;
    u64, Numeric, "numeric(20)", "numeric(20)[]", |number: u64| Numeric(number.into()), |number: Numeric| number.0;
    u128, Numeric, "numeric(39)", "numeric(39)[]", Numeric, |number: Numeric| number.0;
}

impl Column for u8 {
    const TYPE: &'static str = "smallint";
    type Sql = i16;

    fn sql(&self) -> i16 {
        (*self).into()
    }

    fn of(sql: i16) -> Result<Self, Failed> {
        Ok(sql.try_into()?)
    }
}

/// Keys, hashes and what is reserved.
impl<const N: usize> Column for [u8; N] {
    const TYPE: &'static str = "bytea";
    type Sql = Vec<u8>;

    fn sql(&self) -> Vec<u8> {
        self.to_vec()
    }

    fn of(sql: Vec<u8>) -> Result<Self, Failed> {
        sql.try_into().map_err(|_| "bytes of another length".into())
    }
}

impl<const N: usize> Column for [[u8; 32]; N] {
    const TYPE: &'static str = "bytea[]";
    type Sql = Vec<Vec<u8>>;

    fn sql(&self) -> Vec<Vec<u8>> {
        self.iter().map(|key| key.to_vec()).collect()
    }

    fn of(sql: Vec<Vec<u8>>) -> Result<Self, Failed> {
        let keys = sql.into_iter().map(<[u8; 32]>::of).collect::<Result<Vec<_>, Failed>>()?;
        keys.try_into().map_err(|_| "an array of another length".into())
    }
}

/// Structs within accounts are JSON.
macro_rules! nested {
    ($name:ident, { $($field:ident: $kind:ty,)* }) => {
        #[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize, serde::Serialize, serde::Deserialize)]
        pub struct $name {
            $(pub $field: $kind,)*
        }

        impl Column for $name {
            const TYPE: &'static str = "jsonb";
            type Sql = Json<Self>;

            fn sql(&self) -> Json<Self> {
                Json(self.clone())
            }

            fn of(sql: Json<Self>) -> Result<Self, Failed> {
                Ok(sql.0)
            }
        }

        impl<const N: usize> Column for [$name; N] {
            const TYPE: &'static str = "jsonb";
            type Sql = Json<Vec<$name>>;

            fn sql(&self) -> Self::Sql {
                Json(self.to_vec())
            }

            fn of(sql: Self::Sql) -> Result<Self, Failed> {
                sql.0.try_into().map_err(|_| "an array of another length".into())
            }
        }
    };
}

pub(crate) use nested;
