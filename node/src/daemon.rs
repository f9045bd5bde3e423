//! The daemon's loop: what is mine to finish, what is due, what is on offer, and what is in dispute.
//!
//! One task owns the tables of jobs; the work itself runs beside it and reports back. Nothing but votes is kept on disk: after
//! a start the chain says which jobs this provider has accepted, delivered or bid for, and the loop goes on from there.

use crate::{
    chain::{Address, ChainError, ProviderClient},
    config::Config,
    court::{Court, Docket},
    executor::Executor,
    feed,
    outage::Outage,
    plan::Step,
    table::Table,
    work::{Ended, Worker},
};
use backon::{BackoffBuilder, ExponentialBuilder};
use joule_sdk::ballot::Ballots;
use std::{
    collections::{HashMap, HashSet},
    future::Future,
    sync::Arc,
    time::Duration,
};
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
    /// Settling: one transaction.
    Errand,
    /// Looking after a bid.
    Bid,
    /// Running somebody else's job again: as many at once as `max_jobs`, beside the work.
    Check,
    /// A step in a dispute.
    Case,
    /// Being enrolled for panels, by token.
    Seat,
}

/// How often the bond's claims are looked through for such as have come to their end.
const RELEASE: Duration = Duration::from_secs(3_600);
/// The longest that a step in a dispute is put off: votes have their time.
const CASE_PAUSE: Duration = Duration::from_secs(2);

pub struct Daemon {
    worker: Worker,
    court: Court,
    docket: Docket,
    indexer: joule_api::Client,
    provide: bool,
    max_jobs: usize,
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
    rpc: Outage,
    market: Outage,
    registration: Outage,
    seating: Outage,
}

impl Daemon {
    pub fn new(config: &Config, chain: ProviderClient, executor: Executor, stopping: CancellationToken) -> Self {
        let court = Court {
            chain: chain.clone(),
            executor: executor.clone(),
            duty: config.duty.clone(),
            ballots: Ballots::new(&config.votes),
        };
        let indexer = joule_api::Client::new(config.indexer_url.clone());
        let (policy, report_every) = (Arc::new(config.policy.clone()), config.report_every);
        Self {
            worker: Worker { chain, executor, policy, report_every, stopping },
            court,
            docket: Docket::new(indexer.clone()),
            indexer,
            provide: config.provide,
            max_jobs: config.max_jobs,
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
            rpc: Outage::new("the RPC node"),
            market: Outage::new("the indexer"),
            registration: Outage::new("taking new jobs"),
            seating: Outage::new("enrolling for panels"),
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
        self.keep_seats();
        self.sit_in_court().await?;
        if self.provide && self.free() > 0 {
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
        self.bids.extend(self.worker.chain.bid_for().await?);
        self.reconciled = Some(Instant::now());
        Ok(())
    }

    /// Goes on with the jobs that are this provider's.
    async fn go_on(&mut self) -> Result<(), ChainError> {
        for address in self.bids.clone() {
            if !self.is_running(address, Kind::Bid) {
                let worker = self.worker.clone();
                self.start(address, Kind::Bid, worker.follow_bid(address));
            }
        }
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
                Step::Missed => {
                    warn!(job = %address, client = %job.client, id = job.id, bond = job.exposure, "missed its deadline: anyone may have it refunded now, and the bond slashed");
                    self.table.fail(&address);
                }
                Step::Work | Step::Wait(_) | Step::Judged | Step::Nothing => {}
            }
        }
        Ok(())
    }

    /// Sees to being enrolled for the next epoch's panels, where it is to be, and to what of the bond is free again.
    fn keep_seats(&mut self) {
        let is_due = self.seated.is_none_or(|at| at.elapsed() >= RECONCILE);
        let releases = self.released.is_none_or(|at| at.elapsed() >= RELEASE);
        if !releases && (self.court.duty.panel_stake.is_none() || !is_due) {
            return;
        }
        self.seated = Some(Instant::now());
        self.released = if releases { self.seated } else { self.released };
        for mint in self.court.duty.mints.clone() {
            if !self.is_running(mint, Kind::Seat) {
                let task = self.tasks.spawn(self.court.clone().keep_seat(mint, releases));
                self.running.insert(task.id(), (mint, Kind::Seat));
            }
        }
    }

