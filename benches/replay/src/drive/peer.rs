//! Peers of the indexer, each in its own form of a store: what it takes them to come to the end of a file, and whether they have the
//! newest state of every account. They have no checkpoint, so that the end is when the server has sent everything and PostgreSQL was
//! asked nothing for a while; and they print what they have stored, read out of their own columns.

use super::{
    child::{self, Child},
    place::Place,
    report, round, Job,
};
use crate::truth::{Life, Reader};
use anyhow::{bail, Context, Result};
use serde::Serialize;
use std::{
    collections::HashMap,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

/// What makes a row of what is driven another thing.
pub const KEY: [&str; 5] = ["peer", "settings", "database", "durability", "mix"];
/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);
/// After everything was sent, what has asked nothing for so long has stored what it stores.
const QUIET: Duration = Duration::from_secs(3);
/// What has asked nothing for so long before everything was sent has stopped.
const STOPPED: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, clap::Args)]
pub struct Peer {
    /// Whose figures these are, if they are for benches/results/peers.json
    #[arg(long)]
    pub peer: Option<String>,
    /// Its version
    #[arg(long, default_value = "", requires = "peer")]
    pub peer_version: String,
    /// Which of its settings are not its defaults
    #[arg(long, default_value = "", requires = "peer")]
    pub settings: String,
    /// What the file is called
    #[arg(long, default_value = "", requires = "peer")]
    pub mix: String,
    /// It is no indexer of ours, and prints what is stored when it is started with `--database` alone
    #[arg(long, requires = "peer")]
    pub dumps: bool,
}

/// Flat, so that programs read it easily.
#[derive(Debug, Default, Serialize)]
pub struct Figures {
    pub peer: String,
    pub version: String,
    pub settings: String,
    pub database: String,
    /// What PostgreSQL does before it says that something is stored.
    pub durability: String,
    pub mix: String,
    pub updates: u64,
    pub account_updates: u64,
    pub transactions: u64,
    pub wall_s: f64,
    pub updates_per_s: f64,
    /// CPU seconds for a million updates: of the process, of all of PostgreSQL, and of the server that sent them.
    pub cpu_s_per_million: f64,
    pub postgres_cpu_s_per_million: Option<f64>,
    pub server_cpu_s_per_million: f64,
    pub peak_rss_mb: f64,
    pub equals_truth: bool,
    /// On the chain at the end.
    pub accounts: u64,
    pub accounts_missing: u64,
    /// Another version or other data.
    pub accounts_differ: u64,
    pub accounts_too_many: u64,
    pub events: u64,
    pub events_missing: u64,
    pub events_too_many: u64,
    /// What happened, if it did not come to the end.
    pub stopped: String,
    pub cores: usize,
    pub commit: String,
    pub against: String,
}

impl Figures {
    fn new(peer: &Peer, job: &Job<'_>) -> Self {
        let Peer { peer, peer_version: version, settings, mix, .. } = peer.clone();
        let database = if matches!(job.place, Place::Sqlite(_)) { "sqlite" } else { "postgres" };
        Self {
            peer: peer.unwrap_or_default(),
            version,
            settings,
            database: database.to_owned(),
            mix,
            updates: job.summary.updates - job.chain.header.lead,
            account_updates: job.summary.account_updates,
            transactions: job.summary.transactions,
            accounts: job.summary.accounts,
            events: job.summary.events,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            commit: report::commit(),
            against: job.chain.header.made.clone().unwrap_or_else(|| "a recording".to_owned()),
            ..Self::default()
        }
    }

    /// Of an indexer of ours, which was measured more closely.
    pub(super) fn of(peer: &Peer, job: &Job<'_>, figures: &super::Figures) -> Self {
        let found = &figures.differences;
        Self {
            wall_s: figures.wall_s,
            updates_per_s: figures.updates_per_s,
            cpu_s_per_million: figures.cpu_s_per_million,
            postgres_cpu_s_per_million: figures.postgres_cpu_s_per_million,
            server_cpu_s_per_million: figures.server_cpu_s_per_million,
            peak_rss_mb: figures.peak_rss_mb,
            equals_truth: figures.equal,
            accounts_missing: found.accounts_missing,
            accounts_differ: found.accounts_differ + found.lives_differ,
            accounts_too_many: found.accounts_too_many,
            events_missing: found.events_missing,
            events_too_many: found.events_too_many,
            ..Self::new(peer, job)
        }
    }
}

