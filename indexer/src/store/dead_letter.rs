//! What could not be decoded, kept for a version that can.

use super::Result;
use crate::types::{Address, EventKey, Signature};
use rusqlite::{params, Connection};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Letter {
    Account(Address),
    Event(EventKey),
}

impl Letter {
    fn kind(&self) -> &'static str {
        match self {
            Self::Account(_) => "account",
            Self::Event(_) => "event",
        }
    }

    fn key(&self) -> Vec<u8> {
        match self {
            Self::Account(address) => address.0.to_vec(),
            Self::Event(key) => {
                [&key.signature.0[..], &key.instruction.to_be_bytes(), &key.inner.to_be_bytes()].concat()
            }
        }
    }

    fn parse(key: &[u8]) -> Option<Self> {
        if let Ok(address) = Address::try_from(key) {
            return Some(Self::Account(address));
        }
        let (signature, rest) = key.split_first_chunk::<64>()?;
        let (instruction, inner) = rest.split_first_chunk::<4>()?;
        Some(Self::Event(EventKey {
            signature: Signature(*signature),
            instruction: u32::from_be_bytes(*instruction),
            inner: u32::from_be_bytes(inner.try_into().ok()?),
        }))
    }
}

pub fn put(conn: &Connection, letter: &Letter, program: &Address, slot: u64, data: &[u8], reason: &str) -> Result<()> {
    conn.prepare_cached(
        "insert into dead_letters (key, kind, program, slot, data, reason) values (?1, ?2, ?3, ?4, ?5, ?6)
         on conflict (key) do update set
             slot = excluded.slot, program = excluded.program, data = excluded.data, reason = excluded.reason",
    )?
    .execute(params![letter.key(), letter.kind(), program.0, slot as i64, data, reason])?;
    Ok(())
}

pub fn remove(conn: &Connection, letter: &Letter) -> Result<()> {
    conn.prepare_cached("delete from dead_letters where key = ?1")?.execute([letter.key()])?;
    Ok(())
}

pub fn all(conn: &Connection) -> Result<Vec<Letter>> {
    let mut statement = conn.prepare_cached("select key from dead_letters order by slot")?;
    let keys = statement.query_map([], |row| row.get::<_, Vec<u8>>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(keys.iter().filter_map(|key| Letter::parse(key)).collect())
}

pub fn count(conn: &Connection) -> Result<u64> {
    Ok(conn.prepare_cached("select count(*) from dead_letters")?.query_row([], |row| row.get::<_, i64>(0))? as u64)
}
