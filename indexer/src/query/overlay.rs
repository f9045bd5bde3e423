//! What is not confirmed yet, laid over the store.
//!
//! Writes and events are kept by bank, so that a dead fork takes exactly its own with it. From them and the store, the
//! jobs, providers and accounts that they touch are rebuilt as they would be if everything here were confirmed, with the
//! same functions as the store uses; readers take those and never wait for a rebuild. Where two forks disagree, the
//! higher version is shown until one of them dies.

use crate::{
    decode::{Row, UNDECODABLE},
    row::{account, channel, dispute, job, model, plan, provider, AccountRow, EventRow},
    source::BankRef,
    store::{Result, Store},
    types::{AccountWrite, Address, Transaction, Version},
};
use joule_api::{Channel, Commitment, Dispute, Event, Job, Model, Plan, Provider};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard},
};

/// What a change of the overlay changed for readers.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    pub jobs: Vec<Job>,
    pub providers: Vec<Provider>,
    pub disputes: Vec<Dispute>,
    pub channels: Vec<Channel>,
    pub plans: Vec<Plan>,
    pub events: Vec<Event>,
}

/// See the module. Shared by whoever writes it and everybody who reads.
#[derive(Default)]
pub struct Overlay {
    state: Mutex<State>,
    views: RwLock<Views>,
}

#[derive(Default)]
struct State {
    banks: BTreeMap<BankRef, Content>,
}

#[derive(Default)]
struct Content {
    writes: Vec<Arc<AccountWrite>>,
    events: Vec<Happened>,
    touched: BTreeSet<Address>,
}

struct Happened {
    event: EventRow,
    /// Whom it concerns.
    accounts: Vec<Address>,
    /// What it changes.
    rows: Vec<Row>,
}

/// The state as it would be if every unconfirmed bank were confirmed, for what those banks touch.
#[derive(Default)]
pub struct Views {
    pub jobs: HashMap<Address, Job>,
    pub providers: HashMap<Address, Provider>,
    pub disputes: HashMap<Address, Dispute>,
    pub channels: HashMap<Address, Channel>,
    pub plans: HashMap<Address, Plan>,
    pub models: HashMap<Address, Model>,
    pub accounts: HashMap<Address, AccountRow>,
    /// Unconfirmed events by account, oldest first.
    pub events: HashMap<Address, Vec<EventRow>>,
}

/// Something that happened to unconfirmed state.
#[derive(Debug, Clone)]
pub enum Unconfirmed {
    Write(BankRef, Arc<AccountWrite>),
    Transaction(BankRef, Arc<Transaction>),
    Dropped(Vec<BankRef>),
    Reset,
}

