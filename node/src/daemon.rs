//! The daemon's loop: what is mine to finish, what is due, what is on offer.
//!
//! One task owns the table of jobs; the work itself runs beside it and reports back. Nothing is kept on disk: after a
//! start the chain says which jobs this provider has accepted or delivered, and the loop goes on from there.

use crate::{
    chain::{Address, ChainError, ProviderClient},
    config::Config,
    executor::Executor,
    feed,
    outage::Outage,
    plan::Step,
    table::Table,
    work::{Ended, Worker},
};
use backon::{BackoffBuilder, ExponentialBuilder};
use std::{collections::HashMap, future::Future, sync::Arc, time::Duration};
use tokio::{
    sync::Notify,
    task::{Id, JoinError, JoinSet},
    time::{sleep_until, Instant},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

/// How often the chain is asked for all jobs of this provider, whatever the daemon remembers.
const RECONCILE: Duration = Duration::from_secs(30);
/// The least time between two looks, however often the bell rings.
const BREATH: Duration = Duration::from_millis(100);
/// The longest time between two looks while the RPC node is down.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Offers asked for at once; the most that the indexer gives.
const OFFERS: u32 = 500;

/// What a task is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Taking, running, delivering: takes one of `max_jobs` places.
    Work,
    /// Settling or releasing: one transaction.
    Errand,
}

pub struct Daemon {
    worker: Worker,
    indexer: joule_api::Client,
    max_jobs: usize,
    poll: Duration,
    table: Table,
    tasks: JoinSet<Ended>,
    running: HashMap<Id, (Address, Kind)>,
    reconciled: Option<Instant>,
    rpc: Outage,
    market: Outage,
    registration: Outage,
}

impl Daemon {
    pub fn new(config: &Config, chain: ProviderClient, executor: Executor, stopping: CancellationToken) -> Self {
        Self {
            worker: Worker { chain, executor, policy: Arc::new(config.policy.clone()), stopping },
            indexer: joule_api::Client::new(config.indexer_url.clone()),
            max_jobs: config.max_jobs,
            poll: config.poll,
            table: Table::default(),
            tasks: JoinSet::new(),
            running: HashMap::new(),
            reconciled: None,
            rpc: Outage::new("the RPC node"),
            market: Outage::new("the indexer"),
            registration: Outage::new("taking new jobs"),
        }
    }

    /// Runs until it is told to stop, then finishes what it has accepted.
    pub async fn run(mut self) {
        let bell = Arc::new(Notify::new());
        let ear = tokio::spawn(feed::listen(self.indexer.base().to_owned(), bell.clone()));
        let stopping = self.worker.stopping.clone();
        let patience = ExponentialBuilder::default()
            .with_min_delay(self.poll)
            .with_max_delay(self.poll.max(LONGEST_PAUSE))
            .without_max_times()
            .with_jitter();
        let mut pauses = patience.build();
        let mut next = Instant::now();
        let mut earliest = next;
        loop {
            tokio::select! {
                () = stopping.cancelled() => break,
                Some(ended) = self.tasks.join_next_with_id() => {
                    self.ended(ended);
                    next = next.min(earliest);
                    continue;
                }
                () = bell.notified() => {
                    next = next.min(earliest);
                    continue;
                }
                () = sleep_until(next) => {}
            }
            // A turn only reads and starts tasks: it may be left at any point.
            let result = tokio::select! {
                () = stopping.cancelled() => break,
                result = self.turn() => result,
            };
            let now = Instant::now();
            match result {
                Ok(()) => {
                    self.rpc.over();
                    pauses = patience.build();
                    (next, earliest) = (now + self.poll, now + BREATH);
                }
                Err(error) => {
                    self.rpc.began(&error);
                    next = now + pauses.next().unwrap_or(LONGEST_PAUSE);
                    earliest = next;
                }
            }
        }
        ear.abort();
        self.drain().await;
    }

    /// One look at everything. Errors are the RPC node's; the indexer's are dealt with here, since without it there are
    /// no offers but everything else goes on.
    async fn turn(&mut self) -> Result<(), ChainError> {
        self.reconcile().await?;
        self.go_on().await?;
        if self.free() > 0 {
            self.look_for_work().await?;
        }
        Ok(())
    }

