//! What was made of accounts and events is made again, at the end of a batch.

use super::{
    account,
    apply::{Ledger, Work},
    days, distribution, event, revenue,
    table::{self, find, put},
    totals,
};
use crate::{
    decode::Row,
    row::{channel, dispute, job, plan, provider, AccountRow, EventRow},
    store::Result,
    types::Address,
};
use joule_api::{Channel, Dispute, Job, Plan, Provider};
use std::collections::BTreeSet;

impl Work<'_> {
    /// Providers first: a job may have to ask who runs its provider.
    pub(super) fn rebuild(&mut self) -> Result<()> {
        let rows = std::mem::take(&mut self.rows);
        let mut jobs: BTreeSet<Address> = BTreeSet::new();
        let mut providers = Vec::new();
        for row in &rows {
            if let Row::Provider(address) = row {
                providers.extend(self.provider(address, &mut jobs)?);
            }
        }
        jobs.extend(rows.iter().filter(|row| matches!(row, Row::Job(_))).map(Row::address));
        for address in jobs {
            self.job(&address)?;
        }
        for row in &rows {
            match row {
                Row::Dispute(address) => self.dispute(address)?,
                Row::Channel(address) => self.channel(address)?,
                Row::Plan(address) => self.plan(address)?,
                Row::Job(_) | Row::Provider(_) => {}
            }
        }
        totals::add(self.conn, std::mem::take(&mut self.deltas))?;
        for (address, mut provider) in providers {
            totals::counters(self.conn, &address)?.fill(&mut provider);
            self.applied.changes.providers.push(provider);
        }
        Ok(())
    }

    /// The provider, if it changed; adds to `jobs` those that name it, if nobody had heard of it yet.
    fn provider(&mut self, address: &Address, jobs: &mut BTreeSet<Address>) -> Result<Option<(Address, Provider)>> {
        let row = account::get(self.conn, address)?;
        let needs_events = row.as_ref().is_some_and(|row| row.state().is_none());
        let events = if needs_events { event::history(self.conn, address)? } else { Vec::new() };
        let Some(after) = provider::rebuild(address, row.as_ref(), &events) else { return Ok(None) };
        let before: Option<Provider> = find(self.conn, address)?;
        if before.is_none() {
            jobs.extend(table::of_provider(self.conn, address)?);
        }
        if before.as_ref() == Some(&after) {
            return Ok(None);
        }
        put(self.conn, before.as_ref(), &after)?;
        self.deltas.provider_changed(before.as_ref(), &after);
        Ok(Some((*address, after)))
    }

    fn job(&mut self, address: &Address) -> Result<()> {
        let row = account::get(self.conn, address)?;
        let events = event::history(self.conn, address)?;
        let mut failed = None;
        let authority = |provider: &Address| {
            table::authority(self.conn, provider).unwrap_or_else(|error| {
                failed = Some(error);
                None
            })
        };
        let rebuilt = job::rebuild(address, row.as_ref(), &events, authority);
        if let Some(error) = failed {
            return Err(error);
        }
        let Some(after) = rebuilt else { return Ok(()) };
        let before: Option<Job> = find(self.conn, address)?;
        if before.as_ref() != Some(&after) {
            put(self.conn, before.as_ref(), &after)?;
            self.deltas.changed(before.as_ref(), &after);
            self.applied.changes.jobs.push(after);
        }
        Ok(())
    }

    fn dispute(&mut self, address: &Address) -> Result<()> {
        let row = account::get(self.conn, address)?;
        let events = event::history(self.conn, address)?;
        let Some(after) = dispute::rebuild(address, row.as_ref(), &events) else { return Ok(()) };
        let before: Option<Dispute> = find(self.conn, address)?;
        if before.as_ref() != Some(&after) {
            put(self.conn, before.as_ref(), &after)?;
            self.applied.changes.disputes.push(after);
        }
        Ok(())
    }

    /// The events that say something of it which the account does not.
    fn history(&self, address: &Address, row: Option<&AccountRow>) -> Result<Vec<EventRow>> {
        match row.and_then(AccountRow::told_until) {
            Some(slot) => event::since(self.conn, address, slot),
            None => event::history(self.conn, address),
        }
    }

    fn channel(&mut self, address: &Address) -> Result<()> {
        self.ledger(address)?;
        let Some(Ledger { before: days_before, now: days }) = self.ledgers.remove(address) else { return Ok(()) };
        if days != days_before {
            days::put(self.conn, address, &days, &days_before)?;
        }
        let row = account::get(self.conn, address)?;
        let events = self.history(address, row.as_ref())?;
        // Until somebody says whose it is, its days wait.
        let Some(mut after) = channel::rebuild(address, row.as_ref(), &events) else { return Ok(()) };
        days.total().fill(&mut after);
        let before: Option<Channel> = find(self.conn, address)?;
        if before.as_ref() == Some(&after) && days == days_before {
            return Ok(());
        }
        put(self.conn, before.as_ref(), &after)?;
        if before.is_none() {
            distribution::name_parties(self.conn, address)?;
        }
        let counted = before.as_ref().map(|before| (before, &days_before));
        revenue::changed(self.conn, counted.map(|(_, days)| days), &after, &days)?;
        self.deltas.channel_changed(counted, (&after, &days));
        self.applied.changes.channels.push(after);
        Ok(())
    }

    fn plan(&mut self, address: &Address) -> Result<()> {
        let row = account::get(self.conn, address)?;
        let events = self.history(address, row.as_ref())?;
        let Some(after) = plan::rebuild(address, row.as_ref(), &events) else { return Ok(()) };
        let before: Option<Plan> = find(self.conn, address)?;
        if before.as_ref() != Some(&after) {
            put(self.conn, before.as_ref(), &after)?;
            self.applied.changes.plans.push(after);
        }
        Ok(())
    }
}
