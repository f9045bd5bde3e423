//! `joule localnet`: hands over to the local network's own binary, and moves a running one's clock.

use crate::{context::Options, failure::Failure, output, view::View};
use anyhow::Context;
use clap::Subcommand;
use joule_sdk::{RpcRequest, SdkError};
use joule_settings::Span;
use std::{os::unix::process::CommandExt, path::PathBuf, process::Command};

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Running>,
    /// What joule-localnet takes; `joule localnet --help` lists it
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTION")]
    options: Vec<String>,
}

#[derive(Subcommand)]
enum Running {
    /// Move the running network's clock forward, as if so much time had passed
    TimeTravel {
        /// How far, such as 3h
        #[arg(value_name = "DURATION")]
        by: Span,
    },
}

/// One of Joule's other binaries: beside this one, or on PATH.
pub fn sibling(name: &str) -> PathBuf {
    let beside = std::env::current_exe().ok().and_then(|me| me.parent().map(|folder| folder.join(name)));
    beside.filter(|path| path.exists()).unwrap_or_else(|| PathBuf::from(name))
}

impl Args {
    /// Whether a network is to be started, which reads its settings itself.
    pub fn starts(&self) -> bool {
        self.command.is_none()
    }
}

pub async fn run(options: &Options, args: Args) -> Result<(), Failure> {
    match args.command {
        Some(Running::TimeTravel { by }) => time_travel(options, by).await,
        None => start(options, &args.options),
    }
}

fn start(options: &Options, args: &[String]) -> Result<(), Failure> {
    let binary = sibling("joule-localnet");
    let mut command = Command::new(&binary);
    // What is for every command was read here, and is for it too.
    for (flag, value) in [("--state-dir", &options.state_dir), ("--config", &options.config)] {
        if let Some(value) = value {
            command.arg(flag).arg(value);
        }
    }
    if options.json {
        command.arg("--json");
    }
    // Replaces this process; comes back only when it could not.
    let error = command.args(args).exec();
    Err(Err::<(), _>(error)
        .with_context(|| format!("starting {}; `make build` builds it", binary.display()))
        .unwrap_err()
        .into())
}

async fn time_travel(options: &Options, by: Span) -> Result<(), Failure> {
    let seconds = i64::try_from(by.0.as_secs()).ok().filter(|seconds| *seconds > 0);
    let seconds = seconds.ok_or_else(|| Failure::Input(format!("{by}: time goes forward, by a second at least")))?;
    let (chain, view) = (options.chain()?, View::of(options, []).await);
    let to = chain.now().await?.saturating_add(seconds);
    let milliseconds = serde_json::json!([{ "absoluteTimestamp": to.saturating_mul(1_000) }]);
    let request = RpcRequest::Custom { method: "surfnet_timeTravel" };
    let travelled: Result<serde_json::Value, _> = chain.rpc().send(request, milliseconds).await;
    match travelled.map_err(SdkError::from) {
        Ok(_) if options.json => output::json(&serde_json::json!({ "now": to })),
        Ok(_) => {
            println!("it is {} on the local network", view.date(to));
            Ok(())
        }
        Err(error @ SdkError::Rpc(_)) if chain.slot().await.is_ok() => {
            Err(Failure::Refused(format!("only a local network travels in time: {error}")))
        }
        Err(error) => Err(error.into()),
    }
}
