//! What the daemon remembers of each job, between one look at the chain and the next.
//!
//! It can be lost at any time: `reconcile` fills it from the chain. What must not be lost are ballots, which are on disk.

use crate::{
    chain::{Address, Job, JobStatus, Verification},
    plan::{step, Step},
};
use std::{collections::HashMap, time::Duration};
use tokio::time::Instant;

/// How long to remember an offer that nobody makes any more.
const MEMORY: Duration = Duration::from_secs(3600);
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(120);
/// Offers remembered at once: an indexer may invent as many as it likes.
const MOST_OFFERS: usize = 20_000;

#[derive(Debug)]
struct Row {
    /// As last read from the chain; none for an offer.
    mine: Option<Job>,
    /// A task is on it.
    busy: bool,
    /// It must not be run (again).
    failed: bool,
    /// How often it was put off, and until when.
    delays: u32,
    not_before: Instant,
    seen: Instant,
}

impl Row {
    fn new(now: Instant) -> Self {
        Self { mine: None, busy: false, failed: false, delays: 0, not_before: now, seen: now }
    }

    fn is_free(&self, now: Instant) -> bool {
        !self.busy && now >= self.not_before
    }
}

/// How far a job has come: statuses are numbered in the order in which they were thought of.
fn stage(status: JobStatus) -> u8 {
    match status {
        JobStatus::Open => 0,
        JobStatus::Accepted => 1,
        JobStatus::Delivered => 2,
        JobStatus::Challenged => 3,
        JobStatus::Settled | JobStatus::Refunded => 4,
    }
}

#[derive(Debug, Default)]
pub struct Table {
    rows: HashMap<Address, Row>,
}

impl Table {
    /// Whether an offered job should be tried; if so it is busy from now on.
    pub fn try_offer(&mut self, address: Address, now: Instant) -> bool {
        let row = self.rows.entry(address).or_insert_with(|| Row::new(now));
        row.seen = now;
        let wanted = row.mine.is_none() && !row.failed && row.is_free(now);
        row.busy |= wanted;
        wanted
    }

    /// Takes over what the chain says are this provider's jobs, and returns those that are no longer among them.
    pub fn reconcile(&mut self, mine: Vec<Job>, now: Instant) -> Vec<Job> {
        let mut gone = Vec::new();
        self.rows.retain(|address, row| {
            let listed = mine.iter().any(|job| job.address == *address);
            if row.busy || listed {
                return true;
            }
            match row.mine.take() {
                Some(job) => {
                    gone.push(job);
                    false
                }
                None => now.duration_since(row.seen) < MEMORY,
            }
        });
        self.forget_oldest_offers();
        for job in mine {
            let row = self.rows.entry(job.address).or_insert_with(|| Row::new(now));
            // A list that lags behind must not turn a delivered job into an accepted one.
            if !row.busy && row.mine.as_ref().is_none_or(|known| stage(known.status) <= stage(job.status)) {
                row.mine = Some(job);
            }
        }
        gone
    }

    fn forget_oldest_offers(&mut self) {
        let idle = |row: &Row| row.mine.is_none() && !row.busy;
        let mut seen: Vec<_> = self.rows.values().filter(|row| idle(row)).map(|row| row.seen).collect();
        let Some(too_many) = seen.len().checked_sub(MOST_OFFERS).filter(|too_many| *too_many > 0) else { return };
        seen.sort_unstable();
        let newest_to_go = seen[too_many - 1];
        self.rows.retain(|_, row| !idle(row) || row.seen > newest_to_go);
    }

