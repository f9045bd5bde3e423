//! What a store alone takes: the rows of a file's jobs, with all columns of the indexer's table, written by a loop that does nothing
//! else. Making the rows is not measured. See ../README.md.

mod postgres;
mod sqlite;

use anyhow::{ensure, Context, Result};
use clap::Parser;
use joule_indexer::{
    row::{
        account::AccountRow,
        cell::Cell,
        job,
        record::{Kept, Table},
    },
    types::{AccountWrite, Address, Version},
};
use joule_replay::{
    drive::{
        child::{self, Usage},
        peer::{self, Figures},
        report,
    },
    file, kinds, truth,
    wire::{Fields, Look, Value},
};
use std::{
    collections::HashMap,
    path::PathBuf,
    time::{Duration, Instant},
};

#[derive(Parser)]
struct Args {
    /// What `joule-replay scale` made; its truth is beside it
    #[arg(long)]
    file: PathBuf,
    /// A PostgreSQL server, as postgres://USER@HOST:PORT; without it SQLite in a temporary file
    #[arg(long)]
    postgres: Option<String>,
    /// Rows at a time; each is tried on an empty store, and the best is reported
    #[arg(long, value_delimiter = ',', default_value = "2000,20000")]
    batch: Vec<usize>,
    /// What the file is called
    #[arg(long, default_value = "")]
    mix: String,
    /// Add the figures to benches/results/peers.json
    #[arg(long)]
    write: bool,
}

/// An empty table of jobs, to be filled.
trait Store {
    /// Keeps what is newer, also where an address is in it twice.
    fn put(&mut self, rows: &[Vec<Cell>]) -> Result<()>;
    /// Slots by addresses.
    fn stored(&mut self) -> Result<HashMap<Vec<u8>, u64>>;
    /// What its server does before it says that something is stored, if it has one.
    fn durability(&self) -> Result<String> {
        Ok(String::new())
    }
    /// CPU seconds of its own processes so far.
    fn usage(&self) -> Result<Option<f64>>;
    fn remove(self: Box<Self>) -> Result<()>;
}

struct Spent {
    wall: Duration,
    cpu: f64,
    postgres: Option<f64>,
    rows: u64,
    durability: String,
    equal: bool,
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    let mut best: Option<(usize, Spent)> = None;
    for batch in &args.batch {
        ensure!(*batch > 0, "--batch takes rows, at least one");
        let store: Box<dyn Store> = match &args.postgres {
            Some(server) => Box::new(postgres::Postgres::make(server).await?),
            None => Box::new(sqlite::Sqlite::make()?),
        };
        let spent = fill(&args, *batch, store)?;
        println!("bare, {batch} rows at a time: {} rows in {:.2} s", spent.rows, spent.wall.as_secs_f64());
        if best.as_ref().is_none_or(|(_, best)| spent.wall < best.wall) {
            best = Some((*batch, spent));
        }
    }
    let (batch, spent) = best.context("no batch was given")?;
    let summary = truth::Reader::open(&truth::beside(&args.file))?.summary;
    let header = file::Reader::open(&args.file)?.header;
    let updates = summary.updates - header.lead;
    let per_million = |seconds: f64| (seconds / (updates as f64 / 1e6) * 100.0).round() / 100.0;
    let figures = Figures {
        peer: "bare".to_owned(),
        settings: format!("{batch} rows at a time"),
        database: if args.postgres.is_some() { "postgres" } else { "sqlite" }.to_owned(),
        durability: spent.durability,
        mix: args.mix,
        updates,
        account_updates: spent.rows,
        wall_s: (spent.wall.as_secs_f64() * 100.0).round() / 100.0,
        updates_per_s: (updates as f64 / spent.wall.as_secs_f64()).round(),
        cpu_s_per_million: per_million(spent.cpu),
        postgres_cpu_s_per_million: spent.postgres.map(per_million),
        peak_rss_mb: (child::own_peak_rss()? as f64 / 1e4).round() / 100.0,
        equals_truth: spent.equal,
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        commit: report::commit(),
        against: header.made.unwrap_or_default(),
        ..Figures::default()
    };
    peer::report(&figures, &["peer", "database", "durability", "mix"], args.write)
}

