//! `joule-gateway`: see `joule-gateway --help`.

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use joule_gateway::{
    alive,
    config::{Config, ConfigError, Settings},
    crash, follow, houses, look, telemetry,
    upstream::Upstream,
    Gateway, Ledger, OnChain, Server, Settler,
};
use joule_sdk::{keys, Keypair, Signer as _};
use joule_settings::{Amount, Causes, Refused, Report};
use joule_units::UnixTime;
use joule_voucher::SigningKey;
use std::{
    io::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};
use tokio::signal::unix::{signal, SignalKind};
use tokio_util::sync::CancellationToken;

/// Files beside connections: ledger, upstreams, RPC.
const SPARE_FILES: u64 = 256;

/// Sells requests to models one by one, for vouchers that it settles on chain.
#[derive(Debug, Parser)]
#[command(name = "joule-gateway", version, about, long_about = None)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until SIGTERM or Ctrl-C.
    Run {
        #[command(flatten)]
        settings: Settings,
        #[arg(long, env = "JOULE_CRASH_AT", hide = true)]
        crash_at: Option<crash::CrashAt>,
    },
    /// Bring every voucher on chain and have everything paid out, once; while no gateway runs on the same ledger, or beside it.
    Settle {
        #[command(flatten)]
        settings: Settings,
    },
    /// Say what `run` would do with these settings. Exit code 1 if something that it needs does not work, 2 if they are wrong.
    Check {
        #[command(flatten)]
        settings: Settings,
        /// Look at the form of the settings alone.
        #[arg(long)]
        offline: bool,
    },
    /// Serve the repository's network that reads handwritten digits, as a model to sell.
    Upstream {
        #[arg(long, default_value = "127.0.0.1:8600")]
        listen: SocketAddr,
        #[arg(long, default_value = "workloads/digits/digits.wasm")]
        module: PathBuf,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse().command).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("joule-gateway: {}", Causes(error.as_ref()));
            let refused = error.downcast_ref::<Refused>().map(|refused| refused.code);
            ExitCode::from(refused.unwrap_or(if error.is::<ConfigError>() { 2 } else { 1 }))
        }
    }
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Run { settings, crash_at } => {
            if let Some(crash_at) = crash_at {
                crash::arm(crash_at);
            }
            serve(settings.read()?).await?;
        }
        Command::Settle { settings } => settle(settings.read()?).await?,
        Command::Check { settings, offline } => {
            let report = look::check(&settings, offline).await;
            match settings.json {
                true => say(&serde_json::to_string(&report)?)?,
                false => say(&report.to_string())?,
            }
            return Ok(ExitCode::from(report.exit_code()));
        }
        Command::Upstream { listen, module } => {
            telemetry::logs(false);
            let upstream = Upstream::bind(listen, &module).await?;
            say(&format!("joule-gateway upstream: http://{}/v1", upstream.address()?))?;
            upstream.run().await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn serve(written: Config<Amount>) -> anyhow::Result<()> {
    telemetry::logs(written.json);
    let metrics = telemetry::metrics()?;
    let files = rlimit::increase_nofile_limit(u64::MAX).context("asking for more open files")?;
    let wanted = written.limits.connections as u64 + SPARE_FILES;
    anyhow::ensure!(
        files >= wanted,
        "{files} files may be open at once, {wanted} may be needed: raise `ulimit -Hn`, or lower limits.connections"
    );
    let mut report = Report::new("gateway");
    look::look(&mut report, &written).await;
    report.refusal()?;
    for finding in report.doubts() {
        tracing::warn!("{finding}");
    }
    let key = Arc::new(read_key(&written.key)?);
    let chain = OnChain::new(&written.rpc);
    let config = chain.in_units(written).await?;
    let shop = chain.shop(&config, &key.pubkey()).await?;
    let _alone = alone(config.ledger.with_extension("lock")).await?;
    let ledger = Ledger::open(&config.ledger, config.ledger_max)?;
    let settler = Settler::new(chain.clone(), key.clone(), ledger.clone(), &config)?;
    let settles = config.settle.enabled;
    let gateway = Gateway::new(config, shop, signing_key(&key), Arc::new(chain.clone()), ledger.clone())?;
    gateway.load().await?;
    if !gateway.config.exact.channels.is_empty() {
        let houses = houses(&chain, &gateway, &key).await?;
        gateway.sell_exact(houses, Arc::new(chain.clone())).await?;
    }
    let server = Server::bind(gateway.clone(), metrics).await?;
    say(&format!("joule-gateway: http://{}", server.address()?))?;
    tokio::spawn(stop_on_signal(gateway.stopping.clone())?);
    tokio::spawn(alive::watch(gateway.clone()));
    // Neither ends before it is told to. If one does, nothing more may be sold: the rest stops, and so says the exit code.
    let stop = gateway.stopping.clone();
    let following = tokio::spawn(stopping_at_its_end(stop.clone(), follow(gateway.clone(), chain)));
    let settling = settles.then(|| tokio::spawn(stopping_at_its_end(stop, settler.run(gateway.clone()))));
    server.run().await;
    following.await.context("reading channels from the chain ended")?;
    if let Some(settling) = settling {
        settling.await.context("settling ended")?;
    }
    drop(gateway);
    ledger.close();
    tracing::info!("everything that was promised is written down");
    Ok(())
}

/// Waits until no other gateway sells on the ledger: one that is stopping still finishes its answers. Held until it is dropped.
async fn alone(path: PathBuf) -> anyhow::Result<std::fs::File> {
    let file = joule_private::lockable(&path).with_context(|| format!("{}", path.display()))?;
    if matches!(file.try_lock(), Err(std::fs::TryLockError::WouldBlock)) {
        tracing::info!(lock = %path.display(), "another gateway has this ledger; waiting until it has ended");
    }
    tokio::task::spawn_blocking(move || file.lock().map(|()| file)).await?.context("locking the ledger")
}

/// Also when it panics.
async fn stopping_at_its_end(stopping: CancellationToken, task: impl std::future::Future<Output = ()>) {
    let _stop = stopping.drop_guard();
    task.await;
}

async fn settle(written: Config<Amount>) -> anyhow::Result<()> {
    telemetry::logs(written.json);
    let key = Arc::new(read_key(&written.key)?);
    let chain = OnChain::new(&written.rpc);
    let config = chain.in_units(written).await?;
    let ledger = Ledger::open(&config.ledger, config.ledger_max)?;
    let mut settler = Settler::new(chain, key, ledger, &config)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let outcome = settler.round(UnixTime::new(now.cast_signed()), true).await?;
    say(&format!(
        "{} vouchers settled, {} channels paid out, {} accounts closed",
        outcome.settled, outcome.distributed, outcome.closed
    ))?;
    anyhow::ensure!(outcome.failed == 0, "{} did not go through; the log says why", outcome.failed);
    Ok(())
}

fn read_key(file: &Path) -> anyhow::Result<Keypair> {
    Ok(keys::read(file)?)
}

fn signing_key(key: &Keypair) -> SigningKey {
    SigningKey::from_bytes(key.secret_bytes())
}

/// The first signal drains; the second is the operating system's.
fn stop_on_signal(stopping: CancellationToken) -> anyhow::Result<impl std::future::Future<Output = ()>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: requests that were begun are finished");
        stopping.cancel();
    })
}

/// Prints a line. A reader that has gone away, such as `head`, is no failure.
fn say(line: &str) -> anyhow::Result<()> {
    match writeln!(std::io::stdout(), "{line}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}
