//! The days of one channel.

use super::{Sums, DAY};
use crate::{
    row::{
        distribution,
        record::{kept, record},
    },
    types::Address,
};
use joule_api::PaidOut;
use joule_billing::{
    constants::{MAX_SHARES, PROTOCOL},
    event::AnyEvent,
    state::Channel,
};
use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

/// The days of one channel, by their number since 1970-01-01.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Days(pub BTreeMap<i64, Seen>);

/// What was seen of a channel on one day. Amounts in base units.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// The highest sum that was settled, and what its voucher says of receipts and units: a payer may write there what it likes.
    pub settled: u64,
    pub sequence: u64,
    pub units: u64,
    /// The first that has shown that sum on this day; 0 where none was seen.
    pub slot: u64,
    /// The highest that a distribution stated: earned by all, and by the provider.
    pub amount: u64,
    pub collected: u64,
    /// Sums.
    pub paid: PaidOut,
    pub returned: u64,
}

/// Where a channel's account says that it is, and as of which slot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HowFar {
    pub settled: u64,
    pub sequence: u64,
    pub units: u64,
    pub slot: u64,
}

impl HowFar {
    pub fn of(state: &Channel, slot: u64) -> Self {
        Self { settled: state.settled.get(), sequence: state.sequence.get(), units: state.units.get(), slot }
    }
}

impl Seen {
    fn came(&mut self, HowFar { settled, sequence, units, slot }: HowFar) {
        (self.settled, self.sequence, self.units, self.slot) = (settled, sequence, units, slot);
    }
}

/// The day of a time in Unix seconds.
pub fn day_of(at: i64) -> i64 {
    at.div_euclid(DAY)
}

impl Days {
    /// The channel's vouchers were seen to have come this far.
    pub fn saw(&mut self, at: i64, how_far: HowFar) {
        if how_far.settled == 0 {
            return;
        }
        let seen = self.on(at);
        match how_far.settled.cmp(&seen.settled) {
            Ordering::Greater => seen.came(how_far),
            Ordering::Equal => seen.slot = seen.slot.min(how_far.slot),
            Ordering::Less => {}
        }
    }

    /// Forgets what later slots have shown. `known` is where the channel was then, if its account tells: it was first seen on the first
    /// day of which that was forgotten, or before.
    pub fn rewind(&mut self, slot: u64, known: Option<HowFar>) {
        let mut first = None;
        for (day, seen) in self.0.iter_mut().filter(|(_, seen)| seen.slot > slot) {
            first = first.or(Some(*day));
            seen.came(HowFar::default());
        }
        let highest = self.0.values().map(|seen| seen.settled).max().unwrap_or_default();
        if let (Some(day), Some(known)) = (first, known.filter(|known| known.settled > highest)) {
            self.0.entry(day).or_default().came(known);
        }
        self.0.retain(|_, seen| *seen != Seen::default());
    }

    /// What was divided and paid on some days is what these events say, which are all that there are of them.
    pub fn recount(&mut self, days: &BTreeSet<i64>, events: &Self) {
        for day in days {
            let (of, seen) = (events.0.get(day), self.0.entry(*day).or_default());
            let Seen { amount, collected, paid, returned, .. } = of.cloned().unwrap_or_default();
            (seen.amount, seen.collected, seen.paid, seen.returned) = (amount, collected, paid, returned);
            if of.is_none() && *seen == Seen::default() {
                self.0.remove(day);
            }
        }
    }

    /// Adds an event, which must be new and of this channel.
    pub fn happened(&mut self, fact: &AnyEvent, at: i64) {
        let add = |sum: &mut u64, amount: u64| *sum = sum.saturating_add(amount);
        match fact {
            AnyEvent::Distributed(e) => {
                let seen = self.on(at);
                seen.amount = seen.amount.max(e.settled.get().saturating_add(e.accrued.get()));
                seen.collected = seen.collected.max(e.collected.get());
                let paid = distribution::paid(&e.paid);
                add(&mut seen.paid.shares, paid.shares);
                add(&mut seen.paid.fee, paid.fee);
                add(&mut seen.paid.provider, paid.provider);
                add(&mut seen.returned, e.returned.get());
            }
            AnyEvent::OwedClaimed(e) => {
                let seen = self.on(at);
                let to = match usize::from(e.party) {
                    share if share < MAX_SHARES => &mut seen.paid.shares,
                    PROTOCOL => &mut seen.paid.fee,
                    _ => &mut seen.paid.provider,
                };
                add(to, e.amount.get());
            }
            AnyEvent::BillDisputed(e) => add(&mut self.on(at).returned, e.returned.get()),
            _ => {}
        }
    }

    fn on(&mut self, at: i64) -> &mut Seen {
        self.0.entry(day_of(at)).or_default()
    }

