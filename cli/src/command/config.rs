//! `joule config`: what the services would do with a `joule.toml`.

use super::localnet::sibling;
use crate::{context::Options, failure::Failure, output};
use anyhow::{anyhow, Context as _};
use clap::Subcommand;
use joule_settings::{File, Grade, Report, NAME, SECTIONS};
use std::{
    path::Path,
    process::{Output, Stdio},
};

#[derive(Subcommand)]
pub enum Command {
    /// Say what each service would do with its section, against chain, keys, bond, upstream and disk; exit code 2 if settings are
    /// wrong, 1 if something that they name does not work
    Check {
        /// Look at the form of the settings alone
        #[arg(long)]
        offline: bool,
    },
}

pub async fn run(options: &Options, command: Command) -> Result<(), Failure> {
    let Command::Check { offline } = command;
    let file = File::find(options.config.as_deref())?.ok_or_else(|| {
        Failure::Input(format!("there is no {NAME} here: name one by --config; joule.example.toml shows all settings"))
    })?;
    let mut reports = Vec::new();
    for section in SECTIONS {
        if file.has(section)? {
            reports.push(ask(section, file.path(), offline).await?);
        }
    }
    if reports.is_empty() {
        let sections = SECTIONS.map(|section| format!("[{section}]")).join(", ");
        return Err(Failure::Input(format!("{} has no section: it wants {sections}", file.path().display())));
    }
    match options.json {
        true => output::json(&reports)?,
        false => {
            for report in &reports {
                println!("[{}]\n{report}\n", report.service);
            }
        }
    }
    let bad = |grade: Grade| {
        let bad = reports.iter().filter(|report| report.worst() >= grade).map(|report| report.service.as_str());
        bad.collect::<Vec<_>>().join(", ")
    };
    match (bad(Grade::Wrong), bad(Grade::Waits)) {
        (wrong, _) if !wrong.is_empty() => Err(Failure::Input(format!("the settings are wrong for: {wrong}"))),
        (_, failed) if !failed.is_empty() => Err(anyhow!("not everything works that is needed by: {failed}").into()),
        _ => Ok(()),
    }
}

/// Has the service itself say it, in an environment that is this one's.
async fn ask(section: &str, file: &Path, offline: bool) -> Result<Report, Failure> {
    let binary = sibling(&format!("joule-{section}"));
    let mut command = tokio::process::Command::new(&binary);
    command.arg("check").arg("--config").arg(file).arg("--json").args(offline.then_some("--offline"));
    let done = command.stdin(Stdio::null()).kill_on_drop(true).output().await;
    let done = done.with_context(|| format!("starting {}; `make build` builds it", binary.display()))?;
    let Output { stdout, stderr, .. } = &done;
    serde_json::from_slice(stdout).map_err(|_| {
        let said = String::from_utf8_lossy(stderr);
        anyhow!("{} check says: {}", binary.display(), said.trim()).into()
    })
}