impl Overlay {
    pub(crate) fn views(&self) -> RwLockReadGuard<'_, Views> {
        self.views.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Banks that are held.
    pub fn len(&self) -> usize {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).banks.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes in what happened, and shows all of it at once.
    pub fn apply(&self, happened: Vec<Unconfirmed>, store: &dyn Store) -> Result<Changes> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut touched = BTreeSet::new();
        let mut changes = Changes::default();
        for item in happened {
            match item {
                Unconfirmed::Write(bank, write) => {
                    touched.insert(write.address);
                    let content = state.banks.entry(bank).or_default();
                    content.touched.insert(write.address);
                    content.writes.push(write);
                }
                Unconfirmed::Transaction(bank, transaction) => {
                    let content = state.banks.entry(bank).or_default();
                    for raw in &transaction.events {
                        let event = EventRow::new(transaction.signature, transaction.index, bank.slot, None, raw);
                        changes.events.push(event.to_api(Commitment::Processed));
                        let fact = event.fact().ok();
                        let accounts = fact.as_ref().map(|fact| fact.accounts()).unwrap_or_default();
                        let rows = fact.as_ref().map(|fact| fact.rows()).unwrap_or_default();
                        touched.extend(&accounts);
                        content.touched.extend(&accounts);
                        content.events.push(Happened { event, accounts, rows });
                    }
                }
                Unconfirmed::Dropped(banks) => {
                    for bank in banks {
                        touched.extend(state.banks.remove(&bank).into_iter().flat_map(|content| content.touched));
                    }
                }
                Unconfirmed::Reset => {
                    touched.extend(std::mem::take(&mut state.banks).into_values().flat_map(|content| content.touched));
                }
            }
        }
        self.rebuild(&state, touched, store, &mut changes)?;
        Ok(changes)
    }

    /// Everything up to `slot` is in the store now.
    pub fn committed(&self, slot: u64, store: &dyn Store) -> Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = state.banks.split_off(&BankRef { slot: slot + 1, bank: 0 });
        let stored = std::mem::replace(&mut state.banks, kept);
        let touched = stored.into_values().flat_map(|content| content.touched).collect();
        self.rebuild(&state, touched, store, &mut Changes::default())
    }

    fn rebuild(
        &self,
        state: &State,
        touched: BTreeSet<Address>,
        store: &dyn Store,
        changes: &mut Changes,
    ) -> Result<()> {
        if touched.is_empty() {
            return Ok(());
        }
        let mut rebuilt = Vec::with_capacity(touched.len());
        for address in touched {
            rebuilt.push((address, state.view(&address, store)?));
        }
        let mut views = self.views.write().unwrap_or_else(PoisonError::into_inner);
        for (address, view) in rebuilt {
            let view = view.unwrap_or_default();
            let model = view.account.as_ref().and_then(|row| model::from_account(row, Commitment::Processed));
            replace(&mut views.models, address, model);
            replace(&mut views.accounts, address, view.account);
            replace(&mut views.events, address, (!view.events.is_empty()).then_some(view.events));
            changes.jobs.extend(replace(&mut views.jobs, address, view.job));
            changes.providers.extend(replace(&mut views.providers, address, view.provider));
            changes.disputes.extend(replace(&mut views.disputes, address, view.dispute));
            changes.channels.extend(replace(&mut views.channels, address, view.channel));
            changes.plans.extend(replace(&mut views.plans, address, view.plan));
        }
        Ok(())
    }
}

/// Puts or removes; the new value if it is another one than before.
fn replace<T: Clone + PartialEq>(map: &mut HashMap<Address, T>, address: Address, value: Option<T>) -> Option<T> {
    match value {
        Some(value) => {
            let old = map.insert(address, value.clone());
            (old.as_ref() != Some(&value)).then_some(value)
        }
        None => {
            map.remove(&address);
            None
        }
    }
}

#[derive(Default)]
struct AddressView {
    account: Option<AccountRow>,
    events: Vec<EventRow>,
    job: Option<Job>,
    provider: Option<Provider>,
    dispute: Option<Dispute>,
    channel: Option<Channel>,
    plan: Option<Plan>,
}

