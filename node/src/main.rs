//! `joule-node`: runs the daemon, or one job by hand.

use anyhow::Context;
use clap::{builder::FalseyValueParser, Parser, Subcommand};
use joule_artifacts::ArtifactStore;
use joule_node::{
    check::check,
    config::{ConfigError, Settings},
    daemon::Daemon,
    executor::Executor,
    kept::Kept,
    logging, monitor,
    outage::Outages,
    runner::{self, Runner},
    start::ready,
};
use joule_settings::{Causes, File, Refused, Report};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};
use tokio::signal::unix::{signal, SignalKind};
use tokio_util::sync::CancellationToken;

mod exec;

/// The provider's side of Joule: finds jobs, runs them, delivers results, claims the pay.
///
/// Exit codes: 0 done, 1 failed, 2 wrong arguments or settings, 3 the result is another than --expect says.
#[derive(Parser)]
#[command(name = "joule-node", version)]
struct Cli {
    /// A joule.toml; flags and variables come first [default: ./joule.toml, where there is one]
    #[arg(long, global = true, env = "JOULE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Log as JSON, one object a line
    #[arg(long, global = true, env = "JOULE_JSON", value_parser = FalseyValueParser::new())]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the daemon until SIGTERM or Ctrl-C, which let it finish the jobs in hand
    Run {
        #[command(flatten)]
        settings: Settings,
    },
    /// Says what `run` would do with these settings. Exit code 1 if something that it needs does not work, 2 if they are wrong
    Check {
        #[command(flatten)]
        settings: Settings,
        /// Look at the form of the settings alone
        #[arg(long)]
        offline: bool,
    },
    /// Runs one job here and prints the hash of its result, which is what an honest provider submits
    Exec(exec::Args),
    /// Compiles a module from standard input to standard output: what the other commands have done in a process of its own
    #[command(hide = true)]
    Compile,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&anyhow::Error::new(error).context("cannot start the runtime")),
    };
    let result = match cli.command {
        Command::Run { settings } => runtime.block_on(run(cli.config.as_deref(), settings, cli.json)),
        Command::Check { settings, offline } => {
            logging::init(cli.json);
            runtime.block_on(look(cli.config.as_deref(), settings, offline, cli.json))
        }
        Command::Exec(args) => {
            logging::init(cli.json);
            runtime.block_on(exec::exec(args, cli.config.as_deref()))
        }
        Command::Compile => return runner::compile_stdin(),
    };
    // A module that still runs must not hold up the exit: it left no trace, and the next start runs it again.
    runtime.shutdown_background();
    result.unwrap_or_else(|error| failed(&error))
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {}", Causes(error.as_ref()));
    let refused = error.downcast_ref::<Refused>().map(|refused| refused.code);
    ExitCode::from(refused.unwrap_or(if error.is::<ConfigError>() { 2 } else { 1 }))
}

/// Flags and variables, and what a file says where they say nothing.
fn all(file: Option<&Path>, settings: Settings) -> Result<Settings, ConfigError> {
    match File::find(file)? {
        Some(file) => Ok(settings.or(Settings::read(&file)?)),
        None => Ok(settings),
    }
}

async fn look(file: Option<&Path>, settings: Settings, offline: bool, json: bool) -> anyhow::Result<ExitCode> {
    let report = match all(file, settings) {
        Ok(settings) => check(settings, offline).await,
        Err(error) => {
            let mut report = Report::new("node");
            report.wrong("settings", error, "");
            report
        }
    };
    match json {
        true => println!("{}", serde_json::to_string(&report)?),
        false => println!("{report}"),
    }
    Ok(ExitCode::from(report.exit_code()))
}

async fn run(file: Option<&Path>, settings: Settings, json: bool) -> anyhow::Result<ExitCode> {
    let settings = all(file, settings)?;
    logging::init(json || settings.json.unwrap_or(false));
    let stopping = CancellationToken::new();
    let mut hurry = stop_on_signals(stopping.clone()).context("cannot listen to signals")?;
    let (outages, stopped) = (Outages::default(), CancellationToken::new());
    let _stopped = stopped.clone().drop_guard();
    // Before the chain is waited for, which whoever asks should hear of.
    let monitor = monitor::start(settings.check_shape()?.listen, outages.clone(), stopping.clone(), stopped).await?;
    if let Some(address) = monitor {
        tracing::info!(%address, "metrics and health");
    }
    let Some((config, chain)) = ready(settings, &outages, &stopping).await? else {
        tracing::info!("stopped");
        return Ok(ExitCode::SUCCESS);
    };
    let store = ArtifactStore::open(&config.artifacts)?;
    let executor = Executor::new(store, Runner::apart()?, config.bounds);
    let kept = Kept::open(&config.kept, config.max_kept)?;
    tracing::info!(
        provider = %chain.address(), authority = %chain.authority(), rpc = %config.rpc, indexer = %config.indexer,
        artifacts = %config.artifacts, kept = %config.kept.display(), max_jobs = config.max_jobs, max_bids = config.max_bids,
        max_bond_bps = config.policy.max_bond_bps, "started"
    );
    tokio::select! {
        () = Daemon::new(&config, chain, executor, kept, stopping, &outages).run() => {}
        _ = hurry.recv() => tracing::warn!("stopped at once; the next start goes on with the jobs in hand"),
    }
    Ok(ExitCode::SUCCESS)
}

/// The first SIGTERM or SIGINT cancels `stopping`; what is returned hears of the second.
fn stop_on_signals(stopping: CancellationToken) -> std::io::Result<tokio::sync::mpsc::Receiver<()>> {
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (hurry, second) = tokio::sync::mpsc::channel(1);
    tokio::spawn(async move {
        loop {
            tokio::select! { _ = term.recv() => {} _ = int.recv() => {} }
            if stopping.is_cancelled() {
                // Nobody may be listening any more, which is as good as heard.
                let _ = hurry.send(()).await;
                return;
            }
            stopping.cancel();
        }
    });
    Ok(second)
}
