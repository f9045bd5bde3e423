//! A job whose artifacts lie at a service, with which client and node have nothing in common but its address.

use crate::support::{nobody, root, run, until, Digits, Process, World};
use joule_artifacts::Hash;
use joule_localnet::Persona::North;
use serde_json::Value;
use std::path::Path;

fn store(folder: &Path, address: &str) -> Process {
    let kept = folder.join("kept").display().to_string();
    let args = ["--artifacts", &kept, "--listen", address, "--min-free", "0 B"];
    Process::start(folder, "store", "joule-store", &args, &[])
}

async fn serves(url: &str) {
    until("the store serves", async || {
        reqwest::get(format!("{url}/healthz")).await.ok()?.status().is_success().then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_goes_through_an_artifact_service_that_was_killed_meanwhile() {
    let world = World::start().await;
    let indexer = world.indexer("indexer", None).await;
    world.register(North).await;
    let folder = world.folder.path();
    let address = nobody();
    let url = format!("http://{address}");
    let mut service = store(folder, &address);
    serves(&url).await;

    // The key that all of them share.
    let settings = folder.join("joule.toml");
    let text =
        format!("artifacts = '{url}'\nrpc = '{}'\n[indexer]\nurl = '{}'\n", world.localnet.rpc_url(), indexer.url);
    std::fs::write(&settings, text).unwrap();
    let (settings, state) = (settings.display().to_string(), world.state_dir().display().to_string());
    let joule = async |args: &[&str]| {
        let shared = ["--json", "--config", &settings, "--state-dir", &state];
        let output = run("joule", &[args, &shared].concat()).await;
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap_or_default()
    };
    let at = |path: &str| root().join("workloads/digits").join(path).display().to_string();
    let (module, input) = (at("digits.wasm"), at("data/test_images.bin"));
    let job = joule(&[
        "job",
        "submit",
        "--as",
        "alice",
        "--module",
        &module,
        "--input",
        &input,
        "--budget",
        "5",
        "--review-window",
        "10s",
    ])
    .await["job"]
        .as_str()
        .expect("an address")
        .to_owned();

    service.kill();
    let node = world.node_with(&url, North, world.localnet.rpc_url(), &indexer.url, &[]);
    until("the node finds nobody where artifacts should be", async || node.log().contains(&address).then_some(()))
        .await;
    let service = store(folder, &address);
    serves(&url).await;

    let output = folder.join("result.json").display().to_string();
    joule(&["job", "watch", &job, "--output", &output]).await;
    let expected = Digits::read().expected;
    assert_eq!(std::fs::read(&output).expect("the client has the result"), expected);
    assert!(folder.join("kept/sha256").join(Hash::of(&expected).to_string()).is_file(), "the node has stored it there");
    let elsewhere = std::fs::read_dir(world.artifacts().join("sha256")).map_or(0, Iterator::count);
    assert_eq!(elsewhere, 0, "nobody took the folder of the local network");

    node.stop().await;
    service.stop().await;
    indexer.process.stop().await;
    world.stop().await;
}
