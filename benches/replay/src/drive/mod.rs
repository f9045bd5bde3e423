//! An indexer, or a peer of ours, that follows a file from an empty store: how fast, at what cost, and whether it got it right.

pub mod child;
mod latency;
pub mod peer;
pub mod place;
pub mod report;

use crate::{
    compare::{self, Differences},
    serve::{self, Chain, Rate, Start},
    trial,
    truth::{self, Summary},
};
use anyhow::{bail, Context, Result};
use child::{Child, Usage};
use latency::{Found, Probe};
use peer::Peer;
use place::Place;
use serde::Serialize;
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// Between two looks at the store.
const LOOK: Duration = Duration::from_millis(50);

#[derive(clap::Args)]
pub struct Args {
    /// The indexer's binary
    #[arg(long)]
    indexer: PathBuf,
    /// What `scale` made; its truth is beside it
    #[arg(long)]
    file: PathBuf,
    /// Updates a second, or `max`
    #[arg(long, default_value = "max")]
    rate: Rate,
    /// Milliseconds between the blocks in which nothing happens and the rest
    #[arg(long, default_value_t = 2_000)]
    settle_ms: u64,
    /// Also measure the time from the moment that the server sends a job's change to an answer that shows it; give a rate with it
    #[arg(long)]
    latency: bool,
    /// Seconds for which the store takes nothing, from when half of the file is stored
    #[arg(long)]
    stall_store: Option<u64>,
    /// Seconds after which it is given up
    #[arg(long, default_value_t = 1_800)]
    patience: u64,
    /// Where the store, if it is a file, and the indexer's log stay afterwards; otherwise they are removed
    #[arg(long)]
    keep: Option<PathBuf>,
    /// A PostgreSQL server, as `postgres://USER@HOST:PORT`: the store is a database that is made there, and removed
    #[arg(long)]
    postgres: Option<String>,
    #[command(flatten)]
    peer: Peer,
    /// What the figures are of, such as a release's name
    #[arg(long, default_value = "")]
    of: String,
    /// Add the figures to benches/results: to replay.json, or peers.json
    #[arg(long)]
    write: bool,
    /// What the indexer is started with, where it is not as today: {grpc}, {rpc}, {database} and {listen} are filled in
    #[arg(last = true)]
    arguments: Vec<String>,
}

const ARGUMENTS: [&str; 8] = ["--grpc", "{grpc}", "--rpc", "{rpc}", "--database", "{database}", "--listen", "{listen}"];

/// Flat, so that programs read it easily.
#[derive(Debug, Serialize)]
pub struct Figures {
    pub what: &'static str,
    pub of: String,
    pub rate: String,
    pub updates: u64,
    pub account_updates: u64,
    pub transactions: u64,
    pub new: f64,
    pub wall_s: f64,
    pub updates_per_s: f64,
    /// CPU seconds of the indexer for a million updates, user and system.
    pub cpu_s_per_million: f64,
    pub user_s: f64,
    pub system_s: f64,
    /// CPU seconds of the server for a million updates.
    pub server_cpu_s_per_million: f64,
    pub peak_rss_mb: f64,
    /// When a fifth was stored, and at the end.
    pub rss_mb_at_a_fifth: f64,
    pub rss_mb_at_the_end: f64,
    /// When each tenth was stored, and the last of them in percent above the second.
    pub rss_mb_by_tenths: Vec<f64>,
    pub rss_growth_percent: f64,
    /// Seconds for which the store took nothing.
    pub stalled_s: u64,
    #[serde(flatten)]
    pub latency: Option<Latency>,
    pub equal: bool,
    #[serde(flatten)]
    pub differences: Differences,
    pub cores: usize,
    pub commit: String,
    pub against: String,
    /// CPU seconds of all of PostgreSQL for a million updates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postgres_cpu_s_per_million: Option<f64>,
}

/// From the server's sending to the API's answer.
#[derive(Debug, Serialize)]
pub struct Latency {
    pub samples: usize,
    pub p50_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    pub max_ms: Option<f64>,
    /// Changes that did not show within ten seconds.
    pub lost: u64,
}

