//! What readers see: the store, with the overlay laid over it.
//!
//! Jobs, disputes, providers, bonds, models, payers, channels, plans, accounts and histories are shown as of the newest update,
//! and say by their `commitment` how sure that is. Totals, the counters of providers, distributions and revenue are of
//! confirmed state only: sums over something that may be undone
//! would be sums of nothing. An item of a list that changes while pages are read keeps its place, since places depend on
//! what never changes.

use super::{
    bid, bond, distribution, model, overlay::Overlay, payer, AccountRow, ChannelFilter, Cursor, DisputeFilter,
    DistributionFilter, EventRow, JobFilter, ModelFilter, PageRequest, PlanFilter, ProviderFilter, Result,
    RevenueFilter, Store,
};
use crate::types::Address;
use joule_api::{
    Bid, Bond, Channel, Claim, Commitment, Dispute, Distribution, Event, Job, Model, Page, Payer, Plan, PriceList,
    Provider, Revenue, Totals,
};
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
        let found = match unconfirmed {
            Some(provider) => Some(with_counters(provider, stored.as_ref())),
            None => stored,
        };
        found.map(|provider| self.with_bonds(provider)).transpose()
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
        let mut page = cut(items, page.limit, |provider| Cursor {
            time: provider.registered_at,
            address: provider_place(provider).1,
        });
        page.items = page.items.into_iter().map(|provider| self.with_bonds(provider)).collect::<Result<_>>()?;
        Ok(page)
    }

    fn with_bonds(&self, mut provider: Provider) -> Result<Provider> {
        provider.bonds = self.bonds(&parsed(&provider.authority))?;
        Ok(provider)
    }

    /// Everything that `owner` answers with, by the bond's address.
    pub fn bonds(&self, owner: &Address) -> Result<Vec<Bond>> {
        let members = self.members(bond::BOND, owner)?;
        Ok(members.iter().filter_map(|(row, commitment)| bond::from_account(row, *commitment)).collect())
    }

    /// Who holds what of a bond, by the claim's address.
    pub fn claims(&self, bond: &Address) -> Result<Vec<Claim>> {
        Ok(self.members(bond::CLAIM, bond)?.iter().filter_map(|(row, _)| bond::claim(row)).collect())
    }

    /// The bids on a job that have neither won nor been withdrawn, the cheapest first, of equal ones the first.
    pub fn bids(&self, job: &Job) -> Result<Vec<Bid>> {
        let members = self.members(bid::BID, &parsed(&job.address))?;
        let mut bids: Vec<Bid> = members.iter().filter_map(|(row, _)| bid::from_account(row)).collect();
        bids.sort_by(|a, b| (a.price, a.placed_at, &a.address).cmp(&(b.price, b.placed_at, &b.address)));
        Ok(bids)
    }

    /// The accounts of a kind that live and are listed under `parent`, by address.
    fn members(&self, kind: &str, parent: &Address) -> Result<Vec<(AccountRow, Commitment)>> {
        let (changed, mut rows): (Vec<Address>, Vec<(AccountRow, Commitment)>) = {
            let views = self.overlay.views();
            let here = views.accounts.values().filter(|row| row.belongs_to(kind, parent));
            (views.accounts.keys().copied().collect(), here.map(|row| (row.clone(), Commitment::Processed)).collect())
        };
        let finalized = self.store.checkpoint()?.map_or(0, |checkpoint| checkpoint.finalized);
        let stored = self.store.members(kind, parent)?.into_iter().filter(|row| !changed.contains(&row.address));
        rows.extend(stored.map(|row| {
            let commitment = stored_commitment(&row, finalized);
            (row, commitment)
        }));
        rows.sort_by_key(|(row, _)| row.address);
        Ok(rows)
    }

    /// By the address of the `Dispute` account.
    pub fn dispute(&self, address: &Address) -> Result<Option<Dispute>> {
        let unconfirmed = self.overlay.views().disputes.get(address).cloned();
        match unconfirmed {
            Some(dispute) => Ok(Some(dispute)),
            None => self.store.dispute(address),
        }
    }

    pub fn disputes(&self, filter: &DisputeFilter, page: &PageRequest) -> Result<Page<Dispute>> {
        let (hidden, mut items): (Vec<Address>, Vec<Dispute>) = {
            let views = self.overlay.views();
            let shown = views.disputes.values().filter(|dispute| filter.matches(dispute)).cloned().collect();
            (views.disputes.keys().copied().collect(), shown)
        };
        if let Some(after) = page.after {
            items.retain(|dispute| dispute_place(dispute) > (Reverse(after.time), after.address));
        }
        let more = PageRequest { limit: page.limit + 1, ..*page };
        items.extend(self.store.disputes(filter, &more, &hidden)?);
        items.sort_by_cached_key(dispute_place);
        Ok(cut(items, page.limit, |dispute| Cursor { time: dispute.opened_at, address: dispute_place(dispute).1 }))
    }

    pub fn model(&self, address: &Address) -> Result<Option<Model>> {
        let unconfirmed = self.overlay.views().accounts.get(address).cloned();
        match unconfirmed.and_then(|row| model::from_account(&row, Commitment::Processed)) {
            Some(model) => Ok(Some(model)),
            None => self.store.model(address),
        }
    }

    pub fn models(&self, filter: &ModelFilter, page: &PageRequest) -> Result<Page<Model>> {
        let unconfirmed: Vec<(Address, Model)> = {
            let views = self.overlay.views();
            let rows = views.accounts.values().filter(|row| row.kind == model::MODEL);
            rows.filter_map(|row| Some((row.address, model::from_account(row, Commitment::Processed)?))).collect()
        };
        let hidden: Vec<Address> = unconfirmed.iter().map(|(address, _)| *address).collect();
        let mut items: Vec<Model> =
            unconfirmed.into_iter().map(|(_, model)| model).filter(|model| filter.matches(model)).collect();
        if let Some(after) = page.after {
            items.retain(|model| model_place(model) > (Reverse(after.time), after.address));
        }
        let more = PageRequest { limit: page.limit + 1, ..*page };
        items.extend(self.store.models(filter, &more, &hidden)?);
        items.sort_by_cached_key(model_place);
        Ok(cut(items, page.limit, |model| Cursor { time: model.created_at, address: model_place(model).1 }))
    }

    /// What a model derives from, the nearest first. Whoever was never seen ends the line.
    pub fn bases(&self, model: &Model) -> Result<Vec<Model>> {
        let mut bases: Vec<Model> = Vec::new();
        while bases.len() < usize::from(model.depth) {
            let Some(next) = &bases.last().unwrap_or(model).base else { break };
            let Some(base) = self.model(&parsed(next))? else { break };
            bases.push(base);
        }
        Ok(bases)
    }

    /// A model's price lists, the newest first.
    pub fn prices(&self, model: &Address) -> Result<Vec<PriceList>> {
        let members = self.members(model::PRICE_LIST, model)?;
        let mut lists: Vec<PriceList> =
            members.iter().filter_map(|(row, commitment)| model::price_list(row, *commitment)).collect();
        lists.sort_by_key(|list| Reverse(list.version));
        Ok(lists)
    }

    pub fn payer(&self, address: &Address) -> Result<Option<Payer>> {
        let unconfirmed = self.overlay.views().accounts.get(address).cloned();
        if let Some(row) = unconfirmed {
            return Ok(payer::from_account(&row, Commitment::Processed));
        }
        let Some(row) = self.store.account(address)? else { return Ok(None) };
        let finalized = self.store.checkpoint()?.map_or(0, |checkpoint| checkpoint.finalized);
        Ok(payer::from_account(&row, stored_commitment(&row, finalized)))
    }

    pub fn channel(&self, address: &Address) -> Result<Option<Channel>> {
        let unconfirmed = self.overlay.views().channels.get(address).cloned();
        match unconfirmed {
            Some(channel) => Ok(Some(channel)),
            None => self.store.channel(address),
        }
    }

    pub fn channels(&self, filter: &ChannelFilter, page: &PageRequest) -> Result<Page<Channel>> {
        let (hidden, mut items): (Vec<Address>, Vec<Channel>) = {
            let views = self.overlay.views();
            let shown = views.channels.values().filter(|channel| filter.matches(channel)).cloned().collect();
            (views.channels.keys().copied().collect(), shown)
        };
        if let Some(after) = page.after {
            items.retain(|channel| channel_place(channel) > (Reverse(after.time), after.address));
        }
        let more = PageRequest { limit: page.limit + 1, ..*page };
        items.extend(self.store.channels(filter, &more, &hidden)?);
        items.sort_by_cached_key(channel_place);
        Ok(cut(items, page.limit, |channel| Cursor { time: channel.opened_at, address: channel_place(channel).1 }))
    }

    pub fn plan(&self, address: &Address) -> Result<Option<Plan>> {
        let unconfirmed = self.overlay.views().plans.get(address).cloned();
        match unconfirmed {
            Some(plan) => Ok(Some(plan)),
            None => self.store.plan(address),
        }
    }

    pub fn plans(&self, filter: &PlanFilter, page: &PageRequest) -> Result<Page<Plan>> {
        let (hidden, mut items): (Vec<Address>, Vec<Plan>) = {
            let views = self.overlay.views();
            let shown = views.plans.values().filter(|plan| filter.matches(plan)).cloned().collect();
            (views.plans.keys().copied().collect(), shown)
        };
        if let Some(after) = page.after {
            items.retain(|plan| plan_place(plan) > (Reverse(after.time), after.address));
        }
        let more = PageRequest { limit: page.limit + 1, ..*page };
        items.extend(self.store.plans(filter, &more, &hidden)?);
        items.sort_by_cached_key(plan_place);
        Ok(cut(items, page.limit, |plan| Cursor { time: plan.started_at, address: plan_place(plan).1 }))
    }

    pub fn distributions(&self, filter: &DistributionFilter, page: &PageRequest) -> Result<Page<Distribution>> {
        let more = PageRequest { limit: page.limit + 1, ..*page };
        let items = self.store.distributions(filter, &more)?;
        Ok(cut(items, page.limit, distribution::place))
    }

    pub fn revenue(&self, filter: &RevenueFilter) -> Result<Vec<Revenue>> {
        self.store.revenue(filter)
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

fn stored_commitment(row: &AccountRow, finalized: u64) -> Commitment {
    let is_final = row.since <= finalized;
    if is_final {
        Commitment::Finalized
    } else {
        Commitment::Confirmed
    }
}

fn parsed(address: &str) -> Address {
    address.parse().unwrap_or(Address::SYSTEM)
}

fn job_place(job: &Job) -> (Reverse<i64>, Address) {
    (Reverse(job.opened_at), parsed(&job.address))
}

fn channel_place(channel: &Channel) -> (Reverse<i64>, Address) {
    (Reverse(channel.opened_at), parsed(&channel.address))
}

fn plan_place(plan: &Plan) -> (Reverse<i64>, Address) {
    (Reverse(plan.started_at), parsed(&plan.address))
}

fn dispute_place(dispute: &Dispute) -> (Reverse<i64>, Address) {
    (Reverse(dispute.opened_at), parsed(&dispute.address))
}

fn model_place(model: &Model) -> (Reverse<i64>, Address) {
    (Reverse(model.created_at), parsed(&model.address))
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
