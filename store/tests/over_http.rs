//! The service over a folder, as clients meet it: over HTTP, by `crates/artifacts`, and as strangers do.

use joule_artifacts::{ArtifactError, ArtifactStore, Hash};
use joule_listen::Share;
use joule_store::{config::Settings, telemetry, Server};
use reqwest::{Client, Method, Response};
use serde_json::Value;
use std::{
    path::PathBuf,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_util::sync::CancellationToken;

struct Service {
    folder: tempfile::TempDir,
    server: Option<Server>,
    stop: CancellationToken,
    url: String,
    http: Client,
}

impl Service {
    async fn start(change: impl FnOnce(Settings) -> Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let artifacts = folder.path().join("artifacts").display().to_string();
        let usual = Settings { artifacts, listen: ([127, 0, 0, 1], 0).into(), min_free: 0, ..Settings::default() };
        let stop = CancellationToken::new();
        let server = Server::start(&change(usual), Some(telemetry::metrics().unwrap()), stop.clone()).await.unwrap();
        let url = format!("http://{}", server.address());
        Self { folder, server: Some(server), stop, url, http: Client::new() }
    }

    async fn ask(&self, method: Method, path: &str, body: impl Into<reqwest::Body>) -> Response {
        self.http.request(method, format!("{}{path}", self.url)).body(body).send().await.unwrap()
    }

    async fn put(&self, body: impl Into<reqwest::Body>) -> Response {
        self.ask(Method::PUT, "/v1/artifacts", body).await
    }

    async fn get(&self, hash: Hash) -> Response {
        self.ask(Method::GET, &format!("/v1/artifacts/{hash}"), "").await
    }

    fn file(&self, hash: Hash) -> PathBuf {
        self.folder.path().join("artifacts/sha256").join(hash.to_string())
    }

    /// As programs have it.
    fn store(&self) -> ArtifactStore {
        ArtifactStore::open(&self.url).unwrap()
    }

    async fn stop(mut self) {
        self.stop.cancel();
        self.server.take().unwrap().finished().await.unwrap();
    }
}

/// Status and code of a refusal, which says what to do.
async fn refused(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    assert!(body["message"].as_str().is_some_and(|message| message.len() > 20), "{body}");
    (status, body["code"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn what_is_put_is_told_its_hash_and_given_to_whoever_asks_for_it() {
    let service = Service::start(|usual| usual).await;
    let bytes: Vec<u8> = (0..12_000_000).map(|at| (at % 251) as u8).collect();
    let hash = Hash::of(&bytes);
    assert_eq!(service.get(hash).await.status(), 404);
    for status in [201, 200] {
        let response = service.put(bytes.clone()).await;
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["location"], format!("/v1/artifacts/{hash}"));
        assert_eq!(response.json::<Value>().await.unwrap(), serde_json::json!({ "hash": hash }));
    }
    let response = service.get(hash).await;
    let said = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!((response.status().as_u16(), said("content-length")), (200, bytes.len().to_string()));
    assert_eq!((said("x-content-type-options"), said("content-disposition")), ("nosniff".into(), "attachment".into()));
    assert!(said("cache-control").contains("immutable"));
    assert_eq!(response.bytes().await.unwrap(), bytes);
    let head = service.ask(Method::HEAD, &format!("/v1/artifacts/{hash}"), "").await;
    assert_eq!((head.status().as_u16(), head.headers()["content-length"].to_str().unwrap()), (200, "12000000"));
    assert!(head.bytes().await.unwrap().is_empty());
    assert_eq!(std::fs::read(service.file(hash)).unwrap(), bytes, "where every Joule program on this machine keeps it");
    service.stop().await;
}

#[tokio::test]
async fn programs_have_a_service_as_they_have_a_folder() {
    let service = Service::start(|usual| usual).await;
    let store = service.store();
    for bytes in [Vec::new(), b"short".to_vec(), vec![7; 11 << 20]] {
        let hash = store.put(bytes.clone()).await.unwrap();
        assert_eq!(hash, Hash::of(&bytes));
        assert_eq!(store.size(hash).await.unwrap(), Some(bytes.len() as u64));
        assert_eq!(store.get(hash, bytes.len() as u64).await.unwrap(), bytes);
        if let Some(less) = (bytes.len() as u64).checked_sub(1) {
            assert!(matches!(store.get(hash, less).await, Err(ArtifactError::TooLarge { .. })));
        }
    }
    let nothing = Hash::of(b"never stored");
    assert!(!store.exists(nothing).await.unwrap());
    let error = store.get(nothing, 10).await.unwrap_err();
    assert!(matches!(error, ArtifactError::NotFound { .. }) && error.to_string().contains(&service.url), "{error}");
    service.stop().await;
}

#[tokio::test]
async fn a_service_that_gives_something_else_or_too_much_is_found_out() {
    use axum::{body::Body, routing::get, Router};
    let [other, long, endless] = ["other", "long", "endless"].map(|name| Hash::of(name.as_bytes()));
    let forever = || Body::from_stream(futures::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![0; 1 << 16])));
    let router = Router::new()
        .route(&format!("/v1/artifacts/{other}"), get(async || "forged"))
        .route(&format!("/v1/artifacts/{long}"), get(async || vec![0; 2 << 20]))
        .route(&format!("/v1/artifacts/{endless}"), get(async move || forever()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let store = ArtifactStore::open(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    assert!(matches!(store.get(other, 100).await, Err(ArtifactError::HashMismatch { .. })));
    assert!(matches!(store.get(long, 1 << 20).await, Err(ArtifactError::TooLarge { .. })));
    let error = store.get(endless, 1 << 20).await.unwrap_err();
    assert!(matches!(error, ArtifactError::Store { .. }), "a length is asked for: {error}");
}

#[tokio::test]
async fn an_artifact_under_its_own_hash_is_stored_and_another_is_not() {
    let service = Service::start(|usual| usual).await;
    let (hash, other) = (Hash::of(b"honest"), Hash::of(b"forged"));
    let response = service.ask(Method::PUT, &format!("/v1/artifacts/{hash}"), "forged").await;
    assert_eq!(refused(response).await, (400, "other_hash".into()));
    assert!(!service.file(hash).exists() && !service.file(other).exists());
    let response = service.ask(Method::PUT, &format!("/v1/artifacts/{hash}"), "honest").await;
    assert_eq!(response.status(), 201);
    assert_eq!(service.store().get(hash, 10).await.unwrap(), "honest");
    service.stop().await;
}

#[tokio::test]
async fn a_damaged_artifact_is_never_given_out_whole_and_is_mended_by_storing_it_again() {
    let service = Service::start(|usual| usual).await;
    let long = vec![7; 3 << 20];
    for bytes in [b"short".to_vec(), long] {
        let hash = service.store().put(bytes.clone()).await.unwrap();
        let mut damaged = bytes.clone();
        *damaged.last_mut().unwrap() ^= 1;
        std::fs::write(service.file(hash), &damaged).unwrap();
        let response = service.get(hash).await;
        match response.status().as_u16() {
            500 => assert_eq!(refused(response).await.1, "damaged"),
            _ => assert!(response.bytes().await.is_err(), "it breaks off"),
        }
        assert_eq!(service.put(bytes.clone()).await.status(), 200);
        assert_eq!(service.get(hash).await.bytes().await.unwrap(), bytes);
    }
    service.stop().await;
}

#[tokio::test]
async fn strangers_requests_are_refused_with_what_to_do() {
    let service = Service::start(|usual| usual).await;
    let upper = Hash::of(b"abc").to_string().to_uppercase();
    let cases = [
        (Method::GET, "/v1/artifacts/abc".to_owned(), 400, "bad_hash"),
        (Method::GET, format!("/v1/artifacts/{upper}"), 400, "bad_hash"),
        (Method::GET, "/v1/artifacts/%FF%00".to_owned(), 400, "bad_hash"),
        (Method::GET, "/v1/artifacts/..%2F..%2Fetc%2Fpasswd".to_owned(), 400, "bad_hash"),
        (Method::PUT, "/v1/artifacts/abc".to_owned(), 400, "bad_hash"),
        (Method::GET, "/v1/artifacts".to_owned(), 405, "method_not_allowed"),
        (Method::POST, "/v1/artifacts".to_owned(), 405, "method_not_allowed"),
        (Method::DELETE, format!("/v1/artifacts/{}", Hash::of(b"abc")), 405, "method_not_allowed"),
        (Method::GET, "/".to_owned(), 404, "no_route"),
        (Method::GET, "/v1/artifacts/a/b".to_owned(), 404, "no_route"),
        (Method::GET, format!("/v1/artifacts/{}", Hash::of(b"abc")), 404, "not_found"),
    ];
    for (method, path, status, code) in cases {
        let said = refused(service.ask(method.clone(), &path, "body").await).await;
        assert_eq!(said, (status, code.to_owned()), "{method} {path}");
    }
    let head = service.ask(Method::HEAD, &format!("/v1/artifacts/{}", Hash::of(b"abc")), "").await;
    assert_eq!(head.status(), 404);
    service.stop().await;
}

#[tokio::test]
async fn a_body_is_refused_when_it_is_too_long_and_whoever_sends_it_hears_so() {
    let service = Service::start(|usual| Settings { max_artifact: 6 << 20, ..usual }).await;
    assert_eq!(service.put(vec![1; 6 << 20]).await.status(), 201);
    assert_eq!(refused(service.put(vec![1; (6 << 20) + 1]).await).await, (413, "too_large".into()));
    let error = service.store().put(vec![1; (6 << 20) + 1]).await.unwrap_err().to_string();
    assert!(error.contains("max_artifact"), "programs say why: {error}");
    // Nobody has said how long it is.
    let pieces = futures::stream::iter((0..20).map(|_| Ok::<_, std::io::Error>(vec![2; 1 << 20])));
    let response = service.put(reqwest::Body::wrap_stream(pieces)).await;
    assert_eq!(refused(response).await, (413, "too_large".into()));
    // A head that promises more than anybody has.
    let mut stream = TcpStream::connect(service.url.trim_start_matches("http://")).await.unwrap();
    stream.write_all(b"PUT /v1/artifacts HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000000\r\n\r\n").await.unwrap();
    let mut said = [0; 12];
    stream.read_exact(&mut said).await.unwrap();
    assert_eq!(&said, b"HTTP/1.1 413");
    let left = std::fs::read_dir(service.folder.path().join("artifacts/sha256")).unwrap().count();
    assert_eq!(left, 1, "only what was taken");
    service.stop().await;
}

#[tokio::test]
async fn a_body_that_drips_or_breaks_off_leaves_nothing() {
    let service =
        Service::start(|usual| Settings { idle: Duration::from_millis(300), min_rate: 1 << 20, ..usual }).await;
    let address = service.url.trim_start_matches("http://");
    let mut drips = TcpStream::connect(address).await.unwrap();
    drips.write_all(b"PUT /v1/artifacts HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nx").await.unwrap();
    let (mut reader, mut writer) = drips.into_split();
    tokio::spawn(async move {
        while writer.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let mut said = [0; 12];
    reader.read_exact(&mut said).await.unwrap();
    assert_eq!(&said, b"HTTP/1.1 408", "one byte after the other is no body");
    let mut breaks = TcpStream::connect(address).await.unwrap();
    breaks.write_all(b"PUT /v1/artifacts HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nxxx").await.unwrap();
    drop(breaks);
    assert_eq!(service.put("whole").await.status(), 201);
    assert_eq!(std::fs::read_dir(service.folder.path().join("artifacts/sha256")).unwrap().count(), 1);
    service.stop().await;
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_what_is_there_is_given_out() {
    let service = Service::start(|usual| Settings { max_stored: 4 << 20, ..usual }).await;
    let hash = Hash::of(&vec![1; 3 << 20]);
    assert_eq!(service.put(vec![1; 3 << 20]).await.status(), 201);
    assert_eq!(refused(service.put(vec![2; 2 << 20]).await).await, (507, "full".into()));
    assert_eq!(service.get(hash).await.bytes().await.unwrap().len(), 3 << 20);
    // What was refused takes no room.
    assert_eq!(service.put(vec![3; 900 << 10]).await.status(), 201);
    assert_eq!(refused(service.put("x").await).await, (507, "full".into()));
    let health = service.ask(Method::GET, "/healthz", "").await;
    assert_eq!(health.status(), 503);
    assert!(health.text().await.unwrap().contains("max_stored"));
    service.stop().await;
}

#[tokio::test]
async fn an_address_moves_its_share_of_an_hours_bytes_and_is_told_when_to_come_again() {
    let change =
        |usual| Settings { hourly_in: 16 << 20, hourly_out: 16 << 20, address_share: Share::Percent(25), ..usual };
    let service = Service::start(change).await;
    let response = service.put(vec![1; 3 << 20]).await;
    assert_eq!(response.status(), 201);
    let hash = Hash::of(&vec![1; 3 << 20]);
    for response in [service.put(vec![2; 2 << 20]).await, {
        assert_eq!(service.get(hash).await.bytes().await.unwrap().len(), 3 << 20);
        service.get(hash).await
    }] {
        let wait: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((3_000..=3_601).contains(&wait), "{wait}");
        assert_eq!(refused(response).await, (429, "too_much".into()));
    }
    // What never was anything counts as well.
    let asked = Instant::now();
    while service.get(Hash::of(b"nothing")).await.status() == 404 {
        assert!(asked.elapsed() < Duration::from_secs(60));
    }
    service.stop().await;
}

#[tokio::test]
async fn one_address_has_its_share_of_connections() {
    let change = |usual| Settings { connections: 8, address_share: Share::Percent(50), ..usual };
    let service = Service::start(change).await;
    let address = service.url.trim_start_matches("http://").to_owned();
    let mut held = Vec::new();
    for _ in 0..4 {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut said = [0; 12];
        stream.read_exact(&mut said).await.unwrap();
        assert_eq!(&said, b"HTTP/1.1 200");
        held.push(stream);
    }
    let mut more = TcpStream::connect(&address).await.unwrap();
    let _ = more.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert_eq!(more.read(&mut [0; 12]).await.unwrap_or(0), 0, "closed");
    drop(held);
    service.stop().await;
}

#[tokio::test]
async fn pages_store_and_read_where_they_may() {
    let origin = "https://shop.example";
    let service = Service::start(|usual| Settings { cors_origins: vec![origin.into()], ..usual }).await;
    let asks = |origin: &str| {
        let request = service.http.request(Method::OPTIONS, format!("{}/v1/artifacts", service.url));
        let request = request.header("origin", origin).header("access-control-request-method", "PUT");
        request.header("access-control-request-headers", "content-type").send()
    };
    let allowed = asks(origin).await.unwrap();
    assert_eq!(allowed.headers()["access-control-allow-origin"], origin);
    assert!(allowed.headers()["access-control-allow-methods"].to_str().unwrap().contains("PUT"));
    assert!(!asks("https://other.example").await.unwrap().headers().contains_key("access-control-allow-origin"));
    let stored = service.http.put(format!("{}/v1/artifacts", service.url)).header("origin", origin).body("x");
    let stored = stored.send().await.unwrap();
    assert_eq!(
        (stored.status().as_u16(), &stored.headers()["access-control-allow-origin"]),
        (201, &origin.parse().unwrap())
    );
    service.stop().await;
}

#[tokio::test]
async fn health_and_metrics_are_an_operators() {
    let service = Service::start(|usual| usual).await;
    assert_eq!(service.put("counted").await.status(), 201);
    let health: Value = service.ask(Method::GET, "/healthz", "").await.json().await.unwrap();
    assert_eq!((&health["ok"], &health["reason"]), (&Value::Bool(true), &Value::Null));
    let metrics = service.ask(Method::GET, "/metrics", "").await.text().await.unwrap();
    for line in [
        "joule_store_requests_total{method=\"put\",outcome=\"stored\"}",
        "joule_store_received_bytes_total ",
        "joule_store_full 0",
        "joule_store_stored_bytes ",
        "joule_store_free_bytes ",
    ] {
        assert!(metrics.contains(line), "no {line} in {metrics}");
    }
    service.stop().await;
}

#[tokio::test]
async fn what_others_put_into_the_folder_is_there_and_a_folder_that_fails_is_said() {
    let service = Service::start(|usual| usual).await;
    let folder = service.folder.path().join("artifacts");
    let beside = ArtifactStore::open(folder.to_str().unwrap()).unwrap();
    let hash = beside.put("by a node on this machine").await.unwrap();
    assert_eq!(service.get(hash).await.text().await.unwrap(), "by a node on this machine");
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::write(&folder, "in the way").unwrap();
    assert_eq!(refused(service.put("x").await).await, (503, "store_unavailable".into()));
    let health = service.ask(Method::GET, "/healthz", "").await;
    assert_eq!(health.status(), 503);
    let said = health.text().await.unwrap();
    assert!(said.contains("the log says why") && !said.contains(folder.to_str().unwrap()), "{said}");
    service.stop().await;
}
