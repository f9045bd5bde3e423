//! The compiler with its settings, its clock, and the modules compiled lately.

use super::{compiler, execute, module, JobModule, Limits, Outcome, RunError};
use joule_artifacts::{Bytes, Hash};
use std::{
    collections::VecDeque,
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc, Mutex, MutexGuard, PoisonError,
    },
    thread,
    time::Duration,
};
use tokio::sync::Semaphore;
use wasmtime::{Config, Engine, OptLevel, WasmFeatures};

/// How often running modules look at the time.
pub(super) const TICK: Duration = Duration::from_millis(5);
/// Compiled modules kept in memory.
const KEPT_MODULES: usize = 16;
/// Deep recursion ends in a trap here. How deep is a matter of the machine's frames, so a module must not rely on it.
const STACK_BYTES: usize = 1 << 20;

/// Modules remembered that took too long to compile.
const SLOW_MODULES: usize = 1_024;
/// Strangers' modules compiled at the same time.
const COMPILING: usize = 2;

/// Where modules are compiled.
#[derive(Clone, Copy)]
enum Place {
    /// On a thread of this process, which goes on until it is done.
    Here,
    /// In a process that is ended when it takes too long.
    Apart,
}

/// Compiles and runs modules. Cheap to clone; clones share the compiled modules.
#[derive(Clone)]
pub struct Runner {
    engine: Engine,
    place: Place,
    modules: Arc<Mutex<VecDeque<(Hash, JobModule)>>>,
    /// What took longer than this to compile.
    slow: Arc<Mutex<VecDeque<(Hash, Duration)>>>,
    turns: Arc<Semaphore>,
    _clock: Arc<Clock>,
}

impl Runner {
    /// For modules that are one's own.
    pub fn new() -> Result<Self, RunError> {
        Self::compiling(Place::Here)
    }

    /// For strangers' modules; this program must be `joule-node`.
    pub fn apart() -> Result<Self, RunError> {
        Self::compiling(Place::Apart)
    }

    fn compiling(place: Place) -> Result<Self, RunError> {
        let host = |error: &dyn std::fmt::Display| RunError::Host(error.to_string());
        let engine = Engine::new(&config()).map_err(|error| host(&error))?;
        let clock = Clock::start(engine.clone()).map_err(|error| host(&error))?;
        let turns = Arc::new(Semaphore::new(COMPILING));
        Ok(Self { engine, place, modules: Arc::default(), slow: Arc::default(), turns, _clock: Arc::new(clock) })
    }

    /// The compiled form of the module named `hash`, if it was used lately.
    pub fn kept(&self, hash: Hash) -> Option<JobModule> {
        let mut modules = lock(&self.modules);
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
        let compiled = match self.place {
            Place::Here => blocking(move || module::translate(&engine, &bytes)).await?,
            Place::Apart => compiler::compile(&bytes).await?,
        };
        let engine = self.engine.clone();
        // SAFETY: either way it was `module::translate` of this program that made it.
        let module = blocking(move || unsafe { JobModule::from_compiled(&engine, &compiled) }).await?;
        let mut modules = lock(&self.modules);
        if modules.iter().all(|(kept, _)| *kept != hash) {
            modules.push_front((hash, module.clone()));
            modules.truncate(KEPT_MODULES);
        }
        Ok(module)
    }

    /// The same, for as long as `allowed`, and only a few at once. What took longer once is not tried again in less.
    pub async fn compile_within(&self, hash: Hash, bytes: Bytes, allowed: Duration) -> Result<JobModule, RunError> {
        let slow = RunError::SlowToCompile { allowed };
        if lock(&self.slow).iter().any(|(known, took)| *known == hash && *took >= allowed) {
            return Err(slow);
        }
        let _turn = self.turns.acquire().await;
        if let Ok(compiled) = tokio::time::timeout(allowed, self.compile(hash, bytes)).await {
            return compiled;
        }
        let mut known = lock(&self.slow);
        known.push_front((hash, allowed));
        known.truncate(SLOW_MODULES);
        Err(slow)
    }

    /// Whether a run would begin: what the module asks for from the start is within the limits, and this machine has it.
    pub async fn rehearse(&self, module: JobModule, limits: Limits) -> Result<(), RunError> {
        blocking(move || execute::rehearse(&module, &limits)).await
    }

    /// Runs the module on `input`, on a thread that may block.
    pub async fn run(&self, module: JobModule, input: Bytes, limits: Limits) -> Result<Outcome, RunError> {
        blocking(move || execute::execute(&module, &input, &limits)).await
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
pub(super) fn config() -> Config {
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
