//! A server that sends one block in five late, as the real plugin does with one that it cannot seal at once: what is in it comes when
//! it happens, and its metadata and statuses only with its finality, some thirty slots later. None of it is lost, so nobody is asked.
//!
//! `JOULE_LATE_SLOTS=9000` makes it an hour of a cluster.

use crate::support::PATIENCE;
use anchor_lang::{bytemuck, event::EVENT_IX_TAG_LE, prelude::Address as Key, Discriminator, Event};
use axum::{extract::State, Json, Router};
use joule_geyser::{
    feed::{Feed, InnerInstruction, InnerInstructions, SlotStatus, TransactionStatusMeta, Write},
    GrpcConfig, Plugin,
};
use joule_indexer::{config::Settings, decode::Program, types::Address, Indexer};
use joule_sdk::{
    escrow::{event::JobRedirected, state::Client},
    transaction::{CompiledInstruction, Message, VersionedMessage, VersionedTransaction},
};
use serde_json::{json, Value};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

const FIRST: u64 = 1_000;
/// Slots from a block to its finality.
const FINALITY: u64 = 31;
/// A fortieth of a cluster's.
const SLOT: Duration = Duration::from_millis(10);
/// Without `JOULE_LATE_SLOTS`.
const SLOTS: u64 = 300;

type Calls = Arc<Mutex<BTreeMap<String, usize>>>;

/// An RPC node of a chain on which nothing has happened yet, which counts what it is asked.
async fn node() -> (String, Calls) {
    async fn answer(State(calls): State<Calls>, Json(asked): Json<Value>) -> Json<Value> {
        let method = asked["method"].as_str().unwrap();
        *calls.lock().unwrap().entry(method.to_owned()).or_default() += 1;
        let result = match method {
            "getGenesisHash" => json!("a chain"),
            "getFirstAvailableBlock" => json!(FIRST),
            "getSignaturesForAddress" => json!([]),
            "getProgramAccounts" => json!({ "context": { "slot": FIRST - 1 }, "value": [] }),
            "getBlockTime" => json!(1),
            other => panic!("{other} is not asked at the start"),
        };
        Json(json!({ "jsonrpc": "2.0", "id": asked["id"], "result": result }))
    }
    let calls = Calls::default();
    let router = Router::new().fallback(answer).with_state(calls.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, calls)
}

fn key(n: u64) -> [u8; 32] {
    let mut key = [7; 32];
    key[..8].copy_from_slice(&n.to_le_bytes());
    key
}

/// One transaction, which writes an account and states an event about it.
fn content(feed: Feed<'_>, slot: u64) {
    let account = key(slot % 100);
    let client = Client { next_job: slot.into(), ..bytemuck::Zeroable::zeroed() };
    let data = [Client::DISCRIMINATOR, bytemuck::bytes_of(&client)].concat();
    let owner = Program::Escrow.address().0;
    feed.account(slot, Write { pubkey: account, owner, lamports: 1_000, write_version: slot, data: &data }).unwrap();

    let event = JobRedirected { job: Key::new_from_array(account), by: Key::default(), account: Key::default() };
    let authority = Program::Escrow.event_authority().0;
    let mut message = Message::default();
    message.header.num_required_signatures = 1;
    message.account_keys = [key(u64::MAX), owner, authority].map(Into::into).into();
    let mut signature = [0; 64];
    signature[..8].copy_from_slice(&slot.to_le_bytes());
    let message = VersionedMessage::Legacy(message);
    let transaction = VersionedTransaction { signatures: vec![signature.into()], message };
    let data = [EVENT_IX_TAG_LE, &event.data()].concat();
    let call = CompiledInstruction { program_id_index: 1, accounts: vec![2], data };
    let inner = InnerInstruction { instruction: call, stack_height: Some(2) };
    let inner = InnerInstructions { index: 0, instructions: vec![inner] };
    let meta = TransactionStatusMeta { inner_instructions: Some(vec![inner]), ..Default::default() };
    feed.transaction(slot, 0, &transaction, &meta).unwrap();
    feed.entry(slot, 1).unwrap();
}