fn fill(args: &Args, batch: usize, mut store: Box<dyn Store>) -> Result<Spent> {
    let mut reader = file::Reader::open(&args.file)?;
    let mut spent = Spent {
        wall: Duration::ZERO,
        cpu: 0.0,
        postgres: store.usage()?.map(|_| 0.0),
        rows: 0,
        durability: store.durability()?,
        equal: false,
    };
    let (mut rows, mut newest) = (Vec::with_capacity(batch), HashMap::new());
    while let Some(update) = reader.next()? {
        if let Some(write) = job_of(&update) {
            rows.push(write);
            if rows.len() == batch {
                put(&mut *store, &mut rows, &mut newest, &mut spent)?;
            }
        }
    }
    put(&mut *store, &mut rows, &mut newest, &mut spent)?;
    spent.equal = store.stored()? == newest;
    store.remove()?;
    Ok(spent)
}

fn put(
    store: &mut dyn Store,
    writes: &mut Vec<AccountWrite>,
    newest: &mut HashMap<Vec<u8>, u64>,
    spent: &mut Spent,
) -> Result<()> {
    spent.rows += writes.len() as u64;
    for write in &*writes {
        let seen = newest.entry(write.address.0.to_vec()).or_default();
        *seen = (*seen).max(write.version.slot);
    }
    let rows = writes.drain(..).map(|write| row(&write)).collect::<Result<Vec<_>>>()?;
    let (begun, cpu, postgres) = (Instant::now(), child::own_usage()?, store.usage()?);
    store.put(&rows)?;
    spent.wall += begun.elapsed();
    spent.cpu += Usage::total(child::own_usage()? - cpu);
    if let (Some(total), Some(before), Some(now)) = (&mut spent.postgres, postgres, store.usage()?) {
        *total += now - before;
    }
    Ok(())
}

/// A job's account.
fn job_of(update: &[u8]) -> Option<AccountWrite> {
    let Look::Account(fields) = Look::of(update) else { return None };
    let (info, slot) = (Fields(fields.get(1)?.bytes()), fields.get(2).map(Value::number)?);
    let address = |number| Some(Address(info.get(number)?.bytes().try_into().ok()?));
    let data = info.get(6)?.bytes();
    let number = |number| info.get(number).map_or(0, Value::number);
    (kinds::account(data) == Some("Job")).then_some(())?;
    Some(AccountWrite {
        address: address(1)?,
        owner: address(3)?,
        lamports: number(2),
        data: data.to_vec().into(),
        version: Version { slot, write: number(7) },
    })
}

/// Its row in the indexer's table.
fn row(write: &AccountWrite) -> Result<Vec<Cell>> {
    let account = AccountRow::after(None, write).context("a first write makes a row")?;
    let job = job::rebuild(&write.address, Some(&account), &[], |_| None).context("an account of a job is one")?;
    Ok(job.to_cells()?.row)
}

fn jobs() -> &'static Table {
    <joule_api::Job as Kept>::table()
}

/// What makes the table, as a migration of the indexer has it.
fn definition(migration: &str, end: &str) -> Result<String> {
    let (_, rest) = migration.split_once("create table jobs (").context("the migration makes no jobs")?;
    let (columns, _) = rest.split_once(end).context("the migration does not end its table of jobs")?;
    Ok(format!("create table jobs ({columns}{end}"))
}

/// Where it says how new it is.
fn slot() -> usize {
    jobs().column("slot").map_or(0, |(place, _)| place)
}

/// "on conflict (…) do update set … where …", keeping what is newer.
fn guarded() -> String {
    let table = jobs();
    let key: Vec<&str> = table.key().iter().map(|column| column.name.as_str()).collect();
    let set: Vec<String> =
        table.columns[table.key..].iter().map(|column| format!("{0} = excluded.{0}", column.name)).collect();
    format!("on conflict ({}) do update set {} where jobs.slot <= excluded.slot", key.join(", "), set.join(", "))
}
