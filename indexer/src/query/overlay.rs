//! What is not confirmed yet, laid over the store.
//!
//! Writes and events are kept by bank and address, so that a dead fork takes exactly its own with it. Numbers of banks are each server's
//! own; ordering shows a slot as one server tells it at a time, so that here they name one bank each. From them and the store, what they
//! touch is rebuilt as it would be if everything here were confirmed, with the same functions as the store uses, when somebody
//! asks for it or reads the feed: catching up with nobody looking costs no more than keeping them. Where two forks disagree, the
//! higher version is shown until one of them dies.

use crate::{
    decode::{Row, UNDECODABLE},
    row::{channel, dispute, job, model, plan, provider, record::Noun, AccountRow, EventRow},
    source::BankRef,
    store::{Result, Store},
    types::{AccountWrite, Address, HashMap, HashSet, Transaction, Version},
};
use joule_api::{Channel, Commitment, Dispute, Job, Model, Plan, Provider};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What was changed for readers, as the API shows it.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    pub jobs: Vec<Job>,
    pub providers: Vec<Provider>,
    pub disputes: Vec<Dispute>,
    pub channels: Vec<Channel>,
    pub plans: Vec<Plan>,
    pub events: Vec<EventRow>,
}

/// What was taken in, and what was shown before of what it touches and is not compared yet.
pub struct Touched {
    pub changes: Changes,
    before: Vec<(Address, Shade)>,
}

/// See the module. Shared by whoever writes it and everybody who reads.
#[derive(Default)]
pub struct Overlay {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    banks: BTreeMap<BankRef, HashMap<Address, Here>>,
    /// What is touched, as it was rebuilt last.
    views: HashMap<Address, Shade>,
    /// What has to be rebuilt before it is shown.
    stale: HashSet<Address>,
}

/// What a bank does to an address.
#[derive(Default)]
struct Here {
    writes: Vec<Arc<AccountWrite>>,
    events: Vec<Arc<Happened>>,
}

struct Happened {
    event: EventRow,
    /// Whom it concerns.
    accounts: Vec<Address>,
    /// What it changes.
    rows: Vec<Row>,
}

/// What is at an address, as it would be if every unconfirmed bank were confirmed.
#[derive(Debug, Clone, Default)]
pub struct Shade {
    pub account: Option<AccountRow>,
    /// The unconfirmed ones, oldest first.
    pub events: Vec<EventRow>,
    pub job: Option<Job>,
    pub provider: Option<Provider>,
    pub dispute: Option<Dispute>,
    pub channel: Option<Channel>,
    pub plan: Option<Plan>,
    pub model: Option<Model>,
}

/// Something that happened to unconfirmed state.
#[derive(Debug, Clone)]
pub enum Unconfirmed {
    Write(BankRef, Arc<AccountWrite>),
    Transaction(BankRef, Arc<Transaction>),
    /// These are shown no longer.
    Dropped(Vec<BankRef>),
}

impl Overlay {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is laid over an address; `None` where nothing is.
    pub fn at<T>(
        &self,
        address: &Address,
        store: &dyn Store,
        look: impl FnOnce(&Shade) -> Option<T>,
    ) -> Result<Option<T>> {
        let mut state = self.state();
        state.refresh(address, store)?;
        Ok(state.views.get(address).and_then(look))
    }

    /// Everything that is laid over something.
    pub fn all<T>(&self, store: &dyn Store, look: impl FnOnce(&HashMap<Address, Shade>) -> T) -> Result<T> {
        let mut state = self.state();
        while let Some(address) = state.stale.iter().next().copied() {
            state.refresh(&address, store)?;
        }
        Ok(look(&state.views))
    }

