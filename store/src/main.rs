//! `joule-store`: see `joule-store --help`.

use anyhow::Context as _;
use clap::Parser as _;
use joule_listen::BindError;
use joule_settings::{Causes, Refused, Report};
use joule_store::{
    check,
    config::{Cli, Command, Settings},
    telemetry, Server,
};
use std::{io::Write as _, process::ExitCode};
use tokio::signal::unix::{signal, SignalKind};
use tokio_util::sync::CancellationToken;

/// Each connection has a file open beside its socket; some for the rest.
const FILES_EACH: u64 = 2;
const SPARE_FILES: u64 = 64;

#[tokio::main]
async fn main() -> ExitCode {
    let Cli { options, command } = Cli::parse();
    let json = options.json;
    let result = match (options.settings(), command.unwrap_or(Command::Run)) {
        (Ok(settings), Command::Check { offline }) => Ok(told(&check::check(&settings, offline).await, settings.json)),
        (Ok(settings), Command::Run) => {
            joule_logs::init(settings.json, "info");
            run(&settings).await.map(|()| ExitCode::SUCCESS)
        }
        (Err(error), Command::Check { .. }) => {
            let mut report = Report::new("store");
            report.wrong("settings", error, "");
            Ok(told(&report, json))
        }
        (Err(error), Command::Run) => Err(Refused { words: error.to_string(), code: 2 }.into()),
    };
    result.unwrap_or_else(|error| {
        eprintln!("joule-store: {}", Causes(error.as_ref()));
        let refused = error.downcast_ref::<Refused>().map(|refused| refused.code);
        ExitCode::from(refused.unwrap_or(if error.is::<BindError>() { 1 } else { 2 }))
    })
}

async fn run(settings: &Settings) -> anyhow::Result<()> {
    check::shape(settings).refusal()?;
    let files = rlimit::increase_nofile_limit(u64::MAX).context("asking for more open files")?;
    let wanted = (settings.connections as u64).saturating_mul(FILES_EACH).saturating_add(SPARE_FILES);
    anyhow::ensure!(
        files >= wanted,
        "{files} files may be open at once, {wanted} may be needed: raise `ulimit -Hn`, or lower --connections"
    );
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for Ctrl-C")?;
    let stop = CancellationToken::new();
    let metrics = telemetry::metrics().context("metrics cannot be collected")?;
    let server = Server::start(settings, Some(metrics), stop.clone()).await?;
    say(&format!("joule-store: http://{}", server.address()))?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        stop.cancel();
    });
    server.finished().await
}

/// Prints what was found.
fn told(report: &Report, json: bool) -> ExitCode {
    // That nobody reads it changes nothing of it.
    let _ = match json {
        true => say(&serde_json::to_string(report).unwrap_or_default()),
        false => say(&report.to_string()),
    };
    ExitCode::from(report.exit_code())
}

/// Prints a line. A reader that has gone away, such as `head`, is no failure.
fn say(line: &str) -> std::io::Result<()> {
    match writeln!(std::io::stdout(), "{line}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}