    async fn reconcile(&mut self) -> Result<(), ChainError> {
        if self.reconciled.is_some_and(|at| at.elapsed() < RECONCILE) {
            return Ok(());
        }
        let mine = self.worker.chain.jobs().await?;
        if self.reconciled.is_none() {
            info!(jobs = mine.len(), "read this provider's jobs from the chain");
        }
        for job in self.table.reconcile(mine, Instant::now()) {
            info!(job = %job.address, client = %job.client, id = job.id, "closed: settled by somebody else, approved, or refunded");
        }
        self.reconciled = Some(Instant::now());
        Ok(())
    }

    /// Goes on with the jobs that are this provider's.
    async fn go_on(&mut self) -> Result<(), ChainError> {
        if !self.table.has_mine() {
            return Ok(());
        }
        let time = self.worker.chain.now().await?;
        let me = self.worker.chain.authority();
        for (job, step) in self.table.due(&me, time, Instant::now()) {
            let (address, worker) = (job.address, self.worker.clone());
            match step {
                Step::Work if self.free() > 0 => {
                    info!(job = %address, client = %job.client, id = job.id, "going on with a job accepted earlier");
                    self.start(address, Kind::Work, worker.resume(job));
                }
                Step::Settle | Step::Owed(_) => self.start(address, Kind::Errand, worker.settle(address)),
                Step::Missed => self.start(address, Kind::Errand, worker.release(address)),
                Step::Work | Step::Wait(_) | Step::Nothing => {}
            }
        }
        Ok(())
    }

    async fn look_for_work(&mut self) -> Result<(), ChainError> {
        if let Err(reason) = self.worker.chain.may_accept().await? {
            self.registration.began(&reason);
            return Ok(());
        }
        self.registration.over();
        let provider = self.worker.chain.address().to_string();
        let offers = match self.indexer.open_jobs(&provider, OFFERS).await {
            Ok(offers) => offers,
            Err(error) => {
                self.market.began(&error);
                return Ok(());
            }
        };
        self.market.over();
        for offer in offers {
            if self.free() == 0 {
                break;
            }
            let Ok(address) = offer.job.address.parse::<Address>() else { continue };
            if self.table.try_offer(address, Instant::now()) {
                let worker = self.worker.clone();
                self.start(address, Kind::Work, worker.take(address));
            }
        }
        Ok(())
    }

    fn free(&self) -> usize {
        let working = self.running.values().filter(|(_, kind)| *kind == Kind::Work).count();
        self.max_jobs.saturating_sub(working)
    }

    fn start(&mut self, address: Address, kind: Kind, work: impl Future<Output = Ended> + Send + 'static) {
        self.table.start(address, Instant::now());
        let task = self.tasks.spawn(work);
        self.running.insert(task.id(), (address, kind));
    }

    fn ended(&mut self, ended: Result<(Id, Ended), JoinError>) {
        let id = match &ended {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        let Some((address, _)) = self.running.remove(&id) else { return };
        let now = Instant::now();
        match ended {
            Ok((_, Ended::Delivered(job))) => self.table.keep(job, now),
            Ok((_, Ended::Over)) => self.table.forget(&address),
            Ok((_, Ended::Refused(reason))) => {
                info!(job = %address, %reason, "not taken");
                self.table.fail(&address);
            }
            Ok((_, Ended::Dropped(reason))) => {
                warn!(job = %address, %reason, "dropped");
                self.table.fail(&address);
            }
            Ok((_, Ended::Later(reason))) => {
                if self.table.delay(&address, now) {
                    info!(job = %address, %reason, "put off");
                }
            }
            Err(failure) => {
                error!(job = %address, %failure, "the task ended by itself; the job is looked at again later");
                self.table.delay(&address, now);
            }
        }
    }

    /// Waits for the work in hand. What it cannot wait for is found on the chain after the next start.
    async fn drain(mut self) {
        if !self.tasks.is_empty() {
            info!(
                jobs = self.tasks.len(),
                "stopping: finishing the work in hand; stop again to leave it for the next start"
            );
        }
        while let Some(ended) = self.tasks.join_next_with_id().await {
            self.ended(ended);
        }
        info!("stopped");
    }
}
