//! What the tables hold, for whoever asks them with plain SQL or reads an export: every column, its unit, and what it means. The meaning
//! is that of the API's field, out of the OpenAPI document.

use crate::{
    api, export,
    export::sheet::{self, Holds, Sheet},
    row::{cell::Kind, record::Table, tables},
};
use serde_json::Value;
use std::{
    fmt::{self, Display},
    sync::LazyLock,
};

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::to_value(api::document()).unwrap_or_default());

/// How files have what tables have.
pub const FILES: &str = "\
In files of `joule-indexer export`, CSV and Parquet:
  address, signature    base58                                  text
  sha-256               hex                                     text
  name                  as it is                                text, by a dictionary
  0 or 1                true or false                           BOOLEAN
  Unix seconds          2026-11-30T10:55:23Z                    TIMESTAMP(MILLIS), adjusted to UTC
  number                all digits                              INT64
  count, base units     all digits                              UINT64
  bytes                 hex                                     BINARY
  JSON                  one object, its amounts decimal text    text
  list                  JSON, its amounts decimal text          LIST of STRUCT
  null                  an empty cell                           null
A time outside the years 1 to 9999 is the first or the last second of them. Lists stand in their row. Parquet has unit and meaning
of each column in its metadata, under joule.columns, and under joule.slot up to where it goes.";

/// A table, as people read it.
pub struct Described {
    name: String,
    what: String,
    columns: Vec<sheet::Column>,
}

/// Every table of rows, each list after its row; then what is in exports only.
pub fn described() -> Vec<Described> {
    tables().into_iter().flat_map(describe).chain(export::others().into_iter().map(Described::of)).collect()
}

impl Described {
    fn of(sheet: Sheet) -> Self {
        let Sheet { name, what, mut columns, lists } = sheet;
        for list in lists {
            let within: Vec<_> = list.columns.iter().map(|column| column.name.as_str()).collect();
            let meaning = format!("{} Each item has: {}.", list.meaning, within.join(", "));
            columns.push(sheet::Column::new(&list.name, Holds::Json, false, &meaning));
        }
        Self { name, what, columns }
    }
}

fn describe(table: &Table) -> Vec<Described> {
    let Sheet { name, what, columns, lists } = sheet(table);
    let mut all = vec![Described { name, what, columns }];
    for (list, kept) in lists.into_iter().zip(&table.lists) {
        let of = format!("The row of {} that it is part of.", table.name);
        let mut columns = vec![
            sheet::Column::of("of", Kind::Address, &of),
            sheet::Column::of("place", Kind::Number, "Where in the list, from 0 on."),
        ];
        columns.extend(list.columns);
        all.push(Described { name: kept.table.clone(), what: list.meaning, columns });
    }
    all
}

/// A table with what it means.
pub fn sheet(table: &Table) -> Sheet {
    let schema = table.listing.as_ref().map_or("", |listing| listing.schema);
    let column = |column: &crate::row::record::Column| sheet::Column {
        name: column.name.clone(),
        holds: Holds::Kind(column.kind),
        nullable: column.nullable,
        meaning: meaning(schema, &column.path),
    };
    let lists = table.lists.iter().map(|list| sheet::List {
        name: list.field.to_owned(),
        meaning: meaning_of(schema, list.field),
        columns: list.columns.iter().map(column).collect(),
    });
    let what = DOCUMENT["components"]["schemas"][schema]["description"].as_str().unwrap_or_default();
    Sheet {
        name: table.name.to_owned(),
        what: what.to_owned(),
        columns: table.columns.iter().map(column).collect(),
        lists: lists.collect(),
    }
}

/// The names that a column may hold; none where it holds something else.
pub fn names(table: &Table, column: &str) -> Vec<String> {
    let Some((_, column)) = table.column(column) else { return Vec::new() };
    let mut schema = table.listing.as_ref().map(|listing| listing.schema.to_owned());
    for field in &column.path {
        schema = schema.and_then(|schema| schema_of(property(&schema, field)));
    }
    let named = schema.map(|schema| &DOCUMENT["components"]["schemas"][schema]).unwrap_or(&Value::Null);
    let words = |of: &Value| of["enum"].as_array().cloned().unwrap_or_default();
    // Names that are described one by one are choices of one each.
    let choices = named["oneOf"].as_array().into_iter().flatten().flat_map(words);
    let all = words(named).into_iter().chain(choices);
    all.filter_map(|name| name.as_str().map(str::to_owned)).collect()
}

