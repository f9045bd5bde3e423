//! What channels have earned, by day: where each had come to by the end of a day, and sums over those of all channels.
//!
//! Settling states no event. How many requests are paid for is seen in a channel's confirmed state, and counted on the day of
//! the block that first showed it, as far as the indexer saw it. Money is counted on the day of the event that divided or
//! paid it, to the last unit.
//!
//! A day remembers the highest that was seen on it, which is the same in whatever order and however often things are seen.
//! What a day adds is how far it goes beyond all days before. Payments are added up, once for each event.

mod days;

pub use days::{day_of, DayKey, DayRow, Days, HowFar, Seen};

use super::record::{kept, record};
use crate::{decode::Fact, types::Address};
use joule_api::{Channel, PaidOut, PaidSums, Revenue, RevenueBy};
use joule_billing::event::AnyEvent;
use std::{cmp::Reverse, collections::BTreeMap};

/// Seconds.
pub const DAY: i64 = 24 * 60 * 60;

/// What a day, or many, add. Units may go back: they are what vouchers state, and no rule binds them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    pub requests: i128,
    pub units: i128,
    pub amount: i128,
    pub collected: i128,
    pub paid_shares: i128,
    pub paid_fee: i128,
    pub paid_provider: i128,
    pub returned: i128,
}

/// Whether an event adds to some channel's days, and to whose.
pub fn channel_of(fact: &Fact) -> Option<(Address, &AnyEvent)> {
    match fact {
        Fact::Billing(fact) => match fact {
            AnyEvent::Distributed(e) => Some((Address::from(&e.channel), fact)),
            AnyEvent::OwedClaimed(e) => Some((Address::from(&e.channel), fact)),
            AnyEvent::BillDisputed(e) => Some((Address::from(&e.channel), fact)),
            _ => None,
        },
        _ => None,
    }
}

impl Sums {
    pub fn add(&mut self, other: &Self, times: i128) {
        self.requests += times * other.requests;
        self.units += times * other.units;
        self.amount += times * other.amount;
        self.collected += times * other.collected;
        self.paid_shares += times * other.paid_shares;
        self.paid_fee += times * other.paid_fee;
        self.paid_provider += times * other.paid_provider;
        self.returned += times * other.returned;
    }

    /// Fills in what a channel has paid out.
    pub fn fill(&self, channel: &mut Channel) {
        channel.paid_out =
            PaidOut { shares: clamp(self.paid_shares), fee: clamp(self.paid_fee), provider: clamp(self.paid_provider) };
        channel.returned = clamp(self.returned);
    }

    /// Fills in how many requests were paid for, of a channel that was never seen: as far as its days tell.
    pub fn fill_requests(&self, channel: &mut Channel) {
        channel.requests = clamp(self.requests);
        channel.units = clamp(self.units);
    }

    pub fn report(&self, key: Option<String>, day: Option<i64>, mint: &Address) -> Revenue {
        Revenue {
            key,
            day,
            mint: mint.to_string(),
            amount: positive(self.amount),
            collected: positive(self.collected),
            paid: PaidSums {
                shares: positive(self.paid_shares),
                fee: positive(self.paid_fee),
                provider: positive(self.paid_provider),
            },
            returned: positive(self.returned),
            requests: positive(self.requests),
            units: positive(self.units),
        }
    }
}

/// What is asked for: by day, the newest first; otherwise token by token, what earned most first. `creators` are those of models.
pub fn report(by: RevenueBy, rows: Vec<RevenueRow>, creators: &BTreeMap<Address, Address>) -> Vec<Revenue> {
    let mut groups: BTreeMap<(Address, Option<Address>, Option<i64>), Sums> = BTreeMap::new();
    for RevenueRow { key: RevenueKey { day, mint, model, provider }, sums } in rows {
        let key = match by {
            RevenueBy::Model => Some(model),
            RevenueBy::Creator => creators.get(&model).copied(),
            RevenueBy::Provider => Some(provider),
            RevenueBy::Day => None,
        };
        groups.entry((mint, key, (by == RevenueBy::Day).then_some(day))).or_default().add(&sums, 1);
    }
    groups.retain(|_, sums| *sums != Sums::default());
    let mut groups: Vec<_> = groups.into_iter().collect();
    match by {
        RevenueBy::Day => groups.sort_by_key(|((mint, _, day), _)| (Reverse(*day), *mint)),
        _ => groups.sort_by_key(|((mint, key, _), sums)| (*mint, Reverse((sums.amount, sums.requests)), *key)),
    }
    let report = |((mint, key, day), sums): ((Address, Option<Address>, Option<i64>), Sums)| {
        sums.report(key.map(|key| key.to_string()), day.map(|day| day * DAY), &mint)
    };
    groups.into_iter().map(report).collect()
}

/// A sum as the API has it: less than nothing there is only of units.
pub fn positive(sum: i128) -> u128 {
    sum.max(0).unsigned_abs()
}

/// Of one channel, whose amounts are each within 64 bits.
fn clamp(sum: i128) -> u64 {
    u64::try_from(sum.max(0)).unwrap_or(u64::MAX)
}

record! {
    Sums {
        requests: Sum,
        units: Sum,
        amount: Sum,
        collected: Sum,
        paid_shares: Sum,
        paid_fee: Sum,
        paid_provider: Sum,
        returned: Sum,
    }
}

/// What revenue is summed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RevenueKey {
    pub day: i64,
    pub mint: Address,
    pub model: Address,
    pub provider: Address,
}

record! {
    RevenueKey { day: Number<i64>, mint: Key, model: Key, provider: Key }
}

/// Sums over the days of channels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevenueRow {
    pub key: RevenueKey,
    pub sums: Sums,
}

record! {
    RevenueRow key key: RevenueKey {} flat { sums: Sums }
}

kept!(RevenueRow in "revenue" by RevenueKey);