pub(super) async fn run(peer: &Peer, job: &Job<'_>, mut child: Child, truth: &Path) -> Result<()> {
    let mut figures = Figures { durability: job.place.settings().await?, ..Figures::new(peer, job) };
    follow(job, &mut child, &mut figures).await?;
    child.end().await?;
    let stored = Dump::of(&job.args.indexer, &job.place.database())?;
    compare(truth, &stored, &mut figures)?;
    report(&figures, &KEY, job.args.write)
}

async fn follow(job: &Job<'_>, child: &mut Child, figures: &mut Figures) -> Result<()> {
    let Job { args, chain, place, summary } = *job;
    let Place::Postgres(database) = place else { bail!("a peer's store is in PostgreSQL: give --postgres") };
    let (begun, patience) = (Instant::now(), Duration::from_secs(args.patience));
    let (mut before, mut last, mut peak) = (None, None, 0);
    let stored_until = loop {
        tokio::time::sleep(LOOK).await;
        if before.is_none() && chain.started().is_some() {
            before = Some((child.usage()?, child::own_usage()?, place.usage()?));
        }
        if let Some(status) = child.ended_with()? {
            figures.stopped = format!("ended with {status}: {}", child.last_words());
            break Instant::now();
        }
        if let (Ok(usage), Ok(rss)) = (child.usage(), child.rss("VmHWM:")) {
            (last, peak) = (Some(usage), rss);
        }
        let is_sent = chain.past() >= summary.updates;
        let idle = database.idle().await?;
        if before.is_some() && idle >= Some(if is_sent { QUIET } else { STOPPED }) {
            if !is_sent {
                figures.stopped = format!("nothing for {} s: {}", STOPPED.as_secs(), child.last_words());
            }
            break Instant::now() - idle.unwrap_or_default();
        }
        if begun.elapsed() > patience {
            figures.stopped = format!("given up after {} s at slot {}", patience.as_secs(), chain.tip());
            break Instant::now();
        }
    };
    let (usage, server, postgres) = before.context("it has not subscribed, or the file is but a beginning")?;
    let started = chain.started().context("it has not subscribed")?;
    let (wall, millions) =
        (stored_until.saturating_duration_since(started).as_secs_f64(), figures.updates as f64 / 1e6);
    let spent = |seconds: f64| round(seconds / millions);
    figures.wall_s = round(wall);
    figures.updates_per_s = round(figures.updates as f64 / wall);
    figures.cpu_s_per_million = spent(last.map_or(0.0, |last| (last - usage).total()));
    figures.server_cpu_s_per_million = spent((child::own_usage()? - server).total());
    figures.postgres_cpu_s_per_million = place.usage()?.zip(postgres).map(|(now, before)| spent(now - before));
    figures.peak_rss_mb = round(peak as f64 / 1e6);
    Ok(())
}

/// What a peer has stored, as it says itself.
struct Dump {
    accounts: HashMap<[u8; 32], Account>,
    events: u64,
}

struct Account {
    slot: u64,
    /// If it keeps one.
    write_version: Option<u64>,
    data: [u8; 32],
}

impl Dump {
    fn of(binary: &Path, database: &str) -> Result<Self> {
        let output =
            Command::new(binary).args(["--database", database]).output().context("cannot ask what is stored")?;
        if !output.status.success() {
            bail!("it cannot say what is stored: {}", String::from_utf8_lossy(&output.stderr));
        }
        Self::read(std::str::from_utf8(&output.stdout)?)
    }

    /// `account ADDRESS SLOT VERSION|- SHA256` in hexadecimal, and `events COUNT`.
    fn read(text: &str) -> Result<Self> {
        let mut dump = Self { accounts: HashMap::new(), events: 0 };
        for line in text.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            match words.as_slice() {
                ["account", address, slot, version, data] => {
                    let account =
                        Account { slot: slot.parse()?, write_version: version.parse().ok(), data: bytes(data)? };
                    if dump.accounts.insert(bytes(address)?, account).is_some() {
                        bail!("{address} is stored twice");
                    }
                }
                ["events", count] => dump.events = count.parse()?,
                _ => bail!("{line:?} says nothing of what is stored"),
            }
        }
        Ok(dump)
    }
}

fn bytes(hex: &str) -> Result<[u8; 32]> {
    hex::decode(hex)?.try_into().map_err(|_| anyhow::anyhow!("{hex} has not 32 bytes"))
}