    /// Banks that are held.
    pub fn len(&self) -> usize {
        self.state().banks.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes in what happened, and shows all of it at once. If it is `wanted`, what that changes can be found out afterwards.
    pub fn apply(&self, happened: Vec<Unconfirmed>, wanted: bool) -> Option<Touched> {
        let mut state = self.state();
        let mut touched = HashSet::default();
        let mut changes = Changes::default();
        for item in happened {
            match item {
                Unconfirmed::Write(bank, write) => {
                    touched.insert(write.address);
                    let here = state.banks.entry(bank).or_default();
                    here.entry(write.address).or_default().writes.push(write);
                }
                Unconfirmed::Transaction(bank, transaction) => {
                    let here = state.banks.entry(bank).or_default();
                    for raw in &transaction.events {
                        let event = EventRow::new(transaction.signature, transaction.index, bank.slot, None, raw);
                        if wanted {
                            changes.events.push(event.clone());
                        }
                        let fact = event.fact().ok();
                        let accounts = fact.as_ref().map(|fact| fact.accounts()).unwrap_or_default();
                        let rows = fact.as_ref().map(|fact| fact.rows()).unwrap_or_default();
                        touched.extend(&accounts);
                        let happened = Arc::new(Happened { event, accounts, rows });
                        for address in &happened.accounts {
                            here.entry(*address).or_default().events.push(happened.clone());
                        }
                    }
                }
                Unconfirmed::Dropped(banks) => {
                    for bank in banks {
                        touched.extend(state.banks.remove(&bank).into_iter().flat_map(HashMap::into_keys));
                    }
                }
            }
        }
        state.stale.extend(&touched);
        let before = |address: Address| (address, state.views.get(&address).cloned().unwrap_or_default());
        wanted.then(|| Touched { changes, before: touched.into_iter().map(before).collect() })
    }

    /// Finds out what was changed. If the store fails it goes on, the next time, where it was.
    pub fn compare(&self, touched: &mut Touched, store: &dyn Store) -> Result<()> {
        let mut state = self.state();
        while let Some((address, before)) = touched.before.last() {
            state.refresh(address, store)?;
            if let Some(now) = state.views.get(address) {
                touched.changes.of(before, now);
            }
            touched.before.pop();
        }
        Ok(())
    }

    /// Everything up to `slot` is in the store now.
    pub fn committed(&self, slot: u64) {
        let mut state = self.state();
        let kept = state.banks.split_off(&BankRef { slot: slot + 1, bank: 0 });
        let stored = std::mem::replace(&mut state.banks, kept);
        for address in stored.into_values().flat_map(HashMap::into_keys) {
            if state.banks.values().any(|here| here.contains_key(&address)) {
                state.stale.insert(address);
            } else {
                state.stale.remove(&address);
                state.views.remove(&address);
            }
        }
    }
}

impl Changes {
    fn of(&mut self, before: &Shade, now: &Shade) {
        fn other<T: Clone + PartialEq>(before: Option<&T>, now: Option<&T>) -> Option<T> {
            now.filter(|now| before != Some(*now)).cloned()
        }
        self.jobs.extend(other(before.job.as_ref(), now.job.as_ref()));
        self.providers.extend(other(before.provider.as_ref(), now.provider.as_ref()));
        self.disputes.extend(other(before.dispute.as_ref(), now.dispute.as_ref()));
        self.channels.extend(other(before.channel.as_ref(), now.channel.as_ref()));
        self.plans.extend(other(before.plan.as_ref(), now.plan.as_ref()));
    }
}

impl State {
    /// Rebuilds what is stale. If the store fails it stays so.
    fn refresh(&mut self, address: &Address, store: &dyn Store) -> Result<()> {
        if self.stale.contains(address) {
            match self.view(address, store)? {
                Some(view) => self.views.insert(*address, view),
                None => self.views.remove(address),
            };
            self.stale.remove(address);
        }
        Ok(())
    }

