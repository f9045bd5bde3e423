//! Figures on disk: lists of flat objects in `benches/results`.

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::Value;
use std::path::PathBuf;

/// Adds a row to a file, in the place of an earlier one that has the same in all fields of `key`.
pub fn add(file: &str, figures: &impl Serialize, key: &[&str]) -> Result<()> {
    let mut rows = read(file)?;
    let row = serde_json::to_value(figures)?;
    rows.retain(|other| key.iter().any(|name| other[name] != row[name]));
    rows.push(row);
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    let path = path(file);
    std::fs::write(&path, format!("[\n  {}\n]\n", lines.join(",\n  ")))
        .with_context(|| format!("writing {}", path.display()))?;
    println!("written to benches/results/{file}");
    Ok(())
}

/// All rows of a file; none if there is none.
pub fn read(file: &str) -> Result<Vec<Value>> {
    let path = path(file);
    match std::fs::read_to_string(&path) {
        Ok(text) => serde_json::from_str(&text).with_context(|| format!("parsing {}", path.display())),
        Err(_) => Ok(Vec::new()),
    }
}

fn path(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../results").join(file)
}

/// What is checked out, short.
pub fn commit() -> String {
    let output = std::process::Command::new("git")
        .args(["-C", env!("CARGO_MANIFEST_DIR"), "rev-parse", "--short", "HEAD"])
        .output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}