/// Peers are not asked whether they know what is closed: they may have its last bytes or nothing.
fn compare(truth: &Path, stored: &Dump, figures: &mut Figures) -> Result<()> {
    let (mut truth, mut known) = (Reader::open(truth)?, 0);
    while let Some(row) = truth.account()? {
        let Some(account) = stored.accounts.get(&row.address) else {
            figures.accounts_missing += u64::from(row.life == Life::Open);
            continue;
        };
        known += 1;
        let same_version = account.write_version.is_none_or(|version| version == row.write_version);
        let is_newest = row.life != Life::Open || (account.slot == row.slot && same_version);
        figures.accounts_differ += u64::from(!is_newest || account.data != row.data);
    }
    figures.accounts_too_many = stored.accounts.len() as u64 - known;
    figures.events_missing = figures.events.saturating_sub(stored.events);
    figures.events_too_many = stored.events.saturating_sub(figures.events);
    let wrong = figures.accounts_missing + figures.accounts_differ + figures.accounts_too_many;
    figures.equals_truth = wrong + figures.events_missing + figures.events_too_many == 0;
    Ok(())
}

/// `key`: what makes it the same thing as an earlier row.
pub fn report(figures: &Figures, key: &[&str], write: bool) -> Result<()> {
    println!("{}", serde_json::to_string(figures)?);
    if write {
        report::add("peers.json", figures, key)?;
    }
    Ok(())
}

/// Prints what is in `benches/results/peers.json`.
pub fn table() -> Result<()> {
    let heads =
        ["mix", "database", "peer", "settings", "updates/s", "CPU s/M", "PostgreSQL s/M", "RSS MB", "equal", "wrong"];
    let mut lines = vec![heads.map(str::to_owned).to_vec()];
    for row in report::read("peers.json")? {
        let text = |name: &str| match &row[name] {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Number(number) => format!("{:.0}", number.as_f64().unwrap_or_default()),
            _ => String::new(),
        };
        let count = |names: [&str; 3]| names.iter().filter_map(|name| row[name].as_u64()).sum::<u64>();
        let accounts = count(["accounts_missing", "accounts_differ", "accounts_too_many"]);
        let events = count(["events_missing", "events_too_many", ""]);
        let wrong = match (row["equals_truth"].as_bool(), row["stopped"].as_str().unwrap_or_default()) {
            (Some(true), _) => String::new(),
            (_, "") => format!("{accounts} accounts, {events} events"),
            (_, stopped) => {
                format!("{accounts} accounts, {events} events; {}", stopped.lines().next().unwrap_or_default())
            }
        };
        let mut line = ["mix", "database", "peer", "settings", "updates_per_s"].map(text).to_vec();
        line.extend(["cpu_s_per_million", "postgres_cpu_s_per_million", "peak_rss_mb"].map(text));
        line.extend([if row["equals_truth"] == true { "yes" } else { "no" }.to_owned(), wrong]);
        lines.push(line);
    }
    let widths: Vec<usize> =
        (0..heads.len()).map(|at| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0)).collect();
    for line in lines {
        let cells: Vec<String> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        println!("{}", cells.join("  ").trim_end());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::truth::{hash, AccountRow, Summary, Writer};

    #[test]
    fn what_a_peer_has_is_counted_against_the_chain() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("truth");
        let mut writer = Writer::create(path.clone()).unwrap();
        for (n, life) in [(1, Life::Open), (2, Life::Open), (3, Life::Open), (4, Life::Closed), (5, Life::Closed)] {
            let row = AccountRow { address: [n; 32], slot: 7, write_version: 9, lamports: 1, data: hash(&[n]), life };
            writer.account(&row).unwrap();
        }
        writer.finish(Summary::default()).unwrap();
        let line = |n: u8, slot: u64, version: &str, data: u8| {
            format!("account {} {slot} {version} {}\n", hex::encode([n; 32]), hex::encode(hash(&[data])))
        };
        let compared = |lines: &[String]| {
            let mut figures = Figures { events: 2, ..Figures::default() };
            compare(&path, &Dump::read(&lines.concat()).unwrap(), &mut figures).unwrap();
            let Figures { accounts_missing, accounts_differ, accounts_too_many, events_missing, equals_truth, .. } =
                figures;
            (accounts_missing, accounts_differ, accounts_too_many, events_missing, equals_truth)
        };
        let all =
            [line(1, 7, "9", 1), line(2, 7, "-", 2), line(3, 7, "9", 3), line(4, 6, "8", 4), "events 2\n".to_owned()];
        assert_eq!(compared(&all), (0, 0, 0, 0, true), "the last bytes of what is closed, or nothing of it");
        let wrong =
            [line(1, 6, "9", 1), line(2, 7, "8", 2), line(4, 7, "9", 5), line(6, 7, "9", 6), "events 1\n".to_owned()];
        assert_eq!(compared(&wrong), (1, 3, 1, 1, false));
        assert!(Dump::read(&[line(1, 7, "9", 1), line(1, 7, "9", 1)].concat()).is_err());
        assert!(Dump::read("accounts 3").is_err());
    }
}
