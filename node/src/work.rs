//! One job's way from open to delivered, and from delivered to paid.
//!
//! The chain is the only record. Before anything is sent twice the job is read again, so a transaction whose answer was
//! lost, a second daemon, or a restart in between cannot do harm: the program takes each step once, and a step that was
//! taken shows in the job. What a promise needs is on this machine's disk before it is made.

mod bid;
mod deliver;

use crate::{
    chain::{Address, ChainError, Job, JobStatus, ProviderClient, Verification},
    executor::{ExecError, Executor, Prepared, Tie, Wanted},
    fault::Fault,
    kept::Why,
    plan::{step, Step},
    policy::{Policy, Refusal, Terms},
    telemetry,
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
    #[error("{0}")]
    Refused(String),
    #[error(
        "its bond can back {lockable} more, and this job wants {wanted}: `joule provider bond deposit --mint {mint}`"
    )]
    Bond { mint: Address, lockable: String, wanted: String },
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
        let refused = |refusal: Refusal| Obstacle::Refused(refusal.say(|units| self.chain.show(&job.mint, units)));
        self.policy.consider(&job, self.chain.now().await?).map_err(refused)?;
        let spec = self.executor.spec(job.spec_hash).await?;
        let terms = self.policy.terms(&job, &spec).map_err(refused)?;
        if job.verification == Verification::Quorum {
            let trusted = &self.policy.trusted_requirements;
            let open = self.chain.is_open(job.requirements, terms.bond, trusted).await?;
            open.map_err(|narrowed| refused(narrowed.into()))?;
        }
        let lockable = self.chain.lockable(&job.mint).await?;
        if lockable < terms.bond {
            let [lockable, wanted] = [lockable, terms.bond].map(|units| self.chain.show(&job.mint, units));
            return Err(Obstacle::Bond { mint: job.mint, lockable, wanted });
        }
        let gathered = self.executor.gather(wanted(&job), Tie::Free).await?;
        self.policy.fits(&spec, gathered.prepared.input_bytes()).map_err(refused)?;
        let prepared = self.executor.keep(gathered, Why::Offer).await?;
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
                let [price, budget, bond] =
                    [terms.price, job.budget, now.exposure].map(|units| self.chain.show(&job.mint, units));
                info!(job = %job.address, client = %job.client, id = job.id, price, budget, bond, module = %prepared.spec.module, "accepted");
                telemetry::job("accepted");
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
                let owed = self.chain.show(&after.mint, after.owed_provider);
                return Ok(Ended::Later(format!(
                    "settled, but the payout account cannot receive the {owed} that it is owed: repair it, or redirect the payment"
                )));
            }
            Some(after) if after.status == JobStatus::Delivered => sent?,
            _ => {
                let price = self.chain.show(&job.mint, job.pays());
                info!(job = %address, client = %job.client, id = job.id, price, "paid");
                telemetry::paid(&job.mint, job.pays());
            }
        }
        Ok(Ended::Over)
    }
}
