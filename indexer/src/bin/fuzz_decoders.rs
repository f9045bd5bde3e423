//! `joule-fuzz-decoders`: see `joule_indexer::fuzz`.

use clap::Parser;
use joule_indexer::fuzz::{Counting, Fuzzer};
use std::process::ExitCode;

#[global_allocator]
static COUNTING: Counting = Counting;

/// Random input for everything that decodes: no panic, no memory beyond what its length allows, nothing that cannot be stored.
#[derive(Parser)]
struct Options {
    /// How many, over all targets.
    #[arg(long, default_value_t = 5_000_000)]
    cases: u64,
    /// A run of the same seed is the same [default: any]
    #[arg(long)]
    seed: Option<u64>,
    /// This one alone.
    #[arg(long)]
    case: Option<u64>,
}

fn main() -> ExitCode {
    let Options { cases, seed, case } = Options::parse();
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    println!("--seed {seed}");
    let mut fuzzer = Fuzzer::new(seed);
    let numbers = case.map_or(0..cases, |case| case..case + 1);
    for number in numbers {
        if let Err(wrong) = fuzzer.case(number) {
            eprintln!("{wrong}");
            return ExitCode::FAILURE;
        }
    }
    print!("{}", fuzzer.report());
    ExitCode::SUCCESS
}
