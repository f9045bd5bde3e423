//! `make bench`: the figures that Joule promises, printed for people and written to `benches/results/` for programs.

mod compute;
mod floor;
mod gateway;
mod latency;
mod lifecycle;
mod report;
mod size;
mod v1;
mod vouchers;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Measures Joule's programs", version)]
struct Cli {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Compute units of every instruction beside the floor: the calls and syscalls it cannot avoid.
    Compute {
        /// Compare with the committed snapshot instead of writing it; fails on any difference.
        #[arg(long)]
        check: bool,
    },
    /// What one transaction holds, of version 0 with a lookup table and of version 1.
    V1 {
        /// Compare with the committed figures instead of writing them; fails on any difference.
        #[arg(long)]
        check: bool,
    },
    /// What a channel's whole life costs the cluster's scheduler.
    Lifecycle {
        /// Compare with the committed figures instead of writing them; fails on any difference.
        #[arg(long)]
        check: bool,
    },
    /// Size of each program.
    Size,
    /// From a validator's event to an answer of the indexer's API.
    Latency {
        #[arg(long, default_value_t = 200)]
        updates_per_s: u32,
        #[arg(long, default_value_t = 20)]
        seconds: u32,
    },
    /// What the gateway costs beside the upstream alone.
    Gateway {
        /// For each number of clients, with the gateway and without.
        #[arg(long, default_value_t = 10)]
        seconds: u32,
    },
    /// Vouchers checked in a second, beside bare signatures.
    Vouchers {
        /// Checked in each round, of which the best counts: short and many, since other work on the machine disturbs most of them.
        #[arg(long, default_value_t = 100)]
        vouchers: usize,
        #[arg(long, default_value_t = 300)]
        rounds: usize,
    },
}

fn main() -> Result<()> {
    match Cli::parse().what {
        What::Compute { check } => compute::run(check),
        What::V1 { check } => v1::run(check),
        What::Lifecycle { check } => lifecycle::run(check),
        What::Size => size::run(),
        What::Latency { updates_per_s, seconds } => latency::run(updates_per_s, seconds),
        What::Gateway { seconds } => gateway::run(seconds),
        What::Vouchers { vouchers, rounds } => vouchers::run(vouchers, rounds),
    }
}
