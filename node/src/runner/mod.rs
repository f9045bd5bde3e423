//! Runs a job's WebAssembly module: no imports, metered fuel, bounded memory, time and output.
//!
//! `engine` holds the compiler's settings and its clock, `compiler` is where strangers' modules are compiled, `module` what a
//! module must look like, `limits` what it may use, `execute` one run, `error` every way in which it can end badly.

mod compiler;
mod engine;
mod error;
mod execute;
mod limits;
mod module;

pub use compiler::compile_stdin;
pub use engine::Runner;
pub use error::RunError;
pub use execute::Outcome;
pub use limits::Limits;
pub use module::JobModule;
