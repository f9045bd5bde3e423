//! Which open jobs fit a provider, now, and why; and why the others do not.
//!
//! Confirmed open jobs are kept in memory; unconfirmed changes are laid over them at each question, so that a job is
//! offered as soon as it is seen and no longer as soon as somebody else took it.

mod candidate;
#[cfg(test)]
mod tests;

use crate::{
    query::{JobFilter, PageRequest, View},
    store::{Result, Store},
    types::Address,
};
use candidate::Candidate;
use joule_api::{Job, JobStatus, OpenJob, Provider, RefusedJob};
use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
    sync::{Arc, PoisonError, RwLock},
};

/// Jobs read at a time when the index is built.
const PAGE: usize = 1_000;

/// The confirmed open jobs.
#[derive(Debug, Default)]
pub struct Scheduler {
    open: RwLock<HashMap<Address, Arc<Job>>>,
}

impl Scheduler {
    /// Reads what is open now.
    pub fn load(store: &dyn Store) -> Result<Self> {
        let scheduler = Self::default();
        let filter = JobFilter { status: Some(JobStatus::Open), ..JobFilter::default() };
        let mut page = PageRequest { after: None, limit: PAGE };
        loop {
            let jobs = store.list(&filter, &page, &[])?;
            scheduler.update(&jobs);
            let Some((last, address)) = jobs.last().and_then(|job| Some((job, job.address.parse().ok()?))) else {
                return Ok(scheduler);
            };
            page.after = Some(crate::query::Cursor { time: last.opened_at, address });
        }
    }

    /// Takes in confirmed changes.
    pub fn update(&self, jobs: &[Job]) {
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        for job in jobs {
            let Ok(address) = job.address.parse() else { continue };
            if is_open(job) {
                open.insert(address, Arc::new(job.clone()));
            } else {
                open.remove(&address);
            }
        }
    }

    /// Open jobs that `provider` could take at `now` (Unix seconds), best paid first; of equal pay, the one that can
    /// wait least first. Amounts of different tokens are compared as bare numbers: nobody here knows what a token is worth.
    pub fn open_jobs(&self, view: &View, provider: &Provider, now: i64, limit: usize) -> Result<Vec<OpenJob>> {
        let mut candidate = Candidate::new(view, provider, now)?;
        if candidate.is_out() {
            return Ok(Vec::new());
        }
        let mut offers = Vec::new();
        for job in self.all(view)? {
            if let Ok(offer) = candidate.judge(&job)? {
                offers.push(offer);
            }
        }
        offers.sort_by(|a: &OpenJob, b: &OpenJob| {
            let place = |offer: &OpenJob| (Reverse(offer.pay), offer.seconds_left);
            place(a).cmp(&place(b)).then_with(|| a.job.address.cmp(&b.job.address))
        });
        offers.truncate(limit);
        Ok(offers)
    }

    /// Open jobs that `provider` cannot take at `now`, each with every reason, the newest first.
    pub fn refused_jobs(&self, view: &View, provider: &Provider, now: i64, limit: usize) -> Result<Vec<RefusedJob>> {
        let mut candidate = Candidate::new(view, provider, now)?;
        let mut jobs = self.all(view)?;
        jobs.sort_by(|a, b| (Reverse(a.opened_at), &a.address).cmp(&(Reverse(b.opened_at), &b.address)));
        let mut refused = Vec::new();
        for job in jobs {
            if refused.len() == limit {
                break;
            }
            if let Err(reasons) = candidate.judge(&job)? {
                refused.push(RefusedJob { job: job.address.clone(), reasons });
            }
        }
        Ok(refused)
    }

    /// What is open as of the newest update.
    fn all(&self, view: &View) -> Result<Vec<Arc<Job>>> {
        let unconfirmed = view.unconfirmed_jobs()?;
        let hidden: HashSet<Address> = unconfirmed.iter().map(|(address, _)| *address).collect();
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let confirmed = open.iter().filter(|(address, _)| !hidden.contains(address)).map(|(_, job)| job.clone());
        let unconfirmed = unconfirmed.into_iter().map(|(_, job)| Arc::new(job)).filter(|job| is_open(job));
        Ok(confirmed.chain(unconfirmed).collect())
    }
}

fn is_open(job: &Job) -> bool {
    job.status == JobStatus::Open && !job.closed
}
