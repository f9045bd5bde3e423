//! What a module may use.

use super::RunError;
use joule_artifacts::{JobSpec, MAX_OUTPUT_BYTES};
use std::time::Duration;
use wasmtime::ResourceLimiter;

/// The bounds of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// wasmtime fuel.
    pub fuel: u64,
    pub memory_bytes: u64,
    /// Of wall-clock time, from instantiation on; compiling does not count.
    pub timeout: Duration,
    pub output_bytes: u64,
}

impl From<&JobSpec> for Limits {
    fn from(spec: &JobSpec) -> Self {
        Self {
            fuel: spec.fuel,
            memory_bytes: spec.memory_bytes,
            timeout: Duration::from_millis(spec.timeout_ms),
            output_bytes: MAX_OUTPUT_BYTES,
        }
    }
}

/// A table costs the host a pointer for each element.
const MAX_TABLE_ELEMENTS: usize = 1 << 20;
/// WebAssembly allows 100.
pub(super) const MAX_TABLES: u32 = 16;

/// Carried by wasmtime out of a growth that was refused.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Refused(pub RunError);

/// Watches one instance. Asking for too much ends the run instead of returning -1 to the module: a job that can only
/// half work is not the job that was bought.
#[derive(Debug)]
pub(super) struct Watch {
    memory_bytes: u64,
    pub peak_memory_bytes: u64,
}

impl Watch {
    pub fn new(limits: &Limits) -> Self {
        Self { memory_bytes: limits.memory_bytes, peak_memory_bytes: 0 }
    }
}

impl ResourceLimiter for Watch {
    fn memory_growing(&mut self, _: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            // The module's own maximum: -1, as WebAssembly says.
            return Ok(false);
        }
        let asked = desired as u64;
        if asked > self.memory_bytes {
            return Err(Refused(RunError::OutOfMemory { asked, allowed: self.memory_bytes }).into());
        }
        self.peak_memory_bytes = self.peak_memory_bytes.max(asked);
        Ok(true)
    }

    /// An error, so that a machine short of memory fails the run rather than changing what the module computes.
    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(Refused(RunError::Host(format!("{error:#}"))).into())
    }

    fn table_growing(&mut self, _: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        if desired > MAX_TABLE_ELEMENTS {
            let (asked, allowed) = (desired as u64, MAX_TABLE_ELEMENTS as u64);
            return Err(Refused(RunError::TableTooLarge { asked, allowed }).into());
        }
        Ok(true)
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(Refused(RunError::Host(format!("{error:#}"))).into())
    }

    fn instances(&self) -> usize {
        1
    }

    fn tables(&self) -> usize {
        MAX_TABLES as usize
    }

    fn memories(&self) -> usize {
        1
    }
}
