//! What readers see: the store, with the overlay laid over it.
//!
//! Jobs, disputes, providers, bonds, models, payers, channels, plans, accounts and histories are shown as of the newest update,
//! and say by their `commitment` how sure that is. Totals, the counters of providers, distributions and revenue are of
//! confirmed state only: sums over something that may be undone
//! would be sums of nothing. An item of a list that changes while pages are read keeps its place, since places depend on
//! what never changes.

use super::{
    overlay::{Overlay, Shade},
    Cursor, DistributionFilter, Filter, PageRequest, RevenueFilter,
};
use crate::{
    row::{
        bid, bond, model, payer,
        record::{First, Noun},
        AccountRow, EventRow,
    },
    store::{Result, Store},
    types::Address,
};
use joule_api::{
    Bid, Bond, Channel, Claim, Commitment, Dispute, Distribution, Event, Job, Model, Page, Payer, Plan, PriceList,
    Provider, Revenue, Totals,
};
use std::{cmp::Reverse, sync::Arc};

/// A noun that is shown before it is confirmed.
pub trait Shown: Noun {
    fn unconfirmed(shade: &Shade) -> Option<&Self>;

    /// Adds what is known of others.
    fn show(&mut self, _view: &View) -> Result<()> {
        Ok(())
    }
}

macro_rules! shown {
    ($($type:ident by $field:ident),+) => {
        $(impl Shown for $type {
            fn unconfirmed(shade: &Shade) -> Option<&Self> {
                shade.$field.as_ref()
            }
        })+
    };
}
shown!(Job by job, Dispute by dispute, Model by model, Channel by channel, Plan by plan);

impl Shown for Provider {
    fn unconfirmed(shade: &Shade) -> Option<&Self> {
        shade.provider.as_ref()
    }

