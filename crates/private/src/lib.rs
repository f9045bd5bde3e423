//! Files with secrets and promises: keys, ballots, journals, ledgers. They are for their owner alone, and when a function here
//! returns, what it made is on the disk, with its name and the folders above it: it survives this process and a loss of power.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};
use tempfile::NamedTempFile;

const FILE: u32 = 0o600;
const FOLDER: u32 = 0o700;
/// What anybody but the owner may do.
const OTHERS: u32 = 0o077;

/// A folder, and those above it, where they are missing. One that is there stays as it is.
pub fn folder(path: &Path) -> io::Result<()> {
    let missing = path.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists()).count();
    DirBuilder::new().recursive(true).mode(FOLDER).create(path)?;
    if missing == 0 {
        // Whoever made it may have been killed before its name was on the disk; where we may not look, it was not made here.
        return match sync_name(path) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
            synced => synced,
        };
    }
    path.ancestors().take(missing).try_for_each(sync_name)
}

/// A file with this content, in a folder that is made if it is missing. One that is there is an error (`AlreadyExists`). Nobody
/// sees half of it.
pub fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    staged(path, content)?.persist_noclobber(path).map_err(|failed| failed.error)?;
    sync_name(path)
}

/// As [`create`], in the place of the file that is there, if there is one.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    staged(path, content)?.persist(path).map_err(|failed| failed.error)?;
    sync_name(path)
}

/// Makes sure of a file that another process may have left without waiting for the disk.
pub fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()?;
    folder(parent(path))?;
    sync_name(path)
}

/// An SQLite database for its owner alone, before it is opened: an empty file if there is none. SQLite gives the files beside it
/// the same permissions; those that are there lose what others may do.
pub fn database(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(FILE).open(path) {
        Ok(_) => sync_name(path)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    ["", "-wal", "-shm", "-journal"].iter().try_for_each(|end| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        tighten(&PathBuf::from(name))
    })
}

/// A file to be locked, empty if there was none. Whoever can open such a file can hold its lock for ever, if only to read it.
pub fn lockable(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(FILE).open(path)?;
    tighten(path)?;
    Ok(file)
}

/// Written, and not there under its name yet.
fn staged(path: &Path, content: &[u8]) -> io::Result<NamedTempFile> {
    let parent = parent(path);
    folder(parent)?;
    // Only its owner may read it.
    let mut file = NamedTempFile::new_in(parent)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    Ok(file)
}

fn tighten(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(found) if found.permissions().mode() & OTHERS == 0 => Ok(()),
        Ok(found) => fs::set_permissions(path, Permissions::from_mode(found.permissions().mode() & !OTHERS)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn sync_name(path: &Path) -> io::Result<()> {
    File::open(parent(path))?.sync_all()
}

/// The folder of a file, `.` for a bare name.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) => Path::new("."),
        None => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn files_and_folders_are_for_their_owner_alone() {
        let place = tempfile::tempdir().unwrap();
        let (above, path) = (place.path().join("a"), place.path().join("a/b/key.json"));
        create(&path, b"secret").unwrap();
        replace(&above.join("ballot"), b"vote").unwrap();
        database(&above.join("journal.sqlite")).unwrap();
        for folder in [&above, &above.join("b")] {
            assert_eq!(mode(folder), 0o700);
        }
        for file in [&path, &above.join("ballot"), &above.join("journal.sqlite")] {
            assert_eq!(mode(file), 0o600);
        }
        assert_eq!(fs::read(&path).unwrap(), b"secret");
        assert_eq!(fs::read_dir(above.join("b")).unwrap().count(), 1, "nothing is left over");
    }

    #[test]
    fn what_is_there_is_not_written_over_unless_that_is_meant() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("key.json");
        create(&path, b"first").unwrap();
        assert_eq!(create(&path, b"second").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"first");
        replace(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1, "nothing is left over");
    }

    #[test]
    fn what_is_locked_can_be_opened_by_its_owner_alone() {
        let place = tempfile::tempdir().unwrap();
        let [new, old] = ["new.lock", "old.lock"].map(|name| place.path().join(name));
        fs::write(&old, "kept").unwrap();
        fs::set_permissions(&old, Permissions::from_mode(0o644)).unwrap();
        for path in [&new, &old] {
            lockable(path).unwrap().try_lock().unwrap();
            assert_eq!(mode(path), 0o600);
        }
        assert_eq!(fs::read(&old).unwrap(), b"kept");
    }

    #[test]
    fn a_database_of_before_loses_what_others_may_do() {
        let place = tempfile::tempdir().unwrap();
        let [path, log] = ["ledger.sqlite", "ledger.sqlite-wal"].map(|name| place.path().join(name));
        for file in [&path, &log] {
            fs::write(file, "kept").unwrap();
            fs::set_permissions(file, Permissions::from_mode(0o664)).unwrap();
        }
        database(&path).unwrap();
        assert_eq!((mode(&path), mode(&log)), (0o600, 0o600));
        assert_eq!(fs::read(&path).unwrap(), b"kept");
        assert!(database(&place.path().join("none/ledger.sqlite")).is_err(), "it makes no folders");
    }
}
