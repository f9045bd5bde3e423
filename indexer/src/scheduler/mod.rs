//! Which open jobs fit a provider, now, and why.
//!
//! Confirmed open jobs are kept in memory; unconfirmed changes are laid over them at each question, so that a job is
//! offered as soon as it is seen and no longer as soon as somebody else took it.

use crate::{
    store::{JobFilter, PageRequest, Result, Store, View},
    types::Address,
};
use joule_api::{Job, JobStatus, OpenJob, Provider, ProviderStatus};
use joule_units::{split, Amount, Bps};
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
            let jobs = store.jobs(&filter, &page, &[])?;
            scheduler.update(&jobs);
            let Some((last, address)) = jobs.last().and_then(|job| Some((job, job.address.parse().ok()?))) else {
                return Ok(scheduler);
            };
            page.after = Some(crate::store::Cursor { time: last.opened_at, address });
        }
    }

    /// Takes in confirmed changes.
    pub fn update(&self, jobs: &[Job]) {
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        for job in jobs {
            let Ok(address) = job.address.parse() else { continue };
            if job.status == JobStatus::Open && !job.closed {
                open.insert(address, Arc::new(job.clone()));
            } else {
                open.remove(&address);
            }
        }
    }

    /// Open jobs that `provider` could accept at `now` (Unix seconds), best paid first; of equal pay, the one that can
    /// wait least first. Amounts of different tokens are compared as bare numbers: nobody here knows what a token is worth.
    pub fn open_jobs(&self, view: &View, provider: &Provider, now: i64, limit: usize) -> Result<Vec<OpenJob>> {
        if provider.status != ProviderStatus::Active {
            return Ok(Vec::new());
        }
        let running = running(view, provider)?;
        let Some(free) = u64::from(provider.capacity).checked_sub(running).filter(|free| *free > 0) else {
            return Ok(Vec::new());
        };
        let unconfirmed = view.unconfirmed_jobs();
        let hidden: HashSet<Address> = unconfirmed.iter().map(|(address, _)| *address).collect();
        let confirmed: Vec<Arc<Job>> = {
            let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
            open.iter().filter(|(address, _)| !hidden.contains(address)).map(|(_, job)| job.clone()).collect()
        };
        let mut fitting: Vec<(u64, Arc<Job>)> = confirmed
            .into_iter()
            .chain(unconfirmed.into_iter().map(|(_, job)| Arc::new(job)))
            .filter(|job| job.status == JobStatus::Open && !job.closed && job.accept_by >= now)
            .filter_map(|job| Some((pay(&job)?, job)))
            .collect();
        fitting.sort_by(|(a_pay, a), (b_pay, b)| {
            (Reverse(a_pay), a.accept_by, &a.address).cmp(&(Reverse(b_pay), b.accept_by, &b.address))
        });
        fitting.truncate(limit);
        Ok(fitting
            .into_iter()
            .map(|(pay, job)| {
                let seconds_left = job.accept_by - now;
                let reasons = vec![
                    format!(
                        "pays {pay} base units at its full budget of {}, after a fee of {} bps",
                        job.budget, job.fee_bps
                    ),
                    format!("can be accepted for another {seconds_left} s"),
                    format!("leaves {} s for the work", job.work_window),
                    format!("{free} of {} places of the provider are free", provider.capacity),
                ];
                OpenJob { job: Job::clone(&job), pay, seconds_left, reasons }
            })
            .collect())
    }
}

/// What a provider would get for the whole budget; `None` for a fee that cannot be.
fn pay(job: &Job) -> Option<u64> {
    Some(split::part(Amount::ZERO, Amount::new(job.budget), Bps::new(job.fee_bps)?)?.rest.get())
}

/// Jobs the provider has accepted and not delivered, as of the newest update.
fn running(view: &View, provider: &Provider) -> Result<u64> {
    let Ok(address) = provider.address.parse::<Address>() else { return Ok(0) };
    let filter = JobFilter { status: Some(JobStatus::Accepted), provider: Some(address), ..JobFilter::default() };
    // Past its capacity the number no longer matters.
    let page = PageRequest { after: None, limit: provider.capacity as usize + 1 };
    Ok(view.jobs(&filter, &page)?.items.len() as u64)
}
