//! A PostgreSQL server for one run, on loopback and a free port; gone with it.

use super::store::Store;
use crate::compare::{self, Stored};
use anyhow::{bail, ensure, Context, Result};
use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::{runtime::Handle, task::block_in_place};
use tokio_postgres::{Client, NoTls};

/// What is committed survives the end of the server, and nothing has to survive that of the machine.
const SETTINGS: [&str; 4] = ["fsync=off", "full_page_writes=off", "shared_buffers=32MB", "max_connections=60"];
const USER: &str = "postgres";
const STARTS_WITHIN: Duration = Duration::from_secs(60);
const STALL: &str = "begin; lock table accounts, events, checkpoint in exclusive mode";

pub struct Cluster {
    folder: TempDir,
    bin: PathBuf,
    port: u16,
    server: Mutex<Child>,
    /// For asking how far it is.
    reader: Mutex<Option<Client>>,
}

impl Cluster {
    pub fn start() -> Result<Self> {
        let bin = newest().context("there is no PostgreSQL here; toolchain/setup.sh installs it")?;
        let folder = tempfile::Builder::new().prefix("joule-trial.").tempdir()?;
        if is_root()? {
            done(Command::new("chown").arg(USER).arg(folder.path()))?;
        }
        let data = folder.path().join("data");
        let made = ["--auth=trust", "--encoding=UTF8", "--locale=C", "--username=joule", "--no-sync"];
        done(as_user(&bin.join("initdb"))?.arg("--pgdata").arg(&data).args(made))?;
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let server = Mutex::new(serve(&bin, folder.path(), port)?);
        let cluster = Self { folder, bin, port, server, reader: Mutex::default() };
        cluster.answers()?;
        Ok(cluster)
    }

    fn url(&self) -> String {
        format!("postgres://joule@127.0.0.1:{}/postgres", self.port)
    }

    fn server(&self) -> MutexGuard<'_, Child> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn client(&self) -> Result<Client> {
        block_in_place(|| {
            Handle::current().block_on(async {
                let (client, connection) = tokio_postgres::connect(&self.url(), NoTls).await?;
                tokio::spawn(connection);
                Ok(client)
            })
        })
    }

    /// Until it does.
    fn answers(&self) -> Result<()> {
        let begun = Instant::now();
        while self.client().is_err() {
            let log = || std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            if begun.elapsed() > STARTS_WITHIN {
                bail!("PostgreSQL does not start: {}", log());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    fn signal(&self, name: &str) -> Result<()> {
        let mut server = self.server();
        done(Command::new("kill").arg(format!("-{name}")).arg(server.id().to_string()))?;
        server.wait()?;
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.signal("QUIT");
    }
}

impl Store for Cluster {
    fn arguments(&self) -> Vec<String> {
        vec!["--database".to_owned(), self.url()]
    }

    fn open(&self) -> Option<Box<dyn Stored>> {
        compare::open_postgres(&self.url()).ok().filter(|store| store.checkpoint().is_ok())
    }

    fn reached(&self) -> Option<u64> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        if reader.as_ref().is_none_or(Client::is_closed) {
            *reader = self.client().ok();
        }
        let client = reader.as_ref()?;
        let asked = client.query_opt("select slot::bigint from checkpoint", &[]);
        let row = block_in_place(|| Handle::current().block_on(asked)).ok()??;
        row.try_get::<_, i64>(0).ok().map(|slot| slot as u64)
    }

    fn stall(&self, time: Duration) -> Result<()> {
        let client = self.client()?;
        let ask = |sql| block_in_place(|| Handle::current().block_on(client.batch_execute(sql)));
        ask(STALL)?;
        std::thread::sleep(time);
        Ok(ask("rollback")?)
    }

    fn restart(&self, away: Duration, at_once: bool) -> Result<bool> {
        self.signal(if at_once { "QUIT" } else { "INT" })?;
        std::thread::sleep(away);
        *self.server() = serve(&self.bin, self.folder.path(), self.port)?;
        self.answers()?;
        Ok(true)
    }
}

/// Where Debian has the newest version.
fn newest() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let numbered = versions.filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path())));
    let (_, path) = numbered.max_by_key(|(version, _)| *version)?;
    Some(path.join("bin"))
}

fn is_root() -> Result<bool> {
    let id = Command::new("id").arg("-u").output()?;
    Ok(id.stdout.trim_ascii() == b"0")
}

/// PostgreSQL refuses to run as root.
fn as_user(program: &Path) -> Result<Command> {
    if !is_root()? {
        return Ok(Command::new(program));
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", USER, "--regid", USER, "--clear-groups"]).arg(program).current_dir("/");
    Ok(command)
}

fn done(command: &mut Command) -> Result<()> {
    let out = command.stdin(Stdio::null()).output().with_context(|| format!("{command:?}"))?;
    ensure!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
    Ok(())
}

fn serve(bin: &Path, folder: &Path, port: u16) -> Result<Child> {
    let log = File::options().create(true).append(true).open(folder.join("log"))?;
    let mut command = as_user(&bin.join("postgres"))?;
    command.arg("-D").arg(folder.join("data")).args(["-h", "127.0.0.1", "-p", &port.to_string()]);
    command.arg("-k").arg(folder).args(SETTINGS.iter().flat_map(|setting| ["-c", setting]));
    Ok(command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?)
}
