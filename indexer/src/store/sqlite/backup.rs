//! A copy of the store, taken while an indexer writes.

use super::{open_reader, table::Open};
use crate::store::{reads::checkpoint, Checkpoint, Result, StoreError};
use rusqlite::Connection;
use std::{fs::File, path::Path};

/// What a copy holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backup {
    /// `None`: nothing was stored yet.
    pub checkpoint: Option<Checkpoint>,
    pub bytes: u64,
}

/// Copies the database as it is at one moment, what the files beside it hold included, into a new file that only its owner can
/// read. The writer does not wait. The file is checked and on the disk before it has its name.
pub fn to(database: &Path, target: &Path) -> Result<Backup> {
    let refused = |reason: &str| StoreError::Backup { path: target.display().to_string(), reason: reason.to_owned() };
    let failed = |error: std::io::Error| refused(&error.to_string());
    if !database.is_file() {
        let (path, reason) = (database.display().to_string(), "there is no such file; check --database".to_owned());
        return Err(StoreError::Open { path, reason });
    }
    if target.exists() {
        return Err(refused("there is a file already, and a backup replaces none; choose another --to"));
    }
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let copy = tempfile::Builder::new().prefix(".joule-backup-").tempfile_in(folder).map_err(failed)?;
    let name = copy.path().to_str().ok_or_else(|| refused("its name is not UTF-8"))?;
    open_reader(database)?.execute("vacuum into ?1", [name])?;
    let backup = check(copy.path())?;
    copy.as_file().sync_all().map_err(failed)?;
    copy.persist_noclobber(target).map_err(|error| failed(error.error))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
    Ok(backup)
}

fn check(copy: &Path) -> Result<Backup> {
    let conn: Connection = open_reader(copy)?;
    let found: String = conn.pragma_query_value(None, "integrity_check", |row| row.get(0))?;
    if found != "ok" {
        return Err(StoreError::Damaged("the database".to_owned(), found));
    }
    let bytes = copy.metadata().map(|file| file.len()).unwrap_or_default();
    Ok(Backup { checkpoint: checkpoint(&mut Open(&conn))?, bytes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Batch, Sqlite, Store as _};
    use std::{
        os::unix::fs::PermissionsExt as _,
        sync::atomic::{AtomicBool, Ordering},
    };

    fn at(slot: u64) -> Batch {
        Batch { checkpoint: Some(slot), ..Batch::default() }
    }

    #[test]
    fn a_copy_taken_while_another_writes_is_whole_and_as_new_as_its_beginning() {
        let folder = tempfile::tempdir().unwrap();
        let (database, stop) = (folder.path().join("store.sqlite"), AtomicBool::new(false));
        let store = Sqlite::open_alone(&database).unwrap();
        store.apply(&at(1)).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for slot in (2..).take_while(|_| !stop.load(Ordering::Relaxed)) {
                    store.apply(&at(slot)).unwrap();
                }
            });
            for n in 0..10 {
                let before = store.checkpoint().unwrap().unwrap().slot;
                let target = folder.path().join(format!("{n}.sqlite"));
                let copied = to(&database, &target).unwrap().checkpoint.unwrap();
                assert!(copied.slot >= before);
                let restored = Sqlite::open_alone(&target).unwrap();
                assert_eq!(restored.checkpoint().unwrap(), Some(copied));
            }
            stop.store(true, Ordering::Relaxed);
        });
    }

    #[test]
    fn a_copy_is_its_owners_and_replaces_nothing_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let (database, target) = (folder.path().join("store.sqlite"), folder.path().join("copy.sqlite"));
        assert!(to(&database, &target).unwrap_err().to_string().contains("check --database"));
        // Nobody has it open.
        drop(Sqlite::open(&database).unwrap());
        assert_eq!(to(&database, &target).unwrap().checkpoint, None);
        assert_eq!(target.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(to(&database, &target).unwrap_err().to_string().contains("choose another --to"));
        assert!(to(&database, &folder.path().join("none/copy.sqlite")).is_err());
        let left: Vec<_> = folder.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(left.iter().all(|name| !name.to_string_lossy().starts_with(".joule-backup")), "{left:?}");
    }
}
