//! Sums over jobs, channels and payers, kept up to date by what each row's change adds.
//!
//! A total is by definition the sum of [`contribution`] over the rows of `jobs`, and of [`of_channel`] over those of `channels`. Since a row is rebuilt from events that
//! are stored once each, an event that is delivered twice changes no row, and so no total.

use super::revenue::{Days, Sums};
use crate::types::Address;
use joule_api::{Channel, ChannelStatus, Job, JobStatus, Provider, ProviderStatus};
use std::collections::BTreeMap;

pub type Key = (&'static str, Address, &'static str);

pub const MINT: &str = "mint";
pub const PROVIDER: &str = "provider";
pub const ALL: &str = "all";

/// Additions that are not written yet.
#[derive(Debug, Default)]
pub struct Deltas(pub BTreeMap<Key, i128>);

impl Deltas {
    /// Counts a row's change from `before` to `after`.
    pub fn changed(&mut self, before: Option<&Job>, after: &Job) {
        if let Some(before) = before {
            contribution(before, |key, value| *self.0.entry(key).or_default() -= value);
        }
        contribution(after, |key, value| *self.0.entry(key).or_default() += value);
    }

    /// The same for a channel and its days.
    pub fn channel_changed(&mut self, before: Option<(&Channel, &Days)>, after: (&Channel, &Days)) {
        if let Some((channel, days)) = before {
            of_channel(channel, &days.total(), |key, value| *self.0.entry(key).or_default() -= value);
        }
        of_channel(after.0, &after.1.total(), |key, value| *self.0.entry(key).or_default() += value);
    }

    /// Counts a provider's change from `before` to `after`.
    pub fn provider_changed(&mut self, before: Option<&Provider>, after: &Provider) {
        let active = |provider: &Provider| i128::from(u8::from(provider.status == ProviderStatus::Active));
        let add = [
            ("providers", i128::from(u8::from(before.is_none()))),
            ("providers_active", active(after) - before.map_or(0, active)),
        ];
        for (name, delta) in add {
            *self.0.entry((ALL, Address::SYSTEM, name)).or_default() += delta;
        }
    }

    /// A payer's balance changed, in base units.
    pub fn prepaid(&mut self, mint: Address, before: u64, after: u64) {
        *self.0.entry((MINT, mint, "prepaid")).or_default() += i128::from(after) - i128::from(before);
    }
}

/// What a provider did, as far as it is confirmed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    pub jobs_running: u64,
    pub jobs_settled: u64,
    pub jobs_failed: u64,
    /// Base units.
    pub earned: u64,
}

impl Counters {
    pub fn fill(&self, provider: &mut Provider) {
        provider.jobs_running = self.jobs_running;
        provider.jobs_settled = self.jobs_settled;
        provider.jobs_failed = self.jobs_failed;
        provider.earned = self.earned;
    }
}

/// What one job adds to the totals of its mint and of its provider.
fn contribution(job: &Job, mut add: impl FnMut(Key, i128)) {
    let Ok(mint) = job.mint.parse::<Address>() else { return };
    let count = match job.status {
        JobStatus::Open => "jobs_open",
        JobStatus::Accepted => "jobs_accepted",
        JobStatus::Delivered => "jobs_delivered",
        JobStatus::Challenged => "jobs_challenged",
        JobStatus::Settled => "jobs_settled",
        JobStatus::Refunded => "jobs_refunded",
    };
    add((MINT, mint, count), 1);
    add((MINT, mint, "escrowed"), job.escrowed.into());
    add((MINT, mint, "paid_to_providers"), job.paid.provider.into());
    add((MINT, mint, "paid_in_fees"), job.paid.fee.into());
    add((MINT, mint, "paid_to_challengers"), job.paid.challenger.into());
    add((MINT, mint, "paid_to_jurors"), job.paid.jurors.into());
    add((MINT, mint, "slashed"), job.slashed.into());
    add((MINT, mint, "deposited"), job.deposited.into());
    add((MINT, mint, "refunded"), job.paid.client.into());
    let Some(provider) = job.provider.as_ref().and_then(|provider| provider.parse::<Address>().ok()) else { return };
    match job.status {
        JobStatus::Accepted => add((PROVIDER, provider, "jobs_running"), 1),
        JobStatus::Settled => add((PROVIDER, provider, "jobs_settled"), 1),
        JobStatus::Refunded => add((PROVIDER, provider, "jobs_failed"), 1),
        JobStatus::Open | JobStatus::Delivered | JobStatus::Challenged => {}
    }
    // What it has earned, paid out or not.
    add((PROVIDER, provider, "earned"), i128::from(job.paid.provider) + i128::from(job.owed.provider));
}

/// What one channel adds to the totals of its mint.
fn of_channel(channel: &Channel, sums: &Sums, mut add: impl FnMut(Key, i128)) {
    let Ok(mint) = channel.mint.parse::<Address>() else { return };
    let count = match channel.status {
        ChannelStatus::Open => "channels_open",
        ChannelStatus::Closing => "channels_closing",
        ChannelStatus::Closed => "channels_closed",
    };
    add((MINT, mint, count), 1);
    add((MINT, mint, "billed"), sums.amount);
    add((MINT, mint, "billed_to_shares"), sums.paid_shares);
    add((MINT, mint, "billed_in_fees"), sums.paid_fee);
    add((MINT, mint, "billed_to_providers"), sums.paid_provider);
    add((MINT, mint, "billed_returned"), sums.returned);
    add((MINT, mint, "requests"), sums.requests);
    add((MINT, mint, "units"), sums.units);
}
