//! Runs one job by hand: to try a module before posting it, or to check a provider's result.

use anyhow::{bail, Context};
use joule_artifacts::{ArtifactStore, Bytes, Hash, JobSpec};
use joule_node::{
    executor::{Bounds, Executor, Tie, Took},
    runner::Runner,
};
use std::{path::PathBuf, process::ExitCode, time::Duration};

#[derive(clap::Args)]
pub struct Args {
    /// The job's spec: its hash in the store, or a file
    #[arg(long, value_name = "HASH|FILE", required_unless_present = "module")]
    spec: Option<String>,
    /// Instead of a spec, a WebAssembly file, which is put into the store
    #[arg(long, value_name = "FILE", conflicts_with = "spec")]
    module: Option<PathBuf>,
    /// The job's input: its hash in the store, or a file, which is put there
    #[arg(long, value_name = "HASH|FILE")]
    input: String,
    /// Fuel limit with --module
    #[arg(long, default_value_t = 1_000_000_000, value_name = "UNITS")]
    fuel: u64,
    /// Memory limit with --module, in bytes
    #[arg(long, default_value_t = 64 << 20, value_name = "BYTES")]
    memory_bytes: u64,
    /// Time limit with --module, in milliseconds
    #[arg(long, default_value_t = 60_000, value_name = "MS")]
    timeout_ms: u64,
    /// How long compiling may take, in milliseconds
    #[arg(long, default_value_t = 600_000, value_name = "MS")]
    max_compile_ms: u64,
    /// Where artifacts lie: a folder, or s3://bucket/prefix
    #[arg(long, env = "JOULE_ARTIFACTS", default_value = ".localnet/artifacts", value_name = "PLACE")]
    artifacts: String,
    /// Writes the output there too; it is in the store in any case
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The result hash that a provider submitted: exit code 3 when it is another
    #[arg(long, value_name = "HASH")]
    expect: Option<Hash>,
}

pub async fn exec(args: Args) -> anyhow::Result<ExitCode> {
    let store = ArtifactStore::open(&args.artifacts)?;
    let bounds = Bounds { max_compile: Duration::from_millis(args.max_compile_ms), ..Bounds::widest() };
    let executor = Executor::new(store.clone(), Runner::apart()?, bounds);
    let spec = spec(&args, &store, &executor).await?;
    let input = match args.input.parse() {
        Ok(hash) => hash,
        Err(_) => store.put(read(&args.input)?).await?,
    };
    let answer = executor.answer(executor.prepare(spec, input, Tie::Free).await?, None).await?;
    let (output, Took { fuel, memory_bytes, elapsed }) = (answer.bytes, answer.run?);
    if let Some(path) = &args.output {
        std::fs::write(path, &output).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let bytes = output.len();
    let result = executor.store(output).await?;
    let facts = serde_json::json!({
        "spec_hash": spec.hash(), "module": spec.module, "input_hash": input, "result_hash": result, "output_bytes": bytes,
        "fuel_used": fuel, "peak_memory_bytes": memory_bytes, "elapsed_ms": elapsed.as_millis() as u64,
    });
    println!("{facts:#}");
    match args.expect {
        Some(expected) if expected != result => {
            eprintln!("the result is {result}, not {expected}");
            Ok(ExitCode::from(3))
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

async fn spec(args: &Args, store: &ArtifactStore, executor: &Executor) -> anyhow::Result<JobSpec> {
    match (&args.spec, &args.module) {
        (Some(spec), _) => match spec.parse() {
            Ok(hash) => Ok(executor.spec(hash).await?),
            Err(_) => Ok(JobSpec::parse(&read(spec)?)?),
        },
        (None, Some(path)) => {
            let module = store.put(read(&path.display().to_string())?).await?;
            Ok(JobSpec::new(module, args.fuel, args.memory_bytes, args.timeout_ms)?)
        }
        (None, None) => bail!("give --spec or --module"),
    }
}

/// A file named where a hash would do.
fn read(path: &str) -> anyhow::Result<Bytes> {
    Ok(std::fs::read(path).with_context(|| format!("{path} is neither a hash nor a readable file"))?.into())
}
