//! One job's way from open to delivered, and from delivered to paid.
//!
//! The chain is the only record. Before anything is sent twice the job is read again, so a transaction whose answer was
//! lost, a second daemon, or a restart in between cannot do harm: the program takes each step once, and a step that was
//! taken shows in the job.

use crate::{
    chain::{Address, ChainError, Job, JobStatus, ProviderClient},
    executor::{ExecError, Executor, Prepared},
    plan::{step, Policy, Refusal, Step},
};
use backon::{ExponentialBuilder, Retryable};
use joule_artifacts::{Bytes, Hash};
use std::{future::Future, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// What a piece of work needs. Cheap to clone.
#[derive(Clone)]
pub struct Worker {
    pub chain: ProviderClient,
    pub executor: Executor,
    pub policy: Arc<Policy>,
    /// Cancelled when the node stops: nothing new is accepted then.
    pub stopping: CancellationToken,
}

/// How a piece of work ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// The result is in; this is the job now.
    Delivered(Job),
    /// Paid, or there is nothing to do with it any more.
    Over,
    /// Not a job for this node, for this reason.
    Refused(String),
    /// It failed and will not be tried again, for this reason.
    Dropped(String),
    /// Not now, for this reason.
    Later(String),
}

/// Why a job was not worked on.
#[derive(Debug, thiserror::Error)]
enum Obstacle {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Exec(#[from] ExecError),
    #[error(transparent)]
    Chain(#[from] ChainError),
}

impl Obstacle {
    fn may_pass(&self) -> bool {
        match self {
            Self::Refused(_) => false,
            Self::Exec(error) => error.may_pass(),
            Self::Chain(_) => true,
        }
    }

    fn ended(self) -> Ended {
        match self {
            Self::Refused(refusal) => Ended::Refused(refusal.to_string()),
            obstacle if obstacle.may_pass() => Ended::Later(obstacle.to_string()),
            obstacle => Ended::Dropped(obstacle.to_string()),
        }
    }
}

impl Worker {
    /// Takes an open job: looks at it, fetches and checks everything it names, and only then accepts and does it.
    pub async fn take(self, address: Address) -> Ended {
        let (job, prepared) = match self.accept(address).await {
            Ok(Some(accepted)) => accepted,
            Ok(None) => return Ended::Over,
            Err(obstacle) => return obstacle.ended(),
        };
        self.deliver(job, prepared).await
    }

    /// Goes on with a job that was accepted before.
    pub async fn resume(self, job: Job) -> Ended {
        let prepared = self
            .insist(&job, "prepare", || async {
                let spec = self.executor.spec(job.spec_hash).await?;
                Ok(self.executor.prepare(spec, job.input_hash).await?)
            })
            .await;
        match prepared {
            Ok(prepared) => self.deliver(job, prepared).await,
            Err(obstacle) => Ended::Dropped(obstacle.to_string()),
        }
    }

    /// Has a delivered job paid, if its time has come.
    pub async fn settle(self, address: Address) -> Ended {
        match self.settle_once(address).await {
            Ok(ended) => ended,
            Err(error) => Ended::Later(error.to_string()),
        }
    }

    /// Gives an accepted job whose deadline has passed back to its client, who should not have to ask for it.
    pub async fn release(self, address: Address) -> Ended {
        match self.release_once(address).await {
            Ok(ended) => ended,
            Err(error) => Ended::Later(error.to_string()),
        }
    }

    async fn accept(&self, address: Address) -> Result<Option<(Job, Prepared)>, Obstacle> {
        let Some(job) = self.chain.job(&address).await? else { return Ok(None) };
        if job.status != JobStatus::Open {
            return Ok(None);
        }
        self.policy.consider(&job, self.chain.now().await?)?;
        let spec = self.executor.spec(job.spec_hash).await?;
        let price = self.policy.price(&job, &spec)?;
        let prepared = self.executor.prepare(spec, job.input_hash).await?;
        if self.stopping.is_cancelled() {
            return Ok(None);
        }
        let sent = self.chain.accept(&job, price).await;
        // Whatever the answer was, the job itself says who has it.
        let Some(now) = self.chain.job(&address).await? else { return Ok(None) };
        if now.provider_authority == self.chain.authority() && now.status == JobStatus::Accepted {
            info!(job = %address, client = %job.client, id = job.id, price, budget = job.budget, module = %spec.module, "accepted");
            return Ok(Some((now, prepared)));
        }
        if now.status == JobStatus::Open {
            sent?;
        }
        Ok(None)
    }

    async fn deliver(&self, job: Job, prepared: Prepared) -> Ended {
        let outcome = match self.insist(&job, "run", || async { Ok(self.executor.run(prepared.clone()).await?) }).await
        {
            Ok(outcome) => outcome,
            Err(obstacle) => return Ended::Dropped(obstacle.to_string()),
        };
        info!(
            job = %job.address,
            fuel = outcome.fuel_used,
            memory_bytes = outcome.peak_memory_bytes,
            output_bytes = outcome.output.len(),
            ms = outcome.elapsed.as_millis() as u64,
            "ran"
        );
        let output = Bytes::from(outcome.output);
        let delivered = self
            .insist(&job, "deliver", || async {
                // Stored before it is submitted: whoever sees the hash can fetch the bytes.
                let result = self.executor.store(output.clone()).await?;
                self.submit(&job.address, result).await
            })
            .await;
        match delivered {
            Ok(Some(job)) => Ended::Delivered(job),
            Ok(None) => Ended::Over,
            Err(obstacle) => Ended::Dropped(obstacle.to_string()),
        }
    }

    /// The job with its result, or none when it is not this provider's to deliver any more.
    async fn submit(&self, address: &Address, result: Hash) -> Result<Option<Job>, Obstacle> {
        let mine = |job: &Job, status| job.status == status && job.provider_authority == self.chain.authority();
        let mut job = self.chain.job(address).await?;
        if job.as_ref().is_some_and(|job| mine(job, JobStatus::Accepted)) {
            let sent = self.chain.submit(address, result).await;
            job = self.chain.job(address).await?;
            match &job {
                Some(job) if mine(job, JobStatus::Accepted) => sent?,
                Some(job) if mine(job, JobStatus::Delivered) => {
                    info!(job = %address, %result, settle_after = job.settle_after, "delivered");
                }
                _ => {}
            }
        }
        Ok(job.filter(|job| mine(job, JobStatus::Delivered)))
    }

    async fn settle_once(&self, address: Address) -> Result<Ended, ChainError> {
        let Some(job) = self.chain.job(&address).await? else { return Ok(Ended::Over) };
        match step(&job, &self.chain.authority(), self.chain.now().await?) {
            Step::Settle | Step::Owed(_) => {}
            Step::Wait(_) => return Ok(Ended::Later("its review window is still open".into())),
            Step::Work | Step::Missed | Step::Nothing => return Ok(Ended::Over),
        }
        let sent = self.chain.settle(&job).await;
        match self.chain.job(&address).await? {
            Some(after) if after.status == JobStatus::Settled && after.owed_provider > 0 => {
                let owed = after.owed_provider;
                return Ok(Ended::Later(format!(
                    "settled, but the payout account cannot receive the {owed} base units it is owed: repair it, or redirect the payment"
                )));
            }
            Some(after) if after.status == JobStatus::Delivered => sent?,
            _ => info!(job = %address, client = %job.client, id = job.id, price = job.price, "paid"),
        }
        Ok(Ended::Over)
    }

    async fn release_once(&self, address: Address) -> Result<Ended, ChainError> {
        let Some(job) = self.chain.job(&address).await? else { return Ok(Ended::Over) };
        if step(&job, &self.chain.authority(), self.chain.now().await?) != Step::Missed {
            return Ok(Ended::Over);
        }
        let sent = self.chain.expire(&job).await;
        match self.chain.job(&address).await? {
            Some(after) if after.status == JobStatus::Accepted => sent?,
            _ => info!(job = %address, client = %job.client, id = job.id, "missed its deadline; refunded"),
        }
        Ok(Ended::Over)
    }

    /// Tries again and again, as long as the job can still be delivered and another try may help.
    async fn insist<T, F: Future<Output = Result<T, Obstacle>>>(
        &self,
        job: &Job,
        what: &'static str,
        attempt: impl FnMut() -> F,
    ) -> Result<T, Obstacle> {
        // The chain's clock where it answers; the whole window where it does not: the program has the last word.
        let left = match self.chain.now().await {
            Ok(now) => u64::try_from(job.deliver_by - now).unwrap_or(0),
            Err(_) => u64::from(job.work_window),
        };
        let patience = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(250))
            .with_max_delay(Duration::from_secs(20))
            .with_jitter()
            .without_max_times()
            .with_total_delay(Some(Duration::from_secs(left)));
        let mut warned = false;
        attempt
            .retry(patience)
            .when(Obstacle::may_pass)
            .notify(|obstacle, _| {
                if !warned {
                    warn!(job = %job.address, %obstacle, "cannot {} yet; trying until the job's deadline", what);
                    warned = true;
                }
            })
            .await
    }
}