    /// Jobs that this provider has accepted and can still deliver, as far as it knows; whether by bid or not.
    pub fn promised(&self, by_bid: bool) -> impl Iterator<Item = Address> + '_ {
        let rows = self.rows.values().filter(|row| !row.failed).filter_map(|row| row.mine.as_ref());
        let promised = rows.filter(move |job| job.status == JobStatus::Accepted && job.takes_bids() == by_bid);
        promised.map(|job| job.address)
    }

    /// How many are delivered and not paid yet.
    pub fn delivered(&self) -> usize {
        let mine = self.rows.values().filter_map(|row| row.mine.as_ref());
        mine.filter(|job| job.status == JobStatus::Delivered).count()
    }

    /// Jobs whose artifacts this provider may need again: those it works on, and those whose result may be judged.
    pub fn needed(&self) -> impl Iterator<Item = Address> + '_ {
        let is_needed = |job: &Job| job.status == JobStatus::Accepted || job.verification != Verification::Review;
        let rows = self.rows.iter().filter(move |(_, row)| row.busy || row.mine.as_ref().is_some_and(is_needed));
        rows.map(|(address, _)| *address)
    }

    /// Whether a job of this provider is in the hands of jurors.
    pub fn has_judged(&self) -> bool {
        self.rows.values().any(|row| row.mine.as_ref().is_some_and(|job| job.status == JobStatus::Challenged))
    }

    /// Whether any job of this provider waits for something.
    pub fn has_mine(&self) -> bool {
        self.rows.values().any(|row| row.mine.is_some() && !row.busy)
    }

    /// What can be done now, the most urgent first; `time` is the chain's, in Unix seconds. Jobs that need nothing any
    /// more are forgotten.
    pub fn due(&mut self, me: &Address, time: i64, now: Instant) -> Vec<(Job, Step)> {
        let mut due = Vec::new();
        self.rows.retain(|_, row| {
            let Some(job) = row.mine.as_ref().filter(|_| row.is_free(now)) else { return true };
            match step(job, me, time) {
                Step::Nothing => return false,
                Step::Wait(_) | Step::Judged => {}
                Step::Work | Step::Missed if row.failed => {}
                step => due.push((job.clone(), step)),
            }
            true
        });
        due.sort_by_key(|(job, _)| (job.deliver_by, job.address));
        due
    }

    pub fn start(&mut self, address: Address, now: Instant) {
        self.rows.entry(address).or_insert_with(|| Row::new(now)).busy = true;
    }

    /// A task ended with this state of the job.
    pub fn keep(&mut self, job: Job, now: Instant) {
        let row = self.rows.entry(job.address).or_insert_with(|| Row::new(now));
        (row.busy, row.delays, row.not_before, row.mine) = (false, 0, now, Some(job));
    }

    pub fn forget(&mut self, address: &Address) {
        self.rows.remove(address);
    }

    /// It must never be run (again). What the chain still asks of this provider goes on.
    pub fn fail(&mut self, address: &Address) {
        if let Some(row) = self.rows.get_mut(address) {
            (row.busy, row.failed) = (false, true);
        }
    }

    /// Puts it off, each time longer; whether this is the first time.
    pub fn delay(&mut self, address: &Address, now: Instant) -> bool {
        self.delay_at_most(address, LONGEST_PAUSE, now)
    }

    /// The same, for what has a deadline that this table does not know.
    pub fn delay_at_most(&mut self, address: &Address, longest: Duration, now: Instant) -> bool {
        let Some(row) = self.rows.get_mut(address) else { return false };
        let pause = SHORTEST_PAUSE.saturating_mul(1 << row.delays.min(16)).min(longest);
        row.busy = false;
        row.delays += 1;
        row.not_before = now + pause;
        row.delays == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::job;

    const ME: fn() -> Address = crate::plan::tests::me;

    fn table(status: JobStatus) -> (Table, Job, Instant) {
        let (mut table, now) = (Table::default(), Instant::now());
        let job = job(status);
        assert!(table.reconcile(vec![job.clone()], now).is_empty());
        (table, job, now)
    }

    #[test]
    fn an_offer_is_tried_once_at_a_time() {
        let (mut table, now) = (Table::default(), Instant::now());
        let address = job(JobStatus::Open).address;
        assert!(table.try_offer(address, now));
        assert!(!table.try_offer(address, now), "it is being tried");
        assert!(table.delay(&address, now));
        assert!(!table.try_offer(address, now), "it was put off");
        let later = now + SHORTEST_PAUSE;
        assert!(table.try_offer(address, later));
        assert!(!table.delay(&address, later), "not the first time");
        assert!(!table.try_offer(address, later + SHORTEST_PAUSE), "put off for longer");
        assert!(table.try_offer(address, later + 2 * SHORTEST_PAUSE));
        table.fail(&address);
        assert!(!table.try_offer(address, later + LONGEST_PAUSE), "it failed for good");
    }

    #[test]
    fn an_accepted_job_of_another_life_is_due_after_a_start() {
        let (mut table, job, now) = table(JobStatus::Accepted);
        assert_eq!(table.due(&ME(), 0, now), [(job.clone(), Step::Work)]);
        assert!(!table.try_offer(job.address, now), "an indexer that lags still offers it");
        table.start(job.address, now);
        assert!(table.due(&ME(), 0, now).is_empty(), "it is being worked on");
    }

    #[test]
    fn a_delivered_job_is_due_when_its_window_has_passed() {
        let (mut table, job, now) = table(JobStatus::Delivered);
        assert!(table.due(&ME(), job.settle_after - 1, now).is_empty());
        assert_eq!(table.due(&ME(), job.settle_after, now), [(job, Step::Settle)]);
    }

    #[test]
    fn a_failed_job_is_not_run_again_nor_looked_at_after_its_deadline() {
        let (mut table, job, now) = table(JobStatus::Accepted);
        table.start(job.address, now);
        table.fail(&job.address);
        assert!(table.due(&ME(), job.deliver_by, now).is_empty());
        assert!(table.reconcile(vec![job.clone()], now).is_empty());
        assert!(table.due(&ME(), job.deliver_by, now).is_empty());
        assert!(table.due(&ME(), job.deliver_by + 1, now).is_empty(), "it is known that it was missed");
    }

    #[test]
    fn a_job_that_was_missed_is_said_to_be_once() {
        let (mut table, job, now) = table(JobStatus::Accepted);
        assert_eq!(table.due(&ME(), job.deliver_by + 1, now), [(job.clone(), Step::Missed)]);
        table.fail(&job.address);
        assert!(table.due(&ME(), job.deliver_by + 2, now).is_empty());
    }

    #[test]
    fn a_challenged_job_waits_for_its_jurors_and_for_nothing_else() {
        let (mut table, job, now) = table(JobStatus::Challenged);
        assert!(table.due(&ME(), job.settle_after + 1, now).is_empty());
        assert!(table.has_judged() && table.has_mine());
    }

    #[test]
    fn a_list_that_lags_behind_does_not_undo_a_delivery() {
        let (mut table, accepted, now) = table(JobStatus::Accepted);
        table.keep(job(JobStatus::Delivered), now);
        table.reconcile(vec![accepted.clone()], now);
        assert_eq!(table.due(&ME(), accepted.settle_after, now), [(job(JobStatus::Delivered), Step::Settle)]);
    }

    #[test]
    fn what_left_the_chain_is_reported_and_forgotten_unless_a_task_is_on_it() {
        let (mut table, job, now) = table(JobStatus::Delivered);
        table.start(job.address, now);
        assert!(table.reconcile(Vec::new(), now).is_empty());
        table.keep(job.clone(), now);
        assert_eq!(table.reconcile(Vec::new(), now), [job]);
        assert!(!table.has_mine());
    }

    #[test]
    fn old_offers_are_forgotten() {
        let (mut table, now) = (Table::default(), Instant::now());
        let address = job(JobStatus::Open).address;
        assert!(table.try_offer(address, now));
        table.fail(&address);
        table.reconcile(Vec::new(), now + MEMORY / 2);
        assert_eq!(table.rows.len(), 1);
        table.reconcile(Vec::new(), now + MEMORY);
        assert!(table.rows.is_empty());
    }

    #[test]
    fn an_indexer_that_invents_offers_fills_no_memory() {
        let (mut table, now) = (Table::default(), Instant::now());
        let offer = |number: usize| {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&number.to_le_bytes());
            Address::new_from_array(bytes)
        };
        for number in 0..MOST_OFFERS + 500 {
            assert!(table.try_offer(offer(number), now + Duration::from_millis(number as u64)));
            table.fail(&offer(number));
        }
        table.reconcile(Vec::new(), now);
        assert_eq!(table.rows.len(), MOST_OFFERS);
        assert!(table.try_offer(offer(0), now), "the oldest are forgotten");
        assert!(!table.try_offer(offer(MOST_OFFERS), now), "the newest are not");
    }

    #[test]
    fn what_was_promised_takes_a_place_until_it_is_delivered_or_given_up() {
        let (mut table, direct, now) = table(JobStatus::Accepted);
        let won = Job { address: Address::new_from_array([8; 32]), bid_until: 5, ..job(JobStatus::Accepted) };
        table.keep(won.clone(), now);
        let promised = |table: &Table, by_bid| table.promised(by_bid).collect::<Vec<_>>();
        assert_eq!((promised(&table, false), promised(&table, true)), (vec![direct.address], vec![won.address]));
        table.fail(&won.address);
        table.keep(job(JobStatus::Delivered), now);
        assert_eq!((promised(&table, false), promised(&table, true)), (vec![], vec![]));
        assert_eq!(table.needed().collect::<Vec<_>>(), [won.address], "nobody judges what a client reviews");
    }
}
