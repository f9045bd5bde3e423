//! `joule-localnet`: runs a local network until it is told to stop.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::Parser;
use joule_localnet::{Config, Localnet};
use tokio::signal::unix::{signal, SignalKind};

/// A local validator with Joule's programs, a Yellowstone gRPC endpoint and funded personas.
///
/// Runs until Ctrl-C or SIGTERM. The chain starts empty each time; keys are kept. While it runs,
/// its addresses are in STATE_DIR/localnet.json.
#[derive(Debug, Parser)]
#[command(name = "joule-localnet", version)]
struct Args {
    /// Port of the JSON-RPC server; 0 picks a free one
    #[arg(long, default_value_t = 8899)]
    rpc_port: u16,
    /// Port of the WebSocket server; 0 picks a free one
    #[arg(long, default_value_t = 8900)]
    ws_port: u16,
    /// Port of the Yellowstone gRPC server; 0 picks a free one
    #[arg(long, default_value_t = 10_000)]
    grpc_port: u16,
    /// Milliseconds between blocks
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u64).range(1..))]
    slot_ms: u64,
    /// Folder for keys and localnet.json
    #[arg(long, default_value = ".localnet")]
    state_dir: PathBuf,
    /// Folder with the programs' .so files
    #[arg(long, default_value = "target/deploy")]
    programs_dir: PathBuf,
    /// Start with new keys and an empty artifact store
    #[arg(long)]
    reset: bool,
    /// Print one JSON line when ready, instead of text
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    joule_logs::init(false, "warn");
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("joule-localnet: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> anyhow::Result<()> {
    // Before anything starts, so that a signal during the start is not lost.
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let json = args.json;
    let config = Config {
        rpc_port: args.rpc_port,
        ws_port: args.ws_port,
        grpc_port: args.grpc_port,
        slot_ms: args.slot_ms,
        state_dir: args.state_dir,
        programs_dir: Some(args.programs_dir),
        reset: args.reset,
        ..Config::default()
    };
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
    println!("  RPC        {}", network.rpc_url);
    println!("  WebSocket  {}", network.ws_url);
    println!("  gRPC       {}", network.grpc_url);
    println!("  token      {} ({} decimals)", network.mint, network.mint_decimals);
    for (name, address) in &network.programs {
        println!("  {name:<10} {address}");
    }
    println!("Ctrl-C stops it.");
    Ok(())
}
