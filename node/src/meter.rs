//! Counts the seconds of a job that is paid by the second, and reports them.

use crate::chain::{ChainError, Job, JobStatus, ProviderClient};
use joule_artifacts::Hash;
use std::time::{Duration, Instant};
use tracing::{info, warn};

/// The work on one job, from now on.
pub struct Meter {
    chain: ProviderClient,
    job: Job,
    every: Duration,
    started: Instant,
}

impl Meter {
    /// What an earlier life of this node has reported counts; what it worked and did not report is lost.
    pub fn start(chain: ProviderClient, job: &Job, every: Duration) -> Self {
        Self { chain, job: job.clone(), every, started: Instant::now() }
    }

    /// Seconds worked so far, in all; never more than have passed on the chain's clock, nor than the budget pays for.
    async fn seconds(&self) -> Result<u32, ChainError> {
        let deliver_by = self.job.deliver_by;
        let elapsed = self.chain.now().await? - (deliver_by - i64::from(self.job.work_window));
        Ok(seconds(&self.job, self.started.elapsed(), elapsed))
    }

    /// Reports what was worked so far; the last time before the result is submitted. Does nothing where the price is fixed.
    pub async fn read(&self) -> Result<(), ChainError> {
        if !self.job.per_second {
            return Ok(());
        }
        let seconds = self.seconds().await?;
        let Some(now) = self.chain.job(&self.job.address).await? else { return Ok(()) };
        if now.status != JobStatus::Accepted || seconds <= now.reported {
            return Ok(());
        }
        // Nothing is claimed but the time: a module has no progress to show before it ends.
        let sent = self.chain.report(&self.job.address, seconds, Hash::from_bytes([0; 32])).await;
        match self.chain.job(&self.job.address).await? {
            Some(after) if after.status == JobStatus::Accepted && after.reported < seconds => sent,
            _ => {
                info!(job = %self.job.address, seconds, "reported");
                Ok(())
            }
        }
    }

    /// Reports again and again; ends when the job is not this provider's to work on any more. Never ends where the price is
    /// fixed: such a job cannot be stopped.
    pub async fn stopped(&self) {
        if !self.job.per_second {
            return std::future::pending().await;
        }
        loop {
            tokio::time::sleep(self.every).await;
            if let Err(error) = self.read().await {
                warn!(job = %self.job.address, %error, "cannot report the seconds worked; trying again");
            }
            match self.chain.job(&self.job.address).await {
                Ok(Some(job)) if job.status == JobStatus::Accepted => {}
                Ok(_) => return,
                // What the chain says now, it will say the next time.
                Err(_) => {}
            }
        }
    }
}

/// `worked` in this life of the node; `elapsed` seconds since the job was accepted.
fn seconds(job: &Job, worked: Duration, elapsed: i64) -> u32 {
    let worked = i64::from(job.reported).saturating_add(worked.as_secs() as i64);
    let paid = i64::try_from(job.seconds_paid()).unwrap_or(i64::MAX);
    u32::try_from(worked.min(elapsed).min(paid).max(i64::from(job.reported))).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::job;

    #[test]
    fn no_second_is_reported_that_was_not_worked_or_is_not_paid() {
        let metered = Job { per_second: true, rate: 300, reported: 1, ..job(JobStatus::Accepted) };
        let of = |worked, elapsed| seconds(&metered, Duration::from_millis(worked), elapsed);
        assert_eq!(of(1_900, 10), 2, "started seconds do not count");
        assert_eq!(of(2_000, 2), 2, "no more than have passed");
        assert_eq!(of(60_000, 60), 4, "a budget of 1000 pays for four");
        assert_eq!(of(0, 0), 1, "never less than before");
    }
}
