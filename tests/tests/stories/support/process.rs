//! Processes of a story: started with a clean environment, logged into a file, ended with the story at the latest.

use super::{binary, until};
use std::{
    ffi::OsStr,
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
};

/// Lines of a log that are shown when a story fails.
const LOG_LINES: usize = 40;

/// Nothing of the caller's settings reaches the services, only what a story says.
fn command(name: &str) -> Command {
    bare(&binary(name))
}

fn bare(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("RUST_LOG", "info").stdin(Stdio::null());
    for kept in ["PATH", "HOME", "TMPDIR"] {
        if let Some(value) = std::env::var_os(kept) {
            command.env(kept, value);
        }
    }
    command
}

/// Runs a binary to its end.
pub async fn run<A: AsRef<OsStr>>(name: &str, args: &[A]) -> Output {
    let mut command = command(name);
    command.args(args);
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("it does not panic");
    output.unwrap_or_else(|error| panic!("{name} does not start: {error}"))
}

/// A line as it is typed, with the workspace's binaries on the path. A service is what the shell becomes, so that it has its signals.
pub fn typed(line: &str, folder: &Path, env: &[(&str, String)]) -> Command {
    let mut command = bare(Path::new("bash"));
    let binaries = binary("joule").parent().expect("a folder").display().to_string();
    let path = std::env::var("PATH").expect("a path");
    command.args(["-c", line]).current_dir(folder).env("PATH", format!("{binaries}:{path}"));
    command.envs(env.iter().map(|(name, value)| (name, value)));
    command
}

/// A running service.
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// `name` is also the log's.
    pub fn start(folder: &Path, name: &str, program: &str, args: &[&str], env: &[(&str, &str)]) -> Self {
        let mut command = command(program);
        command.args(args).envs(env.iter().copied());
        Self::of(folder, name, command)
    }

    pub fn of(folder: &Path, name: &str, mut command: Command) -> Self {
        let log = folder.join(format!("{name}.log"));
        let file = File::options().create(true).append(true).open(&log).expect("a log can be written");
        let errors = file.try_clone().expect("a file can be shared");
        command.stdout(file).stderr(errors);
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        Self { name: name.to_owned(), child, log }
    }

    /// What it has said so far, in all its lives under this name.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub fn status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child can be waited for")
    }

    /// Waits until it ends by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        let what = format!("{} ends", self.name);
        until(&what, async || self.status()).await
    }

    /// SIGTERM.
    pub fn terminate(&mut self) {
        self.signal(libc::SIGTERM);
    }

    /// SIGINT, as Ctrl-C.
    pub fn interrupt(&mut self) {
        self.signal(libc::SIGINT);
    }

    fn signal(&mut self, signal: libc::c_int) {
        assert!(self.status().is_none(), "{} has ended before it was asked to:\n{}", self.name, self.log());
        let pid = libc::pid_t::try_from(self.child.id()).expect("a process id fits");
        // SAFETY: a signal to a child that has not been waited for, so that its id is still its own.
        assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
    }

    /// SIGTERM, and it ends well.
    pub async fn stop(mut self) {
        self.terminate();
        let status = self.ended().await;
        assert!(status.success(), "{} ended with {status}:\n{}", self.name, self.log());
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        assert!(self.status().is_none(), "{} has ended before it was killed:\n{}", self.name, self.log());
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a killed child ends");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.status().is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if std::thread::panicking() {
            let text = self.log();
            let lines: Vec<_> = text.lines().collect();
            let tail = lines[lines.len().saturating_sub(LOG_LINES)..].join("\n");
            eprintln!("---- the end of {}'s log\n{tail}", self.name);
        }
    }
}

/// A running indexer.
pub struct Indexer {
    pub process: Process,
    /// Such as `http://127.0.0.1:41234`.
    pub url: String,
    pub api: joule_api::Client,
    pub database: PathBuf,
}

impl Indexer {
    /// Starts it, and waits until it listens; with `crash_at` it may be dead again by then.
    pub async fn start(folder: &Path, name: &str, grpc: &str, rpc: &str, crash_at: Option<&str>) -> Self {
        let database = folder.join(format!("{name}.sqlite"));
        let args =
            ["--grpc", grpc, "--rpc", rpc, "--listen", "127.0.0.1:0", "--database", database.to_str().expect("utf-8")];
        let env: Vec<_> = crash_at.map(|point| ("JOULE_CRASH_AT", point)).into_iter().collect();
        let log = folder.join(format!("{name}.log"));
        let before = std::fs::read_to_string(&log).unwrap_or_default().len();
        let mut process = Process::start(folder, name, "joule-indexer", &args, &env);
        let url = until("the indexer says where it listens", async || {
            let log = process.log();
            let said = log[before..].lines().find_map(|line| Some(line.strip_prefix("joule-indexer: ")?.to_owned()));
            match process.status() {
                // It may have died before it could say anything.
                Some(_) if crash_at.is_some() => Some(said.unwrap_or_default()),
                ended => {
                    assert!(said.is_some() || ended.is_none(), "the indexer ended with {ended:?}:\n{log}");
                    said
                }
            }
        })
        .await;
        Self { process, api: joule_api::Client::new(url.clone()), url, database }
    }

    pub async fn well(&self) {
        until("the indexer is well", async || self.api.health().await.ok().filter(|health| health.ok)).await;
    }

    /// Waits until it says that it is not well, with `word` in the reason.
    pub async fn unwell(&self, word: &str) -> joule_api::Health {
        until(&format!("the indexer says that it is not well: {word}"), async || {
            let says = |health: &joule_api::Health| health.reason.as_ref().is_some_and(|why| why.contains(word));
            self.api.health().await.ok().filter(|health| !health.ok && says(health))
        })
        .await
    }

    /// `joule-indexer verify`: every live account is the same on the chain and in the store.
    pub async fn equals_the_chain(&self, rpc: &str) {
        let database = self.database.to_str().expect("utf-8");
        let output = run("joule-indexer", &["verify", "--rpc", rpc, "--database", database, "--wait", "120"]).await;
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    }
}
