//! Files with secrets and promises, as the programs leave them: for their owner alone, and on the disk before anybody relies on
//! them. `crates/private` has the same of its functions.

use crate::support::{root, run, Buyer, Market, Process};
use base64::{engine::general_purpose::STANDARD, Engine as _};
use joule_localnet::Persona::{Alice, North};
use joule_sdk::{keys, Signer as _};
use serde_json::Value;
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
};

/// Everything below a folder.
fn all_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries
        .flat_map(|path| if path.is_dir() { [vec![path.clone()], all_below(&path)].concat() } else { vec![path] })
        .collect()
}

fn is_the_ledgers(name: &str) -> bool {
    name.starts_with("gateway.sqlite") || name == "gateway.lock"
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_journals_and_ledgers_are_for_their_owner_alone() {
    let market = Market::open().await;
    let (gateway, url) = market.gateway("enabled = false", None).await;
    let (state, folder) = (market.world.state_dir(), market.world.folder.path());
    let request = folder.join("request.json");
    fs::write(&request, Buyer::question(1, false).to_string()).expect("a file");
    let (model, state_dir) = (market.model().to_string(), state.display().to_string());
    let args = ["pay", &url, "--model", &model, "--budget", "5", "--yes", "--keep", "--as", "alice"];
    let rest = ["--state-dir", &state_dir, "--body", request.to_str().expect("utf-8")];
    let output = run("joule", &[args.as_slice(), &rest].concat()).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // While the gateway runs its ledger has files beside it.
    let ledger: Vec<_> = all_below(folder)
        .into_iter()
        .filter(|path| path.file_name().is_some_and(|name| is_the_ledgers(&name.to_string_lossy())))
        .collect();
    let (keys, channels) = (all_below(&state.join("keys")), all_below(&state.join("channels")));
    for (what, least, found) in [("the ledger", 3, &ledger), ("keys", 10, &keys), ("a channel", 3, &channels)] {
        assert!(found.len() >= least, "{what}: {found:?}");
    }
    for path in ledger.iter().chain(&keys).chain(&channels).chain(&[state.join("keys"), state.join("channels")]) {
        let mode = fs::metadata(path).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} has {mode:o}", path.display());
    }
    gateway.stop().await;
    market.world.stop().await;
}

/// Transactions, and the lines of `fsync.c` by when each was sent.
type Sent = Arc<Mutex<Vec<(Vec<u8>, String)>>>;

/// Before the chain: what was on the disk when each transaction was sent.
struct Witness {
    url: String,
    sent: Sent,
    task: tokio::task::JoinHandle<()>,
}

impl Witness {
    async fn before(rpc: &str, log: PathBuf) -> Self {
        let (http, rpc, sent) = (reqwest::Client::new(), rpc.to_owned(), Sent::default());
        let seen = sent.clone();
        let pass = move |body: axum::body::Bytes| async move {
            let asked: Value = serde_json::from_slice(&body).expect("JSON");
            if asked["method"] == "sendTransaction" {
                let transaction = STANDARD.decode(asked["params"][0].as_str().expect("text")).expect("base64");
                let synced = fs::read_to_string(&log).unwrap_or_default();
                seen.lock().expect("nobody panicked").push((transaction, synced));
            }
            let call = http.post(&rpc).header("content-type", "application/json").body(body);
            call.send().await.expect("an answer").text().await.expect("text")
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it has an address"));
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, axum::Router::new().fallback(pass)).await;
        });
        Self { url, sent, task }
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sessions_key_is_on_the_disk_before_the_chain_names_it() {
    let market = Market::open().await;
    let (world, folder) = (&market.world, market.world.folder.path());
    let (library, log) = (folder.join("fsync.so"), folder.join("synced"));
    let source = root().join("crates/private/tests/fsync.c");
    let built = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).arg("-ldl").status();
    assert!(built.expect("there is a C compiler, which Rust links with").success());
    let witness = Witness::before(world.localnet.rpc_url(), log.clone()).await;
    let (model, north, state) = (market.model().to_string(), world.address(North).to_string(), world.state_dir());
    let args = ["channel", "open", &model, "5", "--provider", &north, "--yes", "--as", "alice", "--rpc", &witness.url];
    let args = [args.as_slice(), &["--state-dir", state.to_str().expect("utf-8")]].concat();
    let [library, log] = [&library, &log].map(|path| path.to_str().expect("utf-8"));
    let mut client = Process::start(folder, "client", "joule", &args, &[("LD_PRELOAD", library), ("FSYNC_LOG", log)]);
    assert!(client.ended().await.success(), "{}", client.log());

    let channels = state.canonicalize().expect("a folder").join("channels");
    let channel = all_below(&channels).into_iter().find(|path| path.is_dir()).expect("a channel");
    let key = keys::read(&channel.join("session.json")).expect("a key").pubkey();
    let sent = witness.sent.lock().expect("nobody panicked").clone();
    let names_it = |bytes: &[u8]| bytes.windows(32).any(|part| part == key.as_array());
    let (_, synced) = sent.iter().find(|(bytes, _)| names_it(bytes)).expect("a transaction that opens the channel");
    let lines: Vec<Vec<&str>> = synced.lines().map(|line| line.split('\t').collect()).collect();
    let named = |folder: &Path, name: &str| {
        lines.iter().position(|line| Path::new(line[0]) == folder && line[1..].contains(&name))
    };
    let content = lines.iter().position(|line| Path::new(line[0]).parent() == Some(&channel));
    let name = named(&channel, "session.json");
    assert!(content.is_some() && content < name, "{synced}");
    let address = channel.file_name().and_then(|name| name.to_str()).expect("an address");
    assert!(named(&channels, address).is_some(), "{synced}");
    assert!(named(channels.parent().expect("the state's folder"), "channels").is_some(), "{synced}");
    assert_ne!(key, world.address(Alice));
    drop(witness);
    market.world.stop().await;
}
