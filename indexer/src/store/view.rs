//! What readers see: the store, with the overlay laid over it.
//!
//! Jobs, providers, accounts and histories are shown as of the newest update, and say by their `commitment` how sure
//! that is. Totals, and the counters of providers, are of confirmed state only: sums over something that may be undone
//! would be sums of nothing. An item of a list that changes while pages are read keeps its place, since places depend on
//! what never changes.

use super::{overlay::Overlay, AccountRow, Cursor, EventRow, JobFilter, PageRequest, ProviderFilter, Result, Store};
use crate::types::Address;
use joule_api::{Commitment, Event, Job, Page, Provider, Totals};
use std::{cmp::Reverse, sync::Arc};

/// Cheap to clone.
#[derive(Clone)]
pub struct View {
    store: Arc<dyn Store>,
    overlay: Arc<Overlay>,
}

impl View {
    pub fn new(store: Arc<dyn Store>, overlay: Arc<Overlay>) -> Self {
        Self { store, overlay }
    }

    pub fn job(&self, address: &Address) -> Result<Option<Job>> {
        let unconfirmed = self.overlay.views().jobs.get(address).cloned();
        match unconfirmed {
            Some(job) => Ok(Some(job)),
            None => self.store.job(address),
        }
    }

    pub fn jobs(&self, filter: &JobFilter, page: &PageRequest) -> Result<Page<Job>> {
        let (hidden, mut items): (Vec<Address>, Vec<Job>) = {
            let views = self.overlay.views();
            let shown = views.jobs.values().filter(|job| filter.matches(job)).cloned().collect();
            (views.jobs.keys().copied().collect(), shown)
        };
        if let Some(after) = page.after {
            items.retain(|job| job_place(job) > (Reverse(after.time), after.address));
        }
        // One more than asked for, to know whether there is a next page.
        let more = PageRequest { limit: page.limit + 1, ..*page };
        items.extend(self.store.jobs(filter, &more, &hidden)?);
        items.sort_by_cached_key(job_place);
        Ok(cut(items, page.limit, |job| Cursor { time: job.opened_at, address: job_place(job).1 }))
    }

    /// Jobs that unconfirmed banks touch, whatever their status.
    pub fn unconfirmed_jobs(&self) -> Vec<(Address, Job)> {
        self.overlay.views().jobs.iter().map(|(address, job)| (*address, job.clone())).collect()
    }

    pub fn provider(&self, address: &Address) -> Result<Option<Provider>> {
        let unconfirmed = self.overlay.views().providers.get(address).cloned();
        let stored = self.store.provider(address)?;
        Ok(match unconfirmed {
            Some(provider) => Some(with_counters(provider, stored.as_ref())),
            None => stored,
        })
    }

    pub fn providers(&self, filter: &ProviderFilter, page: &PageRequest) -> Result<Page<Provider>> {
        let (hidden, shown): (Vec<Address>, Vec<(Address, Provider)>) = {
            let views = self.overlay.views();
            let matching = views.providers.iter().filter(|(_, provider)| filter.matches(provider));
            let shown = matching.map(|(address, provider)| (*address, provider.clone())).collect();
            (views.providers.keys().copied().collect(), shown)
        };
        let mut items = Vec::with_capacity(shown.len() + page.limit);
        for (address, provider) in shown {
            let place = provider_place(&provider);
            if page.after.is_none_or(|after| place > (after.time, after.address)) {
                items.push(with_counters(provider, self.store.provider(&address)?.as_ref()));
            }
        }
        let more = PageRequest { limit: page.limit + 1, ..*page };
        items.extend(self.store.providers(filter, &more, &hidden)?);
        items.sort_by_cached_key(provider_place);
        Ok(cut(items, page.limit, |provider| Cursor {
            time: provider.registered_at,
            address: provider_place(provider).1,
        }))
    }

    pub fn account(&self, address: &Address) -> Result<Option<AccountRow>> {
        let unconfirmed = self.overlay.views().accounts.get(address).cloned();
        match unconfirmed {
            Some(row) => Ok(Some(row)),
            None => self.store.account(address),
        }
    }

    /// The newest events that concern an account, newest first.
    pub fn history(&self, address: &Address, limit: usize) -> Result<Vec<Event>> {
        let mut unconfirmed: Vec<EventRow> = self.overlay.views().events.get(address).cloned().unwrap_or_default();
        let stored = self.store.events(address, limit)?;
        unconfirmed.retain(|event| !stored.iter().any(|known| known.key == event.key));
        let finalized = self.store.checkpoint()?.map_or(0, |checkpoint| checkpoint.finalized);
        let mut all: Vec<(EventRow, Commitment)> =
            unconfirmed.into_iter().map(|event| (event, Commitment::Processed)).collect();
        all.extend(stored.into_iter().map(|event| {
            let commitment = if event.slot <= finalized { Commitment::Finalized } else { Commitment::Confirmed };
            (event, commitment)
        }));
        all.sort_by_key(|(event, _)| Reverse(event.order()));
        all.truncate(limit);
        Ok(all.into_iter().map(|(event, commitment)| event.to_api(commitment)).collect())
    }

    pub fn totals(&self) -> Result<Totals> {
        self.store.totals()
    }
}

fn with_counters(mut provider: Provider, stored: Option<&Provider>) -> Provider {
    if let Some(stored) = stored {
        provider.jobs_running = stored.jobs_running;
        provider.jobs_settled = stored.jobs_settled;
        provider.jobs_failed = stored.jobs_failed;
        provider.earned = stored.earned;
    }
    provider
}

fn parsed(address: &str) -> Address {
    address.parse().unwrap_or(Address::SYSTEM)
}

fn job_place(job: &Job) -> (Reverse<i64>, Address) {
    (Reverse(job.opened_at), parsed(&job.address))
}

fn provider_place(provider: &Provider) -> (i64, Address) {
    (provider.registered_at, parsed(&provider.address))
}

fn cut<T>(mut items: Vec<T>, limit: usize, cursor: impl Fn(&T) -> Cursor) -> Page<T> {
    let more = items.len() > limit;
    items.truncate(limit);
    let next_cursor = items.last().filter(|_| more).map(|item| cursor(item).encode());
    Page { items, next_cursor }
}
