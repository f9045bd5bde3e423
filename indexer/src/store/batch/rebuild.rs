//! What was made of accounts and events is made again, at the end of a batch.

use super::{history::Histories, Ledger, Work};
use crate::{
    decode::Row,
    row::{
        cell::{address, Cell},
        channel, dispute,
        distribution::Divided,
        job, plan, provider,
        record::Kept as _,
        revenue::{Days, RevenueKey, RevenueRow, Sums},
        totals::{Counters, Total},
        AccountRow,
    },
    store::{account, days, Applied, Result},
    types::Address,
};
use joule_api::{Channel, Job, Provider};
use std::collections::{BTreeMap, BTreeSet};

/// Rows that are rebuilt at a time.
const AT_ONCE: usize = 4_096;

impl Work<'_> {
    /// Providers first: a job may have to ask who runs its provider.
    pub(super) fn rebuild(&mut self) -> Result<()> {
        let rows = std::mem::take(&mut self.rows);
        let mut jobs: BTreeSet<Address> = BTreeSet::new();
        let (mut providers, mut disputes, mut channels, mut plans) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for row in rows {
            match row {
                Row::Job(address) => drop(jobs.insert(address)),
                Row::Provider(address) => providers.push(address),
                Row::Dispute(address) => disputes.push(address),
                Row::Channel(address) => channels.push(address),
                Row::Plan(address) => plans.push(address),
            }
        }
        let mut changed = Vec::new();
        for some in providers.chunks(AT_ONCE) {
            let histories = self.histories(some, |row| row.is_some_and(|row| row.state().is_none()).then_some(None))?;
            self.providers.load(self.tables, some.iter().copied())?;
            for address in some {
                changed.extend(self.provider(address, &histories, &mut jobs)?);
            }
        }
        for some in jobs.into_iter().collect::<Vec<_>>().chunks(AT_ONCE) {
            let histories = self.histories(some, |_| Some(None))?;
            for address in some {
                if !self.rewinds && !self.accounts.is_stored(address) && !histories.is_stored(address) {
                    self.jobs.absent(*address);
                }
            }
            self.jobs.load(self.tables, some.iter().copied())?;
            for address in some {
                self.job(address, &histories)?;
            }
            std::mem::take(&mut self.jobs).flush_to(self.tables, |before, after, job| {
                self.deltas.changed(before, after)?;
                self.applied.changes.jobs.push(job);
                Ok(())
            })?;
            self.accounts.spill(self.tables)?;
        }
        for some in disputes.chunks(AT_ONCE) {
            let histories = self.histories(some, |_| Some(None))?;
            self.disputes.load(self.tables, some.iter().copied())?;
            for address in some {
                let row = self.accounts.get(self.tables, address)?;
                let Some(after) = dispute::rebuild(address, row, histories.of(address)) else {
                    self.dispute_gone(address)?;
                    continue;
                };
                if self.disputes.get(self.tables, address)? != Some(&after) {
                    self.disputes.put(self.tables, *address, after.clone())?;
                    self.applied.changes.disputes.push(after);
                }
            }
        }
        let told = |row: Option<&AccountRow>| Some(row.and_then(AccountRow::told_until));
        for some in channels.chunks(AT_ONCE) {
            let histories = self.histories(some, told)?;
            self.channels.load(self.tables, some.iter().copied())?;
            for address in some {
                self.channel(address, &histories)?;
            }
        }
        for some in plans.chunks(AT_ONCE) {
            let histories = self.histories(some, told)?;
            self.plans.load(self.tables, some.iter().copied())?;
            for address in some {
                let row = self.accounts.get(self.tables, address)?;
                let Some(after) = plan::rebuild(address, row, histories.of(address)) else {
                    self.plan_gone(address)?;
                    continue;
                };
                if self.plans.get(self.tables, address)? != Some(&after) {
                    self.plans.put(self.tables, *address, after.clone())?;
                    self.applied.changes.plans.push(after);
                }
            }
        }
        self.sum()?;
        for (address, mut provider) in changed {
            self.counters(&address)?.fill(&mut provider);
            self.applied.changes.providers.push(provider);
        }
        Ok(())
    }

    /// What some rows are rebuilt from: `wanted` says of each account whether its events count at all, and after which slot.
    fn histories(
        &mut self,
        addresses: &[Address],
        wanted: impl Fn(Option<&AccountRow>) -> Option<Option<u64>>,
    ) -> Result<Histories> {
        self.accounts.load(self.tables, addresses.iter().copied())?;
        let mut of = Vec::with_capacity(addresses.len());
        for address in addresses {
            let told = wanted(self.accounts.get(self.tables, address)?);
            of.extend(told.map(|told| (*address, told)));
        }
        Histories::load(self.tables, &of, &self.events)
    }

    /// The provider, if it changed; adds to `jobs` those that name it, if nobody had heard of it yet.
    fn provider(
        &mut self,
        address: &Address,
        histories: &Histories,
        jobs: &mut BTreeSet<Address>,
    ) -> Result<Option<(Address, Provider)>> {
        let row = self.accounts.get(self.tables, address)?;
        let Some(after) = provider::rebuild(address, row, histories.of(address)) else {
            self.provider_gone(address)?;
            return Ok(None);
        };
        let before = self.providers.get(self.tables, address)?;
        if before == Some(&after) {
            return Ok(None);
        }
        self.deltas.provider_changed(before, &after);
        if before.is_none() {
            let of_provider = self.tables.get(Job::table(), &["provider"], &[vec![Cell::Key(address.0)]])?;
            for job in of_provider {
                jobs.insert(Job::key_of(&job)?);
            }
        }
        self.providers.put(self.tables, *address, after.clone())?;
        Ok(Some((*address, after)))
    }

    fn job(&mut self, address: &Address, histories: &Histories) -> Result<()> {
        let row = self.accounts.get(self.tables, address)?;
        let mut failed = None;
        let (providers, tables) = (&mut self.providers, &mut *self.tables);
        let authority = |provider: &Address| match providers.get(tables, provider) {
            Ok(provider) => provider.and_then(|provider| provider.authority.parse().ok()),
            Err(error) => {
                failed = Some(error);
                None
            }
        };
        let rebuilt = job::rebuild(address, row, histories.of(address), authority);
        if let Some(error) = failed {
            return Err(error);
        }
        match rebuilt {
            Some(after) => self.jobs.put(self.tables, *address, after),
            None => self.job_gone(address),
        }
    }

    fn channel(&mut self, address: &Address, histories: &Histories) -> Result<()> {
        self.ledger(address)?;
        let Some(Ledger { before: days_before, now: days }) = self.ledgers.remove(address) else { return Ok(()) };
        if days != days_before {
            days::put(self.tables, address, &days_before, &days)?;
        }
        let row = self.accounts.get(self.tables, address)?;
        // Until somebody says whose it is, its days wait.
        let Some(mut after) = channel::rebuild(address, row, histories.of(address)) else {
            return self.channel_gone(address, &days_before);
        };
        let (total, is_seen) = (days.total(), row.is_some_and(|row| !row.data.is_empty()));
        total.fill(&mut after);
        if !is_seen {
            total.fill_requests(&mut after);
        }
        let before = self.channels.get(self.tables, address)?;
        if before == Some(&after) && days == days_before {
            return Ok(());
        }
        let is_new = before.is_none();
        self.deltas.channel_changed(before.map(|before| (before, &days_before)), (&after, &days));
        self.earned((!is_new).then_some(&days_before), &after, &days)?;
        self.channels.put(self.tables, *address, after.clone())?;
        if is_new {
            self.name_parties(address, &after)?;
        }
        self.applied.changes.channels.push(after);
        Ok(())
    }

    /// A channel is known for the first time: so are the parties of what it has divided. They never change.
    fn name_parties(&mut self, address: &Address, channel: &Channel) -> Result<()> {
        let stored = self.tables.get(Divided::table(), &["channel"], &[vec![Cell::Key(address.0)]])?;
        let mut places = self.divided.get(address).cloned().unwrap_or_default();
        for cells in &stored {
            places.push(Divided::key_of(cells)?);
        }
        for place in places {
            if let Some(divided) = self.distributions.get(self.tables, &place)? {
                let mut named = divided.clone();
                named.payer = Some(channel.payer.clone());
                named.provider = Some(channel.provider.clone());
                named.model = Some(channel.model.clone());
                self.distributions.put(self.tables, place, named)?;
            }
        }
        Ok(())
    }

    /// What a channel's change adds to revenue: its days before and after.
    pub(super) fn earned(&mut self, before: Option<&Days>, channel: &Channel, after: &Days) -> Result<()> {
        let mut deltas: BTreeMap<i64, Sums> = BTreeMap::new();
        for (day, sums) in before.iter().flat_map(|days| days.added()) {
            deltas.entry(day).or_default().add(&sums, -1);
        }
        for (day, sums) in after.added() {
            deltas.entry(day).or_default().add(&sums, 1);
        }
        let (mint, model, provider) = (address(&channel.mint)?, address(&channel.model)?, address(&channel.provider)?);
        for (day, delta) in deltas.into_iter().filter(|(_, sums)| *sums != Sums::default()) {
            self.earnings.entry(RevenueKey { day, mint, model, provider }).or_default().add(&delta, 1);
        }
        Ok(())
    }

    /// Adds what has changed to the sums.
    fn sum(&mut self) -> Result<()> {
        let earnings = std::mem::take(&mut self.earnings);
        self.revenue.load(self.tables, earnings.keys().copied())?;
        for (key, delta) in earnings.into_iter().filter(|(_, delta)| *delta != Sums::default()) {
            let mut sums = self.revenue.get(self.tables, &key)?.map(|row| row.sums).unwrap_or_default();
            sums.add(&delta, 1);
            self.revenue.put(self.tables, key, RevenueRow { key, sums })?;
        }
        let deltas = std::mem::take(&mut self.deltas).0;
        self.totals.load(self.tables, deltas.iter().filter(|(_, delta)| **delta != 0).map(|(key, _)| *key))?;
        for (key, delta) in deltas.into_iter().filter(|(_, delta)| *delta != 0) {
            let value = self.totals.get(self.tables, &key)?.map_or(0, |total| total.value) + delta;
            self.totals.put(self.tables, key, Total { key, value })?;
        }
        Ok(())
    }

    fn counters(&mut self, provider: &Address) -> Result<Counters> {
        Counters::read(provider, |key| Ok(self.totals.get(self.tables, &key)?.map_or(0, |total| total.value)))
    }

    pub(super) fn flush(self) -> Result<Applied> {
        let tables = self.tables;
        self.accounts.flush(tables)?;
        self.events.flush(tables)?;
        account::list(tables, self.members)?;
        self.providers.flush(tables)?;
        self.disputes.flush(tables)?;
        self.models.flush(tables)?;
        self.channels.flush(tables)?;
        self.plans.flush(tables)?;
        self.distributions.flush(tables)?;
        self.revenue.flush(tables)?;
        self.totals.flush(tables)?;
        self.payers.flush(tables)?;
        self.clients.flush(tables)?;
        self.protocols.flush(tables)?;
        self.mints.flush(tables)?;
        self.letters.flush(tables)?;
        Ok(self.applied)
    }
}
