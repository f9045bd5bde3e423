//! The compiler with its settings, its clock, and the modules compiled lately.

use super::{execute, JobModule, Limits, Outcome, RunError};
use joule_artifacts::{Bytes, Hash};
use std::{
    collections::VecDeque,
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc, Mutex, PoisonError,
    },
    thread,
    time::Duration,
};
use wasmtime::{Config, Engine, OptLevel, WasmFeatures};

/// How often running modules look at the time.
pub(super) const TICK: Duration = Duration::from_millis(5);
/// Compiled modules kept in memory.
const KEPT_MODULES: usize = 16;
/// Deep recursion ends in a trap here. How deep is a matter of the machine's frames, so a module must not rely on it.
const STACK_BYTES: usize = 1 << 20;

/// Compiles and runs modules. Cheap to clone; clones share the compiled modules.
#[derive(Clone)]
pub struct Runner {
    engine: Engine,
    modules: Arc<Mutex<VecDeque<(Hash, JobModule)>>>,
    _clock: Arc<Clock>,
}

impl Runner {
    pub fn new() -> Result<Self, RunError> {
        let host = |error: &dyn std::fmt::Display| RunError::Host(error.to_string());
        let engine = Engine::new(&config()).map_err(|error| host(&error))?;
        let clock = Clock::start(engine.clone()).map_err(|error| host(&error))?;
        Ok(Self { engine, modules: Arc::default(), _clock: Arc::new(clock) })
    }

    /// The compiled form of the module named `hash`, if it was used lately.
    pub fn kept(&self, hash: Hash) -> Option<JobModule> {
        let mut modules = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        let at = modules.iter().position(|(kept, _)| *kept == hash)?;
        let entry = modules.remove(at)?;
        let module = entry.1.clone();
        modules.push_front(entry);
        Some(module)
    }

    /// Compiles and checks `bytes`, which hash to `hash`, and keeps the outcome.
    pub async fn compile(&self, hash: Hash, bytes: Bytes) -> Result<JobModule, RunError> {
        if let Some(module) = self.kept(hash) {
            return Ok(module);
        }
        let engine = self.engine.clone();
        let module = blocking(move || JobModule::compile(&engine, &bytes)).await?;
        let mut modules = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        if modules.iter().all(|(kept, _)| *kept != hash) {
            modules.push_front((hash, module.clone()));
            modules.truncate(KEPT_MODULES);
        }
        Ok(module)
    }

    /// Runs the module on `input`, on a thread that may block.
    pub async fn run(&self, module: JobModule, input: Bytes, limits: Limits) -> Result<Outcome, RunError> {
        blocking(move || execute::execute(&module, &input, &limits)).await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RunError> + Send + 'static,
) -> Result<T, RunError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(RunError::Host(format!("the worker thread ended: {error}"))),
    }
}

/// What every node must agree on: WebAssembly 2.0 with its one non-determinism, the bits of a NaN, taken out.
fn config() -> Config {
    let allowed = WasmFeatures::WASM2 | WasmFeatures::GC_TYPES | WasmFeatures::EXTENDED_CONST | WasmFeatures::TAIL_CALL;
    let mut config = Config::new();
    config
        .wasm_features(WasmFeatures::all().difference(allowed), false)
        .cranelift_nan_canonicalization(true)
        .consume_fuel(true)
        .epoch_interruption(true)
        .max_wasm_stack(STACK_BYTES)
        .memory_init_cow(false)
        .cranelift_opt_level(OptLevel::Speed);
    config
}

/// A thread that moves the engine's epoch on, so that running modules notice that time passes.
struct Clock {
    stop: Arc<AtomicBool>,
}

impl Clock {
    fn start(engine: Engine) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        thread::Builder::new().name("wasm-clock".into()).spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                thread::sleep(TICK);
                engine.increment_epoch();
            }
        })?;
        Ok(Self { stop })
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}
