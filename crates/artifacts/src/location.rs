//! From the text a user gives to an object store.

use object_store::{aws::AmazonS3Builder, local::LocalFileSystem, path::Path, ObjectStore};
use std::{path::PathBuf, sync::Arc};
use url::Url;

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum LocationError {
    #[error("{0:?} is no place for artifacts: give a folder, file:///folder or s3://bucket/prefix")]
    Unknown(String),
    #[error("cannot use the folder {folder} for artifacts: {cause}")]
    Folder { folder: PathBuf, cause: std::io::Error },
    #[error("cannot use {location} for artifacts (credentials, AWS_REGION and AWS_ENDPOINT come from the environment): {cause}")]
    Store { location: String, cause: object_store::Error },
}

/// The store, and the prefix under which artifacts lie in it.
pub(crate) fn open(location: &str) -> Result<(Arc<dyn ObjectStore>, Path), LocationError> {
    let unknown = || LocationError::Unknown(location.to_owned());
    if location.is_empty() {
        return Err(unknown());
    }
    if !location.contains("://") {
        return folder(PathBuf::from(location));
    }
    let url = Url::parse(location).map_err(|_| unknown())?;
    match url.scheme() {
        "file" => folder(url.to_file_path().map_err(|()| unknown())?),
        "s3" => {
            let bucket = url.host_str().filter(|bucket| !bucket.is_empty()).ok_or_else(unknown)?;
            bucket_of(location, bucket, url.path())
        }
        _ => Err(unknown()),
    }
}

fn folder(folder: PathBuf) -> Result<(Arc<dyn ObjectStore>, Path), LocationError> {
    std::fs::create_dir_all(&folder).map_err(|cause| LocationError::Folder { folder: folder.clone(), cause })?;
    let store = LocalFileSystem::new_with_prefix(&folder)
        .map_err(|cause| LocationError::Store { location: folder.display().to_string(), cause })?
        // A hash must not reach the chain before its bytes have reached the disk.
        .with_fsync(true);
    Ok((Arc::new(store), Path::default()))
}

fn bucket_of(location: &str, bucket: &str, prefix: &str) -> Result<(Arc<dyn ObjectStore>, Path), LocationError> {
    let failed = |cause| LocationError::Store { location: location.to_owned(), cause };
    let mut builder = AmazonS3Builder::from_env().with_bucket_name(bucket);
    // Naming a plain-HTTP endpoint, such as a MinIO on this machine, is asking for plain HTTP.
    let plain = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"]
        .iter()
        .any(|name| std::env::var(name).is_ok_and(|url| url.starts_with("http://")));
    if plain {
        builder = builder.with_allow_http(true);
    }
    let store = builder.build().map_err(failed)?;
    let prefix = Path::from_url_path(prefix).map_err(|cause| failed(cause.into()))?;
    Ok((Arc::new(store), prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_schemes_are_refused_with_what_is_possible() {
        for location in ["", "ftp://host/x", "s3://", "file://host/x", "http://127.0.0.1/x"] {
            let error = open(location).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains("s3://bucket/prefix"), "{location}: {error}");
        }
    }

    #[test]
    fn a_folder_is_made_when_it_is_missing() {
        let home = tempfile::tempdir().unwrap();
        let wanted = home.path().join("a b/c");
        open(wanted.to_str().unwrap()).unwrap();
        assert!(wanted.is_dir());
        open(Url::from_directory_path(home.path().join("d")).unwrap().as_str()).unwrap();
        assert!(home.path().join("d").is_dir());
    }

    #[test]
    fn a_file_in_the_way_is_an_error() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("file");
        std::fs::write(&file, "x").unwrap();
        assert!(matches!(open(file.to_str().unwrap()), Err(LocationError::Folder { .. })));
    }
}
