//! From the hashes that a job names to the hash of its output.
//!
//! A module that fails has an answer too: a document that says how. A client must not be able to bait a bond with a module
//! that never ends or always traps, and whoever runs it again comes to the same document.

use crate::{
    chain::Address,
    fault::Fault,
    kept::{Fetched, Kept, KeptError, Why},
    runner::{JobModule, Limits, Outcome, RunError, Runner},
};
use joule_artifacts::{
    ArtifactError, ArtifactStore, Bytes, Hash, JobSpec, SpecError, MAX_INPUT_BYTES, MAX_MODULE_BYTES,
};
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tracing::warn;

/// How often it is looked whether the store still has what is kept here.
const SERVE: Duration = Duration::from_secs(60);

/// Why a job has no output; `fault` says what that means.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    #[error("artifact {hash} is larger than the {max_bytes} bytes that this node takes")]
    AboveLimit { hash: Hash, max_bytes: u64 },
    #[error("its limit of {asked} {what} is above this node's {allowed}")]
    AsksTooMuch { what: &'static str, asked: u64, allowed: u64 },
    #[error(transparent)]
    Spec(#[from] SpecError),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Kept(#[from] KeptError),
}

/// What a job is done with.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    pub job: Address,
    pub spec: Hash,
    pub input: Hash,
}

/// Whether this node has promised anything about a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tie {
    /// Its own limits hold.
    Free,
    /// Nothing but everybody's limits, and time, keeps it from its word.
    Bound,
}

/// What a node puts up with where it is free: for jobs on offer, and for others' results that it need not look at.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Of what a spec may ask for.
    pub max_fuel: u64,
    pub max_memory_bytes: u64,
    pub max_timeout_ms: u64,
    /// Larger modules and inputs are not fetched.
    pub max_module_bytes: u64,
    pub max_input_bytes: u64,
    /// How long compiling may take.
    pub max_compile: Duration,
}

impl Bounds {
    /// All that anybody may ask for.
    pub fn widest() -> Self {
        Self {
            max_fuel: JobSpec::MAX_FUEL,
            max_memory_bytes: JobSpec::MAX_MEMORY_BYTES,
            max_timeout_ms: JobSpec::MAX_TIMEOUT_MS,
            max_module_bytes: MAX_MODULE_BYTES,
            max_input_bytes: MAX_INPUT_BYTES,
            max_compile: Duration::from_secs(600),
        }
    }

    /// Bytes that a job takes up at most.
    pub fn largest_job(&self) -> u64 {
        (JobSpec::MAX_BYTES as u64).saturating_add(self.max_module_bytes).saturating_add(self.max_input_bytes)
    }

    fn check(&self, spec: &JobSpec) -> Result<(), ExecError> {
        for (what, asked, allowed) in [
            ("units of fuel", spec.fuel, self.max_fuel),
            ("bytes of memory", spec.memory_bytes, self.max_memory_bytes),
            ("ms of time", spec.timeout_ms, self.max_timeout_ms),
        ] {
            if asked > allowed {
                return Err(ExecError::AsksTooMuch { what, asked, allowed });
            }
        }
        Ok(())
    }
}

/// Everything a run needs, fetched and checked: nothing about it can be missing or forbidden any more.
#[derive(Clone)]
pub struct Prepared {
    pub spec: JobSpec,
    module: JobModule,
    input: Bytes,
}

/// The same, with what it was made of.
pub struct Gathered {
    job: Address,
    pub prepared: Prepared,
    artifacts: [Fetched; 3],
}

/// What a job comes to.
#[derive(Debug)]
pub struct Answer {
    /// The module's output, or the document that says why there is none.
    pub bytes: Bytes,
    /// What the run took, or why there is no output.
    pub run: Result<Took, ExecError>,
}

/// What a run took.
#[derive(Debug, Clone, Copy)]
pub struct Took {
    pub fuel: u64,
    pub memory_bytes: u64,
    pub elapsed: Duration,
}

impl Prepared {
    pub fn input_bytes(&self) -> u64 {
        self.input.len() as u64
    }
}

impl Answer {
    pub fn hash(&self) -> Hash {
        Hash::of(&self.bytes)
    }

    /// Whether another machine may rightly come to another answer, so that this one speaks for nobody but itself.
    pub fn depends_on_machine(&self) -> bool {
        matches!(&self.run, Err(ExecError::Run(error)) if error.depends_on_machine())
    }
}