pub async fn run(args: Args) -> Result<()> {
    let truth = truth::beside(&args.file);
    let summary = truth::Reader::open(&truth)?.summary;
    let folder = tempfile::tempdir()?;
    let kept = args.keep.clone().unwrap_or_else(|| folder.path().to_owned());
    std::fs::create_dir_all(&kept)?;
    let place = Place::make(args.postgres.as_deref(), kept.join("indexer.sqlite")).await?;
    if args.stall_store.is_some() && !matches!(place, Place::Sqlite(_)) {
        bail!("--stall-store knows SQLite only");
    }
    let mut chain = Chain::open(&args.file, args.rate, Start::After(Duration::from_millis(args.settle_ms)))?;
    let probe = Arc::new(Probe::default());
    chain.hook = args.latency.then(|| probe.hook());
    let chain = Arc::new(chain);
    let stop = CancellationToken::new();
    let local = || ([127, 0, 0, 1], 0).into();
    let served = serve::start(chain.clone(), local(), local(), stop.clone()).await?;
    let arguments = match args.arguments.as_slice() {
        [] => ARGUMENTS.map(str::to_owned).to_vec(),
        given => given.to_vec(),
    };
    let listen = free()?;
    let fill = |argument: String| {
        argument
            .replace("{grpc}", &format!("http://{}", served.grpc))
            .replace("{rpc}", &format!("http://{}", served.rpc))
            .replace("{database}", &place.database())
            .replace("{listen}", &listen)
    };
    let mut child = Child::start(&args.indexer, arguments.into_iter().map(fill), &kept.join("indexer.log"))?;
    let job = Job { args: &args, chain: &chain, place: &place, summary: &summary };
    if args.peer.dumps {
        let done = peer::run(&args.peer, &job, child, &truth).await;
        stop.cancel();
        place.remove().await?;
        return done;
    }
    let found = Arc::new(Mutex::new(Found::default()));
    let asking = args.latency.then(|| tokio::spawn(probe.ask(format!("http://{listen}"), found.clone())));
    let followed = follow(&job, &mut child).await?;
    if let Some(asking) = asking {
        if asking.is_finished() {
            asking.await?.context("asking the API")?;
        } else {
            asking.abort();
        }
    }
    child.stop().await?;
    stop.cancel();
    let differences = compare::differences(&truth, &*place.open()?, &Default::default())?;
    let mut figures = figures(&args, &summary, &chain, followed, differences);
    let mut measured = peer::Figures::of(&args.peer, &job, &figures);
    measured.durability = place.settings().await?;
    place.remove().await?;
    if args.latency {
        let found = found.lock().unwrap_or_else(PoisonError::into_inner);
        let [p50_ms, p99_ms, max_ms] = [0.5, 0.99, 1.0].map(|share| found.at(share));
        figures.latency = Some(Latency { samples: found.times.len(), p50_ms, p99_ms, max_ms, lost: found.lost });
    }
    for example in &figures.differences.examples {
        println!("{example}");
    }
    if args.peer.peer.is_some() {
        peer::report(&measured, &peer::KEY, args.write)?;
    } else {
        println!("{}", serde_json::to_string(&figures)?);
        if args.write {
            report::add("replay.json", &figures, &["what", "of", "rate", "against"])?;
        }
    }
    if !figures.equal {
        bail!("the store is not what the chain says; --keep FOLDER keeps it");
    }
    Ok(())
}

/// What is done, and where.
struct Job<'a> {
    args: &'a Args,
    chain: &'a Chain,
    place: &'a Place,
    summary: &'a Summary,
}

/// A free port here, for a moment.
pub(crate) fn free() -> Result<String> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

/// What it took to follow.
struct Followed {
    wall: Duration,
    usage: Usage,
    server: Usage,
    peak_rss: u64,
    rss_at_a_fifth: u64,
    rss_at_the_end: u64,
    rss_by_tenths: Vec<u64>,
    postgres: Option<f64>,
}

