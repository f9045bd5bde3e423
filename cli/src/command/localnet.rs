//! `joule localnet`: hands over to the local network's own binary.

use crate::failure::Failure;
use anyhow::Context;
use std::{os::unix::process::CommandExt, path::PathBuf, process::Command};

/// One of Joule's other binaries: beside this one, or on PATH.
pub fn sibling(name: &str) -> PathBuf {
    let beside = std::env::current_exe().ok().and_then(|me| me.parent().map(|folder| folder.join(name)));
    beside.filter(|path| path.exists()).unwrap_or_else(|| PathBuf::from(name))
}

pub fn run(args: &[String]) -> Result<(), Failure> {
    let binary = sibling("joule-localnet");
    // Replaces this process; comes back only when it could not.
    let error = Command::new(&binary).args(args).exec();
    Err(Err::<(), _>(error)
        .with_context(|| format!("starting {}; `make build` builds it", binary.display()))
        .unwrap_err()
        .into())
}