fn seal(feed: Feed<'_>, slot: u64) {
    feed.block(slot, slot - 1, 1).unwrap();
    feed.status(slot, slot - 1, SlotStatus::Processed).unwrap();
    feed.status(slot, slot - 1, SlotStatus::Confirmed).unwrap();
}

/// Every fifth on average, now and then some in a row.
fn is_late(slot: u64) -> bool {
    slot.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32 & 0xffff_ffff < u64::from(u32::MAX) / 5
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_fifth_of_the_blocks_late_rpc_is_not_asked_once() {
    let slots = std::env::var("JOULE_LATE_SLOTS").map_or(SLOTS, |slots| slots.parse().expect("a number of slots"));
    let plugin = Plugin::start(GrpcConfig { address: ([127, 0, 0, 1], 0).into(), ..GrpcConfig::default() }).unwrap();
    let (rpc, calls) = node().await;
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        grpc: format!("http://{}", plugin.address().unwrap()).into(),
        rpc: rpc.into(),
        database: folder.path().join("indexer.sqlite").into(),
        listen: ([127, 0, 0, 1], 0).into(),
        ..Settings::default()
    };
    let stop = CancellationToken::new();
    let indexer = Indexer::start(&settings, stop.clone()).await.unwrap();
    let client = joule_api::Client::new(format!("http://{}", indexer.address()));
    let until = async |what: &str, slot: u64| {
        let started = Instant::now();
        while client.health().await.unwrap().checkpoint_slot < slot {
            assert!(started.elapsed() < PATIENCE, "never: {what}; {:?}", client.health().await.unwrap());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };

    // The first sync is by RPC. It needs a block whose beginning the stream has told.
    let feed = Feed(&plugin);
    let mut slot = FIRST;
    let started = Instant::now();
    while client.health().await.unwrap().checkpoint_slot < FIRST + 2 {
        assert!(started.elapsed() < PATIENCE, "never synced: {:?}", client.health().await.unwrap());
        feed.status(slot, slot - 1, SlotStatus::CreatedBank).unwrap();
        content(feed, slot);
        seal(feed, slot);
        slot += 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    until("synced", slot - 1).await;
    let before = calls.lock().unwrap().clone();
    assert!(before.contains_key("getProgramAccounts"), "{before:?}");

    let (from, last, mut late) = (slot, slot + slots, 0);
    for slot in from..last + FINALITY {
        if slot < last {
            feed.status(slot, slot - 1, SlotStatus::CreatedBank).unwrap();
            content(feed, slot);
            match is_late(slot) {
                true => late += 1,
                false => seal(feed, slot),
            }
        }
        let old = slot - FINALITY;
        if old >= from && is_late(old) {
            seal(feed, old);
        }
        if old >= FIRST {
            feed.status(old, old - 1, SlotStatus::Rooted).unwrap();
        }
        // Finality is well beyond the time that a new connection takes: one would find the block no more than the old one did.
        tokio::time::sleep(SLOT).await;
    }
    assert!(late > slots / 6 && late < slots / 4, "{late} of {slots}");
    until("everything", last - 1).await;
    assert!(client.health().await.unwrap().ok);
    let store = settings.database.open_existing().unwrap();
    let started = Instant::now();
    while store.checkpoint().unwrap().unwrap().finalized < last - 1 {
        assert!(started.elapsed() < PATIENCE, "never final: {:?}", store.checkpoint().unwrap());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let after = calls.lock().unwrap().clone();
    assert_eq!(after, before, "questions to the RPC node");
    println!("{slots} slots, {late} of them late: 0 questions to the RPC node");
    stop.cancel();
    indexer.finished().await.unwrap();

    let store = settings.database.open_existing().unwrap();
    let mut events = 0;
    for n in 0..100 {
        let address = Address(key(n));
        let row = store.account(&address).unwrap().unwrap();
        assert!(row.version.slot + 100 >= last, "{address}: {:?}", row.version);
        events += store.events(&address, usize::MAX >> 1).unwrap().len() as u64;
    }
    assert!(events >= last - from, "{events} events of {} blocks", last - from);
    assert_eq!(store.checkpoint().unwrap().unwrap().finalized, last - 1);
}
