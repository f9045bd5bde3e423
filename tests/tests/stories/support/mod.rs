//! What the stories share: a world with people in it, processes that end with their story, and patience.

mod market;
mod middleman;
mod page;
mod process;
mod proxy;
mod workload;
mod world;

pub use market::{Buyer, Market};
pub use middleman::Middleman;
pub use page::Page;
pub use process::{run, Indexer, Process};
pub use proxy::Proxy;
pub use workload::{counting, gluttonous, many_tables, Digits, Order};
pub use world::{World, BOND};

use base64::{engine::general_purpose::STANDARD, Engine as _};
use joule_sdk::{Chain, RpcRequest, Signature};
use serde_json::{json, Value};
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// How long anything may take: long enough for a loaded machine, since only failures wait for it.
pub const PATIENCE: Duration = Duration::from_secs(240);

/// Waits until `probe` gives something.
pub async fn until<T>(what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = probe().await {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A transaction as the cluster has it.
pub async fn sent(chain: &Chain, signature: &Signature) -> Vec<u8> {
    let any = joule_sdk::transaction::ANY_VERSION;
    let config = json!({ "encoding": "base64", "commitment": "confirmed", "maxSupportedTransactionVersion": any });
    let asked = json!([signature.to_string(), config]);
    let answer: Value = chain.rpc().send(RpcRequest::GetTransaction, asked).await.expect("a transaction");
    STANDARD.decode(answer["transaction"][0].as_str().expect("text")).expect("base64")
}

/// The project's folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// One of the workspace's binaries; they lie one folder above the tests'.
pub fn binary(name: &str) -> PathBuf {
    let me = std::env::current_exe().expect("this test has a path");
    let beside = me.parent().and_then(Path::parent).expect("tests lie in deps/").join(name);
    assert!(beside.exists(), "{} is missing: `cargo build --workspace` makes it", beside.display());
    beside
}

/// An address on loopback where nobody listens.
pub fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it has an address").to_string()
}
