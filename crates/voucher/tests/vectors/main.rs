//! `vectors.json`: made here, committed, and read by every other implementation of the formats.
//!
//! After a change that is meant, `JOULE_WRITE_VECTORS=1 cargo test -p joule-voucher --test vectors` writes the file anew.
//! Bytes are hex, numbers of 64 bits are decimal strings.

mod arithmetic;
mod messages;
mod precompile;
mod signatures;
mod tree;

use joule_voucher::{hashv, Hash, SigningKey};
use serde_json::{json, Map, Value};
use std::{fs, path::Path};

/// Every section by its name, each a list.
fn generate() -> Map<String, Value> {
    let sections = [
        ("keys", messages::keys()),
        ("contexts", messages::contexts()),
        ("vouchers", messages::vouchers()),
        ("batches", messages::batches()),
        ("receipts", messages::receipts()),
        ("orders", messages::orders()),
        ("malformed", messages::malformed()),
        ("limits", arithmetic::limits()),
        ("prices", arithmetic::prices()),
        ("trees", tree::trees()),
        ("proofs", tree::proofs()),
        ("precompile", precompile::instructions()),
        ("signatures", signatures::all()),
    ];
    sections.map(|(name, rows)| (name.to_owned(), Value::Array(rows))).into_iter().collect()
}

/// One row a line, so that a change reads as a change in review.
fn text(sections: &Map<String, Value>) -> String {
    let section = |(name, rows): (&String, &Value)| {
        let rows: Vec<String> = rows.as_array().unwrap().iter().map(|row| format!("    {row}")).collect();
        format!("  \"{name}\": [\n{}\n  ]", rows.join(",\n"))
    };
    format!("{{\n{}\n}}\n", sections.iter().map(section).collect::<Vec<_>>().join(",\n"))
}

#[test]
fn the_committed_vectors_are_what_is_generated() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors.json");
    let generated = generate();
    if std::env::var_os("JOULE_WRITE_VECTORS").is_some() {
        fs::write(&path, text(&generated)).unwrap();
    }
    let committed: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    for (name, rows) in &generated {
        for (number, row) in rows.as_array().unwrap().iter().enumerate() {
            assert_eq!(&committed[name][number], row, "{name}, row {number}");
        }
    }
    assert_eq!(committed, Value::Object(generated), "rows that are no longer generated");
}

/// Some 32 bytes, the same for the same name.
fn named(name: &str) -> Hash {
    hashv(&[name.as_bytes()])
}

fn key(name: &str) -> SigningKey {
    SigningKey::from_bytes(&named(name))
}

/// Bytes, as text.
fn hex(bytes: impl AsRef<[u8]>) -> Value {
    json!(hex::encode(bytes))
}

/// A number of 64 bits, as text.
fn number(value: impl ToString) -> Value {
    json!(value.to_string())
}
