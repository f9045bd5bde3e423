//! The time that decides: this machine's, or the chain's where that is ahead, since vouchers and sessions end by the chain's.

use joule_units::UnixTime;
use std::{
    sync::{Mutex, PoisonError},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

#[derive(Debug, Default)]
pub struct Clock {
    /// The latest time seen on the chain, and when.
    seen: Mutex<Option<(i64, Instant)>>,
}

impl Clock {
    pub fn now(&self) -> UnixTime {
        let here = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()).cast_signed();
        let seen = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let there = seen.map_or(0, |(time, at)| time.saturating_add(at.elapsed().as_secs().cast_signed()));
        UnixTime::new(here.max(there))
    }

    /// The chain said what time it is.
    pub fn chain_says(&self, time: i64) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.is_none_or(|(before, at)| time > before.saturating_add(at.elapsed().as_secs().cast_signed())) {
            *seen = Some((time, Instant::now()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_that_is_ahead_is_followed_and_one_behind_is_not() {
        let clock = Clock::default();
        let here = clock.now().get();
        assert!(here > 1_600_000_000);
        clock.chain_says(5);
        assert!((here..here + 5).contains(&clock.now().get()));
        clock.chain_says(here + 1_000);
        clock.chain_says(here + 10);
        assert!((here + 1_000..here + 1_005).contains(&clock.now().get()));
    }
}
