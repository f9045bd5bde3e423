//! What is looked at in one turn, and what is begun.

use super::{Daemon, Kind};
use crate::{
    chain::{Address, ChainError, JobStatus, Verification},
    plan::Step,
    telemetry,
};
use std::{
    collections::HashSet,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::time::Instant;
use tracing::{info, warn};

/// How often the chain is asked for all jobs of this provider, whatever the daemon remembers.
const RECONCILE: Duration = Duration::from_secs(30);
/// How often the bond's claims are looked through for such as have come to their end.
const RELEASE: Duration = Duration::from_secs(3_600);
/// Offers asked for at once; the most that the indexer gives.
const OFFERS: usize = 500;

impl Daemon {
    pub(super) async fn reconcile(&mut self) -> Result<(), ChainError> {
        if self.reconciled.is_some_and(|at| at.elapsed() < RECONCILE) {
            return Ok(());
        }
        let mine = self.worker.chain.jobs().await?;
        if self.reconciled.is_none() {
            info!(jobs = mine.len(), "read this provider's jobs from the chain");
        }
        for job in self.table.reconcile(mine, Instant::now()) {
            info!(job = %job.address, client = %job.client, id = job.id, "closed: settled by somebody else, approved, or refunded");
            // Where nobody can dispute it, it was paid.
            if job.status == JobStatus::Delivered && job.verification == Verification::Review {
                telemetry::paid(&job.mint, job.pays());
            }
        }
        self.bids.extend(self.worker.chain.bid_for().await?);
        self.reconciled = Some(Instant::now());
        self.measure().await?;
        Ok(())
    }

    /// Writes down what metrics say of jobs and bonds.
    async fn measure(&self) -> Result<(), ChainError> {
        let states = [
            ("working", self.table.promised(false).chain(self.table.promised(true)).count()),
            ("delivered", self.table.delivered()),
            ("bid", self.bids.len()),
        ];
        for (state, jobs) in states {
            metrics::gauge!(telemetry::STANDING, "state" => state).set(jobs as f64);
        }
        for mint in &self.worker.policy.mints {
            let Some(bond) = self.worker.chain.bond(mint).await? else { continue };
            let (locked, unbonding) = (bond.locked.get(), bond.unbonding.get());
            let free = bond.free().unwrap_or_default();
            for (part, units) in [("free", free), ("locked", locked), ("unbonding", unbonding)] {
                metrics::gauge!(telemetry::BOND, "mint" => mint.to_string(), "part" => part).set(units as f64);
            }
        }
        Ok(())
    }

    /// Goes on with the jobs that are this provider's.
    pub(super) async fn go_on(&mut self) -> Result<(), ChainError> {
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
                Step::Work if self.may_work() => {
                    info!(job = %address, client = %job.client, id = job.id, "going on with a job accepted earlier");
                    self.start(address, Kind::Work { by_bid: job.takes_bids() }, worker.resume(job));
                }
                Step::Settle | Step::Owed(_) => self.start(address, Kind::Errand, worker.settle(address)),
                Step::Missed => {
                    let bond = self.worker.chain.show(&job.mint, job.exposure);
                    warn!(job = %address, client = %job.client, id = job.id, bond, "missed its deadline: anyone may have it refunded now, and the bond slashed");
                    telemetry::job("missed");
                    self.table.fail(&address);
                }
                Step::Work | Step::Wait(_) | Step::Judged | Step::Nothing => {}
            }
        }
        Ok(())
    }

    /// Sees to being enrolled for the next epoch's panels, where it is to be, and to what of the bond is free again.
    pub(super) fn keep_seats(&mut self) {
        let is_due = self.seated.is_none_or(|at| at.elapsed() >= RECONCILE);
        let releases = self.released.is_none_or(|at| at.elapsed() >= RELEASE);
        if !releases && (self.court.duty.panel_stake.is_none() || !is_due) {
            return;
        }
        self.seated = Some(Instant::now());
        self.released = if releases { self.seated } else { self.released };
        for mint in self.court.duty.mints.clone() {
            if !self.is_running(mint, Kind::Seat) {
                let court = self.court.clone();
                self.spawn(mint, Kind::Seat, court.keep_seat(mint, releases));
            }
        }
    }

    /// Looks at others' results and at disputes, where that is this node's duty or its own job is in dispute.
    pub(super) async fn sit_in_court(&mut self) -> Result<(), ChainError> {
        if !self.sits_in_court() {
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

    fn sits_in_court(&self) -> bool {
        self.court.duty.is_any() || self.table.has_judged()
    }

    pub(super) async fn look_for_work(&mut self) -> Result<(), ChainError> {
        let (has_place, has_bid_place) = (self.free(false) > 0, self.free(true) > 0);
        if !has_place && !has_bid_place {
            return Ok(());
        }
        if let Err(reason) = self.worker.chain.may_accept(&self.worker.policy.mints).await? {
            self.registration.began(&reason);
            return Ok(());
        }
        self.registration.over();
        let provider = self.worker.chain.address().to_string();
        let offers = match self.indexer.open_jobs(&provider, OFFERS as u32).await {
            Ok(offers) => offers,
            Err(error) => {
                self.market.began(&error);
                return Ok(());
            }
        };
        self.market.over();
        metrics::gauge!(telemetry::INDEXER).set(unix_seconds());
        for offer in offers.into_iter().take(OFFERS) {
            // Looking takes no place, so that no job keeps others out that is slow to fetch or to compile.
            if self.running.values().filter(|(_, kind)| *kind == Kind::Look).count() >= self.max_looks() {
                break;
            }
            let Ok(address) = offer.job.address.parse::<Address>() else { continue };
            let has_place = if offer.job.bid_until.is_some() { has_bid_place } else { has_place };
            if has_place && self.table.try_offer(address, Instant::now()) {
                let worker = self.worker.clone();
                self.start(address, Kind::Look, worker.look(address));
            }
        }
        Ok(())
    }

    /// Lets go of what no promise needs any more.
    pub(super) async fn tidy(&mut self) {
        let is_due = self.tidied.is_none_or(|at| at.elapsed() >= RECONCILE);
        if !is_due || (self.sits_in_court() && !self.docket.has_swept()) {
            return;
        }
        self.tidied = Some(Instant::now());
        let mut bound: HashSet<Address> = self.table.needed().collect();
        bound.extend(&self.bids);
        bound.extend(self.docket.cases());
        bound.extend(self.running.values().map(|(address, _)| address));
        match self.kept.release(bound).await {
            Ok(()) => self.disk.over(),
            Err(error) => self.disk.began(&error),
        }
    }
}

fn unix_seconds() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}
