//! What is wrong from the start: ports, files, requests. Each is told what to do about it, by the right code, without panic.

use crate::support::{nobody, run, Indexer, Order, World};
use joule_api::ErrorBody;
use joule_localnet::Persona::Alice;
use reqwest::{Method, StatusCode};
use std::{net::TcpListener, process::Output};

/// Of a local network.
const PORTS: [&str; 4] = ["--rpc-port", "--ws-port", "--grpc-port", "--store-port"];

/// It failed with this code, and said each of these words.
fn refused(output: &Output, code: i32, words: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    for word in words {
        assert!(said.contains(word), "no {word:?} in: {said}");
    }
}

#[tokio::test]
async fn taken_ports_are_named_with_the_flag_that_chooses_another() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, port) = (taken.local_addr().unwrap().to_string(), taken.local_addr().unwrap().port().to_string());
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let programs = crate::support::root().join("target/deploy").display().to_string();
    for flag in PORTS {
        let mut args = vec!["--state-dir".to_owned(), at("state"), "--programs-dir".into(), programs.clone()];
        for other in PORTS {
            args.extend([other.to_owned(), if other == flag { port.clone() } else { "0".into() }]);
        }
        refused(&run("joule-localnet", &args).await, 1, &[flag, &port, "already in use"]);
    }
    assert!(!folder.path().join("state/localnet.json").exists(), "nothing runs, and nothing says so");
    let database = at("indexer.sqlite");
    let wanted = ["--listen", &address, "in use already"];
    refused(&run("joule-indexer", &["--listen", &address, "--database", &database]).await, 1, &wanted);
    let module = crate::support::root().join("workloads/digits/digits.wasm").display().to_string();
    let upstream = ["upstream", "--listen", &address, "--module", &module];
    refused(&run("joule-gateway", &upstream).await, 1, &wanted);
    drop(taken);
}

#[tokio::test]
async fn missing_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (none, state, config) = (at("none"), at("state"), at("none.toml"));
    let free = [&PORTS.map(|flag| [flag, "0"]).concat()[..], &["--state-dir", &state]].concat();
    let output = run("joule-localnet", &[&free[..], &["--programs-dir", &none]].concat()).await;
    refused(&output, 1, &["make build", "none"]);
    refused(&run("joule-indexer", &["--config", &config]).await, 2, &["none.toml", "--config"]);
    refused(&run("joule-indexer", &["verify", "--database", &none]).await, 2, &["none"]);
    refused(&run("joule-node", &["run", "--config", &config]).await, 2, &["none.toml"]);
    let mint = "So11111111111111111111111111111111111111112";
    let artifacts = at("artifacts");
    let node = ["run", "--mint", mint, "--key", &none, "--artifacts", &artifacts];
    refused(&run("joule-node", &node).await, 2, &["none", "is not there"]);
    refused(
        &run("joule-node", &["exec", "--module", &none, "--input", &none, "--artifacts", &artifacts]).await,
        1,
        &["none"],
    );
    // A file that is there and is not what it should be.
    std::fs::write(&none, "[1, 2").unwrap();
    refused(&run("joule-node", &node).await, 2, &["none"]);
    std::fs::write(&config, "grcp = 'typo'").unwrap();
    refused(&run("joule-indexer", &["--config", &config]).await, 2, &["none.toml", "grcp"]);
}