/// Of a field within fields, each of which may be described by itself.
fn meaning(schema: &str, path: &[&'static str]) -> String {
    let (mut schema, mut said) = (schema.to_owned(), Vec::new());
    for field in path {
        said.push(meaning_of(&schema, field));
        schema = schema_of(property(&schema, field)).unwrap_or_default();
    }
    said.retain(|text| !text.is_empty());
    said.join(" ")
}

fn meaning_of(schema: &str, field: &str) -> String {
    let property = property(schema, field);
    // What may be missing is described within its choices.
    let choices = property["oneOf"].as_array().into_iter().flatten();
    let said = [property].into_iter().chain(choices).find_map(|one| one["description"].as_str());
    let own = said.or_else(|| of_the_store(schema, field)).unwrap_or_default();
    own.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What the store adds to what the API answers.
fn of_the_store(schema: &str, field: &str) -> Option<&'static str> {
    match (schema, field) {
        ("Distribution", "address") => Some("Hash of signature and numbers: an order among those of one second."),
        ("Distribution", "payer" | "provider" | "model") => Some("Of its channel; null until that is known."),
        _ => None,
    }
}

fn property(schema: &str, field: &str) -> &'static Value {
    let schema = &DOCUMENT["components"]["schemas"][schema];
    let whole = schema["allOf"].as_array().into_iter().flatten().chain([schema]);
    whole.map(|part| &part["properties"][field]).find(|found| !found.is_null()).unwrap_or(&Value::Null)
}

/// The name of the schema that a property refers to, be it alone, in a list, or something that may be missing.
fn schema_of(property: &Value) -> Option<String> {
    let choices = property["oneOf"].as_array().into_iter().flatten();
    let mut refers = choices.chain([property, &property["items"]]).filter_map(|one| one["$ref"].as_str());
    refers.next().and_then(|name| name.rsplit('/').next()).map(str::to_owned)
}

impl Display for Described {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.name, self.what)?;
        let width = self.columns.iter().map(|column| column.name.len()).max().unwrap_or_default();
        for sheet::Column { name, holds, nullable, meaning } in &self.columns {
            let unit = if *nullable { format!("{} or null", holds.unit()) } else { holds.unit().to_owned() };
            writeln!(f, "  {name:width$}  {unit:20}  {meaning}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_of_every_table_says_what_it_means() {
        let mut silent = Vec::new();
        for table in described() {
            silent.extend(table.what.is_empty().then(|| table.name.clone()));
            for sheet::Column { name, meaning, .. } in &table.columns {
                silent.extend(meaning.is_empty().then(|| format!("{}.{name}", table.name)));
            }
        }
        assert!(silent.is_empty(), "say what these are, in crates/api: {silent:#?}");
    }

    #[test]
    fn a_column_of_a_part_says_what_the_part_is_and_what_it_is_within() {
        let jobs = described().into_iter().find(|table| table.name == "jobs").unwrap();
        let paid = jobs.columns.iter().find(|column| column.name == "paid_jurors").unwrap();
        assert_eq!((paid.holds.unit(), paid.nullable), ("base units", false));
        assert!(
            paid.meaning.starts_with("What has been paid out so far") && paid.meaning.ends_with("All jurors together."),
            "{}",
            paid.meaning
        );
    }

    #[test]
    fn a_column_of_names_says_which_there_are() {
        for table in tables() {
            for column in table.columns.iter().filter(|column| column.kind == Kind::Name) {
                assert!(!names(table, &column.name).is_empty(), "{}.{}", table.name, column.name);
            }
        }
        let jobs = tables().into_iter().find(|table| table.name == "jobs").unwrap();
        assert_eq!(names(jobs, "status"), ["open", "accepted", "delivered", "challenged", "settled", "refunded"]);
    }
}
