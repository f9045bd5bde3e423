//! What the tables hold, for whoever asks them with plain SQL: every column, its unit, and what it means. The meaning is that of the
//! API's field, out of the OpenAPI document.

use crate::{
    api,
    row::{
        cell::Kind,
        record::{Column, Table},
        tables,
    },
};
use serde_json::Value;
use std::fmt::{self, Display};

/// A table, as people read it.
pub struct Described {
    name: String,
    what: String,
    columns: Vec<(String, &'static str, bool, String)>,
}

/// Every table of rows, each list after its row.
pub fn described() -> Vec<Described> {
    let document = serde_json::to_value(api::document()).unwrap_or_default();
    tables().into_iter().flat_map(|table| describe(&document, table)).collect()
}

fn describe(document: &Value, table: &Table) -> Vec<Described> {
    let schema_name = table.listing.as_ref().map_or("", |listing| listing.schema);
    let column = |column: &Column| {
        let meaning = meaning(document, schema_name, &column.path);
        (column.name.clone(), unit(column.kind), column.nullable, meaning)
    };
    let schema = &document["components"]["schemas"][schema_name];
    let what = schema["description"].as_str().unwrap_or_default().to_owned();
    let mut all =
        vec![Described { name: table.name.to_owned(), what, columns: table.columns.iter().map(column).collect() }];
    for list in &table.lists {
        let key = |name: &str, kind, meaning: String| (name.to_owned(), unit(kind), false, meaning);
        let mut columns = vec![
            key("of", Kind::Address, format!("The row of {} that it is part of.", table.name)),
            key("place", Kind::Number, "Where in the list, from 0 on.".to_owned()),
        ];
        columns.extend(list.columns.iter().map(column));
        let what = meaning_of(document, schema_name, list.field);
        all.push(Described { name: list.table.clone(), what, columns });
    }
    all
}

/// What a kind holds.
const fn unit(kind: Kind) -> &'static str {
    match kind {
        Kind::Address => "address",
        Kind::Signature => "signature",
        Kind::Hash => "sha-256",
        Kind::Name => "name",
        Kind::Flag => "0 or 1",
        Kind::Time => "Unix seconds",
        Kind::Number => "number",
        Kind::Count => "count",
        Kind::Amount => "base units",
        Kind::Sum => "sum",
        Kind::Text => "text",
        Kind::Bytes => "bytes",
    }
}

/// Of a field within fields, each of which may be described by itself.
fn meaning(document: &Value, schema: &str, path: &[&'static str]) -> String {
    let (mut schema, mut said) = (schema.to_owned(), Vec::new());
    for field in path {
        said.push(meaning_of(document, &schema, field));
        schema = schema_of(property(document, &schema, field)).unwrap_or_default();
    }
    said.retain(|text| !text.is_empty());
    said.join(" ")
}

fn meaning_of(document: &Value, schema: &str, field: &str) -> String {
    let property = property(document, schema, field);
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

fn property<'a>(document: &'a Value, schema: &str, field: &str) -> &'a Value {
    let schema = &document["components"]["schemas"][schema];
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
        let width = self.columns.iter().map(|(name, ..)| name.len()).max().unwrap_or_default();
        for (name, unit, nullable, meaning) in &self.columns {
            let unit = if *nullable { format!("{unit} or null") } else { (*unit).to_owned() };
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
            for (name, .., meaning) in &table.columns {
                silent.extend(meaning.is_empty().then(|| format!("{}.{name}", table.name)));
            }
        }
        assert!(silent.is_empty(), "say what these are, in crates/api: {silent:#?}");
    }

    #[test]
    fn a_column_of_a_part_says_what_the_part_is_and_what_it_is_within() {
        let jobs = described().into_iter().find(|table| table.name == "jobs").unwrap();
        let paid = jobs.columns.iter().find(|(name, ..)| name == "paid_jurors").unwrap();
        assert_eq!((paid.1, paid.2), ("base units", false));
        assert!(
            paid.3.starts_with("What has been paid out so far") && paid.3.ends_with("All jurors together."),
            "{}",
            paid.3
        );
    }
}
