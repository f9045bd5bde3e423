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
    #[error("the module has {asked} tables; {allowed} are allowed")]
    TooManyTables { asked: u32, allowed: u32 },
    #[error("the module ran longer than {} ms; the job's spec must allow more, or the machine must be faster", .timeout.as_millis())]
    TimedOut { timeout: Duration },
    #[error("the {} s that were left of the job's money are over; its budget must pay for its whole time limit", .paid.as_secs())]
    OutOfMoney { paid: Duration },
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
    /// The module is valid, and this machine's compiler has no code for it.
    #[error("the module cannot be compiled here: {0}")]
    Untranslatable(String),
    #[error("compiling the module takes longer than the {} ms that this node has for a job it is not bound to", .allowed.as_millis())]
    SlowToCompile { allowed: Duration },
    /// Not the module's doing; the same run may succeed later or elsewhere.
    #[error("this machine could not run the module: {0}")]
    Host(String),
}

impl RunError {
    /// Whether the next machine may end the same run otherwise: the reason is this one's, or its speed, or its stack.
    pub fn depends_on_machine(&self) -> bool {
        match self {
            Self::TimedOut { .. }
            | Self::OutOfMoney { .. }
            | Self::OutOfStack { .. }
            | Self::Untranslatable(_)
            | Self::SlowToCompile { .. }
            | Self::Host(_) => true,
            Self::OutOfFuel { .. }
            | Self::OutOfMemory { .. }
            | Self::TableTooLarge { .. }
            | Self::TooManyTables { .. }
            | Self::Trapped { .. }
            | Self::ForbiddenImport { .. }
            | Self::BadModule(_)
            | Self::BadAbi(_)
            | Self::OutputTooLarge { .. } => false,
        }
    }
}
