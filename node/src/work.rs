//! One job's way from open to delivered, and from delivered to paid.
//!
//! The chain is the only record. Before anything is sent twice the job is read again, so a transaction whose answer was
//! lost, a second daemon, or a restart in between cannot do harm: the program takes each step once, and a step that was
//! taken shows in the job. What a promise needs is on this machine's disk before it is made.

mod bid;
mod deliver;

use crate::{
    chain::{Address, ChainError, Job, JobStatus, ProviderClient},
    executor::{ExecError, Executor, Prepared, Tie, Wanted},
    fault::Fault,
    plan::{step, Step},
    policy::{Policy, Refusal, Terms},
};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use tracing::info;

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
pub enum Ended {
    /// It can be done, and nothing is promised yet.
    Fit(Box<Fit>),
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

/// An open job that this node can do.
pub struct Fit {
    pub job: Job,
    terms: Terms,
    prepared: Prepared,
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
    /// What becomes of a job that nothing is promised about.
    fn ended(self) -> Ended {
        let may_pass = match &self {
            Self::Refused(_) => false,
            Self::Exec(error) => error.fault() == Fault::Ours,
            Self::Bond { .. } | Self::Chain(_) => true,
        };
        match may_pass {
            true => Ended::Later(self.to_string()),
            false => Ended::Refused(self.to_string()),
        }
    }
}

/// What a job is done with.
fn wanted(job: &Job) -> Wanted {
    Wanted { job: job.address, spec: job.spec_hash, input: job.input_hash }
}

impl Worker {
    /// Looks at an open job, and fetches, checks and keeps everything it names.
    pub async fn look(self, address: Address) -> Ended {
        match self.look_once(address).await {
            Ok(Some(fit)) => Ended::Fit(Box::new(fit)),
            Ok(None) => Ended::Over,
            Err(obstacle) => obstacle.ended(),
        }
    }

    async fn look_once(&self, address: Address) -> Result<Option<Fit>, Obstacle> {
        let Some(job) = self.chain.job(&address).await? else { return Ok(None) };
        if job.status != JobStatus::Open {
            return Ok(None);
        }
        self.policy.consider(&job, self.chain.now().await?)?;
        let spec = self.executor.spec(job.spec_hash).await?;
        let terms = self.policy.terms(&job, &spec)?;
        let lockable = self.chain.lockable(&job.mint).await?;
        if lockable < terms.bond {
            return Err(Obstacle::Bond { mint: job.mint, lockable, wanted: terms.bond });
        }
        let gathered = self.executor.gather(wanted(&job), Tie::Free).await?;
        self.policy.fits(&spec, gathered.prepared.input_bytes())?;
        let prepared = self.executor.keep(gathered, Tie::Free).await?;
        Ok(Some(Fit { job, terms, prepared }))
    }

    /// Takes a job that it can do, and does it; or bids for it.
    pub async fn promise(self, fit: Fit) -> Ended {
        if self.stopping.is_cancelled() {
            return Ended::Over;
        }
        if fit.job.takes_bids() {
            return self.place_bid(&fit).await.unwrap_or_else(Obstacle::ended);
        }
        match self.accept(&fit).await {
            Ok(Some(job)) => self.deliver(job, Some(fit.prepared)).await,
            Ok(None) => Ended::Over,
            Err(obstacle) => obstacle.ended(),
        }
    }

    /// The job, if this provider has it now.
    async fn accept(&self, fit: &Fit) -> Result<Option<Job>, Obstacle> {
        let Fit { job, terms, prepared } = fit;
        let sent = self.chain.accept(&job.address, terms.price).await;
        // Whatever the answer was, the job itself says who has it.
        let now = self.chain.job(&job.address).await?;
        match now {
            Some(now) if self.has(&now, JobStatus::Accepted) => {
                info!(job = %job.address, client = %job.client, id = job.id, price = terms.price, budget = job.budget, bond = now.exposure, module = %prepared.spec.module, "accepted");
                Ok(Some(now))
            }
            // What is kept for it stays a while: the transaction may still arrive.
            Some(now) if now.status == JobStatus::Open => {
                sent?;
                Ok(None)
            }
            _ => {
                self.executor.forget(&job.address);
                Ok(None)
            }
        }
    }

    /// Whether a job is this provider's and stands there.
    fn has(&self, job: &Job, status: JobStatus) -> bool {
        job.status == status && job.provider_authority == self.chain.authority()
    }

    /// Has a delivered job paid, if its time has come.
    pub async fn settle(self, address: Address) -> Ended {
        match self.settle_once(address).await {
            Ok(ended) => ended,
            Err(error) => Ended::Later(error.to_string()),
        }
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
}
