//! What one owner owes, over all its channels: how much may be unpaid follows what was paid. No clock, no network, no disk.
//!
//! A channel costs next to nothing, so that whoever leaves one unpaid and opens another must not begin anew.

use crate::refusal::Refusal;
use joule_sdk::Pubkey;
use joule_units::{Amount, UnixTime};
use std::collections::{HashMap, HashSet};

/// Seconds for which a debt counts that nobody can pay any more, because its channel or its session is over. Then whoever owed it
/// begins anew, as it could have with another key.
pub const DEBT_LIFE: i64 = 86_400;

/// Of one channel, or of several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Part {
    /// Receipts that no voucher pays for.
    pub unpaid: u64,
    /// Requests that are being served, and those that the client broke off.
    pub serving: u64,
    /// What `unpaid` comes to, and the most that `serving` may.
    pub owed: Amount,
    /// By vouchers.
    pub paid: Amount,
}

impl Part {
    fn plus(self, other: Self) -> Self {
        let sum = |a: Amount, b: Amount| Amount::new(a.get().saturating_add(b.get()));
        Self {
            unpaid: self.unpaid + other.unpaid,
            serving: self.serving + other.serving,
            owed: sum(self.owed, other.owed),
            paid: sum(self.paid, other.paid),
        }
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    part: Part,
    /// Until when its debt counts.
    until: UnixTime,
}

/// How often a client may break one order off; what the model begins each time, nobody pays.
pub const MOST_BREAKS: u32 = 3;

/// Seconds that one more keeps its place, once an owner has broken off so many and paid nothing since; each keeps it twice as long as
/// the last, a day at most.
const NEXT_BREAK: i64 = 60;

/// A request that the client broke off before anything of its answer was sent.
#[derive(Debug, Clone, Copy)]
struct BrokenOff {
    most: Amount,
    until: UnixTime,
    times: u32,
    /// It came again since.
    is_back: bool,
}

#[derive(Debug, Default)]
pub struct Tab {
    channels: HashMap<Pubkey, Entry>,
    /// By channel and nonce.
    broken_off: HashMap<(Pubkey, u64), BrokenOff>,
    /// How often something was broken off since something was paid.
    breaks: u32,
    /// Orders whose bodies are being read; the same.
    reading: HashSet<(Pubkey, u64)>,
}

impl Tab {
    /// Where a channel stands.
    pub fn set(&mut self, channel: Pubkey, part: Part) {
        let entry = self.channels.entry(channel).or_default();
        if part.paid > entry.part.paid {
            self.breaks = 0;
        }
        entry.part = part;
    }

    /// From `end` on nothing can be paid any more on a channel.
    pub fn ends(&mut self, channel: Pubkey, end: UnixTime) {
        self.channels.entry(channel).or_default().until = after(end, DEBT_LIFE);
    }

    /// Its place stays taken until the order is over that asked for it, or longer if there were many, or until the same order comes
    /// again.
    pub fn broke_off(&mut self, channel: Pubkey, nonce: u64, most: Amount, now: UnixTime, over: UnixTime) {
        self.breaks = self.breaks.saturating_add(1);
        let until = match self.breaks.checked_sub(MOST_BREAKS + 1) {
            None => over,
            Some(more) => over.max(after(now, (NEXT_BREAK << more.min(16)).min(DEBT_LIFE))),
        };
        let times = self.broken_off.get(&(channel, nonce)).map_or(0, |it| it.times) + 1;
        self.broken_off.insert((channel, nonce), BrokenOff { most, until, times, is_back: false });
    }

    /// It is being served again, or was.
    pub fn came_again(&mut self, channel: Pubkey, nonce: u64) {
        if let Some(it) = self.broken_off.get_mut(&(channel, nonce)) {
            it.is_back = true;
        }
    }

    /// Whether it was broken off as often as it may be.
    pub fn is_spent(&self, channel: Pubkey, nonce: u64) -> bool {
        self.broken_off.get(&(channel, nonce)).is_some_and(|it| it.times >= MOST_BREAKS)
    }

    /// Begins to read the body that an order is for: once, and `most` of the owner's at the same time.
    pub fn read(&mut self, channel: Pubkey, nonce: u64, most: usize) -> Result<(), Refusal> {
        if self.reading.contains(&(channel, nonce)) {
            return Err(Refusal::Serving);
        }
        if self.reading.len() >= most {
            return Err(Refusal::Reading { most });
        }
        self.reading.insert((channel, nonce));
        Ok(())
    }

    /// It was read, or not.
    pub fn was_read(&mut self, channel: Pubkey, nonce: u64) {
        self.reading.remove(&(channel, nonce));
    }

    /// Anything, on any of the channels.
    pub fn has_paid(&self) -> bool {
        self.channels.values().any(|entry| !entry.part.paid.is_zero())
    }

