//! From the hashes that a job names to the hash of its output.
//!
//! A module that fails has an answer too: a document that says how. A client must not be able to bait a bond with a module
//! that never ends or always traps, and whoever runs it again comes to the same document.

use crate::runner::{JobModule, Limits, Outcome, RunError, Runner};
use joule_artifacts::{ArtifactError, ArtifactStore, Bytes, Hash, JobSpec, SpecError};
use std::time::Duration;

/// Why a job has no output.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    #[error(transparent)]
    Spec(#[from] SpecError),
    #[error(transparent)]
    Run(#[from] RunError),
}

impl ExecError {
    /// Whether the same call may succeed later.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Artifact(error) => error.may_pass(),
            Self::Spec(_) => false,
            Self::Run(error) => error.may_pass(),
        }
    }
}

/// Everything a run needs, fetched and checked: nothing about it can be missing or forbidden any more.
#[derive(Clone)]
pub struct Prepared {
    pub spec: JobSpec,
    module: JobModule,
    input: Bytes,
}

/// What a job comes to.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The module's output, or the document that says why there is none.
    pub bytes: Bytes,
    /// What the run took, or how it failed.
    pub run: Result<Took, RunError>,
}

/// What a run took.
#[derive(Debug, Clone, Copy)]
pub struct Took {
    pub fuel: u64,
    pub memory_bytes: u64,
    pub elapsed: Duration,
}

impl Answer {
    pub fn hash(&self) -> Hash {
        Hash::of(&self.bytes)
    }

    /// Whether another machine may rightly come to another answer, so that this one speaks for nobody but itself.
    pub fn depends_on_machine(&self) -> bool {
        self.run.as_ref().is_err_and(RunError::depends_on_machine)
    }
}

/// The one way in which a failed run is written down.
fn failure(error: &RunError) -> Bytes {
    Bytes::from(format!(r#"{{"version":1,"failed":"{}"}}"#, error.word()))
}

/// Fetches, runs and stores. Cheap to clone.
#[derive(Clone)]
pub struct Executor {
    store: ArtifactStore,
    runner: Runner,
    /// Larger modules and inputs are not fetched, in bytes.
    max_module_bytes: u64,
    max_input_bytes: u64,
}

impl Executor {
    pub fn new(store: ArtifactStore, max_module_bytes: u64, max_input_bytes: u64) -> Result<Self, RunError> {
        Ok(Self { store, runner: Runner::new()?, max_module_bytes, max_input_bytes })
    }

    pub async fn spec(&self, hash: Hash) -> Result<JobSpec, ExecError> {
        let bytes = self.store.get(hash, JobSpec::MAX_BYTES as u64).await?;
        Ok(JobSpec::parse(&bytes)?)
    }

    pub async fn prepare(&self, spec: JobSpec, input: Hash) -> Result<Prepared, ExecError> {
        let module = match self.runner.kept(spec.module) {
            Some(module) => module,
            None => {
                let bytes = self.store.get(spec.module, self.max_module_bytes).await?;
                self.runner.compile(spec.module, bytes).await?
            }
        };
        let input = self.store.get(input, self.max_input_bytes).await?;
        Ok(Prepared { spec, module, input })
    }

    pub async fn run(&self, prepared: Prepared) -> Result<Outcome, ExecError> {
        let Prepared { spec, module, input } = prepared;
        Ok(self.runner.run(module, input, Limits::from(&spec)).await?)
    }

    /// Runs to an answer; an error is this machine's or the store's, not the module's.
    pub async fn answer(&self, prepared: Prepared) -> Result<Answer, ExecError> {
        match self.run(prepared).await {
            Ok(Outcome { output, fuel_used, peak_memory_bytes, elapsed }) => {
                let took = Took { fuel: fuel_used, memory_bytes: peak_memory_bytes, elapsed };
                Ok(Answer { bytes: output.into(), run: Ok(took) })
            }
            Err(ExecError::Run(error)) if !error.may_pass() => Ok(Answer { bytes: failure(&error), run: Err(error) }),
            Err(error) => Err(error),
        }
    }

    /// Stores an output under its hash; a hash that is submitted can be fetched.
    pub async fn store(&self, output: Bytes) -> Result<Hash, ExecError> {
        Ok(self.store.put(output).await?)
    }
}