    /// Looks at others' results and at disputes, where that is this node's duty or its own job is in dispute.
    async fn sit_in_court(&mut self) -> Result<(), ChainError> {
        if !self.court.duty.is_any() && !self.table.has_judged() {
            return Ok(());
        }
        let (checks, cases) = self.docket.look(&self.court).await?;
        let now = Instant::now();
        for address in checks {
            let checking = self.running.values().filter(|(_, kind)| *kind == Kind::Check).count();
            if checking < self.max_jobs && self.checks.try_offer(address, now) {
                let court = self.court.clone();
                self.start(address, Kind::Check, court.check(address));
            }
        }
        self.abstains.retain(|address| cases.contains(address));
        for address in cases {
            if self.cases.try_offer(address, now) {
                let (court, abstains) = (self.court.clone(), self.abstains.contains(&address));
                self.start(address, Kind::Case, court.attend(address, abstains));
            }
        }
        // What was looked at long ago is forgotten.
        self.checks.reconcile(Vec::new(), now);
        self.cases.reconcile(Vec::new(), now);
        Ok(())
    }

    async fn look_for_work(&mut self) -> Result<(), ChainError> {
        if let Err(reason) = self.worker.chain.may_accept(&self.worker.policy.mints).await? {
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
        // A bid that wins is work at once, and late work costs the bond.
        self.max_jobs.saturating_sub(working + self.bids.len())
    }

    fn is_running(&self, address: Address, kind: Kind) -> bool {
        self.running.values().any(|running| *running == (address, kind))
    }

    /// Where a task of this kind is noted.
    fn table_of(&mut self, kind: Kind) -> &mut Table {
        match kind {
            Kind::Work | Kind::Errand | Kind::Bid => &mut self.table,
            Kind::Check => &mut self.checks,
            // Seats are in no table: they are looked after all the time.
            Kind::Case | Kind::Seat => &mut self.cases,
        }
    }

    fn start(&mut self, address: Address, kind: Kind, work: impl Future<Output = Ended> + Send + 'static) {
        self.table_of(kind).start(address, Instant::now());
        let task = self.tasks.spawn(work);
        self.running.insert(task.id(), (address, kind));
    }

    fn ended(&mut self, ended: Result<(Id, Ended), JoinError>) {
        let id = match &ended {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        let Some((address, kind)) = self.running.remove(&id) else { return };
        let now = Instant::now();
        if kind == Kind::Seat {
            return match ended {
                Ok((_, Ended::Refused(reason) | Ended::Dropped(reason) | Ended::Later(reason))) => {
                    self.seating.began(&reason)
                }
                Ok(_) => self.seating.over(),
                Err(failure) => self.seating.began(&failure),
            };
        }
        if kind == Kind::Bid && !matches!(ended, Ok((_, Ended::Later(_))) | Err(_)) {
            self.bids.remove(&address);
        }
        let table = self.table_of(kind);
        match ended {
            Ok((_, Ended::Delivered(job) | Ended::Won(job))) => table.keep(job, now),
            // Busy from now on, until the bid is won or lost.
            Ok((_, Ended::Bid)) => drop(self.bids.insert(address)),
            Ok((_, Ended::Over)) => table.forget(&address),
            Ok((_, Ended::Checked)) => table.fail(&address),
            Ok((_, Ended::Refused(reason) | Ended::Dropped(reason))) if kind == Kind::Case => {
                warn!(job = %address, %reason, "does not appeal, nor vote in a quorum; from a seat it says in time that it cannot run the job");
                table.forget(&address);
                self.abstains.insert(address);
            }
            Ok((_, Ended::Refused(reason))) => {
                info!(job = %address, %reason, "not taken");
                table.fail(&address);
            }
            Ok((_, Ended::Dropped(reason))) => {
                warn!(job = %address, %reason, "dropped");
                table.fail(&address);
            }
            Ok((_, Ended::Later(_))) if kind == Kind::Bid => {}
            Ok((_, Ended::Later(reason))) => {
                let is_first = match kind {
                    Kind::Case | Kind::Check => table.delay_at_most(&address, CASE_PAUSE, now),
                    _ => table.delay(&address, now),
                };
                if is_first {
                    info!(job = %address, %reason, "put off");
                }
            }
            Err(failure) => {
                error!(job = %address, %failure, "the task ended by itself; the job is looked at again later");
                table.delay(&address, now);
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
