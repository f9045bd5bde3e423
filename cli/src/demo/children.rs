//! The processes of the demo: started together, watched, stopped together.

use crate::{command::localnet::sibling, failure::Failure};
use anyhow::Context;
use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{process::Child, time::Instant};

/// How long a service may take until it is ready, and to stop when asked.
const READY: Duration = Duration::from_secs(120);
const STOP: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_millis(100);
/// How much of a log is shown when a service has ended.
const LOG_LINES: usize = 15;

pub struct Children {
    logs: PathBuf,
    running: Vec<(String, Child)>,
}

impl Children {
    pub fn new(state_dir: &Path) -> Result<Self, Failure> {
        let logs = state_dir.join("logs");
        std::fs::create_dir_all(&logs).with_context(|| format!("creating {}", logs.display()))?;
        Ok(Self { logs, running: Vec::new() })
    }

    /// What a service says.
    pub fn log(&self, name: &str) -> PathBuf {
        self.logs.join(format!("{name}.log"))
    }

    /// Starts a binary, whose output goes into `logs/<name>.log`.
    pub fn start(&mut self, name: &str, binary: &str, args: &[&str]) -> Result<(), Failure> {
        let log = self.log(name);
        let file = File::create(&log).with_context(|| format!("creating {}", log.display()))?;
        let errors = file.try_clone().map_err(anyhow::Error::from)?;
        let binary = sibling(binary);
        let child = tokio::process::Command::new(&binary)
            .args(args)
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(errors)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("starting {}; `make build` builds it", binary.display()))?;
        self.running.push((name.to_owned(), child));
        Ok(())
    }

    /// Waits until `ready` gives something; fails when the process ends first, and shows why.
    pub async fn until<T>(&mut self, name: &str, ready: impl AsyncFn() -> Option<T>) -> Result<T, Failure> {
        let deadline = Instant::now() + READY;
        while Instant::now() < deadline {
            if let Some((_, child)) = self.running.iter_mut().find(|(n, _)| n == name) {
                if let Some(status) = child.try_wait().map_err(anyhow::Error::from)? {
                    return Err(anyhow::anyhow!("{name} ended with {status}:\n{}", self.tail(name)).into());
                }
            }
            if let Some(found) = ready().await {
                return Ok(found);
            }
            tokio::time::sleep(POLL).await;
        }
        Err(anyhow::anyhow!("{name} was not ready within {READY:?}:\n{}", self.tail(name)).into())
    }

    fn tail(&self, name: &str) -> String {
        let text = std::fs::read_to_string(self.log(name)).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }

    /// Runs a binary to its end, which must be a success.
    pub async fn succeed(&self, binary: &str, args: &[&str]) -> Result<(), Failure> {
        let done =
            tokio::process::Command::new(sibling(binary)).args(args).output().await.map_err(anyhow::Error::from)?;
        if done.status.success() {
            return Ok(());
        }
        let said = [done.stdout, done.stderr].concat();
        Err(Failure::Outcome(format!("{binary} {}:\n{}", args.join(" "), String::from_utf8_lossy(&said))))
    }

    pub async fn until_one_ends_or_ctrl_c(&mut self) {
        loop {
            for (name, child) in &mut self.running {
                if let Ok(Some(status)) = child.try_wait() {
                    eprintln!("{name} ended with {status}");
                    return;
                }
            }
            tokio::select! {
                _ = tokio::time::sleep(POLL) => {}
                _ = tokio::signal::ctrl_c() => return,
            }
        }
    }

    /// Asks every process to stop, the last started first, and waits; whoever does not stop in time is killed.
    pub async fn stop(&mut self) {
        for (name, mut child) in self.running.drain(..).rev() {
            let Some(pid) = child.id() else { continue };
            // SAFETY: a signal to a process of our own that has not been waited for, so that its id is still its.
            unsafe { libc::kill(pid as libc::pid_t, libc::SIGTERM) };
            if tokio::time::timeout(STOP, child.wait()).await.is_err() {
                eprintln!("{name} did not stop in time and was killed");
                let _ = child.kill().await;
            }
        }
    }
}
