//! From a validator's event to an answer of the indexer's API, on localnet, under a steady load.
//!
//! A client redirects the refunds of its open jobs to and fro, fifteen jobs a transaction, each an account update and an
//! event. A Yellowstone subscription of our own says when the validator sent the change of a job in a slot; from that moment
//! the API is asked for the job, again and again, until it answers with that slot or a later one. What is measured includes
//! the last question and its answer.

use crate::report;
use anyhow::{bail, Context, Result};
use futures::StreamExt;
use joule_indexer::{config::Settings, Indexer};
use joule_localnet::{Config, Localnet, Persona};
use joule_sdk::{
    account,
    escrow::state::{Job, Terms},
    instruction::escrow::{open, redirect, OpenAccounts},
    pda, token_program, Chain, Pubkey, Signer,
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

const PER_TRANSACTION: usize = 15;
const JOBS: usize = 60;
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

/// The newest change of each job that nobody has asked for yet: its slot, and when the validator sent it.
type Seen = Arc<Mutex<HashMap<Pubkey, (u64, Instant)>>>;

async fn measure(updates_per_s: u32, seconds: u32) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let programs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/deploy");
    println!("starting a local network and an indexer");
    let localnet = Localnet::start(Config::ephemeral(programs, folder.path().join("state"))).await?;
    let settings = Settings {
        grpc: localnet.grpc_url().into(),
        rpc: localnet.rpc_url().into(),
        database: folder.path().join("indexer.sqlite").into(),
        listen: ([127, 0, 0, 1], 0).into(),
        ..Settings::default()
    };
    let stop = CancellationToken::new();
    let indexer = Indexer::start(&settings, stop.clone()).await?;
    let api = joule_api::Client::new(format!("http://{}", indexer.address()));
    let chain = Chain::new(localnet.rpc_url());
    let alice = localnet.personas().key(Persona::Alice);
    let mint = localnet.mint();
    let refunds = [Persona::Alice, Persona::Bob]
        .map(|who| pda::associated_token(&localnet.personas().address(who), &mint, &token_program::CLASSIC));

    println!("opening {JOBS} jobs");
    let mut jobs = Vec::new();
    for id in 0..JOBS as u64 {
        let accounts = OpenAccounts {
            payer: alice.pubkey(),
            client: alice.pubkey(),
            source: refunds[0],
            refund: refunds[0],
            mint,
            token_program: token_program::CLASSIC,
            requirements: None,
            staked_in: None,
        };
        chain.send(&[open(accounts, id, terms())], &[alice]).await?;
        jobs.push(pda::job(&alice.pubkey(), id));
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
        if blockhash.1.elapsed() > Duration::from_millis(300) {
            blockhash = (chain.rpc().get_latest_blockhash().await.context("a blockhash")?, Instant::now());
        }
        let from = n as usize * PER_TRANSACTION % JOBS;
        let group = &jobs[from..from + PER_TRANSACTION];
        // Another account each time round, so that no two transactions are the same.
        let to = refunds[n as usize * PER_TRANSACTION / JOBS % 2];
        let instructions: Vec<_> = group.iter().map(|job| redirect(alice.pubkey(), *job, to)).collect();
        let mut transaction = Transaction::new_with_payer(&instructions, Some(&alice.pubkey()));
        transaction.try_sign(&[alice], blockhash.0)?;
        let sender = chain.clone();
        sends.push(tokio::spawn(async move {
            let config = RpcSendTransactionConfig { skip_preflight: true, ..Default::default() };
            sender.rpc().send_transaction_with_config(&transaction, config).await
        }));
        questions.push(tokio::spawn(ask(
            api.clone(),
            seen.clone(),
            latencies.clone(),
            group[n as usize % PER_TRANSACTION],
        )));
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
        commit: report::commit(),
        against: "joule-localnet in the same process, dev profile",
    };
    println!(
        "event to queryable at {} updates/s: p50 {} ms, p99 {} ms, worst {} ms, {} samples",
        row.updates_per_s, row.p50_ms, row.p99_ms, row.max_ms, row.samples
    );
    report::write("latency", &[row])
}

fn terms() -> Terms {
    Terms {
        budget: 1_000_000,
        spec_hash: [1; 32],
        input_hash: [2; 32],
        accept_window: 3_600,
        work_window: 60,
        review_window: 60,
        bid_window: 0,
        vote_window: 0,
        bond_bps: 10_000,
        verification: 0,
        pricing: 0,
        jurors: 0,
        max_rate: 0,
    }
}

/// Notes when the validator sends each change.
async fn watch(grpc: String, seen: Seen) -> Result<()> {
    let mut client =
        GeyserGrpcClient::build_from_shared(grpc)?.connect().await.context("connecting to the gRPC endpoint")?;
    let jobs = SubscribeRequestFilterAccounts { owner: vec![joule_sdk::escrow::ID.to_string()], ..Default::default() };
    let request = SubscribeRequest {
        accounts: HashMap::from([("jobs".to_owned(), jobs)]),
        commitment: Some(CommitmentLevel::Processed as i32),
        ..Default::default()
    };
    let mut updates = client.subscribe_once(request).await?;
    while let Some(update) = updates.next().await {
        let arrived = Instant::now();
        if let Some(UpdateOneof::Account(update)) = update?.update_oneof {
            let Some(info) = update.account else { continue };
            let (Ok(address), Ok(_)) = (Pubkey::try_from(info.pubkey.as_slice()), account::decode::<Job>(&info.data))
            else {
                continue;
            };
            let mut seen = seen.lock().map_err(|_| anyhow::anyhow!("a question failed"))?;
            seen.insert(address, (update.slot, arrived));
        }
    }
    Ok(())
}

/// Waits for the validator's event, then asks the API until it knows.
async fn ask(api: joule_api::Client, seen: Seen, latencies: Arc<Mutex<Vec<Duration>>>, job: Pubkey) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    let text = job.to_string();
    let poisoned = || anyhow::anyhow!("another question failed");
    // What was sent before this change was asked for belongs to an earlier one.
    seen.lock().map_err(|_| poisoned())?.remove(&job);
    let (slot, event) = loop {
        if let Some(event) = seen.lock().map_err(|_| poisoned())?.remove(&job) {
            break event;
        }
        if Instant::now() > deadline {
            bail!("the validator never sent job {job}");
        }
        tokio::time::sleep(Duration::from_micros(500)).await;
    };
    while api.job(&text).await?.slot < slot {
        if Instant::now() > deadline {
            bail!("the API never showed job {job} at slot {slot}");
        }
    }
    latencies.lock().map_err(|_| poisoned())?.push(event.elapsed());
    Ok(())
}
