//! The programs' tests, which print their IDLs.
//!
//! The generator runs `cargo test` for each program by itself, with compiler flags of its own: all that a program depends on
//! would be compiled once more, and much of it five times. Here they are the tests that `make test` builds anyway, and the
//! generator finds a `cargo` that only runs them.

use crate::PROGRAMS;
use anyhow::{bail, Context, Result};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    env, fs,
    os::unix::fs::{symlink, PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

const CARGO: &str = r#"#!/bin/sh
# cargo test FILTER ... -- OPTIONS...
filter=$2
while [ "$1" != -- ]; do shift; done
shift
exec "$(dirname "$0")/printer" "$filter" "$@"
"#;

pub struct Printers {
    built: BTreeMap<String, PathBuf>,
    /// Comes first on the path.
    folder: TempDir,
}

impl Printers {
    /// All of the workspace is asked for, since what is asked for decides about everybody's features, and cargo keeps programs
    /// with one set of features only. Of all that, nothing but the programs has to compile.
    pub fn build(root: &Path) -> Result<Self> {
        let mut cargo = Command::new("cargo");
        cargo.args(["test", "--workspace", "--lib", "--no-run", "--no-fail-fast", "--message-format", "json-render-diagnostics"]);
        cargo.args(["--locked", "--ignore-rust-version", "--quiet"]);
        let output = cargo.current_dir(root).output().context("running cargo")?;
        let built = executables(&output.stdout)?;
        if let Some(missing) = PROGRAMS.iter().find(|program| !built.contains_key(&library(program))) {
            bail!("building the tests of {missing} failed:\n{}", String::from_utf8_lossy(&output.stderr));
        }

        let folder = tempfile::tempdir()?;
        let cargo = folder.path().join("cargo");
        fs::write(&cargo, CARGO)?;
        fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755))?;
        let path = env::var_os("PATH").unwrap_or_default();
        env::set_var("PATH", env::join_paths([folder.path().to_owned()].into_iter().chain(env::split_paths(&path)))?);
        Ok(Self { built, folder })
    }

    /// Which program the generator's next `cargo test` is about.
    pub fn select(&self, program: &str) -> Result<()> {
        let printer = self.folder.path().join("printer");
        if printer.is_symlink() {
            fs::remove_file(&printer)?;
        }
        Ok(symlink(&self.built[&library(program)], printer)?)
    }
}

fn library(program: &str) -> String {
    format!("joule_{program}")
}

/// The tests that cargo says it has built, by their library's name.
fn executables(messages: &[u8]) -> Result<BTreeMap<String, PathBuf>> {
    let mut found = BTreeMap::new();
    for line in messages.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let message: Value = serde_json::from_slice(line).context("a message of cargo's")?;
        if let (Some(name), Some(path)) = (message["target"]["name"].as_str(), message["executable"].as_str()) {
            found.insert(name.to_owned(), path.into());
        }
    }
    Ok(found)
}
