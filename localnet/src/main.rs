//! `joule-localnet`: runs a local network until it is told to stop.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use clap::{builder::FalseyValueParser, Parser, Subcommand};
use joule_localnet::{Localnet, Settings};
use joule_settings::{Causes, File, FileError, Report, SpanError};
use tokio::signal::unix::{signal, SignalKind};

/// A local validator with Joule's programs, a Yellowstone gRPC endpoint and funded personas.
///
/// Runs until Ctrl-C or SIGTERM. The chain starts empty each time; keys are kept. While it runs, its addresses are in
/// STATE_DIR/localnet.json. What flags and environment do not say, the section [localnet] of joule.toml does.
#[derive(Debug, Parser)]
#[command(name = "joule-localnet", version)]
struct Args {
    /// A joule.toml; flags and variables come first [default: ./joule.toml, where there is one]
    #[arg(long, env = "JOULE_CONFIG", value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
    /// Start with new keys and an empty artifact store
    #[arg(long)]
    reset: bool,
    #[command(subcommand)]
    command: Option<Command>,
    /// Print one JSON line when ready, instead of text, and log as JSON
    #[arg(long, env = "JOULE_JSON", value_parser = FalseyValueParser::new(), global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say what it would do with these settings; exit code 1 if something that it needs does not work, 2 if they are wrong
    Check {
        /// Look at the form of the settings alone
        #[arg(long)]
        offline: bool,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    if let Some(Command::Check { offline }) = args.command {
        return check(args, offline);
    }
    match run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("joule-localnet: {}", Causes(error.as_ref()));
            ExitCode::from(if error.is::<FileError>() || error.is::<SpanError>() { 2 } else { 1 })
        }
    }
}

fn check(args: Args, offline: bool) -> ExitCode {
    let json = args.json;
    let report = match settings(args.config.as_deref(), args.settings) {
        Ok(settings) => settings.check(offline),
        Err(error) => {
            let mut report = Report::new("localnet");
            report.wrong("settings", error, "");
            report
        }
    };
    let shown = if json { serde_json::to_string(&report).unwrap_or_default() } else { report.to_string() };
    println!("{shown}");
    ExitCode::from(report.exit_code())
}

/// Flags and variables, and what a file says where they say nothing.
fn settings(file: Option<&Path>, settings: Settings) -> Result<Settings, FileError> {
    match File::find(file)? {
        Some(file) => Ok(settings.or(Settings::read(&file)?)),
        None => Ok(settings),
    }
}

async fn run(args: Args) -> anyhow::Result<()> {
    let settings = settings(args.config.as_deref(), args.settings)?;
    let json = args.json || settings.json.unwrap_or(false);
    joule_logs::init(json, "warn");
    // Before anything starts, so that a signal during the start is not lost.
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let config = settings.config(args.reset)?;
    let start = Localnet::start_with(config, move |step| {
        if !json {
            eprintln!("localnet: {step} ...");
        }
    });
    let localnet = tokio::select! {
        started = start => started?,
        // Dropping the unfinished start stops what it had started.
        _ = interrupt.recv() => return Ok(()),
        _ = terminate.recv() => return Ok(()),
    };
    announce(&localnet, json)?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    if !json {
        eprintln!("localnet: stopping ...");
    }
    localnet.stop().await?;
    Ok(())
}

fn announce(localnet: &Localnet, json: bool) -> anyhow::Result<()> {
    let network = localnet.network();
    if json {
        println!("{}", serde_json::to_string(network)?);
        return Ok(());
    }
    println!("ready");
    println!("  RPC        {}", network.rpc);
    println!("  WebSocket  {}", network.ws);
    println!("  gRPC       {}", network.grpc);
    println!("  artifacts  {}", network.artifacts);
    println!("  token      {} ({}, {} decimals)", network.mint, network.symbol, network.decimals);
    for (name, address) in &network.programs {
        println!("  {name:<10} {address}");
    }
    println!("Ctrl-C stops it.");
    Ok(())
}
