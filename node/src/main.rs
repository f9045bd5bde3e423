//! `joule-node`: runs the daemon, or one job by hand.

use anyhow::Context;
use clap::{Parser, Subcommand};
use joule_artifacts::ArtifactStore;
use joule_node::{
    chain::ProviderClient,
    config::{ConfigError, Settings},
    daemon::Daemon,
    executor::Executor,
    kept::Kept,
    logging,
    runner::{self, Runner},
};
use std::{path::PathBuf, process::ExitCode};
use tokio::signal::unix::{signal, SignalKind};
use tokio_util::sync::CancellationToken;

mod exec;

/// The provider's side of Joule: finds jobs, runs them, delivers results, claims the pay.
///
/// Exit codes: 0 done, 1 failed, 2 wrong arguments or settings, 3 the result is another than --expect says.
#[derive(Parser)]
#[command(name = "joule-node", version)]
struct Cli {
    /// Log as JSON, one object a line
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the daemon until SIGTERM or Ctrl-C, which let it finish the jobs in hand
    Run {
        /// Settings in TOML; flags and variables come first
        #[arg(long, env = "JOULE_NODE_CONFIG", value_name = "FILE")]
        config: Option<PathBuf>,
        #[command(flatten)]
        settings: Settings,
    },
    /// Runs one job here and prints the hash of its result, which is what an honest provider submits
    Exec(exec::Args),
    /// Compiles a module from standard input to standard output: what the other commands have done in a process of its own
    #[command(hide = true)]
    Compile,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    logging::init(cli.json);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&anyhow::Error::new(error).context("cannot start the runtime")),
    };
    let result = match cli.command {
        Command::Run { config, settings } => runtime.block_on(run(config, settings)),
        Command::Exec(args) => runtime.block_on(exec::exec(args)),
        Command::Compile => return runner::compile_stdin(),
    };
    // A module that still runs must not hold up the exit: it left no trace, and the next start runs it again.
    runtime.shutdown_background();
    result.unwrap_or_else(|error| failed(&error))
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    ExitCode::from(if error.is::<ConfigError>() { 2 } else { 1 })
}

async fn run(file: Option<PathBuf>, settings: Settings) -> anyhow::Result<ExitCode> {
    let settings = match file {
        Some(file) => settings.or(Settings::read(&file)?),
        None => settings,
    };
    let config = settings.resolve()?;
    let store = ArtifactStore::open(&config.artifacts)?;
    let executor = Executor::new(store, Runner::apart()?, config.bounds);
    let kept = Kept::open(&config.kept, config.max_kept_bytes)?;
    let chain = ProviderClient::new(&config.rpc_url, &config.keypair)?;
    let stopping = CancellationToken::new();
    let mut hurry = stop_on_signals(stopping.clone()).context("cannot listen to signals")?;
    tracing::info!(
        provider = %chain.address(), authority = %chain.authority(), rpc = %config.rpc_url, indexer = %config.indexer_url,
        artifacts = %config.artifacts, kept = %config.kept.display(), max_jobs = config.max_jobs, max_bids = config.max_bids,
        max_bond_bps = config.policy.max_bond_bps, "started"
    );
    tokio::select! {
        () = Daemon::new(&config, chain, executor, kept, stopping).run() => {}
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