async fn follow(job: &Job<'_>, child: &mut Child) -> Result<Followed> {
    let Job { args, chain, place, summary } = *job;
    let (begun, patience) = (Instant::now(), Duration::from_secs(args.patience));
    let (mut before, mut store, mut rss_at_a_fifth) = (None, None, None);
    let first = chain.header.first_slot;
    let slots = summary.last_confirmed_slot.saturating_sub(first);
    let fifth = first + slots / 5;
    let (mut rss_by_tenths, mut stall) = (Vec::new(), args.stall_store.map(Duration::from_secs));
    loop {
        tokio::time::sleep(LOOK).await;
        child.check()?;
        if before.is_none() && chain.started().is_some() {
            before = Some((child.usage()?, child::own_usage()?, place.usage()?));
        }
        // It is there once the indexer has made it.
        store = store.or_else(|| place.open().ok().filter(|store| store.checkpoint().is_ok()));
        let reached = match &store {
            Some(store) => store.checkpoint()?,
            None => None,
        };
        if reached >= Some(fifth) && rss_at_a_fifth.is_none() {
            rss_at_a_fifth = Some(child.rss("VmRSS:")?);
        }
        while rss_by_tenths.len() < 9 && reached >= Some(first + slots * (rss_by_tenths.len() as u64 + 1) / 10) {
            rss_by_tenths.push(child.rss("VmRSS:")?);
        }
        if reached >= Some(first + slots / 2) {
            if let Some(time) = stall.take() {
                let store = trial::Engine::Sqlite.store(place.database().into())?;
                tokio::task::spawn_blocking(move || store.stall(time)).await??;
            }
        }
        if reached >= Some(summary.last_confirmed_slot) {
            rss_by_tenths.push(child.rss("VmRSS:")?);
            let wall = chain.started().context("the file has nothing but its beginning")?.elapsed();
            let (usage, server, postgres) = before.context("the file has nothing but its beginning")?;
            return Ok(Followed {
                wall,
                usage: child.usage()? - usage,
                server: child::own_usage()? - server,
                peak_rss: child.rss("VmHWM:")?,
                rss_at_a_fifth: rss_at_a_fifth.unwrap_or_default(),
                rss_at_the_end: child.rss("VmRSS:")?,
                rss_by_tenths,
                postgres: place.usage()?.zip(postgres).map(|(now, before)| now - before),
            });
        }
        if begun.elapsed() > patience {
            bail!(
                "given up: the checkpoint is {reached:?}, the file's last confirmed slot {}, and slot {} was sent",
                summary.last_confirmed_slot,
                chain.tip()
            );
        }
    }
}

fn figures(args: &Args, summary: &Summary, chain: &Chain, followed: Followed, differences: Differences) -> Figures {
    let updates = summary.updates - chain.header.lead;
    let millions = updates as f64 / 1e6;
    let Followed { wall, usage, server, peak_rss, rss_at_a_fifth, rss_at_the_end, rss_by_tenths, postgres } = followed;
    let growth = rss_by_tenths
        .last()
        .zip(rss_by_tenths.get(1))
        .map_or(0.0, |(last, second)| *last as f64 / *second as f64 - 1.0);
    Figures {
        what: if args.latency { "latency" } else { "follow" },
        of: args.of.clone(),
        rate: args.rate.to_string(),
        updates,
        account_updates: summary.account_updates,
        transactions: summary.transactions,
        new: round(summary.new),
        wall_s: round(wall.as_secs_f64()),
        updates_per_s: round(updates as f64 / wall.as_secs_f64()),
        cpu_s_per_million: round(usage.total() / millions),
        user_s: round(usage.user),
        system_s: round(usage.system),
        server_cpu_s_per_million: round(server.total() / millions),
        peak_rss_mb: round(peak_rss as f64 / 1e6),
        rss_mb_at_a_fifth: round(rss_at_a_fifth as f64 / 1e6),
        rss_mb_at_the_end: round(rss_at_the_end as f64 / 1e6),
        rss_mb_by_tenths: rss_by_tenths.iter().map(|rss| round(*rss as f64 / 1e6)).collect(),
        rss_growth_percent: round(growth * 100.0),
        stalled_s: args.stall_store.unwrap_or_default(),
        latency: None,
        equal: differences.is_none(),
        differences,
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        commit: report::commit(),
        against: chain.header.made.clone().unwrap_or_else(|| "a recording".to_owned()),
        postgres_cpu_s_per_million: postgres.map(|seconds| round(seconds / millions)),
    }
}

fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
