//! From the hashes that a job names to the hash of its output.

use crate::runner::{JobModule, Limits, Outcome, RunError, Runner};
use joule_artifacts::{ArtifactError, ArtifactStore, Bytes, Hash, JobSpec, SpecError};

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

    /// Stores an output under its hash; a hash that is submitted can be fetched.
    pub async fn store(&self, output: Bytes) -> Result<Hash, ExecError> {
        Ok(self.store.put(output).await?)
    }
}
