//! One run: a fresh instance, the input in, the output out.

use super::{
    engine::TICK,
    limits::{Refused, Watch},
    JobModule, Limits, RunError,
};
use std::time::{Duration, Instant};
use wasmtime::{Instance, Memory, Store, Trap, TypedFunc};

/// What a run gave and what it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub output: Vec<u8>,
    /// The same on every machine that runs the same wasmtime.
    pub fuel_used: u64,
    pub peak_memory_bytes: u64,
    /// Wall-clock time, compiling not included.
    pub elapsed: Duration,
}

/// Whether an instance can be made: all of a run that comes before its first instruction.
pub(super) fn rehearse(module: &JobModule, limits: &Limits) -> Result<(), RunError> {
    // Too little for a start function, which is a part of the run.
    let limits = Limits { fuel: 1, ..*limits };
    let mut store = store(module, &limits)?;
    match Instance::new(&mut store, &module.0, &[]) {
        Ok(_) => Ok(()),
        Err(error) if error.is::<Trap>() => Ok(()),
        Err(error) => Err(failure("its start", error, &limits)),
    }
}

/// Where an instance lives, with all that watches over it.
fn store(module: &JobModule, limits: &Limits) -> Result<Store<Watch>, RunError> {
    let mut store = Store::new(module.0.engine(), Watch::new(limits));
    store.limiter(|watch| watch);
    store.set_fuel(limits.fuel).map_err(|error| host(&error))?;
    // One tick more: the first may come at once.
    let ticks = limits.timeout.as_nanos().div_ceil(TICK.as_nanos()) as u64 + 1;
    store.set_epoch_deadline(ticks);
    Ok(store)
}

pub(super) fn execute(module: &JobModule, input: &[u8], limits: &Limits) -> Result<Outcome, RunError> {
    let started = Instant::now();
    let input_len = u32::try_from(input.len())
        .map_err(|_| RunError::BadAbi("an input of 4 GiB or more cannot be handed over".into()))?;
    let mut store = store(module, limits)?;

    let failed = |during, error| failure(during, error, limits);
    let instance = Instance::new(&mut store, &module.0, &[]).map_err(|error| failed("its start", error))?;
    let memory = instance.get_memory(&mut store, "memory").ok_or_else(|| missing("memory"))?;
    let alloc: TypedFunc<u32, u32> = function(&instance, &mut store, "alloc")?;
    let run: TypedFunc<(u32, u32), u64> = function(&instance, &mut store, "run")?;

    let ptr = alloc.call(&mut store, input_len).map_err(|error| failed("`alloc`", error))?;
    memory.write(&mut store, ptr as usize, input).map_err(|_| {
        let size = memory.data_size(&store);
        RunError::BadAbi(format!(
            "`alloc({input_len})` answered {ptr}, which leaves no room in a memory of {size} bytes"
        ))
    })?;
    let answer = run.call(&mut store, (ptr, input_len)).map_err(|error| failed("`run`", error))?;
    let output = read(&store, memory, answer, limits)?;

    let left = store.get_fuel().map_err(|error| host(&error))?;
    Ok(Outcome {
        output,
        fuel_used: limits.fuel.saturating_sub(left),
        peak_memory_bytes: store.data().peak_memory_bytes,
        elapsed: started.elapsed(),
    })
}

/// The output that `run`'s answer, `(ptr << 32) | len`, points at.
fn read(store: &Store<Watch>, memory: Memory, answer: u64, limits: &Limits) -> Result<Vec<u8>, RunError> {
    let (ptr, len) = (answer >> 32, answer & u64::from(u32::MAX));
    if len > limits.output_bytes {
        return Err(RunError::OutputTooLarge { bytes: len, allowed: limits.output_bytes });
    }
    let data = memory.data(store);
    // Two u32s cannot overflow a 64-bit sum.
    data.get(ptr as usize..(ptr + len) as usize).map(<[u8]>::to_vec).ok_or_else(|| {
        RunError::BadAbi(format!("`run` answered {len} bytes at {ptr}, outside its memory of {} bytes", data.len()))
    })
}

fn function<P: wasmtime::WasmParams, R: wasmtime::WasmResults>(
    instance: &Instance,
    store: &mut Store<Watch>,
    name: &str,
) -> Result<TypedFunc<P, R>, RunError> {
    instance.get_typed_func(store, name).map_err(|_| missing(name))
}

fn missing(name: &str) -> RunError {
    RunError::BadAbi(format!("it exports no `{name}` of the right type"))
}

fn host(error: &wasmtime::Error) -> RunError {
    RunError::Host(format!("{error:#}"))
}

/// What an error of wasmtime means for the job.
fn failure(during: &'static str, error: wasmtime::Error, limits: &Limits) -> RunError {
    if let Some(Refused(reason)) = error.downcast_ref::<Refused>() {
        return reason.clone();
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => RunError::OutOfFuel { fuel: limits.fuel },
        Some(Trap::Interrupt) => RunError::TimedOut { timeout: limits.timeout },
        Some(Trap::StackOverflow) => RunError::OutOfStack { during },
        Some(trap) => RunError::Trapped { during, trap: trap.to_string() },
        None => host(&error),
    }
}
