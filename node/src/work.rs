//! One job's way from open to delivered, and from delivered to paid.
//!
//! The chain is the only record. Before anything is sent twice the job is read again, so a transaction whose answer was
//! lost, a second daemon, or a restart in between cannot do harm: the program takes each step once, and a step that was
//! taken shows in the job.

use crate::{
    chain::{Address, ChainError, Job, JobStatus, ProviderClient},
    executor::{ExecError, Executor, Prepared},
    meter::Meter,
    plan::{step, Policy, Refusal, Step},
};
use backon::{ExponentialBuilder, Retryable};
use joule_artifacts::Hash;
use std::{future::Future, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// What a piece of work needs. Cheap to clone.
#[derive(Clone)]
pub struct Worker {
    pub chain: ProviderClient,
    pub executor: Executor,
    pub policy: Arc<Policy>,
    /// How often the seconds of a job that is paid by the second are reported.
    pub report_every: Duration,
    /// Cancelled when the node stops: nothing new is accepted then.
    pub stopping: CancellationToken,
}

/// How a piece of work ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// The result is in; this is the job now.
    Delivered(Job),
    /// A bid was placed, and binds.
    Bid,
    /// The bid won: the job is this provider's.
    Won(Job),
    /// Others' work was looked at, once and for all.
    Checked,
    /// Paid, or there is nothing to do with it any more.
    Over,
    /// Not a job for this node, for this reason.
    Refused(String),
    /// It failed and will not be tried again, for this reason.
    Dropped(String),
    /// Not now, for this reason.
    Later(String),
}

/// What came of an open job.
enum Taken {
    Job(Job, Prepared),
    Bid,
    Nothing,
}