    /// What each day adds.
    pub fn added(&self) -> impl Iterator<Item = (i64, Sums)> + '_ {
        let mut before = Seen::default();
        self.0.iter().map(move |(day, seen)| {
            let mut sums = Sums {
                amount: i128::from(seen.amount.saturating_sub(before.amount)),
                collected: i128::from(seen.collected.saturating_sub(before.collected)),
                paid_shares: seen.paid.shares.into(),
                paid_fee: seen.paid.fee.into(),
                paid_provider: seen.paid.provider.into(),
                returned: seen.returned.into(),
                ..Sums::default()
            };
            before.amount = before.amount.max(seen.amount);
            before.collected = before.collected.max(seen.collected);
            if seen.settled > before.settled {
                sums.requests = i128::from(seen.sequence) - i128::from(before.sequence);
                sums.units = i128::from(seen.units) - i128::from(before.units);
                (before.settled, before.sequence, before.units) = (seen.settled, seen.sequence, seen.units);
            }
            (*day, sums)
        })
    }

    /// What they add together.
    pub fn total(&self) -> Sums {
        self.added().fold(Sums::default(), |mut total, (_, sums)| {
            total.add(&sums, 1);
            total
        })
    }
}

record! {
    Seen {
        settled: Amount,
        sequence: Count,
        units: Count,
        slot: Count,
        amount: Amount,
        collected: Amount,
        returned: Amount,
    }
    parts { paid: PaidOut }
}

/// A day of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DayKey {
    pub channel: Address,
    pub day: i64,
}

record! {
    DayKey { channel: Key, day: Number<i64> }
}

/// A day of a channel as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayRow {
    pub key: DayKey,
    pub seen: Seen,
}

record! {
    DayRow key key: DayKey {} flat { seen: Seen }
}

kept!(DayRow in "channel_days" by DayKey);

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = DAY / 2;

    /// Settled, receipts and units; as of a slot for each second.
    fn saw(days: &mut Days, at: i64, [settled, sequence, units]: [u64; 3]) {
        days.saw(at, HowFar { settled, sequence, units, slot: at.unsigned_abs() });
    }

    fn requests(days: &Days) -> Vec<(i64, i128, i128)> {
        days.added().map(|(day, sums)| (day, sums.requests, sums.units)).collect()
    }

    #[test]
    fn requests_count_on_the_day_that_first_showed_them() {
        let mut days = Days::default();
        saw(&mut days, NOON, [50, 10, 1_000]);
        saw(&mut days, NOON + 60, [60, 12, 1_300]);
        saw(&mut days, 3 * DAY, [60, 12, 1_300]);
        saw(&mut days, 3 * DAY + 5, [90, 20, 1_900]);
        assert_eq!(requests(&days), [(0, 12, 1_300), (3, 8, 600)]);
        assert_eq!((days.total().requests, days.total().units), (20, 1_900));
    }

    #[test]
    fn what_is_seen_late_moves_to_its_own_day_and_the_sum_stays() {
        let (mut early, mut late) = (Days::default(), Days::default());
        let seen = [(NOON, 1, 10, 1_000), (DAY + NOON, 2, 15, 900), (2 * DAY, 2, 15, 900), (4 * DAY, 3, 16, 2_000)];
        for (at, settled, sequence, units) in seen {
            saw(&mut early, at, [settled, sequence, units]);
        }
        for (at, settled, sequence, units) in seen.into_iter().rev().chain(seen) {
            saw(&mut late, at, [settled, sequence, units]);
        }
        assert_eq!(early, late);
        // A voucher may state fewer units than the one before.
        assert_eq!(requests(&early), [(0, 10, 1_000), (1, 5, -100), (2, 0, 0), (4, 1, 1_100)]);
    }

    #[test]
    fn a_number_that_no_receipts_stand_behind_counts_until_the_next_voucher() {
        let mut days = Days::default();
        saw(&mut days, NOON, [1, u64::MAX, u64::MAX]);
        saw(&mut days, NOON + 1, [500, 5, 50]);
        assert_eq!(requests(&days), [(0, 5, 50)]);
        let mut days = Days::default();
        saw(&mut days, NOON, [1, u64::MAX, u64::MAX]);
        saw(&mut days, DAY, [500, 5, 50]);
        assert_eq!((days.total().requests, days.total().units), (5, 50));
    }

    #[test]
    fn a_moment_before_1970_is_a_day_too() {
        let mut days = Days::default();
        saw(&mut days, -1, [1, 1, 1]);
        assert_eq!(requests(&days), [(-1, 1, 1)]);
    }

    #[test]
    fn what_later_slots_have_shown_is_forgotten_and_where_the_account_was_is_known() {
        let mut days = Days::default();
        for (at, [settled, sequence, units]) in
            [(10, [5, 1, 10]), (DAY, [20, 2, 20]), (DAY + 9, [30, 3, 30]), (2 * DAY, [40, 4, 40])]
        {
            saw(&mut days, at, [settled, sequence, units]);
        }
        let back = |to: i64, known| {
            let mut days = days.clone();
            days.rewind(to as u64, known);
            requests(&days)
        };
        assert_eq!(back(2 * DAY, None), requests(&days));
        assert_eq!(back(2 * DAY - 1, None), [(0, 1, 10), (1, 2, 20)]);
        assert_eq!(back(DAY + 5, None), [(0, 1, 10)], "what was seen before on that day is not known");
        let known = Some(HowFar { settled: 20, sequence: 2, units: 20, slot: DAY as u64 });
        assert_eq!(back(DAY + 5, known), [(0, 1, 10), (1, 1, 10)], "unless the account says it");
        assert_eq!(back(0, None), []);
    }
}
