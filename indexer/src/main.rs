//! `joule-indexer`: see `joule-indexer --help`.

use anyhow::Context as _;
use clap::Parser as _;
use indicatif::{ProgressBar, ProgressStyle};
use joule_indexer::{
    check,
    config::{Cli, Command, Settings},
    copied, crash, decode, export, redecode, rewind, source,
    store::backup,
    telemetry, verify, Indexer,
};
use joule_listen::BindError;
use joule_settings::{Causes, Refused, Report};
use std::{io::Write as _, ops::ControlFlow, process::ExitCode, time::Duration};
use tokio::signal::unix::{signal, SignalKind};
use tokio_util::sync::CancellationToken;

/// Rows are made and thrown away by the thousand: the C library's allocator was a tenth of all the work. Huge pages are off: to empty
/// one that holds a few small rows was a fifth of it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The database, its readers, the stream, the logs.
const SPARE_FILES: u64 = 128;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Some(crash_at) = cli.options.crash_at {
        crash::arm(crash_at);
    }
    if let (Some(Command::Check { .. }), Err(error)) = (&cli.command, cli.options.clone().settings()) {
        let mut report = Report::new("indexer");
        report.wrong("settings", error, "");
        return told(&report, cli.options.json);
    }
    let result = match cli.options.settings() {
        Ok(settings) => {
            telemetry::logs(settings.json);
            match settings.upgrades.clone().take_force() {
                Ok(()) => run(cli.command.unwrap_or(Command::Run), &settings).await,
                Err(error) => Err(error.into()),
            }
        }
        Err(error) => Err(error.into()),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("joule-indexer: {}", Causes(error.as_ref()));
            let refused = error.downcast_ref::<Refused>().map(|refused| refused.code);
            ExitCode::from(refused.unwrap_or(if error.is::<BindError>() { 1 } else { 2 }))
        }
    }
}

async fn run(command: Command, settings: &Settings) -> anyhow::Result<ExitCode> {
    match command {
        Command::Check { offline } => {
            let report = check::check(settings, offline).await;
            Ok(told(&report, settings.json))
        }
        Command::Run => {
            let report = check::check(settings, false).await;
            report.refusal()?;
            for doubt in report.doubts() {
                tracing::warn!("{doubt}");
            }
            let files = rlimit::increase_nofile_limit(u64::MAX).context("asking for more open files")?;
            let wanted = settings.connections as u64 + SPARE_FILES;
            anyhow::ensure!(
                files >= wanted,
                "{files} files may be open at once, {wanted} may be needed: raise `ulimit -Hn`, or lower --connections"
            );
            let stop = CancellationToken::new();
            tokio::spawn(stop_on_signal(stop.clone())?);
            for program in decode::Program::ALL {
                tracing::info!(program = program.name(), address = %program.address(), "following");
            }
            let indexer = match Indexer::start(settings, stop.clone()).await {
                // Nothing was received yet.
                Err(_) if stop.is_cancelled() => return Ok(ExitCode::SUCCESS),
                started => started?,
            };
            say(&format!("joule-indexer: http://{}", indexer.address()))?;
            if let Some(file) = settings.database.file() {
                tokio::spawn(copied::watch(file.to_owned(), stop));
            }
            indexer.finished().await?;
            tracing::info!("everything that was received is stored");
            Ok(ExitCode::SUCCESS)
        }
        Command::Verify { wait } => {
            let store = settings.database.open_existing()?;
            let rpc = source::rpc::Rpc::new(settings.rpc.clone(), false);
            let report = verify::run(&*store, &rpc, Duration::from_secs(wait)).await?;
            say(&report.to_string())?;
            Ok(if report.differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::Redecode => {
            let store = settings.database.open_existing()?;
            let rpc = source::rpc::Rpc::new(settings.rpc.clone(), false);
            let redecoded = redecode::run(&*store, &rpc).await?;
            say(&format!("{} of {} dead letters decoded", redecoded.decoded, redecoded.tried))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Rewind(options) => {
            let (database, json) = (settings.database.clone(), settings.json);
            let done = tokio::task::spawn_blocking(move || rewind::run(&options, &database)).await??;
            let Some(report) = done else {
                eprintln!("joule-indexer: nothing was forgotten");
                return Ok(ExitCode::FAILURE);
            };
            match json {
                true => say(&serde_json::to_string(&report)?)?,
                false => say(&format!("the next start goes on after slot {}", report.to))?,
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Backup { to } => {
            let database = settings.database.file().context(
                "this is for SQLite: copy a PostgreSQL database with pg_dump, and one of ClickHouse with its BACKUP or clickhouse-copier",
            )?;
            let copy = backup::to(database, &to)?;
            let slot = copy.checkpoint.map_or(0, |checkpoint| checkpoint.slot);
            let size = copy.bytes.div_ceil(1 << 20);
            if let Err(error) = copied::made(database) {
                eprintln!("joule-indexer: the metric of the last backup stays: beside {}: {error}", database.display());
            }
            say(&format!("{} has everything up to slot {slot}, in {size} MiB", to.display()))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Export(options) => exported(options, settings).await,
        Command::Schema => {
            for table in joule_indexer::schema::described() {
                say(&table.to_string())?;
            }
            say(joule_indexer::schema::FILES)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Openapi => {
            say(&joule_indexer::api::document().to_pretty_json()?)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Writes a file, or to whoever reads the standard output, and shows how far it is where somebody looks.
async fn exported(options: export::Options, settings: &Settings) -> anyhow::Result<ExitCode> {
    let store = settings.database.open_existing()?;
    let stop = CancellationToken::new();
    tokio::spawn(stop_on_signal(stop.clone())?);
    let out = options.out.clone();
    let style = ProgressStyle::with_template("{spinner} {human_pos} lines, {per_sec}").context("the progress")?;
    let shown = ProgressBar::new_spinner().with_style(style);
    let writing = tokio::task::spawn_blocking(move || {
        let done = options.run(&*store, &mut |lines| {
            shown.set_position(lines);
            if stop.is_cancelled() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        shown.finish_and_clear();
        done
    });
    match writing.await? {
        Ok(lines) => {
            if out.as_os_str() != "-" {
                say(&format!("{} has {lines} lines", out.display()))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        // Whoever read it has enough.
        Err(error) if is_broken_pipe(&error) => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error),
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let is_broken = |cause: &(dyn std::error::Error + 'static)| {
        let io = cause.downcast_ref::<std::io::Error>();
        let csv = || match cause.downcast_ref::<csv::Error>().map(csv::Error::kind) {
            Some(csv::ErrorKind::Io(io)) => Some(io),
            _ => None,
        };
        io.or_else(csv).is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
    };
    error.chain().any(is_broken)
}

/// Prints what was found.
fn told(report: &Report, json: bool) -> ExitCode {
    // That nobody reads it changes nothing of it.
    let _ = match json {
        true => say(&serde_json::to_string(report).unwrap_or_default()),
        false => say(&report.to_string()),
    };
    ExitCode::from(report.exit_code())
}

/// Prints a line. A reader that has gone away, such as `head`, is no failure.
fn say(line: &str) -> std::io::Result<()> {
    match writeln!(std::io::stdout(), "{line}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Stops on SIGTERM and on Ctrl-C.
fn stop_on_signal(stop: CancellationToken) -> anyhow::Result<impl std::future::Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for Ctrl-C")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        stop.cancel();
    })
}
