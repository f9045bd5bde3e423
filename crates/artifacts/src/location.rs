//! From the text a user gives to an object store.

use crate::said::Bounded;
use object_store::{
    aws::AmazonS3Builder, http::HttpBuilder, local::LocalFileSystem, path::Path, ClientOptions, ObjectStore,
};
use std::{path::PathBuf, sync::Arc, time::Duration};
use url::Url;

/// For an artifact service to send the next bytes.
const READ: Duration = Duration::from_secs(30);
/// For an artifact service to take an artifact.
const WRITE: Duration = Duration::from_secs(15 * 60);

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum LocationError {
    #[error("{0:?} is no place for artifacts: give a folder, file:///folder, s3://bucket/prefix or http(s)://service")]
    Unknown(String),
    #[error("an address of an artifact service is no more than http(s)://host:port/path: leave out what is before an @ or behind a ? or #")]
    Address,
    #[error("cannot use the folder {folder} for artifacts: {cause}")]
    Folder { folder: PathBuf, cause: std::io::Error },
    #[error("cannot use {location} for artifacts (credentials, AWS_REGION and AWS_ENDPOINT come from the environment): {cause}")]
    Store { location: String, cause: object_store::Error },
}

/// Where artifacts lie.
#[derive(Clone)]
pub(crate) struct Place {
    pub reads: Arc<dyn ObjectStore>,
    pub writes: Arc<dyn ObjectStore>,
    /// Under which everything lies.
    pub prefix: Path,
    /// Under the prefix: that of artifacts.
    pub artifacts: Path,
    /// A folder of this machine.
    pub folder: Option<PathBuf>,
    pub is_service: bool,
}

impl Place {
    fn new(store: impl ObjectStore, prefix: Path) -> Self {
        let store: Arc<dyn ObjectStore> = Arc::new(store);
        let artifacts = prefix.clone().join("sha256");
        Self { reads: store.clone(), writes: store, prefix, artifacts, folder: None, is_service: false }
    }
}

pub(crate) fn open(location: &str) -> Result<Place, LocationError> {
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
        "http" | "https" => service(url),
        _ => Err(unknown()),
    }
}

fn folder(folder: PathBuf) -> Result<Place, LocationError> {
    std::fs::create_dir_all(&folder).map_err(|cause| LocationError::Folder { folder: folder.clone(), cause })?;
    let store = LocalFileSystem::new_with_prefix(&folder)
        .map_err(|cause| LocationError::Store { location: folder.display().to_string(), cause })?
        // A hash must not reach the chain before its bytes have reached the disk.
        .with_fsync(true);
    Ok(Place { folder: Some(folder), ..Place::new(store, Path::default()) })
}

fn bucket_of(location: &str, bucket: &str, prefix: &str) -> Result<Place, LocationError> {
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
    Ok(Place::new(store, prefix))
}

/// `PUT` and `GET` of `/v1/artifacts/{hash}`, below the address.
fn service(mut url: Url) -> Result<Place, LocationError> {
    // What is secret does not belong into what logs and errors show.
    let is_bare =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    if !is_bare {
        return Err(LocationError::Address);
    }
    let location = url.to_string();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(["v1", "artifacts"]);
    }
    let client = |options: ClientOptions| {
        let builder = HttpBuilder::new().with_url(url.as_str()).with_client_options(options.with_allow_http(true));
        builder
            .with_http_connector(Bounded)
            .build()
            .map_err(|cause| LocationError::Store { location: location.clone(), cause })
    };
    let reads = client(ClientOptions::new().with_timeout_disabled().with_read_timeout(READ))?;
    let writes = client(ClientOptions::new().with_timeout(WRITE))?;
    let place = Place::new(reads, Path::default());
    Ok(Place { writes: Arc::new(writes), artifacts: Path::default(), is_service: true, ..place })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_schemes_are_refused_with_what_is_possible() {
        for location in ["", "ftp://host/x", "s3://", "file://host/x", "http://"] {
            let error = open(location).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains("s3://bucket/prefix"), "{location}: {error}");
        }
    }

    #[test]
    fn an_address_of_a_service_has_no_secrets_in_it() {
        for location in ["http://me:pass@host", "https://me@host/x", "https://host/?key=pass", "http://host/#pass"] {
            let error = open(location).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains("leave out") && !error.contains("pass"), "{location}: {error}");
        }
        for location in ["http://127.0.0.1:7730", "https://artifacts.example/joule/"] {
            assert!(open(location).unwrap().is_service);
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
