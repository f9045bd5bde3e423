//! Whoever was wronged and acted in time is whole, nobody honest is slashed, and everybody gets everything out: random histories
//! with wrongs in them. See the README.

mod calls;
mod cast;
mod court;
mod exit;
mod finding;
mod gang;
mod history;
mod honest;
mod notes;
mod play;
#[cfg(test)]
mod selftest;
mod setting;
mod tally;
mod watch;

use anyhow::{bail, Result};
use history::history;
use joule_tests::Kind as Token;
use setting::Setting;
use std::{
    sync::{
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
        Mutex, MutexGuard, PoisonError,
    },
    time::{Duration, Instant},
};
use tally::Tally;

const PROGRESS_EVERY: Duration = Duration::from_secs(10);
/// Histories after which everything must have come about.
const LONG: u64 = 2_000;

/// What is to be played.
pub struct Options {
    pub seed: u64,
    pub histories: u64,
    pub threads: u64,
    /// Only this one, told in full.
    pub only: Option<u64>,
    /// Goes on when something is found, and says what was found first of each kind.
    pub is_survey: bool,
}

/// A cluster for each token program.
fn settings() -> [Setting; 2] {
    [Setting::new(Token::Classic), Setting::new(Token::Token2022)]
}

pub fn run(options: &Options) -> Result<()> {
    if let Some(number) = options.only {
        return tell(options.seed, number);
    }
    println!("seed {}: {} histories on {} threads", options.seed, options.histories, options.threads);
    let (next, stop, tally) = (AtomicU64::new(0), AtomicBool::new(false), Mutex::new(Tally::default()));
    let started = Instant::now();
    std::thread::scope(|threads| {
        let work = || {
            let settings = settings();
            while !stop.load(Relaxed) {
                let number = next.fetch_add(1, Relaxed);
                if number >= options.histories {
                    break;
                }
                let ending = history(&settings, options.seed, number);
                stop.fetch_or(!options.is_survey && !ending.findings.is_empty(), Relaxed);
                locked(&tally).add(number, ending, started.elapsed());
            }
        };
        let working: Vec<_> = (0..options.threads).map(|_| threads.spawn(work)).collect();
        let mut shown = Instant::now();
        while !working.iter().all(|thread| thread.is_finished()) {
            std::thread::sleep(Duration::from_millis(20));
            if shown.elapsed() > PROGRESS_EVERY {
                shown = Instant::now();
                let played = locked(&tally).histories;
                println!("{played} histories, {:.0} a second", played as f64 / started.elapsed().as_secs_f64());
            }
        }
    });
    let tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!("{}\n{}", tally.tables(), tally.speed(started.elapsed().as_secs_f64()));
    if let Some(first) = tally.firsts.values().next() {
        println!("{}", tally.found());
        if options.is_survey {
            bail!("somebody was wronged");
        }
        println!("{}", first.log.join("\n"));
        bail!("somebody was wronged (repeat with --entitlement --seed {} --history {})", options.seed, first.history);
    }
    let missed = tally.missed();
    if tally.histories >= LONG && !missed.is_empty() {
        bail!("never come about: {}", missed.join(", "));
    }
    println!(
        "whoever was wronged and acted in time is whole, nobody honest was slashed, and everybody got everything out"
    );
    Ok(())
}

/// Plays one history alone.
fn tell(seed: u64, number: u64) -> Result<()> {
    let ending = history(&settings(), seed, number);
    println!("{}", ending.log.join("\n"));
    for finding in &ending.findings {
        println!("{} at step {}: {}", finding.kind.name(), finding.step, finding.what);
    }
    println!("{} transactions, {} of them done", ending.steps, ending.done);
    match ending.findings.is_empty() {
        true => Ok(()),
        false => bail!("somebody was wronged"),
    }
}

/// A thread that has panicked has said so.
fn locked(tally: &Mutex<Tally>) -> MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}
