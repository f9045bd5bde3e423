//! Anchor's deploy step, as it is run on a cluster, against a chain that has the programs and nothing more.

use crate::support::{root, Order, World};
use joule_localnet::{
    Config,
    Persona::{Alice, Authority},
};
use joule_sdk::{
    billing::state::Cluster,
    pda,
    staking::state::{Pool, Service},
    treasury::state::{AcceptedMint, Protocol},
};
use std::{
    net::TcpListener,
    process::{Command, Output},
};

/// Runs `migrations/run.ts`.
async fn migrate(world: &World) -> Output {
    let config = world.folder.path().join("migration.json");
    let tiers = [1, 2, 3, 4].map(|n| serde_json::json!({"minWeight": (n * 1_000).to_string(), "discountBps": n * 500}));
    let settings = serde_json::json!({ "localnet": {
        "feeBps": { "escrow": 250, "billing": 100, "dataMarket": 50, "depin": 0 },
        "guardian": null,
        "mints": [{
            "mint": world.localnet.mint().to_string(), "minAmount": "1000", "dailyOutflow": "5000000",
            "pool": {
                "maxLockDays": 365, "coolDownDays": 7, "dripDays": 30,
                "tiers": tiers,
            },
        }],
    }});
    std::fs::write(&config, settings.to_string()).unwrap();
    let mut command = Command::new("npx");
    command
        .args(["--no-install", "tsx", "run.ts"])
        .current_dir(root().join("migrations"))
        .env("ANCHOR_PROVIDER_URL", world.localnet.rpc_url())
        .env("ANCHOR_WALLET", world.key_file(Authority))
        .env("JOULE_MIGRATION_CONFIG", config)
        .env_remove("JOULE_CLUSTER");
    tokio::task::spawn_blocking(move || command.output()).await.unwrap().expect("npx starts")
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
    tokio::task::spawn_blocking(install).await.unwrap();
    let rpc_port = two_free_ports();
    let world =
        World::start_with(|config| Config { initialize: false, rpc_port, ws_port: rpc_port + 1, ..config }).await;
    let (protocol, accepted) = (pda::protocol(), pda::accepted_mint(&world.localnet.mint()));
    assert!(world.chain.find::<Protocol>(&protocol).await.unwrap().is_none(), "nothing is initialised yet");

    let cluster = pda::cluster();
    let (service, pool) = (pda::service(0), pda::pool(&world.localnet.mint()));
    let first = migrate(&world).await;
    let said = String::from_utf8_lossy(&first.stdout).into_owned();
    assert!(first.status.success(), "{said}{}", String::from_utf8_lossy(&first.stderr));
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
    let made: Pool = world.chain.get(&pool).await.unwrap();
    assert_eq!((made.max_lock.get(), made.tier_discounts_bps[3].get()), (365 * 24 * 60 * 60, 2_000));
    // What it made is enough to work with.
    world.open(Alice, Order::for_show()).await;

    let bytes = async || {
        let mut all = Vec::new();
        for address in [protocol, accepted, service, pool, cluster, pda::fee_vault(&world.localnet.mint())] {
            all.push(world.chain.rpc().get_account(&address).await.unwrap());
        }
        all
    };
    let before = bytes().await;
    let again = migrate(&world).await;
    let said = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(again.status.success(), "{said}{}", String::from_utf8_lossy(&again.stderr));
    assert!(said.contains("is created") && said.contains("is admitted") && said.contains("is accepted"), "{said}");
    assert!(!said.contains(" in "), "{said}");
    assert_eq!(bytes().await, before);
    world.stop().await;
}
