//! From a validator's event to an answer of the indexer's API, on localnet, under a steady load.
//!
//! Providers change their capacity to a number that has not been there before. A Yellowstone subscription of our own says
//! when the validator sent the change; from that moment the API is asked for the provider, again and again, until it
//! answers with the number. What is measured includes the last question and its answer.

use crate::report;
use anyhow::{bail, Context, Result};
use futures::StreamExt;
use joule_indexer::{config::Settings, Indexer};
use joule_localnet::{Config, Localnet, Persona};
use joule_sdk::{
    account,
    instruction::registry::{register, update},
    pda,
    registry::state::{Attributes, Profile, Provider},
    Chain, Keypair, Pubkey, Signer,
};
use serde::Serialize;
use solana_client::rpc_config::RpcSendTransactionConfig;
use solana_transaction::Transaction;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;
use yellowstone_grpc_client::GeyserGrpcClient;
use yellowstone_grpc_proto::geyser::{
    subscribe_update::UpdateOneof, CommitmentLevel, SubscribeRequest, SubscribeRequestFilterAccounts,
};

const PER_TRANSACTION: usize = 3;
const PROVIDERS: usize = 42;
/// One change in this many is asked for, so that asking does not become the load.
const SAMPLE: u32 = 5;
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Serialize)]
struct Row {
    updates_per_s_asked: u32,
    updates_per_s: f64,
    samples: usize,
    p50_ms: f64,
    p99_ms: f64,
    max_ms: f64,
    cores: usize,
    commit: String,
    against: &'static str,
}

pub fn run(updates_per_s: u32, seconds: u32) -> Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(measure(updates_per_s, seconds))
}

/// When the validator said that a provider has a capacity.
type Seen = Arc<Mutex<HashMap<(Pubkey, u32), Instant>>>;