#[tokio::test]
async fn a_database_that_is_none_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "These are my notes, and no database.\n".repeat(100)).unwrap();
    let before = std::fs::read(&path).unwrap();
    let database = path.display().to_string();
    let output = run("joule-indexer", &["--listen", "127.0.0.1:0", "--database", &database]).await;
    refused(&output, 2, &["notes.txt"]);
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn verify_without_rpc_fails_and_says_which() {
    let folder = tempfile::tempdir().unwrap();
    let (grpc, rpc) = (format!("http://{}", nobody()), format!("http://{}", nobody()));
    let indexer = Indexer::start(folder.path(), "indexer", &grpc, &rpc, None).await;
    let health = indexer.unwell(&rpc).await;
    assert_eq!((health.tip_slot, health.checkpoint_slot), (0, 0));
    let database = indexer.database.display().to_string();
    refused(&run("joule-indexer", &["verify", "--rpc", &rpc, "--database", &database]).await, 2, &[&rpc]);
    indexer.process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_requests_get_a_status_and_an_error_body() {
    let world = World::start().await;
    let indexer = world.indexer("indexer", None).await;
    indexer.well().await;
    let job = world.open(Alice, Order::for_show()).await;
    let http = reqwest::Client::new();
    let stranger = "SysvarC1ock11111111111111111111111111111111";
    let jobs = format!("/v1/jobs/{stranger}");
    let (offers, account) = (format!("/v1/providers/{stranger}/open-jobs?limit=0"), format!("/v1/accounts/{stranger}"));
    let long = format!("/v1/jobs/{}", "z".repeat(5_000));
    use StatusCode as S;
    let cases = [
        (Method::GET, "/v1/jobs/joule", S::BAD_REQUEST, "bad_address"),
        (Method::GET, "/v1/jobs/%FF%00", S::BAD_REQUEST, ""),
        (Method::GET, "/v1/accounts/0OIl", S::BAD_REQUEST, "bad_address"),
        (Method::GET, &long, S::BAD_REQUEST, "bad_address"),
        (Method::GET, "/v1/jobs?client=me", S::BAD_REQUEST, "bad_address"),
        (Method::GET, "/v1/jobs?status=lost", S::BAD_REQUEST, "bad_request"),
        (Method::GET, "/v1/jobs?limit=0", S::BAD_REQUEST, "bad_request"),
        (Method::GET, "/v1/jobs?limit=501", S::BAD_REQUEST, "bad_request"),
        (Method::GET, "/v1/jobs?limit=-1", S::BAD_REQUEST, "bad_request"),
        (Method::GET, "/v1/jobs?limit=many", S::BAD_REQUEST, "bad_request"),
        (Method::GET, "/v1/jobs?cursor=%27%20or%201%3D1", S::BAD_REQUEST, "bad_cursor"),
        (Method::GET, "/v1/providers?cursor=AAAA", S::BAD_REQUEST, "bad_cursor"),
        (Method::GET, &offers, S::BAD_REQUEST, "bad_request"),
        (Method::GET, &jobs, S::NOT_FOUND, "not_found"),
        (Method::GET, &account, S::NOT_FOUND, "not_found"),
        (Method::GET, "/v2/jobs", S::NOT_FOUND, "no_route"),
        (Method::GET, "/v1/jobs/", S::NOT_FOUND, "no_route"),
        (Method::POST, "/v1/jobs", S::METHOD_NOT_ALLOWED, "method_not_allowed"),
        (Method::DELETE, &jobs, S::METHOD_NOT_ALLOWED, "method_not_allowed"),
    ];
    for (method, path, status, code) in cases {
        let answer = http.request(method.clone(), format!("{}{path}", indexer.url)).send().await.unwrap();
        assert_eq!(answer.status(), status, "{method} {path}");
        let body: ErrorBody =
            answer.json().await.unwrap_or_else(|error| panic!("{method} {path}: no error body: {error}"));
        assert!(code.is_empty() || body.code == code, "{method} {path}: {body:?}");
        assert!(!body.message.is_empty(), "{method} {path}");
    }
    // After all that it still answers, and has lost nothing.
    indexer.job_is(job, joule_api::JobStatus::Open).await;
    indexer.equals_the_chain(world.localnet.rpc_url()).await;
    assert!(!indexer.process.log().contains("panicked"));
    indexer.process.stop().await;
    world.stop().await;
}

#[test]
fn a_reader_that_goes_away_ends_a_command_and_is_no_failure() {
    let example = crate::support::root().join("joule.example.toml").display().to_string();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = std::process::Command::new(crate::support::binary("joule"))
        .args(["config", "check", "--offline", "--config", &example])
        .stdout(writer)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{:?}: {said}", output.status);
}
