//! When the database was last backed up: the time of an empty file beside it, which `joule-indexer backup` makes and the indexer looks at.

use crate::telemetry;
use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio_util::sync::CancellationToken;

/// How often the indexer looks.
const EVERY: Duration = Duration::from_secs(5);

fn mark(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".backup");
    path.into()
}

/// A backup was made just now.
pub fn made(database: &Path) -> io::Result<()> {
    File::create(mark(database))?.set_modified(SystemTime::now())
}

/// Unix seconds of the last one; 0 if none is known.
pub fn last(database: &Path) -> u64 {
    let made = mark(database).metadata().and_then(|file| file.modified()).ok();
    made.and_then(|at| at.duration_since(UNIX_EPOCH).ok()).map_or(0, |since| since.as_secs())
}

/// Keeps the metric until `stop`.
pub async fn watch(database: PathBuf, stop: CancellationToken) {
    while !stop.is_cancelled() {
        metrics::gauge!(telemetry::LAST_BACKUP).set(last(&database) as f64);
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_backup_is_known_by_its_time_and_none_by_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("i.sqlite");
        assert_eq!(last(&database), 0);
        let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        made(&database).unwrap();
        let first = last(&database);
        assert!(first >= before);
        File::open(mark(&database)).unwrap().set_modified(UNIX_EPOCH + Duration::from_secs(7)).unwrap();
        assert_eq!(last(&database), 7);
        made(&database).unwrap();
        assert!(last(&database) >= first, "each is newer than the last");
    }
}
