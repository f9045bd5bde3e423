//! Forgetting what happened after a slot, in one transaction and a page at a time, however much that is.
//!
//! Links between events and accounts go first, so that every history that is read afterwards ends at the slot. Then accounts: of those
//! whose bytes are of later nothing is known until somebody reads them again, but that they were closed, where an event before says so.
//! Then, with each page of events, the rows that they changed; and then days of channels of which no event tells.

use super::{
    apply::rows_of,
    history::{self, Events, Histories},
    Work,
};
use crate::{
    decode::{Fact, Row, State, UNDECODABLE},
    query::Condition,
    row::{
        cell::Cell,
        checkpoint::CheckpointRow,
        dead_letter::{Letter, LetterRow},
        distribution,
        event::{Filed, Link, EVENT_ACCOUNTS, ROW_EVENTS},
        record::{key_cells, Cells, Kept, Reading, Record as _, Table},
        revenue::{self, day_of, DayRow, Days, HowFar},
        AccountRow, EventRow,
    },
    store::{
        reads,
        tables::{Change, Engine, Tables},
        Beyond, Result, StoreError,
    },
    types::{Address, Version},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};

/// The order in which events happened.
const HAPPENED: [&str; 4] = ["slot", "tx_index", "instruction", "inner"];

/// What is stored of later than a slot.
pub fn beyond(tables: &mut dyn Tables, slot: u64) -> Result<Beyond> {
    let known = reads::checkpoint(tables)?.ok_or(StoreError::Nothing)?;
    if slot > known.slot {
        return Err(StoreError::Ahead { slot, checkpoint: known.slot });
    }
    let oldest = first(tables, Filed::table(), &[], &HAPPENED)?.first().map(Filed::of_cells).transpose()?;
    let mut beyond =
        Beyond { checkpoint: known.slot, oldest: oldest.map(|filed| filed.event.slot), ..Beyond::default() };
    let later = [later(slot)];
    tables.pages(Filed::table(), &later, &[], &mut |_, page| {
        beyond.events += page.len() as u64;
        Ok(ControlFlow::Continue(()))
    })?;
    tables.pages(LetterRow::table(), &later, &[], &mut |_, page| {
        beyond.dead_letters += page.len() as u64;
        Ok(ControlFlow::Continue(()))
    })?;
    tables.pages(AccountRow::table(), &later, &[], &mut |_, page| {
        for cells in &page {
            let row = AccountRow::of_cells(cells)?;
            match row.as_of(slot) {
                None => beyond.unknown += 1,
                Some(_) if row.closed => beyond.reopened += 1,
                Some(_) => {}
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(beyond)
}

pub fn rewind(engine: &impl Engine, to: u64, done: &mut dyn FnMut(u64)) -> Result<Beyond> {
    engine.write(|tables| {
        let beyond = beyond(tables, to)?;
        links(tables, to, done)?;
        accounts(tables, to)?;
        events(tables, to, done)?;
        days(tables, to)?;
        letters(tables, to)?;
        let table = CheckpointRow::table();
        let Some(before) = first(tables, table, &[], &[])?.pop() else { return Err(StoreError::Nothing) };
        let known = CheckpointRow::of_cells(&before)?;
        let now = CheckpointRow { slot: to, finalized: known.finalized.min(to), listed: false, ..known };
        tables.put(table, vec![Change { before: Some(before), now: now.to_cells()? }])?;
        Ok(beyond)
    })
}

fn later(slot: u64) -> Condition {
    Condition::From("slot", Cell::Uint(slot.saturating_add(1)))
}

/// The first page of what fulfils the conditions. What is written while a page is read may be seen by the next one or not, so that a table
/// that is written is asked anew for each.
fn first(tables: &mut dyn Tables, table: &'static Table, wanted: &[Condition], order: &[&str]) -> Result<Vec<Cells>> {
    let mut found = Vec::new();
    tables.pages(table, wanted, order, &mut |_, page| {
        found = page;
        Ok(ControlFlow::Break(()))
    })?;
    Ok(found)
}

/// The address after one, if there is any.
fn next(address: &Address) -> Option<Address> {
    let mut bytes = address.0;
    for byte in bytes.iter_mut().rev() {
        *byte = byte.wrapping_add(1);
        if *byte != 0 {
            return Some(Address(bytes));
        }
    }
    None
}

fn links(tables: &mut dyn Tables, to: u64, done: &mut dyn FnMut(u64)) -> Result<()> {
    tables.pages(Filed::table(), &[later(to)], &HAPPENED, &mut |tables, page| {
        let (mut all, mut once) = (BTreeSet::new(), BTreeSet::new());
        for cells in &page {
            let event = Filed::of_cells(cells)?.event;
            let Ok(fact) = event.fact() else { continue };
            all.extend(fact.accounts().into_iter().map(|address| Link::new(address, &event)));
            if !fact.repeats() {
                once.extend(fact.rows().iter().map(|row| Link::new(row.address(), &event)));
            }
        }
        for (table, links) in [(&*EVENT_ACCOUNTS, all), (&*ROW_EVENTS, once)] {
            let keys = links.iter().map(key_cells).collect::<std::result::Result<Vec<_>, _>>()?;
            if !keys.is_empty() {
                tables.delete(table, keys)?;
            }
        }
        done(page.len() as u64);
        Ok(ControlFlow::Continue(()))
    })
}

fn accounts(tables: &mut dyn Tables, to: u64) -> Result<()> {
    let mut from = Some(Address::SYSTEM);
    while let Some(address) = from {
        let wanted = [Condition::From("address", Cell::Key(address.0)), later(to)];
        let page = first(tables, AccountRow::table(), &wanted, &["address"])?;
        let rows = page.iter().map(AccountRow::of_cells).collect::<std::result::Result<Vec<_>, _>>()?;
        from = rows.last().and_then(|row| next(&row.address));
        let mut work = Work::rewinding(tables);
        work.accounts.load(work.tables, rows.iter().map(|row| row.address))?;
        let unknown: Vec<_> =
            rows.iter().filter(|row| row.as_of(to).is_none()).map(|row| (row.address, None)).collect();
        let histories = Histories::load(work.tables, &unknown, &Events::default())?;
        for row in &rows {
            match row.as_of(to) {
                Some(now) => work.known_again(row, now)?,
                None => work.unknown(row, histories.of(&row.address))?,
            }
        }
        work.rebuild()?;
        work.flush()?;
    }
    Ok(())
}

/// The rows that they changed, and then they themselves.
fn events(tables: &mut dyn Tables, to: u64, done: &mut dyn FnMut(u64)) -> Result<()> {
    loop {
        let page = first(tables, Filed::table(), &[later(to)], &HAPPENED)?;
        if page.is_empty() {
            return Ok(());
        }
        let mut work = Work::rewinding(tables);
        let mut money: BTreeMap<Address, BTreeSet<i64>> = BTreeMap::new();
        for cells in &page {
            let event = Filed::of_cells(cells)?.event;
            let Ok(fact) = event.fact() else { continue };
            work.rows.extend(fact.rows());
            let Some((channel, fact)) = revenue::channel_of(&fact) else { continue };
            money.entry(channel).or_default().insert(day_of(distribution::time(&event)));
            work.rows.insert(Row::Channel(channel));
            if let joule_billing::event::AnyEvent::Distributed(_) = fact {
                work.distributions.remove(work.tables, distribution::place(&event.key))?;
            }
        }
        for (channel, days) in money {
            let left = divided(work.tables, &channel, &days)?;
            work.ledger(&channel)?.recount(&days, &left);
        }
        work.rebuild()?;
        work.flush()?;
        let keys = page.iter().map(|cells| Ok(key_cells(&Filed::of_cells(cells)?.event.key)?));
        tables.delete(Filed::table(), keys.collect::<Result<Vec<_>>>()?)?;
        done(page.len() as u64);
    }
}

/// What events say that a channel divided and paid on some days.
fn divided(tables: &mut dyn Tables, channel: &Address, days: &BTreeSet<i64>) -> Result<Days> {
    let mut left = Days::default();
    let of = [Condition::Is("address", Cell::Key(channel.0))];
    tables.pages(&EVENT_ACCOUNTS, &of, &HAPPENED, &mut |tables, page| {
        let link = |cells: &Cells| Link::read(&mut Reading(&cells.row));
        let links = page.iter().map(link).collect::<std::result::Result<Vec<_>, _>>()?;
        let found = history::rows(tables, &links.iter().map(Link::key).collect::<Vec<_>>())?;
        for event in found.values().filter(|event| days.contains(&day_of(distribution::time(event)))) {
            let Ok(fact) = event.fact() else { continue };
            if let Some((_, fact)) = revenue::channel_of(&fact).filter(|(of, _)| of == channel) {
                left.happened(fact, distribution::time(event));
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(left)
}

/// Days that say how far channels had come, and have it of later.
fn days(tables: &mut dyn Tables, to: u64) -> Result<()> {
    let mut from = Some(Address::SYSTEM);
    while let Some(address) = from {
        let wanted = [Condition::From("channel", Cell::Key(address.0)), later(to)];
        let page = first(tables, DayRow::table(), &wanted, &["channel", "day"])?;
        let channel = |cells| Ok(DayRow::of_cells(cells)?.key.channel);
        let channels = page.iter().map(channel).collect::<Result<BTreeSet<Address>>>()?;
        from = channels.last().and_then(next);
        let mut work = Work::rewinding(tables);
        work.accounts.load(work.tables, channels.iter().copied())?;
        for channel in &channels {
            let known = work.accounts.get(work.tables, channel)?.and_then(|row| match row.state() {
                Some(State::Channel(state)) => Some(HowFar::of(&state, row.live.map_or(row.since, |live| live.slot))),
                _ => None,
            });
            work.ledger(channel)?.rewind(to, known);
            work.rows.insert(Row::Channel(*channel));
        }
        work.rebuild()?;
        work.flush()?;
    }
    Ok(())
}

fn letters(tables: &mut dyn Tables, to: u64) -> Result<()> {
    loop {
        let page = first(tables, LetterRow::table(), &[later(to)], &[])?;
        if page.is_empty() {
            return Ok(());
        }
        let keys = page.iter().map(|cells| Ok(key_cells(&LetterRow::of_cells(cells)?.letter)?));
        tables.delete(LetterRow::table(), keys.collect::<Result<Vec<_>>>()?)?;
    }
}

/// Lists are tables of their own, which a row that goes has to empty.
fn empty<R: Kept>(tables: &mut dyn Tables, key: &R::Key) -> Result<()> {
    let table = R::table();
    let by: Vec<&str> = table.key().iter().map(|column| column.name.as_str()).collect();
    let stored = tables.get(table, &by, &[key_cells(key)?])?;
    let without = |before: Cells| {
        let now = Cells { row: before.row.clone(), lists: vec![Vec::new(); before.lists.len()] };
        Change { before: Some(before), now }
    };
    let changes: Vec<Change> = stored.into_iter().filter(|cells| !cells.lists.is_empty()).map(without).collect();
    tables.put(table, changes)
}

impl<'a> Work<'a> {
    fn rewinding(tables: &'a mut dyn Tables) -> Self {
        Self { rewinds: true, ..Self::new(tables) }
    }

    /// Its bytes are of then, and it was alive.
    fn known_again(&mut self, before: &AccountRow, now: AccountRow) -> Result<()> {
        let address = now.address;
        if before.closed {
            match now.state() {
                Some(state) => self.state(&address, &state, now.since, false)?,
                None => self.unread_again(&now)?,
            }
            self.rows.extend(rows_of(&now));
        }
        self.accounts.put(self.tables, address, now)
    }

    /// When it was closed it was no dead letter any more.
    fn unread_again(&mut self, row: &AccountRow) -> Result<()> {
        let letter = Letter::Account(row.address);
        let reason = crate::decode::Program::of(&row.program)
            .and_then(|program| crate::decode::account(program, row.since, &row.data).err())
            .map_or(String::new(), |error| error.to_string());
        let (kind, data) = (letter.kind().into(), row.data.clone());
        let (program, slot) = (row.program, row.since);
        let row = LetterRow { letter, kind, program, slot, data, reason: reason.into(), tx_index: None };
        self.letters.put(self.tables, letter, row)
    }

    /// Nobody knows what it had then. `left` is what happened to it before, oldest first.
    fn unknown(&mut self, row: &AccountRow, left: &[EventRow]) -> Result<()> {
        let address = row.address;
        if let Some(member) = row.listed() {
            self.members.insert(key_cells(&member)?, false);
        }
        let tables = &mut *self.tables;
        match row.state() {
            Some(State::Payer(payer)) => {
                if let Some(before) = self.payers.get(tables, &address)?.map(|before| before.balance) {
                    self.deltas.prepaid(Address::from(&payer.mint), before, 0);
                    self.payers.remove(tables, address)?;
                }
            }
            Some(State::Model(_)) => {
                empty::<joule_api::Model>(tables, &address)?;
                self.models.remove(tables, address)?;
            }
            Some(State::Client(_)) => self.clients.remove(tables, address)?,
            Some(State::Protocol(_)) => {
                empty::<crate::row::governed::ProtocolRow>(tables, &address)?;
                self.protocols.remove(tables, address)?;
            }
            Some(State::AcceptedMint(_)) => self.mints.remove(tables, address)?,
            _ => {}
        }
        self.rows.extend(rows_of(row));
        self.accounts.remove(self.tables, address)?;
        let last = left.iter().rev().find_map(|event| {
            let life = event.fact().ok().as_ref().and_then(Fact::life)?;
            (life.address == address).then_some((event, life))
        });
        let Some((event, life)) = last.filter(|(_, life)| life.closed) else { return Ok(()) };
        let version = Version::closing(event.slot);
        let closed = AccountRow::closing(None, &address, &event.program, version, life.kind.into());
        debug_assert!(closed.as_ref().is_none_or(|row| row.kind != UNDECODABLE));
        closed.map_or(Ok(()), |closed| self.accounts.put(self.tables, address, closed))
    }

    /// Nothing says what it is any more. Outside of a rewinding a row stays what it was.
    pub(super) fn job_gone(&mut self, address: &Address) -> Result<()> {
        if let Some(before) = self.jobs.get(self.tables, address)?.filter(|_| self.rewinds) {
            self.deltas.job_gone(&before.to_cells()?)?;
            self.jobs.remove(self.tables, *address)?;
        }
        Ok(())
    }

    pub(super) fn provider_gone(&mut self, address: &Address) -> Result<()> {
        if let Some(before) = self.providers.get(self.tables, address)?.filter(|_| self.rewinds) {
            self.deltas.provider_gone(before);
            self.providers.remove(self.tables, *address)?;
        }
        Ok(())
    }

    pub(super) fn dispute_gone(&mut self, address: &Address) -> Result<()> {
        if self.rewinds {
            empty::<joule_api::Dispute>(self.tables, address)?;
            self.disputes.remove(self.tables, *address)?;
        }
        Ok(())
    }

    pub(super) fn plan_gone(&mut self, address: &Address) -> Result<()> {
        if self.rewinds {
            self.plans.remove(self.tables, *address)?;
        }
        Ok(())
    }

    pub(super) fn channel_gone(&mut self, address: &Address, days: &Days) -> Result<()> {
        let Some(before) = self.channels.get(self.tables, address)?.filter(|_| self.rewinds).cloned() else {
            return Ok(());
        };
        self.deltas.channel_gone((&before, days));
        self.earned(Some(days), &before, &Days::default())?;
        empty::<joule_api::Channel>(self.tables, address)?;
        self.channels.remove(self.tables, *address)
    }
}
