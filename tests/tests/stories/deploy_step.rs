//! Anchor's deploy step, as it is run on a cluster, against a chain that has the programs and nothing more.

use crate::support::{root, Order, World};
use joule_localnet::{
    Config,
    Persona::{Alice, Authority},
};
use joule_sdk::{
    billing::state::Cluster,
    instruction::treasury,
    pda,
    staking::state::{Pool, Service},
    treasury::state::{AcceptedMint, Protocol},
    Pubkey,
};
use serde_json::{json, Value};
use std::{net::TcpListener, process::Command, sync::Once};

/// What `migrations/config.json` says in a cluster's place.
fn settings(mint: &Pubkey) -> Value {
    let tiers = [1, 2, 3, 4].map(|n| json!({"minWeight": (n * 1_000).to_string(), "discountBps": n * 500}));
    json!({
        "feeBps": { "escrow": 250, "billing": 100, "dataMarket": 50, "depin": 0 },
        "guardian": null,
        "mints": [{
            "mint": mint.to_string(), "minAmount": "1000", "dailyOutflow": "5000000",
            "pool": {
                "maxLockDays": 365, "coolDownDays": 7, "dripDays": 30,
                "tiers": tiers,
            },
        }],
    })
}

/// Runs `migrations/run.ts` with these settings for a local network; `named` is what `JOULE_CLUSTER` says. Returns whether it
/// went well, and all that it said.
async fn migrate(world: &World, url: &str, settings: &Value, named: Option<&str>) -> (bool, String) {
    let config = world.folder.path().join("migration.json");
    std::fs::write(&config, json!({ "localnet": settings }).to_string()).unwrap();
    let mut command = Command::new("npx");
    command
        .args(["--no-install", "tsx", "run.ts"])
        .current_dir(root().join("migrations"))
        .env("ANCHOR_PROVIDER_URL", url)
        .env("ANCHOR_WALLET", world.key_file(Authority))
        .env("JOULE_MIGRATION_CONFIG", config)
        .env_remove("JOULE_CLUSTER")
        .envs(named.map(|name| ("JOULE_CLUSTER", name)));
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().expect("npx starts");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

/// A chain that has the programs and nothing more.
async fn bare() -> World {
    tokio::task::spawn_blocking(|| INSTALLED.call_once(install)).await.unwrap();
    let rpc_port = two_free_ports();
    World::start_with(|config| Config { initialize: false, rpc_port, ws_port: rpc_port + 1, ..config }).await
}

/// Everything that the step makes, as it is on the chain.
async fn made(world: &World) -> Vec<Option<Vec<u8>>> {
    let mint = world.localnet.mint();
    let all = [
        pda::protocol(),
        pda::accepted_mint(&mint),
        pda::service(0),
        pda::service(1),
        pda::pool(&mint),
        pda::cluster(),
        pda::fee_vault(&mint),
    ];
    let found = world.chain.rpc().get_multiple_accounts(&all).await.unwrap();
    found.into_iter().map(|account| account.map(|account| account.data)).collect()
}

/// A free port with a free one after it: web3.js confirms through the WebSocket, and looks for that one port above RPC.
fn two_free_ports() -> u16 {
    let free = |port| TcpListener::bind(("127.0.0.1", port)).ok();
    let pair = || {
        let first = free(0)?.local_addr().ok()?.port();
        free(first.checked_add(1)?).map(|_| first)
    };
    (0..100).find_map(|_| pair()).expect("two free ports in a row")
}

static INSTALLED: Once = Once::new();

fn install() {
    let folder = root().join("migrations");
    if folder.join("node_modules/.bin/tsx").exists() {
        return;
    }
    let output =
        Command::new("npm").args(["ci", "--no-fund", "--no-audit", "--silent"]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "npm ci: {}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deploy_step_initialises_a_cluster_and_running_it_again_changes_nothing() {
    let world = bare().await;
    let (url, settings) = (world.localnet.rpc_url().to_owned(), settings(&world.localnet.mint()));
    let (protocol, accepted) = (pda::protocol(), pda::accepted_mint(&world.localnet.mint()));
    let (cluster, service, pool) = (pda::cluster(), pda::service(0), pda::pool(&world.localnet.mint()));
    // What a stranger sends to an address does not make an account of it.
    for address in [protocol, cluster, service] {
        world.chain.rpc().request_airdrop(&address, 2_000_000).await.unwrap();
        crate::support::until("it has arrived", async || {
            let balance = world.chain.rpc().get_balance(&address).await.ok()?;
            (balance > 0).then_some(())
        })
        .await;
    }

    let (good, said) = migrate(&world, &url, &settings, Some("localnet")).await;
    assert!(good, "{said}");
    for done in ["created in", "admitted in", "accepted in"] {
        assert!(said.contains(done), "{said}");
    }
    let state: Protocol = world.chain.get(&protocol).await.unwrap();
    let authority = world.address(Authority);
    assert_eq!((state.authority, state.guardian), (authority, authority));
    assert_eq!(state.fee_bps.map(|fee| fee.get()), [250, 100, 50, 0, 0, 0, 0, 0]);
    let mint: AcceptedMint = world.chain.get(&accepted).await.unwrap();
    assert_eq!(mint.min_amount.get(), 1_000);
    assert_eq!((mint.outflow_limit.get(), mint.outflow_window.get()), (5_000_000, 24 * 60 * 60));
    let admitted: Service = world.chain.get(&service).await.unwrap();
    assert!(admitted.in_force_at == admitted.admitted_at && admitted.program == joule_sdk::escrow::ID);
    let billing: Service = world.chain.get(&pda::service(1)).await.unwrap();
    assert!(billing.in_force_at == billing.admitted_at && billing.program == joule_sdk::billing::ID);
    let named: Cluster = world.chain.get(&cluster).await.unwrap();
    let genesis = world.chain.rpc().get_genesis_hash().await.unwrap();
    assert_eq!(named.genesis_hash, genesis.to_bytes());
    let stakes: Pool = world.chain.get(&pool).await.unwrap();
    assert_eq!((stakes.max_lock.get(), stakes.tier_discounts_bps[3].get()), (365 * 24 * 60 * 60, 2_000));
    // What it made is enough to work with.
    world.open(Alice, Order::for_show()).await;

    let before = made(&world).await;
    let (good, said) = migrate(&world, &url, &settings, Some("localnet")).await;
    assert!(good, "{said}");
    assert!(said.contains("is created") && said.contains("is admitted") && said.contains("is accepted"), "{said}");
    assert!(!said.contains(" in "), "{said}");
    assert_eq!(made(&world).await, before);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_nobody_named_is_given_no_settings() {
    let world = bare().await;
    let (url, settings) = (world.localnet.rpc_url().to_owned(), settings(&world.localnet.mint()));
    // An address that looks like another cluster's is no name either.
    let like_devnet = format!("{url}/?devnet");
    let devnet = Disguised::before(&url).await;
    for (url, named, why) in [
        (&url, None, "is no public cluster: say with JOULE_CLUSTER which settings it gets"),
        (&like_devnet, None, "is no public cluster"),
        (&url, Some("devnet"), "is not devnet"),
        (&url, Some("ours"), "has no settings for the cluster ours"),
        (&devnet.url, Some("localnet"), "is devnet, not localnet"),
        (&devnet.url, None, "has no settings for the cluster devnet"),
    ] {
        let (good, said) = migrate(&world, url, &settings, named).await;
        assert!(!good && said.contains("migration failed") && said.contains(why), "{url} {named:?}: {said}");
    }
    assert!(made(&world).await.iter().all(Option::is_none), "nothing was made");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_already_must_be_what_the_settings_say() {
    let world = bare().await;
    let (url, right) = (world.localnet.rpc_url().to_owned(), settings(&world.localnet.mint()));
    let run = async |settings: &Value| migrate(&world, &url, settings, Some("localnet")).await;
    // One part is missing, so that there is something to do.
    let mut partly = right.clone();
    partly["mints"][0]["pool"] = Value::Null;
    let (good, said) = run(&partly).await;
    assert!(good, "{said}");
    let before = made(&world).await;
    assert_eq!(before.iter().filter(|account| account.is_none()).count(), 1, "the pool");

    let mut wrong = right.clone();
    let guardian = world.address(Alice).to_string();
    wrong["feeBps"] = json!({ "escrow": 251, "billing": 101, "dataMarket": 51, "depin": 1 });
    wrong["guardian"] = json!(guardian);
    wrong["mints"][0]["minAmount"] = json!("1001");
    wrong["mints"][0]["dailyOutflow"] = json!("5000001");
    let (good, said) = run(&wrong).await;
    assert!(!good, "{said}");
    let authority = world.address(Authority);
    for difference in [
        "fee of escrow is 250, and the settings say 251",
        "fee of billing is 100, and the settings say 101",
        "fee of dataMarket is 50, and the settings say 51",
        "fee of depin is 0, and the settings say 1",
        &format!("guardian is {authority}, and the settings say {guardian}"),
        "minAmount is 1000, and the settings say 1001",
        "dailyOutflow is 5000000, and the settings say 5000001",
    ] {
        assert!(said.contains(difference), "{difference}: {said}");
    }
    assert_eq!(made(&world).await, before, "nothing is made while something is wrong");

    let (good, said) = run(&right).await;
    assert!(good && said.contains("created in"), "{said}");
    let mut wrong = right.clone();
    let pool = &mut wrong["mints"][0]["pool"];
    (pool["maxLockDays"], pool["coolDownDays"], pool["dripDays"]) = (json!(364), json!(8), json!(31));
    (pool["tiers"][0]["minWeight"], pool["tiers"][3]["discountBps"]) = (json!("999"), json!(1_999));
    let (good, said) = run(&wrong).await;
    assert!(!good, "{said}");
    for difference in [
        "maxLockDays is 365, and the settings say 364",
        "coolDownDays is 7, and the settings say 8",
        "dripDays is 30, and the settings say 31",
        "minWeight of the tiers is 1000,2000,3000,4000, and the settings say 999,2000,3000,4000",
        "discountBps of the tiers is 500,1000,1500,2000, and the settings say 500,1000,1500,1999",
    ] {
        assert!(said.contains(difference), "{difference}: {said}");
    }

    // A token that was refused meanwhile is not one that is taken.
    let mint = world.localnet.mint();
    let refuse = treasury::update_mint(authority, mint, false, 1_000);
    world.send("refuse the token", Authority, &[refuse]).await;
    let (good, said) = run(&right).await;
    assert!(!good && said.contains("enabled is false, and the settings say true"), "{said}");
    world.stop().await;
}

/// A way to a chain that says it is devnet.
struct Disguised {
    url: String,
    task: tokio::task::JoinHandle<()>,
}

impl Disguised {
    async fn before(url: &str) -> Self {
        let (http, url) = (reqwest::Client::new(), url.to_owned());
        let pass = move |body: axum::body::Bytes| async move {
            let asked: Value = serde_json::from_slice(&body).expect("JSON");
            if asked["method"] == "getGenesisHash" {
                let devnet = "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG";
                return json!({ "jsonrpc": "2.0", "id": asked["id"], "result": devnet }).to_string();
            }
            let call = http.post(&url).header("content-type", "application/json").body(body);
            call.send().await.expect("an answer").text().await.expect("text")
        };
        let router = axum::Router::new().fallback(pass);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it has an address"));
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Self { url, task }
    }
}

impl Drop for Disguised {
    fn drop(&mut self) {
        self.task.abort();
    }
}
