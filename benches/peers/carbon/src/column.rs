//! Fields of accounts as columns, each with what Carbon has for it.

use carbon_core::{
    error::{CarbonResult, Error},
    postgres::primitives::{self, U128, U16, U32, U64, U8},
};
use solana_pubkey::Pubkey;
use sqlx::{Decode, Encode, Postgres, Type};

pub trait Column: Sized {
    /// What it is in a table.
    const TYPE: &'static str;
    type Sql: Type<Postgres> + for<'q> Encode<'q, Postgres> + for<'r> Decode<'r, Postgres> + Send;

    fn sql(&self) -> Self::Sql;
    fn of(sql: Self::Sql) -> CarbonResult<Self>;
}

/// What stands alone or in an array.
macro_rules! plain {
    ($($kind:ty, $sql:ty, $alone:literal;)+) => {$(
        impl Column for $kind {
            const TYPE: &'static str = $alone;
            type Sql = $sql;

            fn sql(&self) -> $sql {
                (*self).into()
            }

            fn of(sql: $sql) -> CarbonResult<Self> {
                sql.try_into().map_err(|_| other($alone))
            }
        }
    )+};
}

macro_rules! array {
    ($($kind:ty, $sql:ty, $many:literal;)+) => {$(
        impl<const N: usize> Column for [$kind; N] {
            const TYPE: &'static str = $many;
            type Sql = Vec<$sql>;

            fn sql(&self) -> Vec<$sql> {
                self.iter().map(|item| (*item).into()).collect()
            }

            fn of(sql: Vec<$sql>) -> CarbonResult<Self> {
                let items: Result<Vec<$kind>, _> = sql.into_iter().map(<$kind>::try_from).collect();
                items.ok().and_then(|items| items.try_into().ok()).ok_or_else(|| other($many))
            }
        }
    )+};
}

plain! {
    u8, U8, "INT2";
    u16, U16, "INT4";
    u32, U32, "INT8";
    u64, U64, "NUMERIC(20)";
    u128, U128, "NUMERIC(39)";
    i64, i64, "INT8";
}

array! {
    u16, U16, "INT4[]";
    u64, U64, "NUMERIC(20)[]";
    i64, i64, "INT8[]";
}

impl Column for Pubkey {
    const TYPE: &'static str = "BYTEA";
    type Sql = primitives::Pubkey;

    fn sql(&self) -> Self::Sql {
        (*self).into()
    }

    fn of(sql: Self::Sql) -> CarbonResult<Self> {
        Ok(*sql)
    }
}

impl<const N: usize> Column for [Pubkey; N] {
    const TYPE: &'static str = "BYTEA[]";
    type Sql = Vec<primitives::Pubkey>;

    fn sql(&self) -> Self::Sql {
        self.iter().map(|key| (*key).into()).collect()
    }

    fn of(sql: Self::Sql) -> CarbonResult<Self> {
        let keys: Vec<Pubkey> = sql.into_iter().map(|key| *key).collect();
        keys.try_into().map_err(|_| other("BYTEA[]"))
    }
}

impl<const N: usize> Column for [u8; N] {
    const TYPE: &'static str = "BYTEA";
    type Sql = Vec<u8>;

    fn sql(&self) -> Self::Sql {
        self.to_vec()
    }

    fn of(sql: Self::Sql) -> CarbonResult<Self> {
        sql.try_into().map_err(|_| other("BYTEA"))
    }
}

/// Structs within accounts are JSON, as Carbon's own decoders have it.
macro_rules! nested {
    ($name:ident, { $($field:ident: $kind:ty,)* }) => {
        #[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize, serde::Serialize, serde::Deserialize)]
        pub struct $name {
            $(pub $field: $kind,)*
        }

        impl Column for $name {
            const TYPE: &'static str = "JSONB";
            type Sql = Json<Self>;

            fn sql(&self) -> Json<Self> {
                Json(self.clone())
            }

            fn of(sql: Json<Self>) -> CarbonResult<Self> {
                Ok(sql.0)
            }
        }

        impl<const N: usize> Column for [$name; N] {
            const TYPE: &'static str = "JSONB";
            type Sql = Json<Vec<$name>>;

            fn sql(&self) -> Self::Sql {
                Json(self.to_vec())
            }

            fn of(sql: Self::Sql) -> CarbonResult<Self> {
                sql.0.try_into().map_err(|_| crate::column::other("JSONB"))
            }
        }
    };
}

pub(crate) use nested;

pub fn other(kind: &str) -> Error {
    Error::Custom(format!("a column of {kind} holds something else"))
}
