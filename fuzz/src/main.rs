//! `make fuzz`: random people do random things to the real programs, and after every step the money is counted.

mod actions;
mod cast;
mod chain;
mod check;
mod entitlement;
mod exit;
mod model;
mod report;
mod run;
#[cfg(test)]
mod selftest;
mod stage;
mod story;

use crate::{report::Report, run::Shared};
use anyhow::{bail, Result};
use clap::Parser;
use std::{
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

#[derive(Parser)]
#[command(about = "Random actions against Joule's programs; after every step all money is accounted for", version)]
struct Cli {
    /// Steps in all worlds together; a step is a transaction.
    #[arg(long, default_value_t = 1_000_000)]
    steps: u64,
    /// The same seed with as many steps and worlds repeats a run; without it the clock is taken.
    #[arg(long)]
    seed: Option<u64>,
    /// Worlds, each on a thread of its own.
    #[arg(long, default_value_t = 2)]
    worlds: u64,
    /// Plays histories with wrongs in them instead, and looks whether everybody gets what it should.
    #[arg(long)]
    entitlement: bool,
    /// Histories in all.
    #[arg(long, default_value_t = 2_000)]
    histories: u64,
    /// Plays this history alone, and tells it.
    #[arg(long, requires = "entitlement")]
    history: Option<u64>,
    /// Goes on when somebody was wronged, and says what was found first of each kind.
    #[arg(long, requires = "entitlement")]
    survey: bool,
}

/// Steps after which every action must have succeeded once.
const ENOUGH: u64 = 20_000;
/// Steps after which everything must have come about.
const LONG: u64 = 200_000;
const PROGRESS_EVERY: Duration = Duration::from_secs(10);

fn main() -> Result<()> {
    let cli = Cli::parse();
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_secs());
    let seed = cli.seed.unwrap_or_else(clock);
    let worlds = cli.worlds.max(1);
    if cli.entitlement {
        let (histories, only, is_survey) = (cli.histories, cli.history, cli.survey);
        return entitlement::run(&entitlement::Options { seed, histories, threads: worlds, only, is_survey });
    }
    let each = cli.steps.div_ceil(worlds);
    println!("seed {seed}: {worlds} worlds, {each} steps each");

    let (shared, started) = (Shared::default(), Instant::now());
    let endings: Vec<run::Ending> = std::thread::scope(|threads| {
        let shared = &shared;
        let play = |world| threads.spawn(move || run::world(of_world(seed, world), each, shared));
        let playing: Vec<_> = (0..worlds).map(play).collect();
        let mut shown = Instant::now();
        while !playing.iter().all(|world| world.is_finished()) {
            std::thread::sleep(Duration::from_millis(50));
            if shown.elapsed() > PROGRESS_EVERY {
                shown = Instant::now();
                let steps = shared.steps.load(Relaxed);
                println!("{steps} steps, {:.0} a second", steps as f64 / started.elapsed().as_secs_f64());
            }
        }
        playing.into_iter().map(|world| world.join().expect("a world that does not panic")).collect()
    });

    let steps = shared.steps.load(Relaxed);
    let (mut report, mut jobs, mut violations) = (Report::default(), 0, Vec::new());
    for (world, ending) in endings.into_iter().enumerate() {
        report.merge(ending.report);
        report.reach(ending.milestones);
        jobs += ending.jobs;
        violations.extend(ending.violation.map(|what| format!("world {world}, {what}")));
    }
    println!("{}\n{}", report.table(), report.milestones());
    let seconds = started.elapsed().as_secs_f64();
    println!("{steps} steps in {seconds:.0} s, {:.0} a second; {jobs} jobs opened", steps as f64 / seconds);
    if !violations.is_empty() {
        let again = format!("--seed {seed} --steps {} --worlds {worlds}", cli.steps);
        bail!("money is not where it should be (repeat with {again}):\n{}", violations.join("\n"));
    }
    let never = report.never_done();
    if steps >= ENOUGH && !never.is_empty() {
        bail!("tried often and never done: {}", never.join(", "));
    }
    let missed = report.missed();
    if steps >= LONG && !missed.is_empty() {
        bail!("never come about: {}", missed.join(", "));
    }
    println!("every unit and every rent accounted for; every job, dispute, bid, bond, stake, channel and deposit found its way out");
    Ok(())
}

/// Worlds of one run have nothing in common.
fn of_world(seed: u64, world: u64) -> u64 {
    seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(world)
}
