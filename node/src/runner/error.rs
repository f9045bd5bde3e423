//! Every way in which a run can end badly.

use std::time::Duration;

/// Why there is no output.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    #[error("the module used up its {fuel} units of fuel; the job's spec must allow more")]
    OutOfFuel { fuel: u64 },
    #[error("the module asked for {asked} bytes of memory; the job's spec allows {allowed}")]
    OutOfMemory { asked: u64, allowed: u64 },
    #[error("the module asked for a table of {asked} elements; {allowed} are allowed")]
    TableTooLarge { asked: u64, allowed: u64 },
    #[error("the module ran longer than {} ms; the job's spec must allow more, or the machine must be faster", .timeout.as_millis())]
    TimedOut { timeout: Duration },
    #[error("the module used up this machine's stack in {during}")]
    OutOfStack { during: &'static str },
    #[error("the module trapped in {during}: {trap}")]
    Trapped { during: &'static str, trap: String },
    #[error("the module imports {module:?} {name:?}; a job may import nothing")]
    ForbiddenImport { module: String, name: String },
    #[error("this is not a WebAssembly module that a job may be: {0}")]
    BadModule(String),
    #[error("the module does not keep to the job ABI: {0}")]
    BadAbi(String),
    #[error("the module's output has {bytes} bytes; {allowed} are allowed")]
    OutputTooLarge { bytes: u64, allowed: u64 },
    /// Not the module's doing; the same run may succeed later or elsewhere.
    #[error("this machine could not run the module: {0}")]
    Host(String),
}

impl RunError {
    /// Whether running it again here can end otherwise.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Host(_))
    }

    /// Whether the next machine may end the same run otherwise: the reason is this one's, or its speed, or its stack.
    pub fn depends_on_machine(&self) -> bool {
        matches!(self, Self::Host(_) | Self::TimedOut { .. } | Self::OutOfStack { .. })
    }

    /// One word for it, the same on every machine.
    pub fn word(&self) -> &'static str {
        match self {
            Self::OutOfFuel { .. } => "fuel",
            Self::OutOfMemory { .. } => "memory",
            Self::TableTooLarge { .. } => "table",
            Self::TimedOut { .. } => "time",
            Self::OutOfStack { .. } => "stack",
            Self::Trapped { .. } => "trap",
            Self::ForbiddenImport { .. } => "import",
            Self::BadModule(_) => "module",
            Self::BadAbi(_) => "abi",
            Self::OutputTooLarge { .. } => "output",
            Self::Host(_) => "host",
        }
    }
}
