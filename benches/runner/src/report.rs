//! Results on disk: JSON lists of flat objects under `benches/results/`.

use anyhow::{bail, Context, Result};
use serde::{de::DeserializeOwned, Serialize};
use serde_json::Value;
use std::path::PathBuf;

pub fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../results").join(format!("{name}.json"))
}

/// One object a line, so that a change reads as a change in review.
pub fn write<T: Serialize>(name: &str, rows: &[T]) -> Result<()> {
    let path = path(name);
    let lines: Vec<String> = rows.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
    let text = format!("[\n  {}\n]\n", lines.join(",\n  "));
    std::fs::create_dir_all(path.with_file_name(""))?;
    std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    println!("written to benches/results/{name}.json");
    Ok(())
}

pub fn read<T: DeserializeOwned>(name: &str) -> Result<Vec<T>> {
    let path = path(name);
    let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("parsing {}", path.display()))
}

/// Fails unless the committed rows are these, but for the commit and the machine that they are from.
pub fn check<T: DeserializeOwned + Serialize>(name: &str, rows: &[T]) -> Result<()> {
    let exact = |row: &T| -> Result<Value> {
        let mut row = serde_json::to_value(row)?;
        if let Some(fields) = row.as_object_mut() {
            fields.retain(|name, _| name != "commit" && name != "cores");
        }
        Ok(row)
    };
    let exact = |rows: &[T]| rows.iter().map(exact).collect::<Result<Vec<_>>>();
    let (committed, measured) = (exact(&read::<T>(name)?)?, exact(rows)?);
    let changed: Vec<_> = measured.iter().filter(|row| !committed.contains(row)).map(Value::to_string).collect();
    if changed.is_empty() && committed.len() == measured.len() {
        println!("as in benches/results/{name}.json");
        return Ok(());
    }
    bail!(
        "benches/results/{name}.json says otherwise than:\n  {}\nIf that is meant, run `make bench-cu`, commit the result and say why.",
        changed.join("\n  ")
    )
}

/// What is checked out, short.
pub fn commit() -> String {
    let output = std::process::Command::new("git").args(["rev-parse", "--short", "HEAD"]).output();
    output.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned()).unwrap_or_default()
}
