//! Room for artifacts: no more than was said, and never the last of a disk.

use crate::{config::Settings, failure::Failure};
use futures::TryStreamExt as _;
use joule_artifacts::{ArtifactError, ArtifactStore};
use rustix::fs::StatVfs;
use std::{
    path::PathBuf,
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc,
    },
};

/// Room is taken in steps of so many bytes, before they come.
const STEP: u64 = 1 << 20;
/// What a file takes at least, and a multiple of which it takes.
const BLOCK: u64 = 4 << 10;

/// Of each that comes: what is in memory yet and will be on the disk.
const UNWRITTEN: u64 = STEP + (5 << 20);
/// Of a disk's files one in so many stays free.
const FILES: u64 = 100;

/// Bytes that are stored or on their way, of how many there may be.
#[derive(Debug)]
pub struct Space {
    taken: AtomicU64,
    /// How many are on their way.
    coming: AtomicU64,
    most: u64,
    folder: Option<PathBuf>,
    min_free: u64,
}

impl Space {
    /// Looks at everything that is there.
    pub async fn measure(store: &ArtifactStore, settings: &Settings) -> Result<Arc<Self>, ArtifactError> {
        let there = store.sizes().try_fold(0, async |sum: u64, size| Ok(sum.saturating_add(blocks(size)))).await?;
        Ok(Arc::new(Self {
            taken: there.into(),
            coming: 0.into(),
            most: settings.max_stored,
            folder: store.folder().map(Into::into),
            min_free: settings.min_free,
        }))
    }

    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// Whether an artifact of some length would be refused.
    pub fn is_full(&self) -> bool {
        self.taken().saturating_add(STEP) > self.most || self.is_short(0)
    }

    /// Whether the disk of a folder has too little for `coming` artifacts; it has files, too, and may have no more of those.
    fn is_short(&self, coming: u64) -> bool {
        let Some(folder) = &self.folder else { return false };
        let wanted = self.min_free.saturating_add(coming.saturating_mul(UNWRITTEN));
        rustix::fs::statvfs(folder).map_or(true, |disk| free(&disk) < wanted || disk.f_favail < disk.f_files / FILES)
    }

    /// Bytes that are free on the disk of a folder; an error of reading it is as good as none.
    pub fn free(&self) -> Option<u64> {
        self.folder.as_deref().map(|folder| rustix::fs::statvfs(folder).map_or(0, |disk| free(&disk)))
    }

    pub fn room(self: &Arc<Self>) -> Room {
        self.coming.fetch_add(1, Ordering::Relaxed);
        Room { space: self.clone(), taken: 0 }
    }

    fn take(&self, bytes: u64) -> Result<(), Failure> {
        let enough = |taken: u64| taken.checked_add(bytes).filter(|sum| *sum <= self.most);
        // The one that asks is there, and what it asks for it has not.
        if self.is_short(self.coming.load(Ordering::Relaxed).saturating_sub(1)) {
            return Err(Failure::Full);
        }
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, enough).map(drop).map_err(|_| Failure::Full)
    }
}

const fn free(disk: &StatVfs) -> u64 {
    disk.f_bavail.saturating_mul(disk.f_frsize)
}

fn blocks(size: u64) -> u64 {
    size.max(1).checked_next_multiple_of(BLOCK).unwrap_or(u64::MAX)
}

/// Room for one artifact, given back when it is dropped.
#[derive(Debug)]
pub struct Room {
    space: Arc<Space>,
    taken: u64,
}

impl Room {
    /// Has room for so many bytes in all.
    pub fn grow(&mut self, bytes: u64) -> Result<(), Failure> {
        while self.taken < blocks(bytes) {
            self.space.take(STEP)?;
            self.taken += STEP;
        }
        Ok(())
    }

    /// So many bytes stay.
    pub fn keep(mut self, bytes: u64) {
        self.taken = self.taken.saturating_sub(blocks(bytes));
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.space.taken.fetch_sub(self.taken, Ordering::Relaxed);
        self.space.coming.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn space(max_stored: u64, min_free: u64) -> (tempfile::TempDir, ArtifactStore, Arc<Space>) {
        let folder = tempfile::tempdir().unwrap();
        let store = ArtifactStore::open(folder.path().to_str().unwrap()).unwrap();
        store.put("there already").await.unwrap();
        let settings = Settings { max_stored, min_free, ..Settings::default() };
        let space = Space::measure(&store, &settings).await.unwrap();
        (folder, store, space)
    }

    #[tokio::test]
    async fn what_is_kept_counts_in_blocks_and_what_is_not_counts_no_more() {
        let (_folder, store, space) = space(4 * STEP, 0).await;
        assert_eq!(space.taken(), BLOCK);
        let mut room = space.room();
        room.grow(STEP).unwrap();
        room.grow(STEP + 1).unwrap();
        assert_eq!(space.taken(), BLOCK + 2 * STEP);
        drop(room);
        let mut room = space.room();
        room.grow(0).unwrap();
        room.keep(0);
        assert_eq!(space.taken(), 2 * BLOCK);
        store.put("").await.unwrap();
        let settings = Settings::default();
        assert_eq!(Space::measure(&store, &settings).await.unwrap().taken(), space.taken(), "as after a new start");
    }

    #[tokio::test]
    async fn no_more_is_taken_than_there_may_be() {
        let (_folder, _store, space) = space(3 * STEP, 0).await;
        let mut room = space.room();
        room.grow(2 * STEP).unwrap();
        assert!(matches!(room.grow(2 * STEP + 1), Err(Failure::Full)) && space.is_full());
        assert!(matches!(space.room().grow(1), Err(Failure::Full)));
        drop(room);
        assert!(!space.is_full() && space.room().grow(1).is_ok());
    }

    #[tokio::test]
    async fn the_last_of_a_disk_is_left_alone() {
        let (_folder, _store, space) = space(u64::MAX, u64::MAX).await;
        assert!(space.is_full() && matches!(space.room().grow(1), Err(Failure::Full)));
    }

    #[tokio::test]
    async fn what_is_on_its_way_to_the_disk_is_not_taken_for_free() {
        let (_folder, _store, space) = space(u64::MAX, 0).await;
        let many = space.free().unwrap() / UNWRITTEN + 2;
        let rooms: Vec<_> = (0..many).map(|_| space.room()).collect();
        assert!(!space.is_full() && matches!(space.room().grow(1), Err(Failure::Full)));
        drop(rooms);
        assert!(space.room().grow(1).is_ok() && space.coming.load(Ordering::Relaxed) == 0);
    }
}
