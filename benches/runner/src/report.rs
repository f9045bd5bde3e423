//! Results on disk: JSON lists of flat objects under `benches/results/`.

use anyhow::{Context, Result};
use serde::{de::DeserializeOwned, Serialize};
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

/// What is checked out, short.
pub fn commit() -> String {
    let output = std::process::Command::new("git").args(["rev-parse", "--short", "HEAD"]).output();
    output.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned()).unwrap_or_default()
}
