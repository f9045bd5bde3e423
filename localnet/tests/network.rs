//! A local network from outside: RPC, and the gRPC stream through the published Yellowstone client.

use std::{collections::HashMap, time::Duration};

use futures::{Stream, StreamExt};
use joule_localnet::{bootstrap, Config, Localnet, LocalnetError, Persona};
use joule_sdk::{pda, token_program, Signer};
use solana_client::{
    nonblocking::rpc_client::RpcClient,
    rpc_config::{RpcProgramAccountsConfig, RpcTransactionConfig, UiTransactionEncoding},
};
use solana_commitment_config::CommitmentConfig;
use tonic::Status;
use yellowstone_grpc_client::GeyserGrpcClient;
use yellowstone_grpc_proto::geyser::{
    subscribe_request_filter_accounts_filter::Filter as StateFilter,
    subscribe_request_filter_accounts_filter_lamports::Cmp, subscribe_update::UpdateOneof, SlotStatus,
    SubscribeRequest, SubscribeRequestFilterAccounts, SubscribeRequestFilterAccountsFilter,
    SubscribeRequestFilterAccountsFilterLamports, SubscribeRequestFilterSlots, SubscribeRequestFilterTransactions,
    SubscribeUpdate,
};

/// Long enough for a loaded machine; only failures wait for it.
const PATIENCE: Duration = Duration::from_secs(60);

async fn bare() -> (Localnet, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let localnet = Localnet::start(Config::bare(dir.path())).await.expect("it starts");
    (localnet, dir)
}

async fn client(localnet: &Localnet) -> GeyserGrpcClient {
    GeyserGrpcClient::build_from_shared(localnet.grpc_url().to_owned()).unwrap().connect().await.unwrap()
}

fn named<T>(name: &str, filter: T) -> HashMap<String, T> {
    HashMap::from([(name.to_owned(), filter)])
}

fn token_account(localnet: &Localnet, persona: Persona) -> joule_sdk::Pubkey {
    let owner = localnet.personas().address(persona);
    pda::associated_token(&owner, &localnet.mint(), &token_program::CLASSIC)
}

/// Alice pays north.
async fn pay(localnet: &Localnet, rpc: &RpcClient, amount: u64) {
    let alice = localnet.personas().key(Persona::Alice);
    let transfer = spl_token_interface::instruction::transfer_checked(
        &token_program::CLASSIC,
        &token_account(localnet, Persona::Alice),
        &localnet.mint(),
        &token_account(localnet, Persona::North),
        &alice.pubkey(),
        &[],
        amount,
        bootstrap::MINT_DECIMALS,
    )
    .unwrap();
    bootstrap::send(rpc, "paying", &[transfer], &[alice]).await.unwrap();
}

