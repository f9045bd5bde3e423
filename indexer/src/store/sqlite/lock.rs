//! One indexer a database.

use crate::store::{Result, StoreError};
use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
};

/// Held for as long as it lives, and gone with the process, however that ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// In a file of its own beside the database.
    pub fn take(database: &Path) -> Result<Self> {
        let refused = |reason: String| StoreError::Open { path: database.display().to_string(), reason };
        // By whatever name it is called. It is not opened for that: closing it again would end SQLite's own locks on it.
        let real = database.canonicalize().unwrap_or_else(|_| database.to_owned());
        let mut path = real.into_os_string();
        path.push(".lock");
        let path = PathBuf::from(path);
        let file = joule_private::lockable(&path).map_err(|error| refused(format!("{}: {error}", path.display())))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Taken { path: database.display().to_string() }),
            Err(TryLockError::Error(error)) => Err(refused(format!("{}: {error}", path.display()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    /// Whoever could open it could keep the indexer from starting.
    #[test]
    fn nobody_else_can_hold_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let _lock = Lock::take(&folder.path().join("db")).unwrap();
        let mode = std::fs::metadata(folder.path().join("db.lock")).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{mode:o}");
    }
}
