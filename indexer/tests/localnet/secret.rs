//! TLS with a certificate authority of one's own, and a token that nobody else sees.

use crate::{
    relay::Relay,
    support::{Following, World, PATIENCE},
};
use joule_api::{Commitment, JobStatus};
use joule_indexer::{check, config::Settings, source::Endpoints};
use joule_localnet::Persona;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::{path::PathBuf, process::Stdio};
use tonic::transport::Identity;

const TOKEN: &str = "5ecretT0kenOfTheEndpoint";
const KEY: &str = "5ecretKeyOfTheNode";

/// A server's certificate for localhost, and the authority's, in a file.
fn certificates(world: &World) -> (Identity, PathBuf) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let path = world.folder.path().join("authority.pem");
    std::fs::write(&path, authority.pem()).unwrap();
    (Identity::from_pem(server.pem(), key.serialize_pem()), path)
}

fn settings(world: &World, relay: &Relay, token: Option<&str>, ca: Option<PathBuf>) -> Settings {
    let grpc = Endpoints::from(relay.url()).complete(token.map(Into::into).as_ref(), ca).unwrap();
    Settings { grpc, ..world.settings(&world.database()) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_its_own_authority_is_followed_by_whoever_has_its_token() {
    let world = World::start(1_500).await;
    let (identity, ca) = certificates(&world);
    let relay = Relay::start_secret(world.localnet.grpc_url(), identity, TOKEN).await;
    for (token, ca, words) in [
        (Some(TOKEN), None, "certificate"),
        (None, Some(ca.clone()), "No valid auth token"),
        (Some("5ecretAndWrong"), Some(ca.clone()), "No valid auth token"),
        (Some(TOKEN), Some(world.folder.path().join("none.pem")), "none.pem"),
    ] {
        let settings = settings(&world, &relay, token, ca);
        let report = check::check(&settings, false).await;
        let shown = format!("{report} {} {settings:?}", serde_json::to_string(&report).unwrap());
        assert!(!report.ok && shown.contains(words) && !shown.contains("5ecret"), "{words}: {shown}");
    }
    let settings = settings(&world, &relay, Some(TOKEN), Some(ca));
    let report = check::check(&settings, false).await;
    assert!(report.ok && report.to_string().contains("is at slot"), "{report}");

    world.register(Persona::North).await;
    let following = Following::start(&settings).await;
    following.well().await;
    let job = world.open(Persona::Alice).await;
    following.job_is(job, JobStatus::Open, Commitment::Confirmed).await;
    let answers = [
        reqwest::get(format!("{}/healthz", following.client.base())),
        reqwest::get(format!("{}/metrics", following.client.base())),
    ];
    for answer in answers {
        let said = answer.await.unwrap().text().await.unwrap();
        assert!(said.contains("localhost") && !said.contains("5ecret"), "{said}");
    }
    following.stop().await;
    world.equals_the_chain(&world.database()).await;
    world.localnet.stop().await.unwrap();
}

/// All that a process writes, at its most talkative.
#[tokio::test(flavor = "multi_thread")]
async fn no_log_line_has_a_token_or_the_key_of_a_node() {
    let world = World::start(1_500).await;
    let (identity, ca) = certificates(&world);
    let relay = Relay::start_secret(world.localnet.grpc_url(), identity, TOKEN).await;
    let rpc = format!("{}/?api-key={KEY}", world.localnet.rpc_url());
    let unreachable = format!("http://127.0.0.1:1/{KEY}");
    let log = world.folder.path().join("log");
    for (name, rpc, until) in [("well", &rpc, "subscribed"), ("unwell", &unreachable, "trying again")] {
        let file = std::fs::File::create(&log).unwrap();
        let mut indexer = tokio::process::Command::new(env!("CARGO_BIN_EXE_joule-indexer"))
            .args(["--listen", "127.0.0.1:0", "--grpc-ca", ca.to_str().unwrap(), "--grpc", &relay.url(), "--rpc", rpc])
            .args(["--database", world.folder.path().join(name).to_str().unwrap()])
            .env("JOULE_INDEXER_X_TOKEN", TOKEN)
            .env("RUST_LOG", "trace")
            .current_dir(world.folder.path())
            .stdout(Stdio::null())
            .stderr(file)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let said = || std::fs::read_to_string(&log).unwrap();
        let begun = std::time::Instant::now();
        while !said().contains(until) {
            assert!(begun.elapsed() < PATIENCE, "{}", said());
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        indexer.kill().await.unwrap();
        for secret in [TOKEN, KEY] {
            let line = said().lines().find(|line| line.contains(secret)).map(str::to_owned);
            assert_eq!(line, None, "{name}");
        }
    }
    world.localnet.stop().await.unwrap();
}
