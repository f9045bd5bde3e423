//! Part of both peers' build scripts: what `idl/*.json` says of accounts and events, as calls of macros that each peer defines in its
//! own way (`nested!`, `account!`, `accounts!`). Both frameworks make decoders of IDLs like this, by tools of their own.

use serde_json::Value;
use std::{collections::BTreeMap, env, fmt::Write as _, fs, path::Path};

const PROGRAMS: [&str; 5] = ["treasury", "registry", "escrow", "billing", "staking"];

/// Writes `$OUT_DIR/idl.rs`.
pub fn write() {
    let (mut programs, mut kinds, mut types, mut events) = (vec![], BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for program in PROGRAMS {
        let path = format!("../../../idl/{program}.json");
        println!("cargo:rerun-if-changed={path}");
        let idl = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let idl: Value = serde_json::from_str(&idl).expect("an IDL is JSON");
        programs.push(text(&idl["address"]).to_owned());
        let by_name = |part: &str| list(&idl[part]).iter().map(|item| (text(&item["name"]).to_owned(), item.clone()));
        // What a program only reads is in its IDL too, word for word.
        kinds.extend(by_name("accounts").collect::<Vec<_>>());
        types.extend(by_name("types").collect::<Vec<_>>());
        events.extend(by_name("events").collect::<Vec<_>>());
    }
    let mut out = format!("pub const PROGRAMS: [&str; 5] = {programs:?};\n");
    let mut nested = BTreeMap::new();
    for (name, kind) in &kinds {
        let fields = fields(&types[name], &types, &mut nested);
        let discriminator = &kind["discriminator"];
        writeln!(out, "account! {{ {name}, \"{}\", {discriminator}, {{ {fields} }} }}", table(name)).unwrap();
    }
    for (name, fields) in &nested {
        writeln!(out, "nested! {{ {name}, {{ {fields} }} }}").unwrap();
    }
    let names: Vec<&str> = kinds.keys().map(String::as_str).collect();
    writeln!(out, "accounts! {{ {} }}", names.join(", ")).unwrap();
    writeln!(out, "pub const EVENTS: &[([u8; 8], &str)] = &[").unwrap();
    for (name, event) in &events {
        writeln!(out, "    ({}, \"{name}\"),", event["discriminator"]).unwrap();
    }
    out.push_str("];\n");
    fs::write(Path::new(&env::var("OUT_DIR").expect("cargo says where")).join("idl.rs"), out)
        .expect("a place to write");
}

/// "client: Pubkey, id: u64, "; structs within go to `nested`.
fn fields(kind: &Value, types: &BTreeMap<String, Value>, nested: &mut BTreeMap<String, String>) -> String {
    let field = |field: &Value| format!("{}: {}, ", text(&field["name"]), named(&field["type"], types, nested));
    list(&kind["type"]["fields"]).iter().map(field).collect()
}

fn named(kind: &Value, types: &BTreeMap<String, Value>, nested: &mut BTreeMap<String, String>) -> String {
    if let Some(name) = kind.as_str() {
        return if name == "pubkey" { "Pubkey".to_owned() } else { name.to_owned() };
    }
    if let Some(array) = kind["array"].as_array() {
        return format!("[{}; {}]", named(&array[0], types, nested), array[1]);
    }
    let name = text(&kind["defined"]["name"]);
    let inner = fields(&types[name], types, nested);
    nested.insert(name.to_owned(), inner);
    name.to_owned()
}

/// As both frameworks' tools name what they make: `PriceList` is `price_list_account`.
fn table(name: &str) -> String {
    let mut table = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !table.is_empty() {
            table.push('_');
        }
        table.extend(letter.to_lowercase());
    }
    table + "_account"
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
