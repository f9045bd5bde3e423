//! Running an accepted job and delivering what it comes to: until the deadline, whatever fails.

use super::{wanted, Ended, Obstacle, Worker};
use crate::{
    chain::{Address, Job, JobStatus, Verification},
    executor::{Prepared, Tie},
    insist::{insist, Deadline, Late},
    meter::Meter,
    telemetry,
};
use joule_artifacts::Hash;
use std::{
    future::Future,
    time::{Duration, Instant},
};
use tracing::{info, warn};

impl Worker {
    /// Goes on with a job that was accepted before.
    pub async fn resume(self, job: Job) -> Ended {
        self.deliver(job, None).await
    }

    pub(super) async fn deliver(&self, job: Job, prepared: Option<Prepared>) -> Ended {
        let meter = Meter::start(self.chain.clone(), &job, self.report_every);
        let paid = money_ends(&job);
        let running = self.until_deadline(&job, "run", || async {
            Ok(match &prepared {
                Some(prepared) => self.executor.answer(prepared.clone(), paid).await?,
                None => self.executor.answer_to(wanted(&job), Tie::Bound, paid).await?,
            })
        });
        let began = Instant::now();
        let outcome = tokio::select! {
            outcome = running => outcome,
            () = meter.stopped() => {
                info!(job = %job.address, client = %job.client, id = job.id, "stopped by its client, and paid by the second");
                return Ended::Over;
            }
        };
        metrics::counter!(telemetry::WORKED).increment(began.elapsed().as_secs());
        let answer = match outcome {
            Ok(answer) => answer,
            Err(late) => return Ended::Dropped(late.to_string()),
        };
        match &answer.run {
            Ok(took) => info!(
                job = %job.address,
                fuel = took.fuel,
                memory_bytes = took.memory_bytes,
                output_bytes = answer.bytes.len(),
                ms = took.elapsed.as_millis() as u64,
                "ran"
            ),
            Err(error) => warn!(job = %job.address, %error, "the job failed by itself, which is what is delivered"),
        }
        let delivered = self
            .until_deadline(&job, "deliver", || async {
                // Stored before it is submitted: whoever sees the hash can fetch the bytes.
                let result = self.executor.store(answer.bytes.clone()).await?;
                match meter.read().await {
                    Err(error) if error.is_transient() => Err(error)?,
                    // The seconds are lost; the work and the bond need not be.
                    Err(error) => warn!(job = %job.address, %error, "the last seconds could not be reported"),
                    Ok(()) => {}
                }
                self.submit(&job.address, result).await
            })
            .await;
        match delivered {
            Ok(Some(job)) => Ended::Delivered(job),
            Ok(None) => Ended::Over,
            Err(late) => Ended::Dropped(late.to_string()),
        }
    }

    /// The job with its result, or none when it is not this provider's to deliver any more.
    async fn submit(&self, address: &Address, result: Hash) -> Result<Option<Job>, Obstacle> {
        let mut job = self.chain.job(address).await?;
        if job.as_ref().is_some_and(|job| self.has(job, JobStatus::Accepted)) {
            let sent = self.chain.submit(address, result).await;
            job = self.chain.job(address).await?;
            match &job {
                Some(job) if self.has(job, JobStatus::Accepted) => sent?,
                Some(job) if self.has(job, JobStatus::Delivered) => {
                    info!(job = %address, %result, settle_after = job.settle_after, "delivered");
                    telemetry::job("delivered");
                }
                _ => {}
            }
        }
        Ok(job.filter(|job| self.has(job, JobStatus::Delivered)))
    }

    async fn until_deadline<T, F: Future<Output = Result<T, Obstacle>>>(
        &self,
        job: &Job,
        what: &'static str,
        attempt: impl Fn() -> F,
    ) -> Result<T, Late<Obstacle>> {
        let clock = || async { self.chain.now().await.ok() };
        let mut is_first = true;
        insist(Deadline::new(job.deliver_by, job.work_window), clock, attempt, |obstacle| {
            if std::mem::take(&mut is_first) {
                warn!(job = %job.address, %obstacle, "cannot {} yet; trying until the job's deadline", what);
            }
        })
        .await
    }
}

/// How long there is money for a job that is paid by the second, where that ends the work. Jurors know of no other limit than
/// the spec's: where they may judge, a lost bond would cost more than work that is not paid.
fn money_ends(job: &Job) -> Option<Duration> {
    let ends = job.per_second && job.verification == Verification::Review;
    ends.then(|| Duration::from_secs(job.seconds_paid().saturating_sub(job.reported.into())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::job;

    #[test]
    fn work_ends_with_the_money_and_goes_on_where_others_would_judge_that_wrong() {
        let metered = Job { per_second: true, rate: 300, reported: 1, ..job(JobStatus::Accepted) };
        assert_eq!(money_ends(&metered), Some(Duration::from_secs(3)), "a budget of 1000 pays for four");
        assert_eq!(money_ends(&Job { reported: 9, ..metered.clone() }), Some(Duration::ZERO));
        assert_eq!(money_ends(&Job { verification: Verification::Panel, ..metered.clone() }), None);
        assert_eq!(money_ends(&Job { per_second: false, ..metered }), None);
    }
}