    /// `None` when no unconfirmed bank touches the address.
    fn view(&self, address: &Address, store: &dyn Store) -> Result<Option<Shade>> {
        let banks: Vec<&Here> = self.banks.values().filter_map(|here| here.get(address)).collect();
        if banks.is_empty() {
            return Ok(None);
        }
        let mut writes: Vec<&Arc<AccountWrite>> = banks.iter().flat_map(|here| &here.writes).collect();
        let named = || banks.iter().flat_map(|here| &here.events);
        let mut events: Vec<EventRow> = named().map(|it| it.event.clone()).collect();
        events.sort_by_key(EventRow::order);
        // Somebody else's events are part of its history, and change nothing of it.
        let changes = |it: &Arc<Happened>| {
            it.accounts.first() == Some(address) || it.rows.iter().any(|row| row.address() == *address)
        };
        if writes.is_empty() && !named().any(changes) {
            return Ok(Some(Shade { events, ..Shade::default() }));
        }
        let stored = store.account(address)?;
        let stored_version = stored.as_ref().map(|row| row.version);
        let mut row = stored;
        writes.sort_by_key(|write| write.version);
        for write in writes {
            row = AccountRow::after(row, write);
        }
        self.close(address, &events, &mut row);
        let newer = row.as_ref().map(|row| row.version) != stored_version;
        let is_row =
            |row: &AccountRow| matches!(&*row.kind, "job" | "provider" | "dispute" | "channel" | "plan" | UNDECODABLE);
        if !row.as_ref().is_none_or(is_row) {
            // Its bytes are all there is to say: no need to read what may be a long history.
            let account = row.filter(|_| newer);
            let model = account.as_ref().and_then(|row| model::from_account(row, Commitment::Processed));
            return Ok(Some(Shade { account, events, model, ..Shade::default() }));
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
        let job = processed(job::rebuild(address, row.as_ref(), &all, authority));
        if let Some(error) = failed {
            return Err(error);
        }
        let provider = processed(provider::rebuild(address, row.as_ref(), &all));
        let dispute = processed(dispute::rebuild(address, row.as_ref(), &all));
        let mut channel = processed(channel::rebuild(address, row.as_ref(), &all));
        let plan = processed(plan::rebuild(address, row.as_ref(), &all));
        if let Some(channel) = &mut channel {
            // Payments are of confirmed state only: events that may be undone are no sum.
            let earned = store.earned(address)?;
            earned.fill(channel);
            if row.as_ref().is_none_or(|row| row.data.is_empty()) {
                earned.fill_requests(channel);
            }
        }
        Ok(Some(Shade { account: row.filter(|_| newer), events, job, provider, dispute, channel, plan, model: None }))
    }

    /// The last word of the events on whether the account lives, as in the store.
    fn close(&self, address: &Address, events: &[EventRow], row: &mut Option<AccountRow>) {
        let last = events.iter().rev().find_map(|event| {
            let life = event.fact().ok()?.life()?;
            (life.address == *address).then_some((event, life))
        });
        let Some((event, life)) = last.filter(|(_, life)| life.closed) else { return };
        let version = Version::closing(event.slot);
        if let Some(closed) = AccountRow::closing(row.as_ref(), address, &event.program, version, life.kind.into()) {
            *row = Some(closed);
        }
    }

    fn authority(&self, provider: &Address, store: &dyn Store) -> Result<Option<Address>> {
        let here = self.banks.values().rev().filter_map(|here| here.get(provider));
        let unconfirmed =
            here.flat_map(|here| here.writes.iter().rev()).find_map(|write| AccountRow::after(None, write)?.state());
        if let Some(crate::decode::State::Provider(state)) = unconfirmed {
            return Ok(Some(Address::from(&state.authority)));
        }
        Ok(store.get::<Provider>(provider)?.and_then(|provider| provider.authority.parse().ok()))
    }
}

fn processed<N: Noun>(mut noun: Option<N>) -> Option<N> {
    if let Some(noun) = &mut noun {
        noun.set_commitment(Commitment::Processed);
    }
    noun
}
