//! Figures on disk: `benches/results/replay.json`, a list of flat objects.

use super::Figures;
use anyhow::{Context, Result};
use serde_json::Value;
use std::path::PathBuf;

/// Adds a row, in the place of an earlier one of the same thing.
pub fn add(figures: &Figures) -> Result<()> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../results/replay.json");
    let mut rows: Vec<Value> = match std::fs::read_to_string(&path) {
        Ok(text) => serde_json::from_str(&text).with_context(|| format!("parsing {}", path.display()))?,
        Err(_) => Vec::new(),
    };
    let row = serde_json::to_value(figures)?;
    rows.retain(|other| ["what", "of", "rate", "against"].iter().any(|name| other[name] != row[name]));
    rows.push(row);
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    std::fs::write(&path, format!("[\n  {}\n]\n", lines.join(",\n  ")))
        .with_context(|| format!("writing {}", path.display()))?;
    println!("written to benches/results/replay.json");
    Ok(())
}

/// What is checked out, short.
pub fn commit() -> String {
    let output = std::process::Command::new("git")
        .args(["-C", env!("CARGO_MANIFEST_DIR"), "rev-parse", "--short", "HEAD"])
        .output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}
