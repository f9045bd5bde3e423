//! Tasks: what they are about, how many there may be, and what becomes of what they report.

use super::Daemon;
use crate::{chain::Address, table::Table, telemetry, work::Ended};
use std::{collections::HashSet, future::Future, time::Duration};
use tokio::{
    task::{Id, JoinError},
    time::Instant,
};
use tracing::{error, info, warn};

/// The longest that a step in a dispute is put off: votes have their time.
const CASE_PAUSE: Duration = Duration::from_secs(2);
/// The longest that a job is put off for which there is no place just now.
const SHORT_PAUSE: Duration = Duration::from_secs(2);

/// What a task is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Looking at an offer: as many at once as there are places, beside the work.
    Look,
    /// Promising, running, delivering: takes one of the places, of those for bids where the job was or is to be won by one.
    Work { by_bid: bool },
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

impl Daemon {
    /// Places for new promises. A bid that wins is work at once, and late work costs the bond: so bids have places of their own,
    /// and what is bid for keeps nothing else from being taken.
    pub(super) fn free(&self, by_bid: bool) -> usize {
        let mut taken: HashSet<Address> = self.table.promised(by_bid).collect();
        taken.extend(self.running.values().filter(|(_, kind)| *kind == Kind::Work { by_bid }).map(|(job, _)| job));
        match by_bid {
            true => self.max_bids.saturating_sub(taken.union(&self.bids).count()),
            false => self.max_jobs.saturating_sub(taken.len()),
        }
    }

    /// Whether one more of the jobs that are promised can be worked on.
    pub(super) fn may_work(&self) -> bool {
        let working = self.running.values().filter(|(_, kind)| matches!(kind, Kind::Work { .. })).count();
        working < self.max_jobs + self.max_bids
    }

    pub(super) fn max_looks(&self) -> usize {
        self.max_jobs + self.max_bids
    }

    pub(super) fn is_running(&self, address: Address, kind: Kind) -> bool {
        self.running.values().any(|running| *running == (address, kind))
    }

    /// Where a task of this kind is noted.
    fn table_of(&mut self, kind: Kind) -> &mut Table {
        match kind {
            Kind::Look | Kind::Work { .. } | Kind::Errand | Kind::Bid => &mut self.table,
            Kind::Check => &mut self.checks,
            // Seats are in no table: they are looked after all the time.
            Kind::Case | Kind::Seat => &mut self.cases,
        }
    }

    pub(super) fn start(&mut self, address: Address, kind: Kind, work: impl Future<Output = Ended> + Send + 'static) {
        self.table_of(kind).start(address, Instant::now());
        self.spawn(address, kind, work);
    }

    pub(super) fn spawn(&mut self, about: Address, kind: Kind, work: impl Future<Output = Ended> + Send + 'static) {
        let task = self.tasks.spawn(work);
        self.running.insert(task.id(), (about, kind));
    }

    pub(super) fn ended(&mut self, ended: Result<(Id, Ended), JoinError>) {
        let id = match &ended {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        let Some((address, kind)) = self.running.remove(&id) else { return };
        match ended {
            Ok((_, ended)) if kind == Kind::Seat => self.seat_looked_after(ended),
            Err(failure) if kind == Kind::Seat => self.seating.began(&failure),
            Ok((_, ended)) => self.reported(address, kind, ended),
            Err(failure) => {
                error!(job = %address, %failure, "the task ended by itself; the job is looked at again later");
                self.table_of(kind).delay(&address, Instant::now());
            }
        }
    }

    fn seat_looked_after(&mut self, ended: Ended) {
        match ended {
            Ended::Refused(reason) | Ended::Dropped(reason) | Ended::Later(reason) => self.seating.began(&reason),
            _ => self.seating.over(),
        }
    }

    fn reported(&mut self, address: Address, kind: Kind, ended: Ended) {
        let now = Instant::now();
        if kind == Kind::Bid && !matches!(ended, Ended::Later(_)) {
            self.bids.remove(&address);
        }
        match ended {
            Ended::Fit(fit) => {
                let by_bid = fit.job.takes_bids();
                if self.free(by_bid) > 0 && !self.worker.stopping.is_cancelled() {
                    let worker = self.worker.clone();
                    self.start(address, Kind::Work { by_bid }, worker.promise(*fit));
                } else {
                    self.table.delay_at_most(&address, SHORT_PAUSE, now);
                }
            }
            Ended::Delivered(job) | Ended::Won(job) => self.table_of(kind).keep(job, now),
            // Busy from now on, until the bid is won or lost.
            Ended::Bid => {
                self.bids.insert(address);
            }
            Ended::Over => self.table_of(kind).forget(&address),
            Ended::Checked => self.table_of(kind).fail(&address),
            Ended::Refused(reason) | Ended::Dropped(reason) if kind == Kind::Case => {
                warn!(job = %address, %reason, "does not appeal, nor vote in a quorum; from a seat it says in time that it cannot run the job");
                self.cases.forget(&address);
                self.abstains.insert(address);
            }
            Ended::Refused(reason) => {
                info!(job = %address, %reason, "not taken");
                telemetry::job("refused");
                self.table_of(kind).fail(&address);
            }
            Ended::Dropped(reason) => {
                warn!(job = %address, %reason, "dropped");
                telemetry::job("dropped");
                self.table_of(kind).fail(&address);
            }
            Ended::Later(_) if kind == Kind::Bid => {}
            Ended::Later(reason) => {
                let table = self.table_of(kind);
                let is_first = match kind {
                    Kind::Case | Kind::Check => table.delay_at_most(&address, CASE_PAUSE, now),
                    _ => table.delay(&address, now),
                };
                if is_first {
                    info!(job = %address, %reason, "put off");
                }
            }
        }
    }
}