    /// All together, without the place that this order has already.
    pub fn all(&mut self, channel: &Pubkey, nonce: u64, now: UnixTime) -> Part {
        self.broken_off.retain(|_, it| it.until > now);
        let gone = self.broken_off.iter().filter(|(_, it)| !it.is_back);
        let broken_off = gone.filter(|(key, _)| **key != (*channel, nonce));
        let broken_off = broken_off.map(|(_, it)| Part { serving: 1, owed: it.most, ..Part::default() });
        let channels = self.channels.values().map(|Entry { part, until }| match *until > now || part.serving > 0 {
            true => *part,
            false => Part { paid: part.paid, ..Part::default() },
        });
        broken_off.chain(channels).fold(Part::default(), Part::plus)
    }
}

pub fn after(time: UnixTime, seconds: i64) -> UnixTime {
    UnixTime::new(time.get().saturating_add(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::new(1_000_000);

    fn channel(seed: u8) -> Pubkey {
        Pubkey::new_from_array([seed; 32])
    }

    fn part(unpaid: u64, serving: u64, owed: u64, paid: u64) -> Part {
        Part { unpaid, serving, owed: Amount::new(owed), paid: Amount::new(paid) }
    }

    #[test]
    fn channels_of_one_owner_are_one_account() {
        let mut tab = Tab::default();
        tab.set(channel(1), part(1, 0, 100, 500));
        tab.set(channel(2), part(0, 2, 300, 0));
        tab.ends(channel(1), after(NOW, 1_000));
        assert_eq!(tab.all(&channel(3), 1, NOW), part(1, 2, 400, 500));
        tab.set(channel(1), part(0, 0, 0, 600));
        assert_eq!(tab.all(&channel(3), 1, NOW), part(0, 2, 300, 600));
    }

    #[test]
    fn a_debt_outlives_its_channel_or_session_for_a_day_and_what_was_paid_for_ever() {
        let mut tab = Tab::default();
        tab.set(channel(1), part(1, 0, 100, 500));
        tab.ends(channel(1), NOW);
        assert_eq!(tab.all(&channel(2), 1, after(NOW, DEBT_LIFE - 1)), part(1, 0, 100, 500));
        assert_eq!(tab.all(&channel(2), 1, after(NOW, DEBT_LIFE)), part(0, 0, 0, 500));
    }

    #[test]
    fn what_was_broken_off_keeps_its_place_until_it_comes_again_or_is_over() {
        let mut tab = Tab::default();
        let order = (channel(1), 7);
        tab.broke_off(order.0, order.1, Amount::new(40), NOW, after(NOW, 20));
        assert_eq!(tab.all(&channel(1), 8, NOW), part(0, 1, 40, 0));
        assert_eq!(tab.all(&channel(2), 7, NOW), part(0, 1, 40, 0), "another channel's order of this number");
        assert_eq!(tab.all(&channel(1), 7, NOW), Part::default(), "the same order again");
        tab.came_again(order.0, order.1);
        assert_eq!(tab.all(&channel(1), 8, NOW), Part::default());
        tab.broke_off(order.0, order.1, Amount::new(40), NOW, after(NOW, 20));
        assert_eq!(tab.all(&channel(1), 8, after(NOW, 20)), Part::default());
    }

    #[test]
    fn an_order_is_broken_off_so_often_until_it_is_over() {
        let mut tab = Tab::default();
        for _ in 0..MOST_BREAKS {
            assert!(!tab.is_spent(channel(1), 7));
            tab.came_again(channel(1), 7);
            tab.broke_off(channel(1), 7, Amount::new(40), NOW, after(NOW, 20));
        }
        assert!(tab.is_spent(channel(1), 7) && !tab.is_spent(channel(1), 8));
        assert_eq!(tab.all(&channel(1), 8, NOW), part(0, 1, 40, 0), "one place, however often");
        tab.all(&channel(1), 8, after(NOW, 20));
        assert!(!tab.is_spent(channel(1), 7));
    }

    /// Each order as often as it may, and then the next as soon as it may: how often the model begins in a day.
    fn begun_in_a_day(pays: bool) -> u32 {
        let (mut tab, mut now, mut begun, mut paid) = (Tab::default(), NOW, 0, 0);
        for nonce in 0_u64.. {
            while tab.all(&channel(1), nonce, now).serving > 0 {
                now = after(now, 1);
            }
            if now >= after(NOW, 86_400) {
                break;
            }
            for _ in 0..MOST_BREAKS {
                tab.came_again(channel(1), nonce);
                tab.broke_off(channel(1), nonce, Amount::new(40), now, after(now, 30));
                begun += 1;
            }
            if pays {
                paid += 1;
                tab.set(channel(1), part(0, 0, 0, paid));
            }
        }
        begun
    }

    #[test]
    fn whoever_breaks_everything_off_and_pays_nothing_has_the_model_begin_a_few_times_a_day() {
        assert!(begun_in_a_day(false) < 30, "{}", begun_in_a_day(false));
        assert!(begun_in_a_day(true) > 5_000, "who pays in between begins anew");
    }

    #[test]
    fn a_body_is_read_once_and_few_of_an_owner_at_a_time() {
        let mut tab = Tab::default();
        assert_eq!(tab.read(channel(1), 7, 2), Ok(()));
        assert_eq!(tab.read(channel(1), 7, 2), Err(Refusal::Serving));
        assert_eq!(tab.read(channel(2), 7, 2), Ok(()));
        assert_eq!(tab.read(channel(2), 8, 2), Err(Refusal::Reading { most: 2 }));
        tab.was_read(channel(1), 7);
        assert_eq!(tab.read(channel(2), 8, 2), Ok(()));
    }
}
