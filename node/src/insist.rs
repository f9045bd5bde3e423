//! Trying again until a deadline on the chain's clock: what a bond is at stake for is not given up before.

use backon::{BackoffBuilder, ExponentialBuilder};
use std::{
    fmt::{self, Display},
    future::Future,
    time::Duration,
};
use tokio::time::{sleep, timeout, Instant};

/// Between two tries.
const SHORTEST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(20);

/// The last moment at which something can be done, as far as is known.
pub struct Deadline {
    /// In Unix seconds of the chain's clock; that second still counts.
    until: i64,
    /// On this machine's clock, as of when the chain last said what time it is.
    here: Instant,
}

impl Deadline {
    /// `window` is how many seconds it can be away at most.
    pub fn new(until: i64, window: u32) -> Self {
        Self { until, here: Instant::now() + Duration::from_secs(window.into()) }
    }

    /// What is left; `now` is what the chain says, if it says anything.
    fn left(&mut self, now: Option<i64>) -> Duration {
        if let Some(now) = now {
            let seconds = u64::try_from(self.until.saturating_add(1).saturating_sub(now)).unwrap_or(0);
            self.here = Instant::now() + Duration::from_secs(seconds);
        }
        self.here.saturating_duration_since(Instant::now())
    }
}

/// Why something was not done in time.
#[derive(Debug, thiserror::Error)]
pub struct Late<E> {
    /// What went wrong last; none if the last try came to no end.
    last: Option<E>,
}

impl<E: Display> Display for Late<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.last {
            Some(error) => write!(f, "it did not work before the deadline: {error}"),
            None => f.write_str("it came to no end before the deadline"),
        }
    }
}

/// Tries until it works or the deadline has passed by the chain's `clock`. `hear` is told what goes wrong.
pub async fn insist<T, E, C, A>(
    mut deadline: Deadline,
    clock: impl Fn() -> C,
    attempt: impl Fn() -> A,
    mut hear: impl FnMut(&E),
) -> Result<T, Late<E>>
where
    C: Future<Output = Option<i64>>,
    A: Future<Output = Result<T, E>>,
{
    let pauses = ExponentialBuilder::default().with_min_delay(SHORTEST).with_max_delay(LONGEST).with_jitter();
    let mut pauses = pauses.without_max_times().build();
    loop {
        let left = deadline.left(clock().await);
        let last = match timeout(left, attempt()).await {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(error)) => Some(error),
            Err(_) => None,
        };
        if let Some(error) = &last {
            hear(error);
        }
        let left = deadline.left(clock().await);
        if left.is_zero() {
            return Err(Late { last });
        }
        sleep(pauses.next().unwrap_or(LONGEST).min(left)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{cell::Cell, future::ready};

    /// Says so many times that it is this late, and then that it is a second past the deadline.
    fn clock(times: u32, now: i64) -> impl Fn() -> std::future::Ready<Option<i64>> {
        let asked = Cell::new(0);
        move || {
            asked.set(asked.get() + 1);
            ready(Some(if asked.get() <= times { now } else { 101 }))
        }
    }

    #[tokio::test]
    async fn it_goes_on_for_as_long_as_the_chain_says_that_there_is_time() {
        let tries = Cell::new(0);
        let attempt = || {
            tries.set(tries.get() + 1);
            ready(Err::<(), _>("no"))
        };
        // The deadline seemed to be a moment away, and the chain's clock stands still.
        let late = insist(Deadline::new(100, 0), clock(8, 100), attempt, |_| {}).await.unwrap_err();
        assert_eq!(tries.get(), 5, "the last one when the time has come");
        assert_eq!(late.to_string(), "it did not work before the deadline: no");
    }

    #[tokio::test]
    async fn without_the_chain_it_goes_on_for_the_whole_window() {
        let tries = Cell::new(0);
        let attempt = || {
            tries.set(tries.get() + 1);
            ready(if tries.get() < 3 { Err("not yet") } else { Ok(()) })
        };
        let mut heard = 0;
        insist(Deadline::new(100, 600), || ready(None), attempt, |_| heard += 1).await.unwrap();
        assert_eq!((tries.get(), heard), (3, 2));
    }

    #[tokio::test]
    async fn what_hangs_is_given_up_at_the_deadline_and_not_before() {
        let attempt = || std::future::pending::<Result<(), &str>>();
        let late = insist(Deadline::new(100, 0), clock(1, 100), attempt, |_| {}).await.unwrap_err();
        assert_eq!(late.to_string(), "it came to no end before the deadline");
    }
}