/// Why a job was not worked on.
#[derive(Debug, thiserror::Error)]
enum Obstacle {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("its bond in {mint} can back {lockable} base units more, and this job wants {wanted}: `joule provider bond deposit --mint {mint}`")]
    Bond { mint: Address, lockable: u64, wanted: u64 },
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
            Self::Bond { .. } | Self::Chain(_) => true,
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
        match self.accept(address).await {
            Ok(Taken::Job(job, prepared)) => self.deliver(job, prepared).await,
            Ok(Taken::Bid) => Ended::Bid,
            Ok(Taken::Nothing) => Ended::Over,
            Err(obstacle) => obstacle.ended(),
        }
    }

    /// Looks after a bid: has the job awarded once bidding is over, and takes back what did not win.
    pub async fn follow_bid(self, address: Address) -> Ended {
        match self.follow_bid_once(address).await {
            Ok(ended) => ended,
            Err(error) => Ended::Later(error.to_string()),
        }
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

    async fn accept(&self, address: Address) -> Result<Taken, Obstacle> {
        let Some(job) = self.chain.job(&address).await? else { return Ok(Taken::Nothing) };
        if job.status != JobStatus::Open {
            return Ok(Taken::Nothing);
        }
        self.policy.consider(&job, self.chain.now().await?)?;
        let spec = self.executor.spec(job.spec_hash).await?;
        let price = self.policy.price(&job, &spec)?;
        let wanted = job.bond_for(price).unwrap_or(u64::MAX);
        let lockable = self.chain.lockable(&job.mint).await?;
        if lockable < wanted {
            return Err(Obstacle::Bond { mint: job.mint, lockable, wanted });
        }
        // Fetched and checked before the bond is at stake: nobody can bait it with an input that nobody has.
        let prepared = self.executor.prepare(spec, job.input_hash).await?;
        if self.stopping.is_cancelled() {
            return Ok(Taken::Nothing);
        }
        if job.bid_until > 0 {
            let sent = self.chain.place_bid(&address, price).await;
            if self.chain.bid(&address).await?.is_none() {
                sent?;
                return Ok(Taken::Nothing);
            }
            info!(job = %address, client = %job.client, id = job.id, price, budget = job.budget, bid_until = job.bid_until, "bid");
            return Ok(Taken::Bid);
        }
        let sent = self.chain.accept(&address, price).await;
        // Whatever the answer was, the job itself says who has it.
        let Some(now) = self.chain.job(&address).await? else { return Ok(Taken::Nothing) };
        if self.has(&now, JobStatus::Accepted) {
            info!(job = %address, client = %job.client, id = job.id, price, budget = job.budget, bond = now.exposure, module = %spec.module, "accepted");
            return Ok(Taken::Job(now, prepared));
        }
        if now.status == JobStatus::Open {
            sent?;
        }
        Ok(Taken::Nothing)
    }

    /// Whether a job is this provider's and stands there.
    fn has(&self, job: &Job, status: JobStatus) -> bool {
        job.status == status && job.provider_authority == self.chain.authority()
    }

    async fn follow_bid_once(&self, address: Address) -> Result<Ended, ChainError> {
        let bid = self.chain.bid(&address).await?;
        let job = self.chain.job(&address).await?;
        if let Some(job) = job.as_ref().filter(|job| self.has(job, JobStatus::Accepted)) {
            info!(job = %address, client = %job.client, id = job.id, "the bid won");
            return Ok(Ended::Won(job.clone()));
        }
        let Some(bid) = bid else { return Ok(Ended::Over) };
        if let Some(job) = job.as_ref().filter(|job| job.status == JobStatus::Open) {
            let now = self.chain.now().await?;
            if now <= job.bid_until {
                return Ok(Ended::Later("bids are still being taken".into()));
            }
            if now <= job.accept_by {
                let sent = self.chain.award_bid(&address).await;
                return match self.chain.job(&address).await? {
                    Some(after) if self.has(&after, JobStatus::Accepted) => {
                        info!(job = %address, client = %after.client, id = after.id, "the bid won");
                        Ok(Ended::Won(after))
                    }
                    Some(after) if after.status == JobStatus::Open => Ok(Ended::Later(
                        sent.err().map_or("the bid was cheaper than no other".into(), |e| e.to_string()),
                    )),
                    _ => Ok(Ended::Later("somebody else has the job; the bid is taken back next".into())),
                };
            }
            return Ok(Ended::Later("nobody awarded the job in time; the bid binds until it is refunded".into()));
        }
        let sent = self.chain.withdraw_bid(&address, &bid).await;
        if self.chain.bid(&address).await?.is_some() {
            sent?;
        }
        info!(job = %address, "the bid did not win and was taken back");
        Ok(Ended::Over)
    }

    async fn deliver(&self, job: Job, prepared: Prepared) -> Ended {
        let meter = Meter::start(self.chain.clone(), &job, self.report_every);
        let running = self.insist(&job, "run", || async { Ok(self.executor.answer(prepared.clone()).await?) });
        let outcome = tokio::select! {
            outcome = running => outcome,
            () = meter.stopped() => {
                info!(job = %job.address, client = %job.client, id = job.id, "stopped by its client, and paid by the second");
                return Ended::Over;
            }
        };
        let answer = match outcome {
            Ok(answer) => answer,
            Err(obstacle) => return Ended::Dropped(obstacle.to_string()),
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
            Err(error) => warn!(job = %job.address, %error, "the module failed, which is what is delivered"),
        }
        let delivered = self
            .insist(&job, "deliver", || async {
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
            Err(obstacle) => Ended::Dropped(obstacle.to_string()),
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
                }
                _ => {}
            }
        }
        Ok(job.filter(|job| self.has(job, JobStatus::Delivered)))
    }

    async fn settle_once(&self, address: Address) -> Result<Ended, ChainError> {
        let Some(job) = self.chain.job(&address).await? else { return Ok(Ended::Over) };
        let sent = match step(&job, &self.chain.authority(), self.chain.now().await?) {
            Step::Settle => self.chain.settle(&address).await,
            Step::Owed(_) => self.chain.pay(&address).await,
            Step::Wait(_) => return Ok(Ended::Later("its review window is still open".into())),
            Step::Work | Step::Missed | Step::Judged | Step::Nothing => return Ok(Ended::Over),
        };
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
