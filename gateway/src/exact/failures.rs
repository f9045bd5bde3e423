//! Payments that failed in a block: each has cost the gateway its fee and a model its first word, and paid nothing.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

const HOUR: Duration = Duration::from_secs(3_600);

/// So many an hour, all at once if they come so. Half of them may be of payments with guards, which whoever signs can have fail for
/// nothing; without, somebody has to spend the tokens elsewhere first.
#[derive(Debug)]
pub struct Failures {
    /// Between two, in the long run.
    every: Duration,
    /// When the next would come that kept to the rate.
    due: Mutex<Instant>,
}

impl Failures {
    pub fn new(an_hour: u32) -> Self {
        Self { every: HOUR / an_hour.max(1), due: Mutex::new(Instant::now()) }
    }

    pub fn count(&self) {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        *due = Instant::now().max(*due) + self.every;
    }

    /// Whether another payment may fail.
    pub fn is_another_borne(&self, is_guarded: bool) -> bool {
        let ahead = self.due.lock().unwrap_or_else(PoisonError::into_inner).saturating_duration_since(Instant::now());
        let most = if is_guarded { HOUR / 2 } else { HOUR };
        ahead + self.every <= most.max(self.every)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many fail until no more are tried.
    fn borne(an_hour: u32, is_guarded: bool) -> u32 {
        let failures = Failures::new(an_hour);
        (0..1_000).take_while(|_| failures.is_another_borne(is_guarded)).inspect(|_| failures.count()).count() as u32
    }

    #[test]
    fn so_many_are_borne_and_of_those_with_guards_half() {
        for (an_hour, guarded) in [(1, 1), (4, 2), (60, 30)] {
            assert_eq!((borne(an_hour, false), borne(an_hour, true)), (an_hour, guarded), "{an_hour}");
        }
    }
}
