//! Our accounts as a Vixen parser, in the form that Vixen's macro makes of an IDL, and the table of each.

use crate::column::{nested, Column, Failed, Value};
use borsh::{BorshDeserialize, BorshSerialize};
use std::{borrow::Cow, sync::LazyLock};
use tokio_postgres::{types::Json, Row};
use yellowstone_vixen_core::{AccountUpdate, ParseError, ParseResult, Parser, Prefilter};

type Pubkey = [u8; 32];

/// A kind of account.
pub trait Kept: BorshSerialize {
    const DISCRIMINATOR: [u8; 8];
    const TABLE: &'static str;
    const COLUMNS: &'static [(&'static str, &'static str)];

    fn upsert() -> &'static str;
    fn values(&self) -> Vec<Value>;
    fn read(row: &Row) -> Result<Self, Failed>
    where
        Self: Sized;

    /// The bytes on the chain.
    fn data(&self) -> Vec<u8> {
        let mut data = Self::DISCRIMINATOR.to_vec();
        self.serialize(&mut data).expect("memory takes it");
        data
    }

    fn table_sql() -> String {
        let columns: String =
            Self::COLUMNS.iter().map(|(name, kind)| format!("\"{name}\" {kind} not null, ")).collect();
        format!(
            "create table if not exists {} (address bytea primary key, slot bigint not null, write_version bigint not null, \
             {columns} lamports bigint not null)",
            Self::TABLE
        )
    }

    /// What is newer is kept, whatever the order in which handlers come to it.
    fn upsert_sql() -> String {
        let table = Self::TABLE;
        let columns: Vec<String> = Self::COLUMNS.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        let places: Vec<String> = (1..=columns.len() + 4).map(|place| format!("${place}")).collect();
        let set: String = columns.iter().map(|name| format!("{name} = excluded.{name}, ")).collect();
        format!(
            "insert into {table} (address, slot, write_version, lamports, {}) values ({}) on conflict (address) do update \
             set {set} slot = excluded.slot, write_version = excluded.write_version, lamports = excluded.lamports \
             where ({table}.slot, {table}.write_version) < (excluded.slot, excluded.write_version)",
            columns.join(", "),
            places.join(", ")
        )
    }
}

macro_rules! account {
    ($name:ident, $table:literal, $discriminator:expr, { $($field:ident: $kind:ty,)* }) => {
        #[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
        pub struct $name {
            $(pub $field: $kind,)*
        }

        impl $name {
            pub fn decode(data: &[u8]) -> Option<Result<Self, std::io::Error>> {
                let mut rest = data.strip_prefix(&Self::DISCRIMINATOR)?;
                Some(BorshDeserialize::deserialize(&mut rest))
            }
        }

        impl Kept for $name {
            const DISCRIMINATOR: [u8; 8] = $discriminator;
            const TABLE: &'static str = $table;
            const COLUMNS: &'static [(&'static str, &'static str)] =
                &[$((stringify!($field), <$kind as Column>::TYPE)),*];

            fn upsert() -> &'static str {
                static SQL: LazyLock<String> = LazyLock::new($name::upsert_sql);
                &SQL
            }

            fn values(&self) -> Vec<Value> {
                vec![$(Box::new(self.$field.sql())),*]
            }

            fn read(row: &Row) -> Result<Self, Failed> {
                Ok(Self { $($field: <$kind as Column>::of(row.try_get(stringify!($field))?)?),* })
            }
        }
    };
}

macro_rules! accounts {
    ($($name:ident),*) => {
        #[derive(Debug, Clone, PartialEq)]
        pub enum JouleAccount {
            $($name($name),)*
        }

        impl JouleAccount {
            pub fn upsert(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => $name::upsert(),)*
                }
            }

            pub fn values(&self) -> Vec<Value> {
                match self {
                    $(Self::$name(account) => account.values(),)*
                }
            }

            fn try_unpack(data: &[u8]) -> ParseResult<Self> {
                $(if let Some(account) = $name::decode(data) {
                    return Ok(Self::$name(account?));
                })*
                Err(ParseError::Filtered)
            }
        }

        /// Calls a macro for each kind.
        macro_rules! each_kind {
            ($of:ident) => { $($of!($name);)* };
        }
        pub(crate) use each_kind;
    };
}

/// Where our programs are.
pub fn programs() -> Vec<Pubkey> {
    let address = |program: &&str| bs58::decode(program).into_vec().ok()?.try_into().ok();
    PROGRAMS.iter().map(|program| address(program).expect("the IDL has an address")).collect()
}

#[derive(Debug, Clone, Copy)]
pub struct AccountParser;

impl Parser for AccountParser {
    type Input = AccountUpdate;
    type Output = JouleAccount;

    fn id(&self) -> Cow<'static, str> {
        "joule::AccountParser".into()
    }

    fn prefilter(&self) -> Prefilter {
        Prefilter::builder().account_owners(programs()).build().expect("addresses")
    }

    async fn parse(&self, update: &AccountUpdate) -> ParseResult<JouleAccount> {
        let inner = update.account.as_ref().ok_or("an update without its account")?;
        JouleAccount::try_unpack(&inner.data)
    }
}

include!(concat!(env!("OUT_DIR"), "/idl.rs"));
