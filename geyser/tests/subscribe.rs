//! The service as a client sees it: a real server, the published Yellowstone client.

mod support;

use std::collections::HashMap;

use agave_geyser_plugin_interface::geyser_plugin_interface::SlotStatus;
use futures::SinkExt;
use joule_geyser::{GrpcConfig, Plugin};
use support::*;
use tonic::Code;
use yellowstone_grpc_client::{GeyserGrpcClient, GeyserGrpcClientError};
use yellowstone_grpc_proto::geyser::{
    CommitmentLevel, SubscribeRequest, SubscribeRequestFilterAccounts, SubscribeRequestFilterBlocks,
    SubscribeRequestFilterSlots, SubscribeRequestFilterTransactions, SubscribeRequestPing,
};

fn named<T>(name: &str, filter: T) -> HashMap<String, T> {
    HashMap::from([(name.to_owned(), filter)])
}

/// Opens a stream and waits until the server has accepted the request: the answer to a ping that
/// was sent after it can only come then.
macro_rules! subscribe {
    ($client:expr, $request:expr) => {{
        let (mut sink, mut stream) = $client.subscribe_with_request(Some($request)).await.unwrap();
        sink.send(SubscribeRequest { ping: Some(SubscribeRequestPing { id: 7 }), ..Default::default() }).await.unwrap();
        assert_eq!(lines(&mut stream, 1).await, ["pong 7"]);
        (sink, stream)
    }};
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_by_owner_arrive_with_rising_write_versions() {
    let plugin = start(config());
    let mut client = connect(&plugin).await;
    let (_sink, mut stream) = subscribe!(client, by_owner(8));
    let feed = Feed(&plugin);
    feed.account(5, 1, 9, 1, b"other owner");
    feed.account(5, 1, 8, 2, b"first");
    feed.account(5, 1, 8, 3, b"second");
    assert_eq!(lines(&mut stream, 2).await, ["[a] account 1 slot 5 v2", "[a] account 1 slot 5 v3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_of_a_slot_in_the_order_a_node_sends_it() {
    let plugin = start(config());
    let mut client = connect(&plugin).await;
    let slots = |interslot| SubscribeRequestFilterSlots { interslot_updates: Some(interslot), ..Default::default() };
    let request = SubscribeRequest {
        accounts: named("a", SubscribeRequestFilterAccounts::default()),
        transactions: named("t", SubscribeRequestFilterTransactions::default()),
        transactions_status: named("ts", SubscribeRequestFilterTransactions::default()),
        slots: HashMap::from([("s".to_owned(), slots(false)), ("i".to_owned(), slots(true))]),
        blocks: named(
            "b",
            SubscribeRequestFilterBlocks {
                include_accounts: Some(true),
                include_entries: Some(true),
                ..Default::default()
            },
        ),
        blocks_meta: named("m", Default::default()),
        entry: named("e", Default::default()),
        ..Default::default()
    };
    let (_sink, mut stream) = subscribe!(client, request);
    let feed = Feed(&plugin);
    feed.status(5, SlotStatus::CreatedBank);
    feed.account(5, 1, 8, 1, b"a");
    feed.account(5, 1, 8, 2, b"b");
    feed.transaction(5, 20, 0);
    feed.close(5, 1);
    feed.finalize(5);
    assert_eq!(
        lines(&mut stream, 11).await,
        [
            "[i] SlotCreatedBank 5 parent Some(4)",
            "[a] account 1 slot 5 v1",
            "[a] account 1 slot 5 v2",
            "[t] transaction 20 slot 5",
            "[ts] status 20 slot 5",
            "[e] entry 5",
            "[b] block 5 with 1 transactions, 1 accounts, 1 entries",
            "[m] meta 5 hash5",
            "[i+s] SlotProcessed 5 parent Some(4)",
            "[i+s] SlotConfirmed 5 parent Some(4)",
            "[i+s] SlotFinalized 5 parent Some(4)",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmed_subscriber_gets_the_last_write_when_the_slot_is_confirmed() {
    let plugin = start(config());
    let mut client = connect(&plugin).await;
    let mut request = by_owner(8);
    request.commitment = Some(CommitmentLevel::Confirmed.into());
    request.slots = named("s", SubscribeRequestFilterSlots { filter_by_commitment: Some(true), ..Default::default() });
    let (_sink, mut stream) = subscribe!(client, request);
    let feed = Feed(&plugin);
    feed.account(5, 1, 8, 1, b"a");
    feed.account(5, 1, 8, 2, b"b");
    feed.account(6, 1, 8, 3, b"not confirmed");
    feed.close(5, 0);
    assert_eq!(lines(&mut stream, 2).await, ["[a] account 1 slot 5 v2", "[s] SlotConfirmed 5 parent Some(4)"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_by_account_and_failure() {
    let plugin = start(config());
    let mut client = connect(&plugin).await;
    let include = |byte| SubscribeRequestFilterTransactions {
        account_include: vec![owner(byte)],
        vote: Some(false),
        failed: Some(false),
        ..Default::default()
    };
    let request = SubscribeRequest {
        transactions: HashMap::from([("x".to_owned(), include(30)), ("y".to_owned(), include(31))]),
        ..Default::default()
    };
    let (_sink, mut stream) = subscribe!(client, request);
    let feed = Feed(&plugin);
    feed.transaction(5, 20, 0);
    feed.transaction(5, 30, 1);
    feed.transaction(5, 31, 2);
    assert_eq!(lines(&mut stream, 2).await, ["[x+y] transaction 30 slot 5", "[y] transaction 31 slot 5"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_request_replaces_the_filters_and_a_ping_does_not() {
    let plugin = start(config());
    let mut client = connect(&plugin).await;
    let (mut sink, mut stream) = subscribe!(client, by_owner(8));
    let feed = Feed(&plugin);
    feed.account(5, 1, 8, 1, b"");
    assert_eq!(lines(&mut stream, 1).await, ["[a] account 1 slot 5 v1"]);
    sink.send(by_owner(9)).await.unwrap();
    let ping = SubscribeRequest { ping: Some(SubscribeRequestPing { id: 3 }), ..Default::default() };
    sink.send(ping).await.unwrap();
    assert_eq!(lines(&mut stream, 1).await, ["pong 3"]);
    feed.account(5, 1, 8, 2, b"");
    feed.account(5, 2, 9, 3, b"");
    assert_eq!(lines(&mut stream, 1).await, ["[a] account 2 slot 5 v3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn from_slot_replays_then_goes_on_live() {
    let plugin = start(config());
    let feed = Feed(&plugin);
    for slot in 5..8 {
        feed.account(slot, 1, 8, slot, b"");
        feed.close(slot, 0);
    }
    let mut client = connect(&plugin).await;
    let mut request = by_owner(8);
    request.from_slot = Some(6);
    request.blocks_meta = named("m", Default::default());
    let (_sink, mut stream) = client.subscribe_with_request(Some(request)).await.unwrap();
    assert_eq!(
        lines(&mut stream, 4).await,
        ["[a] account 1 slot 6 v6", "[m] meta 6 hash6", "[a] account 1 slot 7 v7", "[m] meta 7 hash7"]
    );
    feed.account(8, 1, 8, 8, b"");
    assert_eq!(lines(&mut stream, 1).await, ["[a] account 1 slot 8 v8"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_older_than_the_ring_is_out_of_range_and_replay_info_names_the_oldest() {
    let plugin = start(GrpcConfig { replay_stored_slots: 3, ..config() });
    let mut client = connect(&plugin).await;
    assert_eq!(client.subscribe_replay_info().await.unwrap().first_available, None);
    let feed = Feed(&plugin);
    for slot in 5..15 {
        feed.close(slot, 0);
        feed.finalize(slot);
    }
    assert_eq!(client.subscribe_replay_info().await.unwrap().first_available, Some(12));
    let mut request = by_owner(8);
    request.from_slot = Some(11);
    let (_sink, mut stream) = client.subscribe_with_request(Some(request)).await.unwrap();
    let status = next(&mut stream).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange);
    assert_eq!(status.message(), "broadcast from 11 is not available, last available: 12");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_filter_is_an_invalid_argument_that_says_why() {
    let plugin = start(config());
    let mut client = connect(&plugin).await;
    let request = accounts(SubscribeRequestFilterAccounts { owner: vec!["nonsense".to_owned()], ..Default::default() });
    let (_sink, mut stream) = client.subscribe_with_request(Some(request)).await.unwrap();
    let status = next(&mut stream).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("nonsense"), "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_client_is_told_it_lagged_after_what_it_was_sent() {
    let plugin = start(GrpcConfig { channel_capacity: 16, ..config() });
    let mut client = connect(&plugin).await;
    let (_sink, mut stream) = subscribe!(client, by_owner(8));
    let feed = Feed(&plugin);
    // Far more than fits between a server and a client that does not read.
    for version in 0..2_000 {
        feed.account(5, 1, 8, version, &[0; 100_000]);
    }
    let mut expected = 0;
    let status = loop {
        match next(&mut stream).await {
            Ok(update) => {
                assert!(describe(&update).ends_with(&format!(" v{expected}")), "no silent gap");
                expected += 1;
            }
            Err(status) => break status,
        }
    };
    assert!(expected < 2_000);
    assert_eq!(status.code(), Code::Internal);
    assert!(status.message().starts_with("lagged to receive geyser messages"), "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_closed_stream_keeps_delivering() {
    let plugin = start(config());
    let mut client = connect(&plugin).await;
    let (mut sink, mut stream) = subscribe!(client, by_owner(8));
    sink.close().await.unwrap();
    drop(sink);
    Feed(&plugin).account(5, 1, 8, 1, b"");
    assert_eq!(lines(&mut stream, 1).await, ["[a] account 1 slot 5 v1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_unary_calls_follow_the_chain() {
    let plugin = start(config());
    let mut client = connect(&plugin).await;
    assert_eq!(client.ping(42).await.unwrap().count, 42);
    let version: serde_json::Value = serde_json::from_str(&client.get_version().await.unwrap().version).unwrap();
    assert_eq!(version["version"]["package"], "joule-geyser");
    assert!(matches!(
        client.get_slot(None).await,
        Err(GeyserGrpcClientError::TonicStatus(status)) if status.code() == Code::Internal
    ));
    let feed = Feed(&plugin);
    feed.close(5, 0);
    feed.close(6, 0);
    feed.finalize(5);
    assert_eq!(client.get_slot(None).await.unwrap().slot, 6);
    assert_eq!(client.get_slot(Some(CommitmentLevel::Finalized)).await.unwrap().slot, 5);
    assert_eq!(client.get_block_height(None).await.unwrap().block_height, 6);
    let latest = client.get_latest_blockhash(Some(CommitmentLevel::Confirmed)).await.unwrap();
    assert_eq!((latest.blockhash.as_str(), latest.last_valid_block_height), ("hash6", 306));
    let valid = client.is_blockhash_valid("hash6".into(), Some(CommitmentLevel::Finalized)).await.unwrap();
    assert!(!valid.valid);
    assert!(client.is_blockhash_valid("hash5".into(), None).await.unwrap().valid);
    let health = client.health_check().await.unwrap();
    assert_eq!(health.status, 1, "serving");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_asked_for_when_one_is_set() {
    let plugin = start(GrpcConfig { x_token: Some("secret".into()), ..config() });
    let refused = connect(&plugin).await.get_version().await.unwrap_err();
    assert!(matches!(refused, GeyserGrpcClientError::TonicStatus(s) if s.code() == Code::Unauthenticated));
    let mut client = GeyserGrpcClient::build_from_shared(url(&plugin))
        .unwrap()
        .x_token(Some("secret"))
        .unwrap()
        .connect()
        .await
        .unwrap();
    assert!(client.get_version().await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_ends_streams_and_frees_the_port() {
    let mut plugin = start(config());
    let address = plugin.address().unwrap();
    let mut client = connect(&plugin).await;
    let (_sink, mut stream) = subscribe!(client, by_owner(8));
    plugin.stop();
    assert_eq!(next(&mut stream).await.unwrap_err().code(), Code::Unavailable);
    drop((stream, client));
    let mut again = start(GrpcConfig { address, ..config() });
    again.stop();
}

#[test]
fn a_taken_port_is_an_error_that_names_it() {
    let first = start(config());
    let address = first.address().unwrap();
    let error = Plugin::start(GrpcConfig { address, ..config() }).unwrap_err();
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

#[test]
fn a_validator_loads_it_with_a_configuration_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), r#"{"libpath": "x.so", "grpc": {"address": "127.0.0.1:0"}}"#).unwrap();
    // The constructor a validator finds in the shared library.
    let mut plugin = unsafe { Box::from_raw(joule_geyser::_create_plugin()) };
    assert!(plugin.update_slot_status(5, None, &SlotStatus::Processed).is_err(), "not loaded yet");
    plugin.on_load(file.path().to_str().unwrap(), false).unwrap();
    assert!(plugin.transaction_notifications_enabled() && plugin.entry_notifications_enabled());
    plugin.update_slot_status(5, None, &SlotStatus::Processed).unwrap();
    plugin.on_unload();
    let error = plugin.on_load("/nonexistent.json", false).unwrap_err();
    assert!(error.to_string().contains("/nonexistent.json"), "{error}");
}
