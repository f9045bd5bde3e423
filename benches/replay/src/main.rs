//! `joule-replay`: see the README beside it.

use clap::{Parser, Subcommand};
use joule_replay::{compare, drive, record, scale, serve, show, trial};
use joule_settings::Causes;
use std::process::ExitCode;

#[derive(Parser)]
#[command(
    about = "Records a chain's updates, makes a large chain of them, serves it, and measures what follows it",
    version
)]
struct Cli {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Write down what a local network's Yellowstone gRPC stream says
    Record(record::Args),
    /// What is in a file
    Show(show::Args),
    /// Make a large chain of a recording
    Scale(scale::Args),
    /// Serve a file over Yellowstone gRPC, at any speed
    Serve(serve::Args),
    /// Compare a store with what the file says
    Compare(compare::Args),
    /// Let an indexer follow a file from an empty store, and measure it
    Drive(drive::Args),
    /// Show what benches/results/peers.json has of peers, as a table
    Peers,
    /// Let an indexer follow files while everything fails, and compare each store with the chain
    Trial(trial::Args),
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse().what).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("joule-replay: {}", Causes(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

async fn run(what: What) -> anyhow::Result<()> {
    match what {
        What::Record(args) => record::run(args).await,
        What::Show(args) => show::run(&args),
        What::Scale(args) => scale::run(&args),
        What::Serve(args) => serve::run(args).await,
        What::Compare(args) => compare::run(&args),
        What::Drive(args) => drive::run(args).await,
        What::Peers => drive::peer::table(),
        What::Trial(args) => trial::run(args).await,
    }
}