async fn measure(updates_per_s: u32, seconds: u32) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let programs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/deploy");
    println!("starting a local network and an indexer");
    let localnet = Localnet::start(Config::ephemeral(programs, folder.path().join("state"))).await?;
    let settings = Settings {
        grpc: localnet.grpc_url().to_owned(),
        rpc: localnet.rpc_url().to_owned(),
        database: folder.path().join("indexer.sqlite"),
        listen: ([127, 0, 0, 1], 0).into(),
        ..Settings::default()
    };
    let stop = CancellationToken::new();
    let indexer = Indexer::start(&settings, stop.clone()).await?;
    let api = joule_api::Client::new(format!("http://{}", indexer.address()));
    let chain = Chain::new(localnet.rpc_url());
    let payer = localnet.personas().key(Persona::Authority);

    println!("registering {PROVIDERS} providers");
    let keys: Vec<Keypair> = (0..PROVIDERS).map(|_| Keypair::new()).collect();
    for group in keys.chunks(PER_TRANSACTION) {
        let instructions: Vec<_> =
            group.iter().map(|key| register(payer.pubkey(), key.pubkey(), profile(&key.pubkey(), 1))).collect();
        let mut signers = vec![payer];
        signers.extend(group);
        chain.send(&instructions, &signers).await?;
    }
    let deadline = Instant::now() + PATIENCE * 6;
    while api.health().await.map_or(true, |health| !health.ok) {
        if Instant::now() > deadline {
            bail!("the indexer did not become healthy");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    let seen: Seen = Arc::default();
    let watching = tokio::spawn(watch(localnet.grpc_url().to_owned(), seen.clone()));
    tokio::time::sleep(Duration::from_millis(500)).await;

    println!("{updates_per_s} account updates a second for {seconds} s");
    let latencies: Arc<Mutex<Vec<Duration>>> = Arc::default();
    let mut questions = Vec::new();
    let mut ticks = tokio::time::interval(Duration::from_secs_f64(PER_TRANSACTION as f64 / f64::from(updates_per_s)));
    let (started, transactions) = (Instant::now(), updates_per_s * seconds / PER_TRANSACTION as u32);
    let mut blockhash = (chain.rpc().get_latest_blockhash().await.context("a blockhash")?, Instant::now());
    let mut sends = Vec::new();
    for n in 0..transactions {
        ticks.tick().await;
        if blockhash.1.elapsed() > Duration::from_secs(2) {
            blockhash = (chain.rpc().get_latest_blockhash().await.context("a blockhash")?, Instant::now());
        }
        let capacity = n + 2;
        let from = n as usize * PER_TRANSACTION % PROVIDERS;
        let group = &keys[from..from + PER_TRANSACTION];
        let instructions: Vec<_> =
            group.iter().map(|key| update(key.pubkey(), profile(&key.pubkey(), capacity))).collect();
        let mut transaction = Transaction::new_with_payer(&instructions, Some(&payer.pubkey()));
        let mut signers = vec![payer];
        signers.extend(group);
        transaction.try_sign(&signers, blockhash.0)?;
        let sender = chain.clone();
        sends.push(tokio::spawn(async move {
            let config = RpcSendTransactionConfig { skip_preflight: true, ..Default::default() };
            sender.rpc().send_transaction_with_config(&transaction, config).await
        }));
        if n % SAMPLE == 0 {
            let address = pda::provider(&group[0].pubkey());
            questions.push(tokio::spawn(ask(api.clone(), seen.clone(), latencies.clone(), address, capacity)));
        }
    }
    let rate = f64::from(transactions) * PER_TRANSACTION as f64 / started.elapsed().as_secs_f64();
    for send in sends {
        send.await?.context("sending an update")?;
    }
    for question in questions {
        question.await??;
    }
    watching.abort();
    stop.cancel();
    indexer.finished().await?;
    localnet.stop().await?;

    let mut found = latencies.lock().map_err(|_| anyhow::anyhow!("a question failed"))?.clone();
    found.sort_unstable();
    let at = |share: f64| found[((found.len() - 1) as f64 * share).round() as usize].as_secs_f64() * 1_000.0;
    let round = |value: f64| (value * 100.0).round() / 100.0;
    let row = Row {
        updates_per_s_asked: updates_per_s,
        updates_per_s: round(rate),
        samples: found.len(),
        p50_ms: round(at(0.5)),
        p99_ms: round(at(0.99)),
        max_ms: round(at(1.0)),
        cores: std::thread::available_parallelism()?.get(),
        commit: commit(),
        against: "joule-localnet in the same process, dev profile",
    };
    println!(
        "event to queryable at {} updates/s: p50 {} ms, p99 {} ms, worst {} ms, {} samples",
        row.updates_per_s, row.p50_ms, row.p99_ms, row.max_ms, row.samples
    );
    report::write("latency", &[row])
}

fn profile(owner: &Pubkey, capacity: u32) -> Profile {
    Profile {
        payout_owner: *owner,
        capacity,
        endpoint_hash: [0; 32],
        metadata_hash: [0; 32],
        attributes: Attributes::default(),
    }
}

/// Notes when the validator sends each change.
async fn watch(grpc: String, seen: Seen) -> Result<()> {
    let mut client = GeyserGrpcClient::build_from_shared(grpc)?
        .connect()
        .await
        .context("connecting to the gRPC endpoint")?;
    let providers =
        SubscribeRequestFilterAccounts { owner: vec![joule_sdk::registry::ID.to_string()], ..Default::default() };
    let request = SubscribeRequest {
        accounts: HashMap::from([("providers".to_owned(), providers)]),
        commitment: Some(CommitmentLevel::Processed as i32),
        ..Default::default()
    };
    let mut updates = client.subscribe_once(request).await?;
    while let Some(update) = updates.next().await {
        let arrived = Instant::now();
        if let Some(UpdateOneof::Account(update)) = update?.update_oneof {
            let Some(info) = update.account else { continue };
            let (Ok(address), Ok(provider)) =
                (Pubkey::try_from(info.pubkey.as_slice()), account::decode::<Provider>(&info.data))
            else {
                continue;
            };
            let mut seen = seen.lock().map_err(|_| anyhow::anyhow!("a question failed"))?;
            seen.entry((address, provider.capacity.get())).or_insert(arrived);
        }
    }
    Ok(())
}

/// Waits for the validator's event, then asks the API until it knows.
async fn ask(
    api: joule_api::Client,
    seen: Seen,
    latencies: Arc<Mutex<Vec<Duration>>>,
    address: Pubkey,
    capacity: u32,
) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    let text = address.to_string();
    let poisoned = || anyhow::anyhow!("another question failed");
    let event = loop {
        if let Some(event) = seen.lock().map_err(|_| poisoned())?.remove(&(address, capacity)) {
            break event;
        }
        if Instant::now() > deadline {
            bail!("the validator never sent provider {address} with capacity {capacity}");
        }
        tokio::time::sleep(Duration::from_micros(500)).await;
    };
    loop {
        // A later change may already have replaced this one.
        if api.provider(&text).await?.capacity >= capacity {
            latencies.lock().map_err(|_| poisoned())?.push(event.elapsed());
            return Ok(());
        }
        if Instant::now() > deadline {
            bail!("the API never showed provider {address} with capacity {capacity}");
        }
    }
}

fn commit() -> String {
    let output = std::process::Command::new("git").args(["rev-parse", "--short", "HEAD"]).output();
    output.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned()).unwrap_or_default()
}
