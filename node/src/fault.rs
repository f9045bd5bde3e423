//! Whose doing it is that a job has no output, which decides what becomes of it. README.md has the same as a table.

use crate::{executor::ExecError, kept::KeptError, runner::RunError};
use joule_artifacts::{ArtifactError, SpecError};

/// | | before a promise | once bound | to jurors |
/// |---|---|---|---|
/// | `Theirs` | not taken | its word is the result | the result |
/// | `Beyond` | not taken | tried until the deadline | says that it cannot run it |
/// | `Ours` | looked at again | tried until the deadline | tried while there is time |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The client's or its module's; the word says how, the same on every machine.
    Theirs(&'static str),
    /// Nobody's: it is more than this node does.
    Beyond,
    /// This machine's, its disk's or the store's; the same call may succeed later.
    Ours,
}

impl ExecError {
    pub fn fault(&self) -> Fault {
        use Fault::{Beyond, Ours, Theirs};
        match self {
            Self::Artifact(error) => match error {
                ArtifactError::NotFound { .. }
                | ArtifactError::HashMismatch { .. }
                | ArtifactError::Store { .. }
                | ArtifactError::Place { .. } => Ours,
                ArtifactError::TooLarge { .. } => Theirs("size"),
            },
            Self::Spec(error) => match error {
                SpecError::TooLong(_) | SpecError::Json(_) | SpecError::Limit { .. } => Theirs("spec"),
                SpecError::Version(_) => Beyond,
            },
            Self::Run(error) => match error {
                RunError::OutOfFuel { .. } => Theirs("fuel"),
                RunError::OutOfMemory { .. } => Theirs("memory"),
                RunError::TableTooLarge { .. } => Theirs("table"),
                RunError::TooManyTables { .. } => Theirs("tables"),
                RunError::TimedOut { .. } => Theirs("time"),
                RunError::OutOfMoney { .. } => Theirs("budget"),
                RunError::OutOfStack { .. } => Theirs("stack"),
                RunError::Trapped { .. } => Theirs("trap"),
                RunError::ForbiddenImport { .. } => Theirs("import"),
                RunError::BadModule(_) => Theirs("module"),
                RunError::BadAbi(_) => Theirs("abi"),
                RunError::OutputTooLarge { .. } => Theirs("output"),
                RunError::Untranslatable(_) => Theirs("compiler"),
                RunError::SlowToCompile { .. } => Beyond,
                RunError::Host(_) => Ours,
            },
            Self::AboveLimit { .. } | Self::AsksTooMuch { .. } => Beyond,
            Self::Kept(error) => match error {
                KeptError::Disk { .. } | KeptError::Full { .. } => Ours,
            },
        }
    }
}
