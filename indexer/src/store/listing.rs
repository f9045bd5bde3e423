//! A page of one of the tables that keep what the API answers as JSON, in `body`.

use super::{page::Cursor, PageRequest, Result, StoreError};
use crate::types::Address;
use rusqlite::{params_from_iter, types::Value, Connection};
use serde::{de::DeserializeOwned, Serialize};
use std::fmt::Display;

/// A query that grows by its conditions.
pub struct Listing {
    sql: String,
    values: Vec<Value>,
}

#[cfg(test)]
thread_local! {
    /// What this thread has asked.
    pub static ASKED: std::cell::RefCell<Vec<String>> = const { std::cell::RefCell::new(Vec::new()) };
}

/// Which end of the time a list begins at.
#[derive(Debug, Clone, Copy)]
pub enum First {
    Newest,
    Oldest,
}

impl Listing {
    pub fn of(table: &str) -> Self {
        Self { sql: format!("select body from {table} where 1 = 1"), values: Vec::new() }
    }

    fn and(&mut self, condition: &str, value: Value) {
        self.sql.push_str(condition);
        self.values.push(value);
    }

    /// Rows whose `column` holds the text, if one is asked for.
    pub fn text(mut self, column: &str, text: Option<&str>) -> Self {
        if let Some(text) = text {
            self.and(&format!(" and {column} = ?"), Value::Text(text.to_owned()));
        }
        self
    }

    /// Rows of which a condition holds, if one is asked for. A partial index is found by its own words.
    pub fn that(mut self, condition: Option<&'static str>) -> Self {
        if let Some(condition) = condition {
            self.sql.push_str(&format!(" and {condition}"));
        }
        self
    }

    /// Rows whose `column` holds the address, if one is asked for.
    pub fn address(mut self, column: &str, address: Option<Address>) -> Self {
        if let Some(address) = address {
            self.and(&format!(" and {column} = ?"), Value::Blob(address.0.to_vec()));
        }
        self
    }

    /// Reads the page: in the order of the column `time`, then of addresses, and without those that are known better elsewhere.
    pub fn read<T: DeserializeOwned>(
        mut self,
        conn: &Connection,
        time: &str,
        first: First,
        page: &PageRequest,
        without: &[Address],
    ) -> Result<Vec<T>> {
        let (beyond, order) = match first {
            First::Newest => ("<", " desc"),
            First::Oldest => (">", ""),
        };
        if let Some(Cursor { time: at, address }) = page.after {
            // The first is there for the index: by it a page begins where it begins.
            self.and(&format!(" and {time} {beyond}= ?"), Value::Integer(at));
            self.and(&format!(" and ({time} {beyond} ?"), Value::Integer(at));
            self.and(" or address > ?)", Value::Blob(address.0.to_vec()));
        }
        if !without.is_empty() {
            // As one value: there may be thousands, and an expression has no room for so many.
            let hex = without.iter().map(|address| hex::encode(address.0)).collect::<Vec<_>>();
            let list =
                serde_json::to_string(&hex).map_err(|error| StoreError::Damaged("a list".into(), error.to_string()))?;
            self.and(" and address not in (select unhex(value) from json_each(?))", Value::Text(list));
        }
        self.and(&format!(" order by {time}{order}, address limit ?"), Value::Integer(page.limit as i64));
        #[cfg(test)]
        ASKED.with_borrow_mut(|asked| asked.push(self.sql.clone()));
        let mut statement = conn.prepare_cached(&self.sql)?;
        let bodies = statement
            .query_map(params_from_iter(self.values), |row| row.get::<_, String>(0))?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        bodies.iter().map(|body| parse(body)).collect()
    }
}

/// What a row's `body` says.
pub fn parse<T: DeserializeOwned>(body: &str) -> Result<T> {
    serde_json::from_str(body).map_err(|error| StoreError::Damaged(body.chars().take(80).collect(), error.to_string()))
}

/// What a row's `body` is to say. `of` is the row's address, for the error.
pub fn body<T: Serialize>(of: &impl Display, row: &T) -> Result<String> {
    serde_json::to_string(row).map_err(|error| StoreError::Damaged(of.to_string(), error.to_string()))
}

/// An address out of a row, as a column holds it.
pub fn column(of: &impl Display, text: &str) -> Result<[u8; 32]> {
    let address = text.parse::<Address>();
    address.map(|address| address.0).map_err(|error| StoreError::Damaged(of.to_string(), error.to_string()))
}
