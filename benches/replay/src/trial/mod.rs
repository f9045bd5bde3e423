//! Runs in which everything fails: an indexer is killed, stopped and stalled while it follows a server that breaks off, forgets and
//! repeats. After each, its store is compared with the truth of the file, and cell by cell with a store that was filled calmly.

mod cluster;
mod plan;
mod shown;
mod stage;
mod store;

use anyhow::{Context, Result};
use futures::StreamExt;
use plan::Plan;
use serde::Serialize;
use stage::Stage;
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
pub use store::Engine;

#[derive(clap::Args)]
pub struct Args {
    /// The indexer's binary
    #[arg(long)]
    pub indexer: PathBuf,
    #[arg(long, default_value_t = 10)]
    pub runs: u64,
    /// Of the first run; each has the next one. Without it one is taken by the clock, and printed
    #[arg(long)]
    pub seed: Option<u64>,
    /// Updates of a run's file, about
    #[arg(long, default_value = "20000", value_parser = count)]
    pub updates: u64,
    /// Runs at a time; most of one is waiting
    #[arg(long, default_value_t = 4)]
    pub at_once: usize,
    /// Shares of the mix that are other than the seed has them, such as unnamed=0.2
    #[arg(long, default_value = "")]
    pub mix: String,
    /// What the indexer writes to
    #[arg(long, default_value = "sqlite")]
    pub store: Engine,
    /// A recording to make files of [default: the demo's]
    #[arg(long)]
    pub from: Option<PathBuf>,
    /// Seconds after which a run is given up
    #[arg(long, default_value_t = 600)]
    pub patience: u64,
    /// Where files, stores and logs stay, a folder for each run; otherwise they stay only where a store is wrong
    #[arg(long)]
    pub keep: Option<PathBuf>,
    /// A line of JSON for each run
    #[arg(long)]
    pub json: bool,
}

fn count(text: &str) -> Result<u64, std::num::ParseIntError> {
    text.replace('_', "").parse()
}

/// What happened in a run, and what was found after it.
#[derive(Debug, Default, Serialize)]
pub struct Line {
    pub seed: u64,
    pub wall_s: f64,
    pub updates: u64,
    pub rate: String,
    /// What happened to the indexer, by its name, and what the server did wrong.
    pub happened: BTreeMap<String, u64>,
    /// Gaps that RPC was asked for, and slots in them.
    pub gaps: u64,
    pub gap_slots: u64,
    pub letters: u64,
    /// Rows that were compared cell by cell, and cells that say what RPC has shown.
    pub rows: u64,
    pub shown_cells: u64,
    pub differences: Vec<String>,
}

pub async fn run(args: Args) -> Result<()> {
    let args = Arc::new(args);
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let seed = args.seed.unwrap_or_else(clock);
    let temporary = tempfile::tempdir()?;
    let folder = args.keep.clone().unwrap_or_else(|| temporary.path().to_owned());
    std::fs::create_dir_all(&folder)?;
    if !args.json {
        println!("{} runs from seed {seed} on, {} updates each", args.runs, args.updates);
    }
    let mut total = BTreeMap::<String, u64>::new();
    let begun = Instant::now();
    let mut runs = futures::stream::iter(seed..seed + args.runs)
        .map(|seed| {
            let (args, kept) = (args.clone(), folder.join(seed.to_string()));
            // A task of its own: whoever waits for a database within another's loses what would have woken it.
            let run = tokio::spawn(async move {
                let plan = Plan::new(seed, args.updates).with(&args.mix)?;
                one(&args, plan, kept).await
            });
            async move { (seed, run.await.map_err(anyhow::Error::from).and_then(|run| run)) }
        })
        .buffer_unordered(args.at_once.max(1));
    let mut failed = None;
    while let Some((seed, run)) = runs.next().await {
        let is_equal = run.as_ref().is_ok_and(|line| line.differences.is_empty());
        if let Ok(line) = &run {
            match args.json {
                true => println!("{}", serde_json::to_string(line)?),
                false => println!("{line}"),
            }
            for (what, times) in &line.happened {
                *total.entry(what.clone()).or_default() += times;
            }
            *total.entry("gaps by RPC".to_owned()).or_default() += line.gaps;
        }
        if !is_equal {
            failed = Some((seed, run.err()));
            break;
        }
        if args.keep.is_none() {
            let folder = folder.join(seed.to_string());
            std::fs::remove_dir_all(&folder).with_context(|| format!("removing {}", folder.display()))?;
        }
    }
    // With what was started, before anything is kept.
    drop(runs);
    if let Some((seed, error)) = failed {
        // Whoever looks at it needs it longer than this program runs.
        let folder = if args.keep.is_none() { temporary.keep() } else { folder.clone() };
        println!("kept: {}", folder.join(seed.to_string()).display());
        println!(
            "again: joule-replay trial --indexer {} --updates {} --seed {seed} --runs 1{}",
            args.indexer.display(),
            args.updates,
            [("mix", args.mix.clone()), ("store", args.store.name())]
                .iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| format!(" --{name} {value}"))
                .collect::<String>()
        );
        return Err(match error {
            Some(error) => error.context(format!("the run with seed {seed}")),
            None => anyhow::anyhow!("with seed {seed} the store is not what the chain says"),
        });
    }
    if !args.json {
        let total: Vec<String> = total.iter().map(|(what, times)| format!("{times} {what}")).collect();
        println!(
            "{} of {} equal in {:.0} s: {}",
            args.runs,
            args.runs,
            begun.elapsed().as_secs_f64(),
            total.join(", ")
        );
    }
    Ok(())
}

async fn one(args: &Args, plan: Plan, folder: PathBuf) -> Result<Line> {
    let begun = Instant::now();
    let mut line = Line { seed: plan.seed, rate: plan.rate.to_string(), ..Line::default() };
    let stage = Stage::new(args, plan, folder, Duration::from_secs(args.patience))?;
    line.updates = stage.summary.body;
    let calm = stage.calm().await?;
    stage.through(calm, &mut line).await?;
    line.wall_s = (begun.elapsed().as_secs_f64() * 10.0).round() / 10.0;
    Ok(line)
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "seed {} {:.1} s, {} updates at {}:", self.seed, self.wall_s, self.updates, self.rate)?;
        for (what, times) in &self.happened {
            write!(f, " {times} {what},")?;
        }
        write!(f, " {} gaps of {} slots by RPC, {} letters;", self.gaps, self.gap_slots, self.letters)?;
        match self.differences.len() {
            0 => write!(f, " equal, {} rows", self.rows),
            _ => {
                write!(f, " NOT equal")?;
                self.differences.iter().try_for_each(|difference| write!(f, "\n  {difference}"))
            }
        }
    }
}
