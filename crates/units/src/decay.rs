//! Numbers that forget: half of them is gone after every half-life.

use crate::{Seconds, UnixTime};

/// What is left at `now` of `amount` counted at `then`: halved for each whole half-life, and less by a straight line within one,
/// rounded up. Without a half-life nothing is forgotten.
#[inline(always)]
pub const fn halved(amount: u64, then: UnixTime, now: UnixTime, half_life: Seconds) -> u64 {
    let half_life = half_life.get() as u64;
    if amount == 0 || now.get() <= then.get() || half_life == 0 {
        return amount;
    }
    let elapsed = now.get().wrapping_sub(then.get()) as u64;
    let (whole, rest) = (elapsed / half_life, elapsed % half_life);
    if whole >= u64::BITS as u64 {
        return 0;
    }
    let (left, twice) = (amount >> whole, 2 * half_life);
    // Less than half of it, since the rest is less than a half-life. Divided in two parts that mostly fit into 64 bits, since
    // dividing 128 costs the VM thousands of compute units.
    let (times, over) = (left / twice, left % twice);
    // The rest has at most 32 bits, and so has what is over, but for half-lives of a lifetime.
    let fine = match over >> 32 {
        0 => over.wrapping_mul(rest) / twice,
        _ => (over as u128 * rest as u128 / twice as u128) as u64,
    };
    left - times.wrapping_mul(rest) - fine
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 60 * 60;
    const HALF_LIFE: Seconds = Seconds::new(90 * DAY as u32);

    fn after(amount: u64, seconds: i64) -> u64 {
        halved(amount, UnixTime::new(1_000), UnixTime::new(1_000i64.saturating_add(seconds)), HALF_LIFE)
    }

    #[test]
    fn half_is_left_after_each_half_life() {
        for (half_lives, left) in [(0, 4_096), (1, 2_048), (2, 1_024), (12, 1), (13, 0), (64, 0), (1_000, 0)] {
            assert_eq!(after(4_096, 90 * DAY * half_lives), left);
        }
    }

    #[test]
    fn within_a_half_life_it_goes_down_a_straight_line() {
        assert_eq!(after(1_000, 45 * DAY), 750);
        assert_eq!(after(1_000, 90 * DAY + 45 * DAY), 375);
        assert_eq!(after(1_000, 9 * DAY), 950);
    }

    #[test]
    fn it_never_grows_and_never_jumps() {
        for amount in [1, 2, 3, 1_000, u64::MAX] {
            let mut before = amount;
            for day in 0..400 {
                let now = after(amount, day * DAY);
                assert!(now <= before && before - now <= before / 89 + 2, "{amount} on day {day}: {before} to {now}");
                before = now;
            }
        }
    }

    #[test]
    fn it_is_what_wide_arithmetic_says() {
        for amount in [1, 2, 15_552_000, 15_552_001, 1 << 40, u64::MAX / 2, u64::MAX] {
            for half_life in [1, 2, 7_776_000, u32::MAX] {
                for elapsed in
                    [0, 1, half_life as i64 / 2, half_life as i64 - 1, half_life as i64, 3 * half_life as i64 + 1]
                {
                    let (whole, rest) = (elapsed / half_life as i64, elapsed % half_life as i64);
                    let left = amount >> whole;
                    let wide = left - (left as u128 * rest as u128 / (2 * half_life as u128)) as u64;
                    let now = UnixTime::new(elapsed);
                    assert_eq!(halved(amount, UnixTime::new(0), now, Seconds::new(half_life)), wide);
                }
            }
        }
    }

    #[test]
    fn a_clock_that_stands_or_runs_backwards_forgets_nothing() {
        assert_eq!(after(77, 0), 77);
        assert_eq!(after(77, -5), 77);
        assert_eq!(halved(77, UnixTime::new(i64::MAX), UnixTime::new(i64::MIN), HALF_LIFE), 77);
        assert_eq!(halved(77, UnixTime::new(i64::MIN), UnixTime::new(i64::MAX), HALF_LIFE), 0);
        assert_eq!(halved(77, UnixTime::new(0), UnixTime::new(i64::MAX), Seconds::new(0)), 77);
    }
}