/// The answer that a failure is, if it is one. The one way in which it is written down.
fn failed(error: ExecError) -> Result<Answer, ExecError> {
    match error.fault() {
        Fault::Theirs(word) => {
            Ok(Answer { bytes: format!(r#"{{"version":1,"failed":"{word}"}}"#).into(), run: Err(error) })
        }
        Fault::Beyond | Fault::Ours => Err(error),
    }
}

/// Fetches, keeps, runs and stores. Cheap to clone.
#[derive(Clone)]
pub struct Executor {
    store: ArtifactStore,
    kept: Option<Kept>,
    runner: Runner,
    bounds: Bounds,
}

impl Executor {
    pub fn new(store: ArtifactStore, runner: Runner, bounds: Bounds) -> Self {
        Self { store, kept: None, runner, bounds }
    }

    /// The same, with a place of its own for what it is bound to.
    pub fn keeping(self, kept: Kept) -> Self {
        Self { kept: Some(kept), ..self }
    }

    pub async fn spec(&self, hash: Hash) -> Result<JobSpec, ExecError> {
        Ok(JobSpec::parse(&self.fetch_spec(hash).await?.bytes)?)
    }

    /// Fetches module and input, and sees whether a run would begin.
    pub async fn prepare(&self, spec: JobSpec, input: Hash, tie: Tie) -> Result<Prepared, ExecError> {
        Ok(self.assemble(spec, input, tie).await?.0)
    }

    /// The same from a job's spec on.
    pub async fn gather(&self, wanted: Wanted, tie: Tie) -> Result<Gathered, ExecError> {
        let spec = self.fetch_spec(wanted.spec).await?;
        let (prepared, [module, input]) = self.assemble(JobSpec::parse(&spec.bytes)?, wanted.input, tie).await?;
        Ok(Gathered { job: wanted.job, prepared, artifacts: [spec, module, input] })
    }

    /// On return all of it is on this machine's own disk, and stays there while the job needs it.
    pub async fn keep(&self, gathered: Gathered, why: Why) -> Result<Prepared, ExecError> {
        let Gathered { job, prepared, artifacts } = gathered;
        if let Some(kept) = &self.kept {
            kept.keep(job, artifacts.into(), why).await?;
        }
        Ok(prepared)
    }

    /// Both of it. Whoever is bound does without the disk if that fails.
    pub async fn secure(&self, wanted: Wanted, tie: Tie) -> Result<Prepared, ExecError> {
        let gathered = self.gather(wanted, tie).await?;
        let prepared = gathered.prepared.clone();
        let why = if tie == Tie::Bound { Why::Bound } else { Why::Offer };
        match self.keep(gathered, why).await {
            Err(error) if tie == Tie::Bound => {
                warn!(job = %wanted.job, %error, "cannot keep what it needs; going on with what is in memory");
                Ok(prepared)
            }
            kept => kept,
        }
    }

    /// What a job comes to, kept while it is run and afterwards; an error is this machine's or the store's, or beyond this node.
    /// `paid` is how long there is money for, where that ends a run.
    pub async fn answer_to(&self, wanted: Wanted, tie: Tie, paid: Option<Duration>) -> Result<Answer, ExecError> {
        match self.secure(wanted, tie).await {
            Ok(prepared) => self.answer(prepared, paid).await,
            Err(error) => failed(error),
        }
    }

    /// The same where nothing is promised and nothing kept.
    pub async fn try_out(&self, wanted: Wanted) -> Result<Answer, ExecError> {
        match self.gather(wanted, Tie::Free).await {
            Ok(gathered) => self.answer(gathered.prepared, None).await,
            Err(error) => failed(error),
        }
    }

    /// What others' work comes to, kept for others where there is room. `place` is taken until it has run, also where nobody waits
    /// for that any longer.
    pub async fn judge(&self, wanted: Wanted, tie: Tie, place: OwnedSemaphorePermit) -> Result<Answer, ExecError> {
        let gathered = match self.gather(wanted, tie).await {
            Ok(gathered) => gathered,
            Err(error) => return failed(error),
        };
        let prepared = gathered.prepared.clone();
        if let Err(error) = self.keep(gathered, Why::Dispute).await {
            warn!(job = %wanted.job, %error, "cannot keep what a dispute needs; going on with what is in memory");
        }
        let executor = self.clone();
        let run = tokio::spawn(async move {
            let answer = executor.answer(prepared, None).await;
            drop(place);
            answer
        });
        run.await.unwrap_or_else(|error| Err(RunError::Host(format!("the run ended: {error}")).into()))
    }

    /// The same for what is prepared.
    pub async fn answer(&self, prepared: Prepared, paid: Option<Duration>) -> Result<Answer, ExecError> {
        let mut limits = Limits::from(&prepared.spec);
        let paid = paid.filter(|paid| *paid < limits.timeout);
        limits.timeout = paid.unwrap_or(limits.timeout);
        match self.runner.run(prepared.module, prepared.input, limits).await {
            Ok(Outcome { output, fuel_used, peak_memory_bytes, elapsed }) => {
                let took = Took { fuel: fuel_used, memory_bytes: peak_memory_bytes, elapsed };
                Ok(Answer { bytes: output.into(), run: Ok(took) })
            }
            Err(error) => failed(match (error, paid) {
                (RunError::TimedOut { .. }, Some(paid)) => RunError::OutOfMoney { paid }.into(),
                (error, _) => error.into(),
            }),
        }
    }

    /// Stores an output under its hash; a hash that is submitted can be fetched.
    pub async fn store(&self, output: Bytes) -> Result<Hash, ExecError> {
        Ok(self.store.put(output).await?)
    }

    /// Whether a job's artifacts are on this machine's disk.
    pub fn keeps(&self, wanted: &Wanted) -> bool {
        let has = |hash| self.kept.as_ref().is_some_and(|kept| kept.has(&wanted.job, hash));
        has(wanted.spec) && has(wanted.input)
    }

    /// Puts back into the store what is kept for a job and is missing there, for others who have to run it; looks for that once a
    /// minute.
    pub async fn serve(&self, job: &Address) -> Result<(), ExecError> {
        let Some(kept) = self.kept.as_ref().filter(|kept| kept.is_to_be_served(job, SERVE)) else { return Ok(()) };
        for hash in kept.of(job) {
            if self.store.exists(hash).await? {
                continue;
            }
            if let Some(bytes) = kept.get(hash, MAX_INPUT_BYTES).await {
                self.store.put(bytes).await?;
            }
        }
        Ok(())
    }

    /// This node is not bound to it.
    pub fn forget(&self, job: &Address) {
        if let Some(kept) = &self.kept {
            kept.forget(job);
        }
    }

    async fn assemble(&self, spec: JobSpec, input: Hash, tie: Tie) -> Result<(Prepared, [Fetched; 2]), ExecError> {
        if tie == Tie::Free {
            self.bounds.check(&spec)?;
        }
        let code = self.fetch(spec.module, self.bounds.max_module_bytes, MAX_MODULE_BYTES, tie).await?;
        let module = match tie {
            Tie::Bound => self.runner.compile(spec.module, code.bytes.clone()).await?,
            Tie::Free => self.runner.compile_within(spec.module, code.bytes.clone(), self.bounds.max_compile).await?,
        };
        self.runner.rehearse(module.clone(), Limits::from(&spec)).await?;
        let input = self.fetch(input, self.bounds.max_input_bytes, MAX_INPUT_BYTES, tie).await?;
        Ok((Prepared { spec, module, input: input.bytes.clone() }, [code, input]))
    }

    async fn fetch_spec(&self, hash: Hash) -> Result<Fetched, ExecError> {
        let most = JobSpec::MAX_BYTES as u64;
        self.fetch(hash, most, most, Tie::Free).await
    }

    /// From this machine's disk or from the store; at most `own` bytes where the node is free, and `most` where it is not.
    async fn fetch(&self, hash: Hash, own: u64, most: u64, tie: Tie) -> Result<Fetched, ExecError> {
        let max_bytes = if tie == Tie::Free { own.min(most) } else { most };
        if let Some(kept) = &self.kept {
            if let Some(bytes) = kept.get(hash, max_bytes).await {
                return Ok(Fetched { hash, bytes, was_kept: true });
            }
        }
        match self.store.get(hash, max_bytes).await {
            Ok(bytes) => Ok(Fetched { hash, bytes, was_kept: false }),
            Err(ArtifactError::TooLarge { .. }) if max_bytes < most => Err(ExecError::AboveLimit { hash, max_bytes }),
            Err(error) => Err(error.into()),
        }
    }
}
