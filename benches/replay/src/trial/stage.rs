//! One run: its file, a calm pass, and one in which everything fails.

use super::{
    plan::{Blow, Plan},
    shown::shown,
    store::{Engine, Store},
    Args, Line,
};
use crate::{
    compare::{self, rows, Shown, Stored},
    drive::child::Child,
    scale,
    serve::{self, faults::Faults, Chain, Rate, Served, Start},
    truth::{self, Summary},
};
use anyhow::{bail, Context, Result};
use std::{
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// Blocks after the file's own: more than ten minutes, for whoever is slow.
const TAIL: u64 = 6_500;
const LOOK: Duration = Duration::from_millis(20);
/// Signals.
const ABORT: i32 = 6;
const TERM: i32 = 15;
/// A stream that says nothing for so long is given up, so that a run does not wait for it.
const SILENCE: &str = "1s";
/// What an indexer says of a gap that it fills block by block.
const BY_BLOCKS: &str = "reading blocks by RPC";
const CALM_SILENCE: &str = "10m";
const LOG: &str = "indexer.log";
const CALM_LOG: &str = "calm.log";

pub struct Stage {
    plan: Plan,
    folder: PathBuf,
    file: PathBuf,
    indexer: PathBuf,
    engine: Engine,
    patience: Duration,
    pub summary: Summary,
}

/// A server for one pass.
struct Server {
    chain: Arc<Chain>,
    served: Served,
    begin: Arc<AtomicBool>,
    stop: CancellationToken,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Stage {
    pub fn new(args: &Args, plan: Plan, folder: PathBuf, patience: Duration) -> Result<Self> {
        std::fs::create_dir_all(&folder)?;
        let file = folder.join("file.replay");
        let demo = || concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/demo.replay").into();
        let made = scale::make(&scale::Args {
            from: args.from.clone().unwrap_or_else(demo),
            updates: plan.updates,
            seed: plan.seed,
            mix: plan.mix,
            per_block: plan.per_block,
            tail: TAIL,
            out: file.clone(),
        });
        let summary = made?;
        Ok(Self { plan, folder, file, indexer: args.indexer.clone(), engine: args.store, patience, summary })
    }

    async fn serve(&self, rate: Rate, faults: Option<Faults>) -> Result<Server> {
        self.serve_from(rate, faults, Arc::new(AtomicBool::new(false))).await
    }

    async fn serve_from(&self, rate: Rate, faults: Option<Faults>, begin: Arc<AtomicBool>) -> Result<Server> {
        let mut chain = Chain::open(&self.file, rate, Start::When(begin.clone()))?;
        chain.tail = Some(self.summary.body);
        if faults.is_some() {
            chain = chain.with_history()?;
        }
        chain.faults = faults;
        let chain = Arc::new(chain);
        let (stop, local) = (CancellationToken::new(), ([127, 0, 0, 1], 0).into());
        let served = serve::start(chain.clone(), local, local, stop.clone()).await?;
        Ok(Server { chain, served, begin, stop })
    }

    /// In the calm pass, where `is_calm`, whoever waits is not silent.
    fn start(
        &self,
        server: &Server,
        second: Option<&Server>,
        store: &dyn Store,
        crash: Option<&str>,
        is_calm: bool,
    ) -> Result<Child> {
        let Served { grpc, rpc } = server.served;
        let other = second.map_or(String::new(), |second| format!(",http://{}", second.served.grpc));
        let fixed = [
            "--json".to_owned(),
            format!("--grpc=http://{grpc}{other}"),
            format!("--rpc=http://{rpc}"),
            // Its own choice: one that was free a moment ago may not be.
            "--listen=127.0.0.1:0".to_owned(),
            format!("--silence={}", if is_calm { CALM_SILENCE } else { SILENCE }),
        ];
        let log = if is_calm { CALM_LOG } else { LOG };
        let arguments = fixed.into_iter().chain(store.arguments());
        let variable = crash.map(|point| ("JOULE_CRASH_AT", point));
        Child::start_with(&self.indexer, arguments, variable, &self.folder.join(log))
    }

    /// A store that was filled in one calm pass, in order, from the stream alone. It equals the truth.
    pub async fn calm(&self) -> Result<Box<dyn Stored>> {
        // Whatever the other is: what is stored is the same on every engine.
        let store = Engine::Sqlite.store(self.folder.join("calm"))?;
        let server = self.serve(Rate::Max, None).await?;
        let mut child = self.start(&server, None, &*store, None, true)?;
        let begun = Instant::now();
        while store.reached().is_none() {
            self.wait(begun, &server, &*store).await?;
            child.check()?;
        }
        server.begin.store(true, Ordering::Relaxed);
        while store.reached() < Some(self.summary.last_confirmed_slot) {
            self.wait(begun, &server, &*store).await?;
            child.check()?;
        }
        child.stop().await?;
        let stored = store.open().context("the calm store is gone")?;
        let found = compare::differences(&truth::beside(&self.file), &*stored, &Shown::default())?;
        if !found.is_none() {
            bail!("the calm pass is not what the chain says: {}", found.examples.join("\n"));
        }
        Ok(stored)
    }

    async fn rewind(&self, store: &dyn Store, to: u64) -> Result<()> {
        let asked = ["rewind".to_owned(), "--yes".to_owned(), format!("--to={to}")];
        let command = tokio::process::Command::new(&self.indexer).args(asked).args(store.arguments()).output().await?;
        if !command.status.success() {
            bail!("it cannot be put back to slot {to}: {}", String::from_utf8_lossy(&command.stderr));
        }
        Ok(())
    }

    async fn wait(&self, begun: Instant, server: &Server, store: &dyn Store) -> Result<()> {
        tokio::time::sleep(LOOK).await;
        if begun.elapsed() > self.patience {
            bail!(
                "given up after {} s: the checkpoint is {:?}, the last slot in which something happens {}, and the chain is at {}",
                self.patience.as_secs(),
                store.reached(),
                self.summary.last_confirmed_slot,
                server.chain.tip()
            );
        }
        Ok(())
    }

    /// The pass in which everything fails, and what is found after it.
    pub async fn through(&self, calm: Box<dyn Stored>, line: &mut Line) -> Result<()> {
        let store = self.engine.store(self.folder.join("store"))?;
        let server = self.serve(self.plan.rate, Some(Faults::new(self.plan.server, self.plan.seed))).await?;
        let second = match &self.plan.second {
            None => None,
            Some(second) => {
                let rate = match self.plan.rate {
                    Rate::Max => Rate::Max,
                    Rate::Of(rate) => Rate::Of(rate * second.pace),
                };
                let faults = Faults::new(second.faults, !self.plan.seed);
                Some(self.serve_from(rate, Some(faults), server.begin.clone()).await?)
            }
        };
        let mut dies = self.plan.second.and_then(|second| second.dies);
        let mut rewinds = Vec::new();
        let mut crashes = self.plan.crashes.iter();
        let mut next_crash = || crashes.next().and_then(Option::as_deref);
        let mut count = |what: &str| *line.happened.entry(what.to_owned()).or_default() += 1;
        let mut blows = self.plan.blows.iter().peekable();
        let begun = Instant::now();
        let again = |crash| self.start(&server, second.as_ref(), &*store, crash, false);
        let mut child = again(next_crash())?;
        server.begin.store(true, Ordering::Relaxed);
        // The clock of both runs from here on, whoever is followed first.
        for Server { chain, .. } in second.iter().chain([&server]) {
            chain.wait(chain.header.lead);
        }
        if second.is_some() {
            count("seconds");
        }
        loop {
            self.wait(begun, &server, &*store).await?;
            if let Some(status) = child.ended_with()? {
                match status.signal() {
                    Some(ABORT) => count("crashes"),
                    _ => child.check()?,
                }
                child = again(next_crash())?;
            }
            let told = server.chain.past() as f64 / self.summary.body as f64;
            if let (Some(second), Some(_)) = (&second, dies.take_if(|dies| told >= *dies)) {
                count("servers_gone");
                second.stop.cancel();
            }
            if let Some((_, blow)) = blows.next_if(|(at, _)| told >= *at) {
                match blow {
                    Blow::Kill(away) => {
                        count("kills");
                        child.kill().await?;
                        tokio::time::sleep(*away).await;
                        child = again(next_crash())?;
                    }
                    Blow::Stop(away) => {
                        count("stops");
                        stop(&mut child).await?;
                        tokio::time::sleep(*away).await;
                        child = again(next_crash())?;
                    }
                    Blow::Freeze(time) => {
                        count("freezes");
                        child.signal("STOP").await?;
                        tokio::time::sleep(*time).await;
                        child.signal("CONT").await?;
                    }
                    Blow::Stall(time) => {
                        // Before it is made, nothing can be done to it.
                        if store.open().is_some() {
                            count("store_stalls");
                            let (store, time) = (store.clone(), *time);
                            tokio::task::spawn_blocking(move || store.stall(time)).await??;
                        }
                    }
                    Blow::Restart { away, at_once } => {
                        let (store, away, at_once) = (store.clone(), *away, *at_once);
                        if tokio::task::spawn_blocking(move || store.restart(away, at_once)).await?? {
                            count("store_restarts");
                        }
                    }
                    Blow::Rewind(slots) => {
                        stop(&mut child).await?;
                        if let Some(reached) = store.reached() {
                            count("rewinds");
                            let to = reached.saturating_sub(*slots).max(server.chain.ledger.base().slot);
                            rewinds.push(to);
                            self.rewind(&*store, to).await?;
                        }
                        child = again(next_crash())?;
                    }
                }
                continue;
            }
            let is_done = blows.peek().is_none() && store.reached() >= Some(self.summary.last_confirmed_slot);
            if is_done && store.open().is_some_and(|store| store.is_listed().unwrap_or(false)) {
                break;
            }
        }
        stop(&mut child).await?;
        for (what, times) in server.chain.faults.iter().flat_map(Faults::counts) {
            *line.happened.entry(what.to_owned()).or_default() += times;
        }
        let log = self.folder.join(LOG);
        let shown = shown(&log, &server.chain, &rewinds)?;
        let by_blocks = std::fs::read_to_string(&log)?.matches(BY_BLOCKS).count() as u64;
        line.happened.insert("gaps_by_blocks".to_owned(), by_blocks);
        let stored = store.open().context("the store is gone")?;
        let found = compare::differences(&truth::beside(&self.file), &*stored, &shown)?;
        let cells = rows::differences(&*calm, &*stored, &shown)?;
        line.gaps = shown.gaps.len() as u64;
        line.gap_slots =
            shown.gaps.iter().map(|(from, to)| to - from.max(&server.chain.header.first_slot).min(to)).sum();
        line.letters = self.summary.letters;
        (line.rows, line.shown_cells) = (cells.rows, cells.excused);
        if !found.is_none() {
            line.differences.push(serde_json::to_string(&found)?);
            line.differences.extend(found.examples);
        }
        if !cells.is_none() {
            line.differences.push(serde_json::to_string(&cells)?);
            line.differences.extend(cells.examples);
        }
        Ok(())
    }
}

/// Asks it to stop. It may die on the way, where it was told to, or before it listens to whoever asks.
async fn stop(child: &mut Child) -> Result<()> {
    let Err(error) = child.stop().await else { return Ok(()) };
    match child.ended_with()?.and_then(|status| status.signal()) {
        Some(ABORT | TERM) => Ok(()),
        _ => Err(error),
    }
}
