//! An artifact whose hash is known when its last byte is here: small ones wait in memory, others beside the artifacts.

use crate::{location::Place, ArtifactError, Hash};
use bytes::{Bytes, BytesMut};
use object_store::{path::Path, MultipartUpload, ObjectStoreExt as _};
use sha2::{Digest as _, Sha256};
use std::time::{Duration, SystemTime};

/// The least that S3 takes as a part; more is never held in memory.
const PART: usize = 5 << 20;
/// Where what is not whole yet lies, beside `sha256`.
const FOLDER: &str = "incoming";
/// What a killed process has left there is nobody's after so long.
const LEFT: Duration = Duration::from_secs(24 * 60 * 60);

/// Nobody sees it before it is whole. Dropped, it was never there.
pub struct Incoming {
    place: Place,
    location: String,
    held: BytesMut,
    hasher: Sha256,
    upload: Option<(Path, Box<dyn MultipartUpload>)>,
}

impl Incoming {
    pub(crate) fn new(place: Place, location: String) -> Self {
        Self { place, location, held: BytesMut::new(), hasher: Sha256::new(), upload: None }
    }

    /// The next bytes.
    pub async fn write(&mut self, piece: &[u8]) -> Result<(), ArtifactError> {
        self.hasher.update(piece);
        self.held.extend_from_slice(piece);
        while self.held.len() > PART {
            let part = self.held.split_to(PART).freeze();
            self.send(part).await.map_err(|cause| self.failed(cause))?;
        }
        Ok(())
    }

    /// The sha256 of what was written.
    pub fn hash(&self) -> Hash {
        Hash::from_bytes(self.hasher.clone().finalize().into())
    }

    /// There it is, under its hash.
    pub async fn keep(mut self) -> Result<Hash, ArtifactError> {
        let hash = self.hash();
        let kept = self.place_as(hash).await;
        kept.map_err(|cause| ArtifactError::Store { hash, location: self.location.clone(), cause })?;
        Ok(hash)
    }

    async fn place_as(&mut self, hash: Hash) -> Result<(), object_store::Error> {
        let key = self.place.artifacts.clone().join(hash.to_string());
        let rest = self.held.split().freeze();
        if self.upload.is_none() {
            return self.place.writes.put(&key, rest.into()).await.map(drop);
        }
        self.send(rest).await?;
        if let Some((path, upload)) = &mut self.upload {
            upload.complete().await?;
            if let Err(cause) = self.place.writes.rename(path, &key).await {
                // Whole, it is no upload any longer that could be aborted.
                let _ = self.place.writes.delete(path).await;
                return Err(cause);
            }
        }
        self.upload = None;
        Ok(())
    }

    async fn send(&mut self, part: Bytes) -> Result<(), object_store::Error> {
        if self.upload.is_none() {
            let name = format!("{:032x}", rand::random::<u128>());
            let path = self.place.prefix.clone().join(FOLDER).join(name);
            let upload = self.place.writes.put_multipart(&path).await?;
            self.upload = Some((path, upload));
        }
        match &mut self.upload {
            Some((_, upload)) => upload.put_part(part.into()).await,
            None => Ok(()),
        }
    }

    fn failed(&self, cause: object_store::Error) -> ArtifactError {
        ArtifactError::Place { location: self.location.clone(), cause }
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if let (Some((_, mut upload)), Ok(runtime)) = (self.upload.take(), tokio::runtime::Handle::try_current()) {
            // If that fails too, it is what a killed process leaves.
            runtime.spawn(async move { upload.abort().await });
        }
    }
}

/// Removes what killed processes have left in a folder a day ago or earlier. Of a bucket, its own rules for unfinished uploads do.
pub fn sweep(folder: &std::path::Path) -> std::io::Result<()> {
    for (folder, unfinished) in [(folder.join(FOLDER), ""), (folder.join("sha256"), "#")] {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            let is_old = |at: SystemTime| at.elapsed().is_ok_and(|age| age > LEFT);
            if entry.file_name().to_string_lossy().contains(unfinished) && is_old(entry.metadata()?.modified()?) {
                std::fs::remove_file(entry.path())?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ArtifactStore;
    use std::fs;

    fn store() -> (tempfile::TempDir, ArtifactStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = ArtifactStore::open(folder.path().to_str().unwrap()).unwrap();
        (folder, store)
    }

    fn files(folder: &std::path::Path) -> usize {
        fs::read_dir(folder).map_or(0, Iterator::count)
    }

    #[tokio::test]
    async fn what_comes_in_pieces_is_what_is_put_at_once() {
        let (folder, store) = store();
        for length in [0, 1, PART - 1, PART, PART + 1, 3 * PART + 7] {
            let whole: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let mut incoming = store.receive();
            for piece in whole.chunks(1_000_003) {
                incoming.write(piece).await.unwrap();
                assert_eq!(files(&folder.path().join(FOLDER)) > 0, incoming.upload.is_some());
            }
            assert_eq!(incoming.hash(), Hash::of(&whole));
            let hash = incoming.keep().await.unwrap();
            assert_eq!(store.get(hash, whole.len() as u64).await.unwrap(), whole, "{length}");
        }
        assert_eq!((files(&folder.path().join(FOLDER)), files(&folder.path().join("sha256"))), (0, 6));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_dropped_was_never_there() {
        let (folder, store) = store();
        let mut incoming = store.receive();
        incoming.write(&vec![7; PART + 1]).await.unwrap();
        assert_eq!(files(&folder.path().join(FOLDER)), 1);
        drop(incoming);
        while files(&folder.path().join(FOLDER)) > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(files(&folder.path().join("sha256")), 0);
    }

    #[tokio::test]
    async fn what_a_killed_process_left_is_swept_after_a_day() {
        let (folder, store) = store();
        let hash = store.put("kept").await.unwrap();
        let left = [folder.path().join(FOLDER).join("1#1"), folder.path().join("sha256").join(format!("{hash}#1"))];
        fs::create_dir_all(folder.path().join(FOLDER)).unwrap();
        let age = |path: &std::path::Path, age: Duration| {
            fs::File::options().write(true).open(path).unwrap().set_modified(SystemTime::now() - age).unwrap();
        };
        for path in &left {
            fs::write(path, "half").unwrap();
        }
        age(&folder.path().join("sha256").join(hash.to_string()), LEFT * 2);
        sweep(folder.path()).unwrap();
        assert!(left.iter().all(|path| path.exists()), "somebody may be at it");
        left.iter().for_each(|path| age(path, LEFT * 2));
        sweep(folder.path()).unwrap();
        assert!(!left.iter().any(|path| path.exists()));
        assert_eq!(store.get(hash, 10).await.unwrap(), "kept");
        sweep(&folder.path().join("nowhere")).unwrap();
    }
}
