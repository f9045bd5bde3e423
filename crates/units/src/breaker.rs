//! A limit on how much may flow out within a window, whoever signs for it.

use crate::{Amount, Seconds};

/// At most `limit` at once, and about `limit` in each `window` after that: within any time `t` no more than
/// `limit * (1 + t / window)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breaker {
    /// Base units; zero lets nothing out.
    pub limit: Amount,
    pub window: Seconds,
}

impl Breaker {
    /// What of an `earlier` outflow still counts after `elapsed` seconds, as in a bucket that leaks:
    /// `max(earlier - floor(limit * elapsed / window), 0)`, so that rounding is against the spender. It leaks as fast whatever is in
    /// it, so that a tighter breaker forgets no faster. A clock that ran backwards forgives nothing.
    #[inline(always)]
    pub fn counted(self, earlier: Amount, elapsed: i64) -> Amount {
        let window = self.window.get() as i64;
        if elapsed <= 0 {
            return earlier;
        }
        if elapsed >= window && earlier <= self.limit {
            return Amount::ZERO;
        }
        let leaked = self.limit.get() as u128 * elapsed as u128 / window.max(1) as u128;
        Amount::new((earlier.get() as u128).saturating_sub(leaked) as u64)
    }

    /// What may flow out now.
    #[inline(always)]
    pub fn headroom(self, earlier: Amount, elapsed: i64) -> Amount {
        Amount::new(self.limit.get().saturating_sub(self.counted(earlier, elapsed).get()))
    }

    /// The outflow that counts from now on once `amount` has left; `None` when that is above the limit.
    #[inline(always)]
    pub fn spend(self, earlier: Amount, elapsed: i64, amount: Amount) -> Option<Amount> {
        self.counted(earlier, elapsed).checked_add(amount).filter(|total| *total <= self.limit)
    }

