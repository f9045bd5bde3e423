//! Our accounts as a Carbon decoder and its rows, in the form that Carbon's tool makes of an IDL: a struct and a table each.

use crate::column::{nested, Column};
use borsh::{BorshDeserialize, BorshSerialize};
use carbon_core::{
    account::{AccountDecoder, AccountMetadata, DecodedAccount},
    error::{CarbonResult, Error},
    postgres::{
        metadata::AccountRowMetadata,
        operations::{Table, Upsert},
    },
};
use solana_pubkey::Pubkey;
use sqlx::{
    postgres::{PgArguments, PgRow},
    query::Query,
    types::Json,
    PgPool, Postgres, Row as _,
};
use std::sync::LazyLock;

/// A kind of account.
pub trait Kept: Table + BorshSerialize + Clone + Send + Sync + 'static {
    const DISCRIMINATOR: [u8; 8];
    const TYPES: &'static [&'static str];

    fn upsert() -> &'static str;
    fn bind<'q>(&self, query: Query<'q, Postgres, PgArguments>) -> Query<'q, Postgres, PgArguments>;
    fn read(row: &PgRow) -> CarbonResult<Self>;

    /// The bytes on the chain.
    fn data(&self) -> Vec<u8> {
        let mut data = Self::DISCRIMINATOR.to_vec();
        self.serialize(&mut data).expect("memory takes it");
        data
    }

    fn table_sql() -> String {
        let columns = Self::columns().into_iter().skip(2).zip(Self::TYPES);
        let columns: String = columns.map(|(name, kind)| format!("\"{name}\" {kind} NOT NULL, ")).collect();
        format!(
            "CREATE TABLE IF NOT EXISTS {} ({columns} __pubkey BYTEA NOT NULL, __slot NUMERIC(20), PRIMARY KEY (__pubkey))",
            Self::table()
        )
    }

    fn upsert_sql() -> String {
        let columns: Vec<String> = Self::columns().into_iter().skip(2).map(|name| format!("\"{name}\"")).collect();
        let places: Vec<String> = (1..=columns.len() + 2).map(|place| format!("${place}")).collect();
        let set: String = columns.iter().map(|name| format!("{name} = EXCLUDED.{name}, ")).collect();
        format!(
            "INSERT INTO {} ({}, __pubkey, __slot) VALUES ({}) ON CONFLICT (__pubkey) DO UPDATE SET {set} __slot = EXCLUDED.__slot",
            Self::table(),
            columns.join(", "),
            places.join(", ")
        )
    }
}

pub struct AccountRow<T> {
    pub account_metadata: AccountRowMetadata,
    pub account: T,
}

#[async_trait::async_trait]
impl<T: Kept> Upsert for AccountRow<T> {
    async fn upsert(&self, pool: &PgPool) -> CarbonResult<()> {
        self.account
            .bind(sqlx::query(T::upsert()))
            .bind(self.account_metadata.pubkey)
            .bind(&self.account_metadata.slot)
            .execute(pool)
            .await
            .map_err(|error| Error::Custom(error.to_string()))?;
        Ok(())
    }
}

macro_rules! account {
    ($name:ident, $table:literal, $discriminator:expr, { $($field:ident: $kind:ty,)* }) => {
        #[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
        pub struct $name {
            $(pub $field: $kind,)*
        }

        impl $name {
            pub fn decode(data: &[u8]) -> Option<Self> {
                let mut rest = data.strip_prefix(&Self::DISCRIMINATOR)?;
                BorshDeserialize::deserialize(&mut rest).ok()
            }
        }

        impl Table for $name {
            fn table() -> &'static str {
                $table
            }

            fn columns() -> Vec<&'static str> {
                vec!["__pubkey", "__slot", $(stringify!($field)),*]
            }
        }

        impl Kept for $name {
            const DISCRIMINATOR: [u8; 8] = $discriminator;
            const TYPES: &'static [&'static str] = &[$(<$kind as Column>::TYPE),*];

            fn upsert() -> &'static str {
                static SQL: LazyLock<String> = LazyLock::new($name::upsert_sql);
                &SQL
            }

            fn bind<'q>(&self, query: Query<'q, Postgres, PgArguments>) -> Query<'q, Postgres, PgArguments> {
                query$(.bind(self.$field.sql()))*
            }

            fn read(row: &PgRow) -> CarbonResult<Self> {
                $(let $field = row.try_get(stringify!($field)).map_err(|error| Error::Custom(error.to_string()))?;)*
                Ok(Self { $($field: <$kind as Column>::of($field)?),* })
            }
        }
    };
}

macro_rules! accounts {
    ($($name:ident),*) => {
        #[derive(Debug, Clone, PartialEq)]
        pub enum JouleAccount {
            $($name(Box<$name>),)*
        }

        impl<'a> AccountDecoder<'a> for JouleDecoder {
            type AccountType = JouleAccount;

            fn decode_account(&self, account: &'a solana_account::Account) -> Option<DecodedAccount<JouleAccount>> {
                if !self.programs.contains(&account.owner) {
                    return None;
                }
                let decoded = |data| DecodedAccount {
                    lamports: account.lamports,
                    data,
                    owner: account.owner,
                    executable: account.executable,
                    rent_epoch: account.rent_epoch,
                };
                $(if let Some(account) = $name::decode(&account.data) {
                    return Some(decoded(JouleAccount::$name(Box::new(account))));
                })*
                None
            }
        }

        #[async_trait::async_trait]
        impl Upsert for JouleAccountWithMetadata {
            async fn upsert(&self, pool: &PgPool) -> CarbonResult<()> {
                let JouleAccountWithMetadata(account, metadata) = self;
                match account {
                    $(JouleAccount::$name(account) => {
                        let account = $name::clone(account);
                        AccountRow { account_metadata: metadata.clone().into(), account }.upsert(pool).await
                    })*
                }
            }
        }

        /// Calls a macro for each kind.
        macro_rules! each_kind {
            ($of:ident) => { $($of!($name);)* };
        }
        pub(crate) use each_kind;
    };
}

/// Decodes what belongs to our programs.
#[derive(Clone)]
pub struct JouleDecoder {
    pub programs: Vec<Pubkey>,
}

impl JouleDecoder {
    pub fn new() -> Self {
        Self { programs: PROGRAMS.iter().map(|program| program.parse().expect("the IDL has an address")).collect() }
    }
}

pub struct JouleAccountWithMetadata(pub JouleAccount, pub AccountMetadata);

impl From<(JouleAccount, AccountMetadata)> for JouleAccountWithMetadata {
    fn from((account, metadata): (JouleAccount, AccountMetadata)) -> Self {
        Self(account, metadata)
    }
}

include!(concat!(env!("OUT_DIR"), "/idl.rs"));
