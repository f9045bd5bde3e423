//! Runs one job by hand: to try a module before posting it, or to check a provider's result.

use anyhow::{bail, Context};
use joule_artifacts::{ArtifactStore, Bytes, Hash, JobSpec};
use joule_node::{
    config::{ConfigError, Settings, ARTIFACTS},
    executor::{Bounds, Executor, Tie, Took},
    runner::Runner,
};
use joule_settings::{File, Size, Span};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

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
    /// Memory limit with --module
    #[arg(long, default_value_t = Size(64 << 20), value_name = "SIZE")]
    memory: Size,
    /// Time limit with --module
    #[arg(long, default_value_t = Span(Duration::from_secs(60)), value_name = "TIME")]
    timeout: Span,
    /// How long compiling may take
    #[arg(long, default_value_t = Span(Duration::from_secs(600)), value_name = "TIME")]
    max_compile: Span,
    /// Where artifacts lie: a folder, s3://bucket/prefix, or the http(s):// of a joule-store [default: .localnet/artifacts]
    #[arg(long, env = "JOULE_ARTIFACTS", value_name = "PLACE")]
    artifacts: Option<String>,
    /// Writes the output there too; it is in the store in any case
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The result hash that a provider submitted: exit code 3 when it is another
    #[arg(long, value_name = "HASH")]
    expect: Option<Hash>,
}

pub async fn exec(args: Args, file: Option<&Path>) -> anyhow::Result<ExitCode> {
    let of_file = match File::find(file).map_err(ConfigError::from)? {
        Some(file) => Settings::read(&file)?.artifacts,
        None => None,
    };
    let place = args.artifacts.clone().or(of_file).unwrap_or_else(|| ARTIFACTS.into());
    let store = ArtifactStore::open(&place)?;
    let bounds = Bounds { max_compile: args.max_compile.0, ..Bounds::widest() };
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
            Ok(JobSpec::new(module, args.fuel, args.memory.0, u64::try_from(args.timeout.0.as_millis())?)?)
        }
        (None, None) => bail!("give --spec or --module"),
    }
}

/// A file named where a hash would do.
fn read(path: &str) -> anyhow::Result<Bytes> {
    Ok(std::fs::read(path).with_context(|| format!("{path} is neither a hash nor a readable file"))?.into())
}
