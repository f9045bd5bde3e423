//! The artifact store: bytes in, hash out; hash in, checked bytes out.

use crate::{
    location::{self, Place},
    Hash, Incoming, LocationError,
};
use bytes::{Bytes, BytesMut};
use futures::{stream::BoxStream, StreamExt as _, TryStreamExt as _};
use object_store::{path::Path, ObjectStoreExt as _};
use sha2::{Digest, Sha256};
use std::{fmt, time::Duration};
use tokio::time::{timeout_at, Instant};

/// An artifact service sends so many bytes a second, on the whole, once it has had so long: as it asks of others.
const PACE: u64 = 16 << 10;
const PATIENCE: Duration = Duration::from_secs(60);

/// Why an artifact could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    #[error("artifact {hash} is not in {location}")]
    NotFound { hash: Hash, location: String },
    #[error("artifact {expected} in {location} is damaged: its bytes hash to {actual}; store it again")]
    HashMismatch { expected: Hash, actual: Hash, location: String },
    #[error("artifact {hash} is larger than the {max_bytes} bytes allowed here")]
    TooLarge { hash: Hash, max_bytes: u64 },
    #[error("cannot reach artifact {hash} in {location}: {cause}")]
    Store { hash: Hash, location: String, cause: object_store::Error },
    #[error("{location} does not take what comes in or does not list what it has: {cause}")]
    Place { location: String, cause: object_store::Error },
}

impl ArtifactError {
    /// Whether the same call may succeed later: the store did not answer, or the artifact has not been put there yet.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::NotFound { .. } | Self::Store { .. } | Self::Place { .. } | Self::HashMismatch { .. })
    }
}

/// Artifacts by their sha256: in a folder or an S3 bucket, under the key `sha256/<hex>`, or at a service. Cheap to clone.
#[derive(Clone)]
pub struct ArtifactStore {
    place: Place,
    location: String,
}

/// An artifact as it lies there, unchecked.
pub struct Lying {
    /// In bytes.
    pub size: u64,
    pub pieces: BoxStream<'static, Result<Bytes, ArtifactError>>,
}

impl fmt::Debug for ArtifactStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ArtifactStore({})", self.location)
    }
}

impl ArtifactStore {
    /// Opens a folder (a path or `file:///abs/dir`; made when missing), `s3://bucket/prefix`, whose credentials, region and
    /// endpoint come from the usual `AWS_*` environment, or the address of a `joule-store`. Neither is contacted yet.
    pub fn open(location: &str) -> Result<Self, LocationError> {
        Ok(Self { place: location::open(location)?, location: location.to_owned() })
    }

    /// Where it is, as it was given to `open`.
    pub fn location(&self) -> &str {
        &self.location
    }

    /// The folder of this machine that it is.
    pub fn folder(&self) -> Option<&std::path::Path> {
        self.place.folder.as_deref()
    }

    /// Whether it is a service, which has a place of its own.
    pub fn is_service(&self) -> bool {
        self.place.is_service
    }

    /// Stores `bytes` and returns their hash. Storing twice is the same as storing once, and mends a damaged copy;
    /// nobody sees half of it.
    pub async fn put(&self, bytes: impl Into<Bytes>) -> Result<Hash, ArtifactError> {
        let bytes = bytes.into();
        let hash = Hash::of(&bytes);
        let put = self.place.writes.put(&self.key(hash), bytes.into()).await;
        // Here "not found" speaks of the bucket.
        put.map_err(|cause| ArtifactError::Store { hash, location: self.location.clone(), cause })?;
        Ok(hash)
    }

    /// Takes an artifact piece by piece, into a folder or a bucket.
    pub fn receive(&self) -> Incoming {
        Incoming::new(self.place.clone(), self.location.clone())
    }

    /// The bytes whose sha256 is `hash`, checked, and not more than `max_bytes` of them: neither a wrong nor an
    /// endless file gets through.
    pub async fn get(&self, hash: Hash, max_bytes: u64) -> Result<Bytes, ArtifactError> {
        let mut lying = self.look(hash).await?;
        let too_large = || ArtifactError::TooLarge { hash, max_bytes };
        if lying.size > max_bytes {
            return Err(too_large());
        }
        let mut bytes = BytesMut::new();
        let mut hasher = Sha256::new();
        let began = Instant::now();
        loop {
            let patience = PATIENCE + Duration::from_secs(bytes.len() as u64 / PACE);
            let piece = match self.place.is_service {
                true => timeout_at(began + patience, lying.pieces.try_next()).await.map_err(|_| self.too_slow(hash))?,
                false => lying.pieces.try_next().await,
            };
            let Some(piece) = piece? else { break };
            if (bytes.len() + piece.len()) as u64 > max_bytes {
                return Err(too_large());
            }
            hasher.update(&piece);
            bytes.extend_from_slice(&piece);
        }
        let actual = Hash::from_bytes(hasher.finalize().into());
        if actual != hash {
            return Err(ArtifactError::HashMismatch { expected: hash, actual, location: self.location.clone() });
        }
        Ok(bytes.freeze())
    }

