//! The daemon's loop: what is mine to finish, what is due, what is on offer, and what is in dispute.
//!
//! One task owns the tables of jobs; the work itself runs beside it and reports back. Nothing is kept on disk but votes and what
//! promises need: after a start the chain says which jobs this provider has accepted, delivered or bid for, and the loop goes on
//! from there.

mod task;
mod turn;

use crate::{
    chain::{Address, ChainError, ProviderClient},
    config::Config,
    court::{Court, Docket, Places, LOOKS},
    executor::Executor,
    feed,
    kept::Kept,
    outage::{Outage, Outages},
    table::Table,
    telemetry,
    work::{Ended, Worker},
};
use backon::{BackoffBuilder, ExponentialBuilder};
use joule_sdk::ballot::Ballots;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};
use task::Kind;
use tokio::{
    sync::{Notify, Semaphore},
    task::{Id, JoinSet},
    time::{sleep_until, Instant},
};
use tokio_util::sync::CancellationToken;
use tracing::info;

/// The least time between two looks, however often the bell rings.
const BREATH: Duration = Duration::from_millis(100);
/// The longest time between two looks while the RPC node is down.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

pub struct Daemon {
    worker: Worker,
    court: Court,
    docket: Docket,
    indexer: joule_api::Client,
    kept: Kept,
    provide: bool,
    max_jobs: usize,
    max_bids: usize,
    poll: Duration,
    table: Table,
    /// Jobs with an open bid of this provider, each of which may become work at any time.
    bids: HashSet<Address>,
    /// Others' delivered jobs, by job.
    checks: Table,
    /// Disputes, by job.
    cases: Table,
    /// Jobs in dispute about which this node has nothing to say.
    abstains: HashSet<Address>,
    tasks: JoinSet<Ended>,
    running: HashMap<Id, (Address, Kind)>,
    reconciled: Option<Instant>,
    /// When its seats were looked after.
    seated: Option<Instant>,
    released: Option<Instant>,
    /// When it let go of what no promise needs.
    tidied: Option<Instant>,
    rpc: Outage,
    market: Outage,
    registration: Outage,
    seating: Outage,
    disk: Outage,
}

impl Daemon {
    pub fn new(
        config: &Config,
        chain: ProviderClient,
        executor: Executor,
        kept: Kept,
        stopping: CancellationToken,
        outages: &Outages,
    ) -> Self {
        let executor = executor.keeping(kept.clone());
        let court = Court {
            chain: chain.clone(),
            executor: executor.clone(),
            duty: config.duty.clone(),
            ballots: Ballots::new(&config.votes),
            looks: Arc::new(Semaphore::new(LOOKS)),
            places: Places::new(config.max_jobs),
        };
        let indexer = joule_api::Client::new(config.indexer.clone());
        let (policy, report_every) = (Arc::new(config.policy.clone()), config.report_every);
        Self {
            worker: Worker { chain, executor, policy, report_every, stopping },
            court,
            docket: Docket::new(indexer.clone(), outages),
            indexer,
            kept,
            provide: config.provide,
            max_jobs: config.max_jobs,
            max_bids: config.max_bids,
            poll: config.poll,
            table: Table::default(),
            bids: HashSet::new(),
            checks: Table::default(),
            cases: Table::default(),
            abstains: HashSet::new(),
            tasks: JoinSet::new(),
            running: HashMap::new(),
            reconciled: None,
            seated: None,
            released: None,
            tidied: None,
            rpc: outages.of("rpc", "the RPC node"),
            market: outages.of("indexer", "the indexer"),
            registration: outages.of("provider", "taking new jobs"),
            seating: outages.of("seat", "enrolling for panels"),
            disk: outages.of("disk", "letting go of what no promise needs"),
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
                    metrics::counter!(telemetry::RPC_ERRORS).increment(1);
                    self.rpc.began(&error);
                    next = now + pauses.next().unwrap_or(LONGEST_PAUSE);
                    earliest = next;
                }
            }
        }
        ear.abort();
        self.drain().await;
    }

    /// One look at everything. Errors are the RPC node's; the indexer's are dealt with where it is asked, since without it there
    /// are no offers but everything else goes on.
    async fn turn(&mut self) -> Result<(), ChainError> {
        self.reconcile().await?;
        self.go_on().await?;
        self.keep_seats();
        self.sit_in_court().await?;
        if self.provide {
            self.look_for_work().await?;
        }
        self.tidy().await;
        Ok(())
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