    /// Whether this breaker never lets out more than `other` would have: neither at once nor over time.
    #[inline(always)]
    pub fn is_within(self, other: Self) -> bool {
        let (limit, others) = (self.limit.get() as u128, other.limit.get() as u128);
        limit <= others && limit * other.window.get() as u128 <= others * self.window.get() as u128
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u32 = 86_400;

    fn breaker(limit: u64, window: u32) -> Breaker {
        Breaker { limit: Amount::new(limit), window: Seconds::new(window) }
    }

    fn counted(limit: u64, earlier: u64, elapsed: i64, window: u32) -> u64 {
        breaker(limit, window).counted(Amount::new(earlier), elapsed).get()
    }

    struct Random(u64);

    impl Random {
        fn below(&mut self, end: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0 % end.max(1)
        }
    }

    #[test]
    fn an_outflow_fades_in_a_line_and_is_gone_after_the_window() {
        assert_eq!(counted(1_000, 1_000, 0, 100), 1_000);
        assert_eq!(counted(1_000, 1_000, 25, 100), 750);
        assert_eq!(counted(1_000, 1_000, 99, 100), 10);
        assert_eq!(counted(1_000, 1_000, 100, 100), 0);
        assert_eq!(counted(1_000, 1_000, i64::MAX, 100), 0);
        assert_eq!(counted(1_000, 500, 25, 100), 250, "by the limit, and not by what has left");
        assert_eq!(counted(0, 500, i64::MAX, 100), 500);
    }

    #[test]
    fn what_fades_is_rounded_against_the_spender() {
        assert_eq!(counted(1, 1, 99, 100), 1);
        assert_eq!(counted(10, 10, 1, 3), 7);
        assert_eq!(counted(u64::MAX, u64::MAX, 1, u32::MAX), u64::MAX - u64::MAX / u32::MAX as u64);
    }

    #[test]
    fn extremes_neither_overflow_nor_divide_by_zero() {
        for earlier in [0, 1, u64::MAX - 1, u64::MAX] {
            for window in [0, 1, 2, DAY, u32::MAX] {
                for elapsed in [i64::MIN, -1, 0, 1, window as i64 - 1, window as i64, i64::MAX] {
                    for limit in [0, 1, u64::MAX] {
                        assert!(counted(limit, earlier, elapsed, window) <= earlier);
                    }
                }
            }
        }
        assert_eq!(breaker(u64::MAX, DAY).spend(Amount::new(1), 0, Amount::new(u64::MAX)), None);
        assert_eq!(breaker(u64::MAX, DAY).spend(Amount::ZERO, 0, Amount::new(u64::MAX)), Some(Amount::new(u64::MAX)));
        assert_eq!(breaker(0, DAY).spend(Amount::ZERO, 0, Amount::ZERO), Some(Amount::ZERO));
        assert_eq!(breaker(0, DAY).spend(Amount::ZERO, 0, Amount::new(1)), None);
    }

    #[test]
    fn a_clock_that_runs_backwards_forgives_nothing() {
        assert_eq!(counted(1_000, 1_000, -1, 100), 1_000);
        assert_eq!(counted(1_000, 1_000, i64::MIN, 100), 1_000);
    }

    #[test]
    fn headroom_is_just_what_can_be_spent() {
        let mut random = Random(88172645463325252);
        for _ in 0..5_000 {
            let b = breaker(random.below(1 << 40), 1 + random.below(1 << 22) as u32);
            let (earlier, elapsed) = (Amount::new(random.below(1 << 41)), random.below(1 << 22) as i64);
            let room = b.headroom(earlier, elapsed);
            let fits = |amount: u64| b.spend(earlier, elapsed, Amount::new(amount)).is_some();
            assert!(room.is_zero() || fits(room.get()));
            assert!(!fits(room.get() + 1));
        }
    }

    #[test]
    fn however_it_is_cut_no_more_leaves_than_the_limit_and_what_has_faded() {
        let mut random = Random(7);
        for _ in 0..200 {
            let b = breaker(1 + random.below(1 << 30), 3_600 + random.below(1 << 20) as u32);
            let (mut earlier, mut total, mut time) = (Amount::ZERO, 0u128, 0u64);
            for _ in 0..200 {
                let wait = random.below(b.window.get() as u64 / 8);
                let room = b.headroom(earlier, wait as i64).get();
                let amount = Amount::new(if random.below(2) == 0 { room } else { random.below(room) });
                earlier = b.spend(earlier, wait as i64, amount).unwrap();
                total += amount.get() as u128;
                time += wait;
                let window = b.window.get() as u128;
                assert!(total * window <= b.limit.get() as u128 * (window + time as u128));
            }
        }
    }

    #[test]
    fn a_smaller_limit_in_a_shorter_window_may_still_be_looser() {
        let present = breaker(1_000, DAY);
        assert!(present.is_within(present));
        assert!(breaker(999, DAY).is_within(present));
        assert!(breaker(1_000, 2 * DAY).is_within(present));
        assert!(breaker(500, DAY / 2).is_within(present));
        assert!(breaker(0, 1).is_within(present));
        assert!(!breaker(1_001, DAY).is_within(present));
        assert!(!breaker(1_001, 30 * DAY).is_within(present), "more at once");
        assert!(!breaker(500, DAY / 2 - 1).is_within(present), "more over time");
        assert!(!breaker(1_000, DAY - 1).is_within(present));
    }

    #[test]
    fn a_breaker_within_another_never_has_more_headroom_later() {
        let mut random = Random(99);
        for _ in 0..20_000 {
            let old = breaker(1 + random.below(1 << 20), 1 + random.below(1 << 16) as u32);
            let new = breaker(random.below(1 << 20), 1 + random.below(1 << 16) as u32);
            if !new.is_within(old) {
                continue;
            }
            // The outflow that counts when the breaker is changed, and the time since.
            let earlier = Amount::new(random.below(old.limit.get() + 1));
            let elapsed = random.below(1 << 17) as i64;
            // Both round up, so that they may differ by one unit.
            assert!(new.headroom(earlier, elapsed).get() <= old.headroom(earlier, elapsed).get() + 1);
        }
    }
}