    /// What lies under `hash`, whatever it is.
    pub async fn look(&self, hash: Hash) -> Result<Lying, ArtifactError> {
        let found = self.place.reads.get(&self.key(hash)).await.map_err(|source| self.failed(hash, source))?;
        let (size, store) = (found.meta.size, self.clone());
        let pieces = found.into_stream().map_err(move |source| store.failed(hash, source)).boxed();
        Ok(Lying { size, pieces })
    }

    /// Whether there is something under `hash`; `get` tells whether it is the right thing.
    pub async fn exists(&self, hash: Hash) -> Result<bool, ArtifactError> {
        Ok(self.size(hash).await?.is_some())
    }

    /// Bytes of what is under `hash`.
    pub async fn size(&self, hash: Hash) -> Result<Option<u64>, ArtifactError> {
        match self.place.reads.head(&self.key(hash)).await {
            Ok(found) => Ok(Some(found.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(self.failed(hash, source)),
        }
    }

    /// The sizes of everything that is there, in bytes; of a folder or a bucket.
    pub fn sizes(&self) -> BoxStream<'static, Result<u64, ArtifactError>> {
        let location = self.location.clone();
        let all = self.place.reads.list(Some(&self.place.artifacts)).map_ok(|found| found.size);
        all.map_err(move |cause| ArtifactError::Place { location: location.clone(), cause }).boxed()
    }

    fn key(&self, hash: Hash) -> Path {
        self.place.artifacts.clone().join(hash.to_string())
    }

    fn too_slow(&self, hash: Hash) -> ArtifactError {
        let cause = object_store::Error::Generic { store: "HTTP", source: "it sends too slowly".into() };
        self.failed(hash, cause)
    }

    fn failed(&self, hash: Hash, cause: object_store::Error) -> ArtifactError {
        let location = self.location.clone();
        match cause {
            object_store::Error::NotFound { .. } => ArtifactError::NotFound { hash, location },
            cause => ArtifactError::Store { hash, location, cause },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn store() -> (TempDir, ArtifactStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = ArtifactStore::open(folder.path().to_str().unwrap()).unwrap();
        (folder, store)
    }

    fn file(folder: &TempDir, hash: Hash) -> std::path::PathBuf {
        folder.path().join("sha256").join(hash.to_string())
    }

    #[tokio::test]
    async fn what_is_put_can_be_got_by_its_hash() {
        let (folder, store) = store();
        let bytes = Bytes::from(vec![7; 300_000]);
        let hash = store.put(bytes.clone()).await.unwrap();
        assert_eq!(hash, Hash::of(&bytes));
        assert!(file(&folder, hash).is_file());
        assert!(store.exists(hash).await.unwrap());
        assert_eq!(store.get(hash, bytes.len() as u64).await.unwrap(), bytes);
    }

    #[tokio::test]
    async fn putting_twice_is_putting_once() {
        let (folder, store) = store();
        let hash = store.put("x").await.unwrap();
        assert_eq!(store.put("x").await.unwrap(), hash);
        assert_eq!(std::fs::read_dir(folder.path().join("sha256")).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn an_empty_artifact_is_one_like_any_other() {
        let (_folder, store) = store();
        let hash = store.put("").await.unwrap();
        assert_eq!(store.get(hash, 0).await.unwrap(), Bytes::new());
    }

    #[tokio::test]
    async fn a_missing_artifact_is_not_found() {
        let (_folder, store) = store();
        let hash = Hash::of(b"never stored");
        assert!(!store.exists(hash).await.unwrap());
        let error = store.get(hash, 10).await.unwrap_err();
        assert!(matches!(error, ArtifactError::NotFound { .. }) && error.may_pass(), "{error}");
    }

    #[tokio::test]
    async fn a_changed_file_is_noticed_and_mended_by_putting_it_again() {
        let (folder, store) = store();
        let hash = store.put("honest").await.unwrap();
        std::fs::write(file(&folder, hash), "forged").unwrap();
        match store.get(hash, 10).await {
            Err(ArtifactError::HashMismatch { expected, actual, .. }) => {
                assert_eq!((expected, actual), (hash, Hash::of(b"forged")));
            }
            other => panic!("{other:?}"),
        }
        store.put("honest").await.unwrap();
        assert_eq!(store.get(hash, 10).await.unwrap(), "honest");
    }

    #[tokio::test]
    async fn a_cut_file_is_noticed() {
        let (folder, store) = store();
        let hash = store.put("honest").await.unwrap();
        std::fs::write(file(&folder, hash), "hone").unwrap();
        assert!(matches!(store.get(hash, 10).await, Err(ArtifactError::HashMismatch { .. })));
    }

    #[tokio::test]
    async fn more_than_allowed_is_not_read() {
        let (_folder, store) = store();
        let hash = store.put("12345").await.unwrap();
        let error = store.get(hash, 4).await.unwrap_err();
        assert!(matches!(error, ArtifactError::TooLarge { max_bytes: 4, .. }) && !error.may_pass(), "{error}");
    }

    #[tokio::test]
    async fn a_file_where_a_folder_belongs_is_an_error_of_the_store() {
        let (folder, store) = store();
        std::fs::write(folder.path().join("sha256"), "in the way").unwrap();
        assert!(matches!(store.put("x").await, Err(ArtifactError::Store { .. })));
    }
}