impl State {
    /// `None` when no unconfirmed bank touches the address.
    fn view(&self, address: &Address, store: &dyn Store) -> Result<Option<AddressView>> {
        let banks: Vec<&Content> = self.banks.values().filter(|content| content.touched.contains(address)).collect();
        if banks.is_empty() {
            return Ok(None);
        }
        let mut writes: Vec<&Arc<AccountWrite>> =
            banks.iter().flat_map(|content| &content.writes).filter(|write| write.address == *address).collect();
        let named = || banks.iter().flat_map(|content| &content.events).filter(|it| it.accounts.contains(address));
        let mut events: Vec<EventRow> = named().map(|it| it.event.clone()).collect();
        events.sort_by_key(EventRow::order);
        // Somebody else's events are part of its history, and change nothing of it.
        let changes =
            |it: &Happened| it.accounts.first() == Some(address) || it.rows.iter().any(|row| row.address() == *address);
        if writes.is_empty() && !named().any(changes) {
            return Ok(Some(AddressView { events, ..AddressView::default() }));
        }
        let stored = store.account(address)?;
        let stored_version = stored.as_ref().map(|row| row.version);
        let mut row = stored;
        writes.sort_by_key(|write| write.version);
        for write in writes {
            if row.as_ref().is_none_or(|row| write.version > row.version) {
                row = Some(AccountRow::after(write, row.as_ref(), UNDECODABLE));
            }
        }
        self.close(address, &events, &mut row);
        let newer = row.as_ref().map(|row| row.version) != stored_version;
        let is_row = |row: &AccountRow| {
            matches!(row.kind.as_str(), "job" | "provider" | "dispute" | "channel" | "plan" | UNDECODABLE)
        };
        if !row.as_ref().is_none_or(is_row) {
            // Its bytes are all there is to say: no need to read what may be a long history.
            return Ok(Some(AddressView { account: row.filter(|_| newer), events, ..AddressView::default() }));
        }
        let mut all = match row.as_ref().and_then(AccountRow::told_until) {
            Some(slot) => store.events_since(address, slot)?,
            None => store.history(address)?,
        };
        all.extend(
            events.iter().filter(|event| !all.iter().any(|known| known.key == event.key)).cloned().collect::<Vec<_>>(),
        );
        all.sort_by_key(EventRow::order);
        let mut failed = None;
        let authority = |provider: &Address| match self.authority(provider, store) {
            Ok(authority) => authority,
            Err(error) => {
                failed = Some(error);
                None
            }
        };
        let mut job = job::rebuild(address, row.as_ref(), &all, authority);
        if let Some(error) = failed {
            return Err(error);
        }
        let mut provider = provider::rebuild(address, row.as_ref(), &all);
        let mut dispute = dispute::rebuild(address, row.as_ref(), &all);
        let mut channel = channel::rebuild(address, row.as_ref(), &all);
        let mut plan = plan::rebuild(address, row.as_ref(), &all);
        if let Some(channel) = &mut channel {
            channel.commitment = Commitment::Processed;
            // Payments are of confirmed state only: events that may be undone are no sum.
            store.earned(address)?.fill(channel);
        }
        if let Some(plan) = &mut plan {
            plan.commitment = Commitment::Processed;
        }
        if let Some(dispute) = &mut dispute {
            dispute.commitment = Commitment::Processed;
        }
        if let Some(job) = &mut job {
            job.commitment = Commitment::Processed;
        }
        if let Some(provider) = &mut provider {
            provider.commitment = Commitment::Processed;
        }
        Ok(Some(AddressView { account: row.filter(|_| newer), events, job, provider, dispute, channel, plan }))
    }

    /// The last word of the events on whether the account lives, as in the store.
    fn close(&self, address: &Address, events: &[EventRow], row: &mut Option<AccountRow>) {
        let last = events.iter().rev().find_map(|event| {
            let life = event.fact().ok()?.life()?;
            (life.address == *address).then_some((event, life))
        });
        let Some((event, life)) = last.filter(|(_, life)| life.closed) else { return };
        let closing = AccountWrite {
            address: *address,
            owner: event.program,
            lamports: 0,
            data: Vec::new(),
            version: Version::closing(event.slot),
        };
        debug_assert!(!account::is_live(&closing));
        if row.as_ref().is_none_or(|row| closing.version > row.version) {
            *row = Some(AccountRow::after(&closing, row.as_ref(), life.kind));
        }
    }

    fn authority(&self, provider: &Address, store: &dyn Store) -> Result<Option<Address>> {
        let unconfirmed = self.banks.values().rev().flat_map(|content| content.writes.iter().rev()).find_map(|write| {
            (write.address == *provider).then(|| AccountRow::after(write, None, UNDECODABLE).state())?
        });
        if let Some(crate::decode::State::Provider(state)) = unconfirmed {
            return Ok(Some(Address::from(&state.authority)));
        }
        Ok(store.get::<Provider>(provider)?.and_then(|provider| provider.authority.parse().ok()))
    }
}
