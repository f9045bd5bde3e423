//! Where an export goes: a file that has its name only when it is whole, or the standard output.

use super::{is_stdout, Format};
use anyhow::{bail, Context as _};
use std::{
    fs::{File, Permissions},
    io::{self, BufWriter, IsTerminal as _, Write},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};
use tempfile::NamedTempFile;

const BUFFER: usize = 1 << 20;

pub enum Out {
    Stdout,
    File { beside: NamedTempFile, path: PathBuf },
}

impl Out {
    pub fn new(path: &Path, format: Format) -> anyhow::Result<Self> {
        if is_stdout(path) {
            if format == Format::Parquet && io::stdout().is_terminal() {
                bail!("Parquet is not for terminals: give --out FILE, or a pipe");
            }
            return Ok(Self::Stdout);
        }
        if path.is_dir() {
            bail!("{} is a folder: give --out a file in it", path.display());
        }
        let folder = folder(path);
        // As other files are: what is on a public chain is no secret.
        let mut new = tempfile::Builder::new();
        let new = new.prefix(".joule-export-").permissions(Permissions::from_mode(0o666));
        let beside = new.tempfile_in(folder).with_context(|| {
            format!("nothing can be written into {}; make it, or choose another --out", folder.display())
        })?;
        Ok(Self::File { beside, path: path.to_owned() })
    }

    pub fn writer(&self) -> anyhow::Result<Box<dyn Write + Send>> {
        Ok(match self {
            Self::Stdout => Box::new(BufWriter::with_capacity(BUFFER, io::stdout())),
            Self::File { beside, .. } => Box::new(BufWriter::with_capacity(BUFFER, beside.as_file().try_clone()?)),
        })
    }

    /// It is whole: it gets its name, once it is on the disk.
    pub fn keep(self) -> anyhow::Result<()> {
        let Self::File { beside, path } = self else { return Ok(()) };
        let failed = || format!("{} cannot be written; is there room, and may you write there?", path.display());
        beside.as_file().sync_all().with_context(failed)?;
        beside.persist(&path).map_err(|error| error.error).with_context(failed)?;
        File::open(folder(&path)).and_then(|folder| folder.sync_all()).with_context(failed)
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
