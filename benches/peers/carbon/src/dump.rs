//! What is stored, for whoever compares it with the chain: a line an account with its address, slot and the SHA-256 of the bytes that its
//! columns make, and how many events there are.

use crate::accounts::{each_kind, Kept};
use carbon_core::{
    error::{CarbonResult, Error},
    postgres::{metadata::AccountRowMetadata, operations::Table},
};
use futures::TryStreamExt;
use sha2::{Digest, Sha256};
use sqlx::{FromRow, PgPool};
use std::io::{BufWriter, Stdout, Write};

pub async fn dump(pool: &PgPool) -> CarbonResult<()> {
    let mut out = BufWriter::new(std::io::stdout());
    macro_rules! kind {
        ($name:ident) => {
            of::<crate::accounts::$name>(pool, &mut out).await?;
        };
    }
    each_kind!(kind);
    let events: i64 = sqlx::query_scalar("SELECT count(*) FROM instructions").fetch_one(pool).await.map_err(failed)?;
    writeln!(out, "events {events}").and_then(|()| out.flush()).map_err(failed)
}

async fn of<T: Kept>(pool: &PgPool, out: &mut BufWriter<Stdout>) -> CarbonResult<()> {
    let query = format!("SELECT * FROM {}", <T as Table>::table());
    let mut rows = sqlx::query(&query).fetch(pool);
    while let Some(row) = rows.try_next().await.map_err(failed)? {
        let metadata = AccountRowMetadata::from_row(&row).map_err(failed)?;
        let data = hex::encode(Sha256::digest(T::read(&row)?.data()));
        let slot = metadata.slot.map_or(0, |slot| *slot);
        writeln!(out, "account {} {slot} - {data}", hex::encode(metadata.pubkey.to_bytes())).map_err(failed)?;
    }
    Ok(())
}

fn failed(error: impl std::error::Error) -> Error {
    Error::Custom(error.to_string())
}
