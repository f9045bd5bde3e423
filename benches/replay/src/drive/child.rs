//! A process that is measured.

use anyhow::{bail, Context, Result};
use std::{
    fs::File,
    ops::Sub,
    path::Path,
    process::{ExitStatus, Stdio},
    time::Duration,
};

/// Ticks of `/proc` in a second, the same on every Linux.
const TICKS: f64 = 100.0;
const STOPS_WITHIN: Duration = Duration::from_secs(60);

/// CPU seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    pub user: f64,
    pub system: f64,
}

impl Usage {
    pub fn total(self) -> f64 {
        self.user + self.system
    }
}

impl Sub for Usage {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self { user: self.user - before.user, system: self.system - before.system }
    }
}

pub struct Child {
    process: tokio::process::Child,
    id: u32,
    log: String,
}

impl Child {
    pub fn start(binary: &Path, arguments: impl Iterator<Item = String>, log: &Path) -> Result<Self> {
        Self::start_with(binary, arguments, None, log)
    }

    /// With a variable of the environment; what it says goes to the end of `log`.
    pub fn start_with(
        binary: &Path,
        arguments: impl Iterator<Item = String>,
        variable: Option<(&str, &str)>,
        log: &Path,
    ) -> Result<Self> {
        let out = File::options()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("cannot write {}", log.display()))?;
        let process = tokio::process::Command::new(binary)
            .args(arguments)
            .envs(variable)
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let id = process.id().context("it ended at once")?;
        Ok(Self { process, id, log: log.display().to_string() })
    }

    /// How it ended, if it has.
    pub fn ended_with(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.process.try_wait()?)
    }

    /// By its name, such as `STOP`.
    pub async fn signal(&self, name: &str) -> Result<()> {
        let sent = tokio::process::Command::new("kill").args([&format!("-{name}"), &self.id.to_string()]).status();
        if !sent.await?.success() {
            bail!("cannot send SIG{name} to the indexer");
        }
        Ok(())
    }

    /// As `kill -9` does.
    pub async fn kill(&mut self) -> Result<()> {
        Ok(self.process.kill().await?)
    }

    /// An error once it has ended.
    pub fn check(&mut self) -> Result<()> {
        match self.process.try_wait()? {
            None => Ok(()),
            Some(status) => Err(self.ended(status)),
        }
    }

    fn ended(&self, status: ExitStatus) -> anyhow::Error {
        anyhow::anyhow!("the indexer ended with {status}:\n{}", self.last_words())
    }

    /// The end of its log.
    pub fn last_words(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let last: Vec<&str> = log.lines().rev().take(5).collect();
        last.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    pub fn usage(&self) -> Result<Usage> {
        usage(&self.id.to_string())
    }

    /// Memory in bytes, by its name in `/proc/…/status`.
    pub fn rss(&self, name: &'static str) -> Result<u64> {
        rss(&self.id.to_string(), name)
    }

    /// Interrupts it, and kills it if that does not end it.
    pub async fn end(&mut self) -> Result<()> {
        let _ = self.signal("INT").await;
        match tokio::time::timeout(STOPS_WITHIN, self.process.wait()).await {
            Ok(ended) => ended.map(drop).map_err(Into::into),
            Err(_) => self.kill().await,
        }
    }

    /// Asks it to stop, and waits until it has.
    pub async fn stop(&mut self) -> Result<()> {
        self.signal("TERM").await?;
        let waited = tokio::time::timeout(STOPS_WITHIN, self.process.wait()).await;
        match waited.context("the indexer does not stop")?? {
            status if status.success() => Ok(()),
            status => Err(self.ended(status)),
        }
    }
}

pub fn own_usage() -> Result<Usage> {
    usage("self")
}

pub fn own_peak_rss() -> Result<u64> {
    rss("self", "VmHWM:")
}

fn rss(process: &str, name: &'static str) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).context(name)?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib * 1024)
}

/// CPU seconds of a process that has nobody but workers beside it, and of these: those that live, and those that it has seen end.
pub fn family_usage(process: u32) -> Result<f64> {
    let [_, user, system, of_ended, of_ended_system] = numbers(&process.to_string())?;
    let mut total = user + system + of_ended + of_ended_system;
    for entry in std::fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(worker) = name.to_str().filter(|name| name.bytes().all(|byte| byte.is_ascii_digit())) else {
            continue;
        };
        // It may have ended meanwhile.
        if let Ok([parent, user, system, ..]) = numbers(worker) {
            if parent == f64::from(process) {
                total += user + system;
            }
        }
    }
    Ok(total / TICKS)
}

pub fn parent(process: u32) -> Result<u32> {
    Ok(numbers(&process.to_string())?[0] as u32)
}

fn usage(process: &str) -> Result<Usage> {
    let [_, user, system, ..] = numbers(process)?;
    Ok(Usage { user: user / TICKS, system: system / TICKS })
}

/// Its parent, and ticks: its own for itself and for the system, and those of its children that have ended.
fn numbers(process: &str) -> Result<[f64; 5]> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name stands in parentheses and may hold anything.
    let (_, fields) = stat.rsplit_once(')').context("/proc/…/stat has another form than is known")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let mut numbers = [0.0; 5];
    for (number, place) in numbers.iter_mut().zip([1, 11, 12, 13, 14]) {
        *number = fields.get(place).context("/proc/…/stat is short")?.parse()?;
    }
    Ok(numbers)
}