/// The next update's body, without pings.
async fn next<S>(stream: &mut S) -> UpdateOneof
where
    S: Stream<Item = Result<SubscribeUpdate, Status>> + Unpin,
{
    loop {
        let update = tokio::time::timeout(PATIENCE, stream.next())
            .await
            .expect("an update arrives")
            .expect("the stream is open")
            .expect("no error");
        match update.update_oneof.expect("a body") {
            UpdateOneof::Ping(_) => {}
            body => return body,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_streamed_as_a_node_would_stream_it() {
    let (localnet, _dir) = bare().await;
    let rpc = localnet.rpc();
    let mut client = client(&localnet).await;
    let request = SubscribeRequest {
        accounts: named(
            "tokens",
            SubscribeRequestFilterAccounts { owner: vec![token_program::CLASSIC.to_string()], ..Default::default() },
        ),
        transactions: named(
            "payments",
            SubscribeRequestFilterTransactions {
                account_include: vec![token_account(&localnet, Persona::North).to_string()],
                ..Default::default()
            },
        ),
        slots: named("slots", SubscribeRequestFilterSlots { interslot_updates: Some(true), ..Default::default() }),
        blocks_meta: named("blocks", Default::default()),
        ..Default::default()
    };
    let (_sink, mut stream) = client.subscribe_with_request(Some(request)).await.unwrap();
    // Once the first slot status is here, so is the subscription.
    next(&mut stream).await;
    pay(&localnet, &rpc, 5).await;

    let mut writes = Vec::new();
    let slot = loop {
        match next(&mut stream).await {
            UpdateOneof::Account(update) => {
                let info = update.account.unwrap();
                assert!(info.txn_signature.is_some());
                writes.push((info.write_version, update.slot, update.bank_id));
            }
            UpdateOneof::Transaction(update) => {
                assert!(update.transaction.unwrap().meta.unwrap().err.is_none());
                assert!(writes.iter().all(|(_, slot, _)| *slot == update.slot));
                assert!(writes.iter().all(|(_, _, bank)| *bank == Some(update.bank_id)));
                break update.slot;
            }
            _ => {}
        }
    };
    assert_eq!(writes.len(), 2, "both token accounts, before the transaction");
    assert!(writes[0].0 < writes[1].0, "write versions rise");

    let mut story = Vec::new();
    while story.last() != Some(&"SlotFinalized".to_owned()) {
        match next(&mut stream).await {
            UpdateOneof::Slot(update) if update.slot == slot => {
                assert_eq!(update.parent, Some(slot - 1));
                story.push(format!("{:?}", SlotStatus::try_from(update.status).unwrap()));
            }
            UpdateOneof::BlockMeta(update) if update.slot == slot => {
                assert!(update.executed_transaction_count >= 1);
                story.push("meta".to_owned());
            }
            _ => {}
        }
    }
    assert_eq!(story, ["SlotCompleted", "meta", "SlotProcessed", "SlotConfirmed", "SlotFinalized"]);
    localnet.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_accounts_airdrops_and_failed_transactions_are_seen_too() {
    let (localnet, _dir) = bare().await;
    let rpc = localnet.rpc();
    let mut client = client(&localnet).await;
    let guardian = localnet.personas().key(Persona::Guardian);
    let lamports = |cmp| SubscribeRequestFilterAccountsFilter {
        filter: Some(StateFilter::Lamports(SubscribeRequestFilterAccountsFilterLamports { cmp: Some(cmp) })),
    };
    let request = SubscribeRequest {
        accounts: HashMap::from([
            (
                "closed".to_owned(),
                SubscribeRequestFilterAccounts {
                    owner: vec!["11111111111111111111111111111111".to_owned()],
                    filters: vec![lamports(Cmp::Eq(0))],
                    ..Default::default()
                },
            ),
            (
                "guardian".to_owned(),
                SubscribeRequestFilterAccounts { account: vec![guardian.pubkey().to_string()], ..Default::default() },
            ),
        ]),
        slots: named("slots", Default::default()),
        ..Default::default()
    };
    let (_sink, mut stream) = client.subscribe_with_request(Some(request)).await.unwrap();
    next(&mut stream).await;
    let mut next_account = async || loop {
        if let UpdateOneof::Account(update) = next(&mut stream).await {
            break update.account.unwrap();
        }
    };

    rpc.request_airdrop(&guardian.pubkey(), 1_000_000).await.unwrap();
    let airdropped = next_account().await;
    assert_eq!(airdropped.lamports, bootstrap::PERSONA_LAMPORTS + 1_000_000);

    // More tokens than guardian has: it pays the fee and nothing else happens.
    let too_much = spl_token_interface::instruction::transfer_checked(
        &token_program::CLASSIC,
        &token_account(&localnet, Persona::Guardian),
        &localnet.mint(),
        &token_account(&localnet, Persona::North),
        &guardian.pubkey(),
        &[],
        1,
        bootstrap::MINT_DECIMALS,
    )
    .unwrap();
    let blockhash = rpc.get_latest_blockhash().await.unwrap();
    let failing = solana_transaction::Transaction::new_signed_with_payer(
        &[too_much],
        Some(&guardian.pubkey()),
        &[guardian],
        blockhash,
    );
    let skip = solana_client::rpc_config::RpcSendTransactionConfig { skip_preflight: true, ..Default::default() };
    rpc.send_transaction_with_config(&failing, skip).await.unwrap();
    let payer = next_account().await;
    assert_eq!(payer.lamports, airdropped.lamports - 5_000);
    assert!(payer.write_version > airdropped.write_version);

    // Closing its token account zeroes it, as on a real node.
    let close = spl_token_interface::instruction::close_account(
        &token_program::CLASSIC,
        &token_account(&localnet, Persona::Guardian),
        &guardian.pubkey(),
        &guardian.pubkey(),
        &[],
    )
    .unwrap();
    bootstrap::send(&rpc, "closing", &[close], &[guardian]).await.unwrap();
    let mut updates = [next_account().await, next_account().await];
    updates.sort_by_key(|account| account.lamports);
    assert_eq!(updates[0].pubkey, token_account(&localnet, Persona::Guardian).to_bytes());
    assert!(updates[0].data.is_empty() && updates[0].lamports == 0);
    localnet.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rpc_calls_an_indexer_needs_are_there() {
    let (localnet, _dir) = bare().await;
    let rpc = localnet.rpc();
    pay(&localnet, &rpc, 5).await;
    let north = token_account(&localnet, Persona::North);
    let accounts: solana_client::rpc_response::OptionalContext<Vec<solana_client::rpc_response::RpcKeyedAccount>> = rpc
        .send(
            solana_client::rpc_request::RpcRequest::GetProgramAccounts,
            serde_json::json!([
                token_program::CLASSIC.to_string(),
                RpcProgramAccountsConfig { with_context: Some(true), ..Default::default() }
            ]),
        )
        .await
        .unwrap();
    let solana_client::rpc_response::OptionalContext::Context(accounts) = accounts else {
        panic!("the answer has a context slot")
    };
    assert!(accounts.context.slot > 0);
    assert!(accounts.value.iter().any(|account| account.pubkey == north.to_string()));

    let signatures = rpc.get_signatures_for_address(&north).await.unwrap();
    let newest = signatures.first().expect("the payment is listed").signature.parse().unwrap();
    let config = RpcTransactionConfig {
        encoding: Some(UiTransactionEncoding::Base64),
        commitment: Some(CommitmentConfig::confirmed()),
        max_supported_transaction_version: Some(joule_sdk::transaction::ANY_VERSION),
    };
    let transaction = rpc.get_transaction_with_config(&newest, config).await.unwrap();
    assert!(transaction.transaction.meta.unwrap().err.is_none());
    localnet.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn time_can_be_moved_forward_and_not_back() {
    let (localnet, _dir) = bare().await;
    let rpc = localnet.rpc();
    let before = localnet.chain_time(&rpc).await.unwrap();
    localnet.time_travel(before + 3_600).await.unwrap();
    assert!(localnet.chain_time(&rpc).await.unwrap() >= before + 3_600);
    let refused = localnet.time_travel(before).await.unwrap_err();
    assert!(matches!(refused, LocalnetError::PastTime { .. }), "{refused}");
    // The chain goes on.
    pay(&localnet, &rpc, 1).await;
    localnet.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_survive_a_restart_and_the_ports_are_free_again() {
    let dir = tempfile::tempdir().unwrap();
    let first = Localnet::start(Config::bare(dir.path())).await.unwrap();
    let file = dir.path().join("localnet.json");
    assert!(file.exists());
    let (alice, mint) = (first.personas().address(Persona::Alice), first.mint());
    let port = |url: &str| url.rsplit(':').next().unwrap().parse::<u16>().unwrap();
    let ports = (port(first.rpc_url()), port(first.ws_url()), port(first.grpc_url()));
    first.stop().await.unwrap();
    assert!(!file.exists(), "nothing runs, nothing is announced");

    let again = Config { rpc_port: ports.0, ws_port: ports.1, grpc_port: ports.2, ..Config::bare(dir.path()) };
    let second = Localnet::start(again).await.unwrap();
    assert_eq!(second.personas().address(Persona::Alice), alice);
    assert_eq!(second.mint(), mint);
    second.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_named_and_nothing_is_left_running() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let dir = tempfile::tempdir().unwrap();
    let bare = || Config::bare(dir.path());
    for (config, flag) in [
        (Config { rpc_port: port, ..bare() }, "--rpc-port"),
        (Config { ws_port: port, ..bare() }, "--ws-port"),
        (Config { grpc_port: port, ..bare() }, "--grpc-port"),
        (Config { store_port: port, ..bare() }, "--store-port"),
    ] {
        let error = Localnet::start(config).await.err().expect("refused").to_string();
        assert!(error.contains(&port.to_string()) && error.contains(flag), "{error}");
    }
    assert!(!dir.path().join("localnet.json").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_programs_are_named_before_anything_starts() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config::ephemeral(dir.path(), dir.path().join("state"));
    let error = Localnet::start(config).await.err().expect("refused").to_string();
    assert!(error.contains("joule_treasury.so") && error.contains("make build"), "{error}");
    assert!(!dir.path().join("state").exists());
}

/// Needs the programs built (`make build`).
#[tokio::test(flavor = "multi_thread")]
async fn the_programs_run_and_the_protocol_takes_the_token() {
    let dir = tempfile::tempdir().unwrap();
    let programs = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/deploy");
    let localnet = Localnet::start(Config::ephemeral(programs, dir.path())).await.expect("it starts");
    let rpc = localnet.rpc();
    let authority = localnet.personas().address(Persona::Authority);
    for (address, owner) in [
        (pda::protocol(), joule_sdk::treasury::ID),
        (pda::accepted_mint(&localnet.mint()), joule_sdk::treasury::ID),
        (pda::fee_vault(&localnet.mint()), token_program::CLASSIC),
        (pda::service(0), joule_sdk::staking::ID),
        (pda::pool(&localnet.mint()), joule_sdk::staking::ID),
    ] {
        assert_eq!(rpc.get_account(&address).await.unwrap().owner, owner);
    }
    for program in [joule_sdk::treasury::ID, joule_sdk::registry::ID, joule_sdk::escrow::ID, joule_sdk::staking::ID] {
        assert!(rpc.get_account(&program).await.unwrap().executable);
        let code = rpc.get_account(&pda::program_data(&program)).await.unwrap();
        assert_eq!(code.data[13..45], authority.to_bytes(), "the upgrade authority");
    }
    localnet.stop().await.unwrap();
}