    fn show(&mut self, view: &View) -> Result<()> {
        if self.commitment == Commitment::Processed {
            self.complete(&*view.store)?;
        }
        self.bonds = view.bonds(&parsed(&self.authority))?;
        Ok(())
    }
}

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

    pub fn get<N: Shown>(&self, address: &Address) -> Result<Option<N>> {
        let unconfirmed = self.overlay.at(address, &*self.store, |shade| N::unconfirmed(shade).cloned())?;
        let mut found = match unconfirmed {
            Some(noun) => Some(noun),
            None => self.store.get::<N>(address)?,
        };
        if let Some(noun) = &mut found {
            noun.show(self)?;
        }
        Ok(found)
    }

    /// A page of what is asked for, in the order of its noun.
    pub fn list<F: Filter<Noun: Shown>>(&self, filter: &F, page: &PageRequest) -> Result<Page<F::Noun>> {
        let first = F::Noun::FIRST;
        let place = |noun: &F::Noun| place(first, noun.time(), parsed(noun.address()));
        let (hidden, mut items) = self.overlay.all(&*self.store, |views| {
            let known = |(address, shade): (&Address, _)| Some((*address, F::Noun::unconfirmed(shade)?));
            let unconfirmed: Vec<(Address, &F::Noun)> = views.iter().filter_map(known).collect();
            let matching = unconfirmed.iter().filter(|(_, noun)| filter.matches(noun));
            let matching: Vec<F::Noun> = matching.map(|(_, noun)| (*noun).clone()).collect();
            (unconfirmed.into_iter().map(|(address, _)| address).collect::<Vec<Address>>(), matching)
        })?;
        if let Some(after) = page.after {
            let after = self::place(first, after.time, after.address);
            items.retain(|noun| place(noun) > after);
        }
        // One more than asked for, to know whether there is a next page.
        let more = PageRequest { limit: page.limit + 1, ..*page };
        items.extend(self.store.list(filter, &more, &hidden)?);
        items.sort_by_cached_key(place);
        let mut page = cut(items, page.limit);
        for noun in &mut page.items {
            noun.show(self)?;
        }
        Ok(page)
    }

    /// Jobs that unconfirmed banks touch, whatever their status.
    pub fn unconfirmed_jobs(&self) -> Result<Vec<(Address, Job)>> {
        let job = |(address, shade): (&Address, &Shade)| Some((*address, shade.job.clone()?));
        self.overlay.all(&*self.store, |views| views.iter().filter_map(job).collect())
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
        let (changed, mut rows) = self.overlay.all(&*self.store, |views| {
            let accounts = views.values().filter_map(|shade| shade.account.as_ref());
            let here = accounts.clone().filter(|row| row.belongs_to(kind, parent));
            let shown: Vec<_> = here.map(|row| (row.clone(), Commitment::Processed)).collect();
            (accounts.map(|row| row.address).collect::<Vec<Address>>(), shown)
        })?;
        let finalized = self.store.checkpoint()?.map_or(0, |checkpoint| checkpoint.finalized);
        let stored = self.store.members(kind, parent)?.into_iter().filter(|row| !changed.contains(&row.address));
        rows.extend(stored.map(|row| {
            let commitment = stored_commitment(&row, finalized);
            (row, commitment)
        }));
        rows.sort_by_key(|(row, _)| row.address);
        Ok(rows)
    }

    /// What a model derives from, the nearest first. Whoever was never seen ends the line.
    pub fn bases(&self, model: &Model) -> Result<Vec<Model>> {
        let mut bases: Vec<Model> = Vec::new();
        while bases.len() < usize::from(model.depth) {
            let Some(next) = &bases.last().unwrap_or(model).base else { break };
            let Some(base) = self.get::<Model>(&parsed(next))? else { break };
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
        let unconfirmed = self.overlay.at(address, &*self.store, |shade| shade.account.clone())?;
        if let Some(row) = unconfirmed {
            return Ok(payer::from_account(&row, Commitment::Processed));
        }
        let Some(row) = self.store.account(address)? else { return Ok(None) };
        let finalized = self.store.checkpoint()?.map_or(0, |checkpoint| checkpoint.finalized);
        Ok(payer::from_account(&row, stored_commitment(&row, finalized)))
    }

    /// Of confirmed state only.
    pub fn distributions(&self, filter: &DistributionFilter, page: &PageRequest) -> Result<Page<Distribution>> {
        let more = PageRequest { limit: page.limit + 1, ..*page };
        let Page { items, next_cursor } = cut(self.store.list(filter, &more, &[])?, page.limit);
        Ok(Page { items: items.into_iter().map(Distribution::from).collect(), next_cursor })
    }

    pub fn revenue(&self, filter: &RevenueFilter) -> Result<Vec<Revenue>> {
        self.store.revenue(filter)
    }

    pub fn account(&self, address: &Address) -> Result<Option<AccountRow>> {
        let unconfirmed = self.overlay.at(address, &*self.store, |shade| shade.account.clone())?;
        match unconfirmed {
            Some(row) => Ok(Some(row)),
            None => self.store.account(address),
        }
    }

    /// The newest events that concern an account, newest first.
    pub fn history(&self, address: &Address, limit: usize) -> Result<Vec<Event>> {
        let unconfirmed = self.overlay.at(address, &*self.store, |shade| Some(shade.events.clone()))?;
        let mut unconfirmed = unconfirmed.unwrap_or_default();
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

/// In the order of a list.
fn place(first: First, time: i64, address: Address) -> (i128, Address) {
    match first {
        First::Newest => (-i128::from(time), address),
        First::Oldest => (time.into(), address),
    }
}

fn cut<N: Noun>(mut items: Vec<N>, limit: usize) -> Page<N> {
    let more = items.len() > limit;
    items.truncate(limit);
    let cursor = |noun: &N| Cursor { time: noun.time(), address: parsed(noun.address()) }.encode();
    let next_cursor = items.last().filter(|_| more).map(cursor);
    Page { items, next_cursor }
}
