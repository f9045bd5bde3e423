//! Tests of filters: each condition alone, conditions together, and every refused request.

use std::collections::HashMap;

use yellowstone_grpc_proto::{
    geyser::{
        subscribe_request_filter_accounts_filter::Filter as WireState,
        subscribe_request_filter_accounts_filter_lamports::Cmp, subscribe_request_filter_accounts_filter_memcmp::Data,
        CommitmentLevel, SlotStatus, SubscribeRequestAccountsDataSlice, SubscribeRequestFilterAccounts,
        SubscribeRequestFilterAccountsFilter, SubscribeRequestFilterAccountsFilterLamports,
        SubscribeRequestFilterAccountsFilterMemcmp, SubscribeRequestFilterTransactions, SubscribeUpdateAccountInfo,
        SubscribeUpdateTransactionInfo,
    },
    solana::storage::confirmed_block::{TokenBalance, TransactionError, TransactionStatusMeta, UiTokenAmount},
};

use super::*;
use crate::message::AccountMessage;

fn key(n: u8) -> Key {
    [n; 32]
}

fn text(n: u8) -> String {
    bs58::encode(key(n)).into_string()
}

fn account(pubkey: u8, owner: u8, lamports: u64, data: &[u8]) -> Message {
    Message::Account(Arc::new(AccountMessage {
        info: SubscribeUpdateAccountInfo {
            pubkey: key(pubkey).to_vec(),
            owner: key(owner).to_vec(),
            lamports,
            data: data.to_vec(),
            ..Default::default()
        },
        slot: 1,
        bank_id: Some(3),
        created_at: Timestamp::default(),
    }))
}

fn accounts(filter: SubscribeRequestFilterAccounts) -> Result<Filter, FilterError> {
    let request = SubscribeRequest { accounts: HashMap::from([("a".to_owned(), filter)]), ..Default::default() };
    Filter::new(&request, 128)
}

fn states(states: Vec<WireState>) -> SubscribeRequestFilterAccounts {
    SubscribeRequestFilterAccounts {
        filters: states
            .into_iter()
            .map(|filter| SubscribeRequestFilterAccountsFilter { filter: Some(filter) })
            .collect(),
        ..Default::default()
    }
}

fn memcmp(offset: u64, data: Data) -> WireState {
    WireState::Memcmp(SubscribeRequestFilterAccountsFilterMemcmp { offset, data: Some(data) })
}

fn lamports(cmp: Cmp) -> WireState {
    WireState::Lamports(SubscribeRequestFilterAccountsFilterLamports { cmp: Some(cmp) })
}

fn hits(filter: &Filter, message: &Message) -> bool {
    !filter.apply(message).is_empty()
}

#[test]
fn an_empty_account_filter_matches_every_account() {
    let filter = accounts(SubscribeRequestFilterAccounts::default()).unwrap();
    assert!(hits(&filter, &account(1, 2, 3, &[])));
}

#[test]
fn no_filters_match_nothing() {
    let filter = Filter::new(&SubscribeRequest::default(), 128).unwrap();
    assert!(!hits(&filter, &account(1, 2, 3, &[])));
}

#[test]
fn lists_are_or_and_kinds_are_and() {
    let filter = accounts(SubscribeRequestFilterAccounts {
        account: vec![text(1), text(2)],
        owner: vec![text(8), text(9)],
        ..Default::default()
    })
    .unwrap();
    assert!(hits(&filter, &account(1, 9, 0, &[])));
    assert!(hits(&filter, &account(2, 8, 0, &[])));
    assert!(!hits(&filter, &account(3, 8, 0, &[])));
    assert!(!hits(&filter, &account(1, 7, 0, &[])));
}

#[test]
fn memcmp_reads_bytes_base58_and_base64() {
    for data in
        [Data::Bytes(vec![5, 6]), Data::Base58(bs58::encode([5, 6]).into_string()), Data::Base64("BQY=".to_owned())]
    {
        let filter = accounts(states(vec![memcmp(1, data)])).unwrap();
        assert!(hits(&filter, &account(1, 2, 0, &[4, 5, 6, 7])));
        assert!(!hits(&filter, &account(1, 2, 0, &[5, 6, 7])));
        assert!(!hits(&filter, &account(1, 2, 0, &[4, 5])));
        assert!(!hits(&filter, &account(1, 2, 0, &[])));
    }
    let beyond = accounts(states(vec![memcmp(u64::MAX, Data::Bytes(vec![1]))])).unwrap();
    assert!(!hits(&beyond, &account(1, 2, 0, &[1])));
}

#[test]
fn datasize_is_exact_and_lamports_compare() {
    let filter = accounts(states(vec![WireState::Datasize(3)])).unwrap();
    assert!(hits(&filter, &account(1, 2, 0, &[0; 3])));
    assert!(!hits(&filter, &account(1, 2, 0, &[0; 4])));
    for (cmp, yes, no) in [(Cmp::Eq(5), 5, 6), (Cmp::Ne(5), 6, 5), (Cmp::Lt(5), 4, 5), (Cmp::Gt(5), 6, 5)] {
        let filter = accounts(states(vec![lamports(cmp)])).unwrap();
        assert!(hits(&filter, &account(1, 2, yes, &[])));
        assert!(!hits(&filter, &account(1, 2, no, &[])));
    }
}

#[test]
fn closed_accounts_are_found_by_system_owner_and_no_lamports() {
    let filter =
        accounts(SubscribeRequestFilterAccounts { owner: vec![text(0)], ..states(vec![lamports(Cmp::Eq(0))]) })
            .unwrap();
    assert!(hits(&filter, &account(1, 0, 0, &[])));
    assert!(!hits(&filter, &account(1, 0, 1, &[])));
}

#[test]
fn token_account_state_wants_an_initialised_token_account() {
    let filter = accounts(states(vec![WireState::TokenAccountState(true)])).unwrap();
    let mut data = vec![0u8; 165];
    assert!(!hits(&filter, &account(1, 2, 0, &data)));
    data[108] = 1;
    assert!(hits(&filter, &account(1, 2, 0, &data)));
    data.resize(170, 0);
    assert!(!hits(&filter, &account(1, 2, 0, &data)));
    data[165] = 2;
    assert!(hits(&filter, &account(1, 2, 0, &data)));
    data.resize(355, 0);
    assert!(!hits(&filter, &account(1, 2, 0, &data)));
}

#[test]
fn nonempty_txn_signature_tells_transactions_from_the_runtime() {
    let with =
        accounts(SubscribeRequestFilterAccounts { nonempty_txn_signature: Some(true), ..Default::default() }).unwrap();
    assert!(!hits(&with, &account(1, 2, 0, &[])));
}

#[test]
fn every_matching_name_travels_with_one_update() {
    let request = SubscribeRequest {
        accounts: HashMap::from([
            ("owned".to_owned(), SubscribeRequestFilterAccounts { owner: vec![text(2)], ..Default::default() }),
            ("all".to_owned(), SubscribeRequestFilterAccounts::default()),
            ("other".to_owned(), SubscribeRequestFilterAccounts { owner: vec![text(3)], ..Default::default() }),
        ]),
        ..Default::default()
    };
    let filter = Filter::new(&request, 128).unwrap();
    let updates = filter.apply(&account(1, 2, 0, &[]));
    assert_eq!(updates.len(), 1);
    assert_eq!(updates[0].filters, ["all", "owned"]);
}

#[test]
fn data_slices_are_joined_and_too_short_data_gives_nothing() {
    let slice = |offset, length| SubscribeRequestAccountsDataSlice { offset, length };
    let request = |slices| SubscribeRequest {
        accounts: HashMap::from([("a".to_owned(), SubscribeRequestFilterAccounts::default())]),
        accounts_data_slice: slices,
        ..Default::default()
    };
    let filter = Filter::new(&request(vec![slice(1, 2), slice(4, 1), slice(9, 1)]), 128).unwrap();
    let updates = filter.apply(&account(1, 2, 0, &[0, 1, 2, 3, 4, 5]));
    let Some(UpdateOneof::Account(update)) = &updates[0].update_oneof else { panic!("{updates:?}") };
    assert_eq!(update.account.as_ref().unwrap().data, [1, 2, 4]);

    let refused = |slices| Filter::new(&request(slices), 128).unwrap_err();
    assert_eq!(refused(vec![slice(4, 1), slice(1, 2)]), FilterError::SlicesOutOfOrder);
    assert_eq!(refused(vec![slice(1, 4), slice(2, 2)]), FilterError::SlicesOverlap);
    assert_eq!(refused(vec![slice(u64::MAX, 2)]), FilterError::SliceTooLong);
}

fn transaction(keys: &[u8], failed: bool, vote: bool) -> Message {
    let balance = |index, owner, amount: &str| TokenBalance {
        account_index: index,
        owner: text(owner),
        ui_token_amount: Some(UiTokenAmount { amount: amount.to_owned(), ..Default::default() }),
        ..Default::default()
    };
    Message::Transaction(Arc::new(TransactionMessage {
        info: SubscribeUpdateTransactionInfo {
            signature: vec![7; 64],
            is_vote: vote,
            transaction: None,
            meta: Some(TransactionStatusMeta {
                err: failed.then(|| TransactionError { err: vec![1] }),
                // Owner 20 keeps its balance, 21 receives, 22 closes its account.
                pre_token_balances: vec![balance(0, 20, "5"), balance(1, 21, "5"), balance(2, 22, "0")],
                post_token_balances: vec![balance(0, 20, "5"), balance(1, 21, "9")],
                ..Default::default()
            }),
            index: 0,
        },
        account_keys: keys.iter().map(|n| key(*n)).collect(),
        slot: 1,
        bank_id: Some(3),
        created_at: Timestamp::default(),
    }))
}

fn transactions(filter: SubscribeRequestFilterTransactions) -> Filter {
    let request = SubscribeRequest { transactions: HashMap::from([("t".to_owned(), filter)]), ..Default::default() };
    Filter::new(&request, 128).unwrap()
}

#[test]
fn transactions_by_vote_failure_and_signature() {
    let by_vote = transactions(SubscribeRequestFilterTransactions { vote: Some(false), ..Default::default() });
    assert!(hits(&by_vote, &transaction(&[1], false, false)));
    assert!(!hits(&by_vote, &transaction(&[1], false, true)));
    let by_failure = transactions(SubscribeRequestFilterTransactions { failed: Some(true), ..Default::default() });
    assert!(hits(&by_failure, &transaction(&[1], true, false)));
    assert!(!hits(&by_failure, &transaction(&[1], false, false)));
    let by_signature = |byte| {
        transactions(SubscribeRequestFilterTransactions {
            signature: Some(bs58::encode([byte; 64]).into_string()),
            ..Default::default()
        })
    };
    assert!(hits(&by_signature(7), &transaction(&[1], false, false)));
    assert!(!hits(&by_signature(8), &transaction(&[1], false, false)));
}

#[test]
fn transactions_by_included_required_and_excluded_accounts() {
    let filter = transactions(SubscribeRequestFilterTransactions {
        account_include: vec![text(1), text(2)],
        account_required: vec![text(3), text(4)],
        account_exclude: vec![text(5)],
        ..Default::default()
    });
    assert!(hits(&filter, &transaction(&[1, 3, 4], false, false)));
    assert!(hits(&filter, &transaction(&[2, 3, 4, 6], false, false)));
    assert!(!hits(&filter, &transaction(&[3, 4], false, false)));
    assert!(!hits(&filter, &transaction(&[1, 3], false, false)));
    assert!(!hits(&filter, &transaction(&[1, 3, 4, 5], false, false)));
}

#[test]
fn token_owners_count_as_accounts_when_asked() {
    let by = |mode: Option<TokenAccountMode>, owner| {
        transactions(SubscribeRequestFilterTransactions {
            account_include: vec![text(owner)],
            token_accounts: mode.map(Into::into),
            ..Default::default()
        })
    };
    use yellowstone_grpc_proto::geyser::TokenAccountExpansionControlFlag as TokenAccountMode;
    let message = transaction(&[1], false, false);
    assert!(!hits(&by(None, 21), &message));
    assert!(hits(&by(Some(TokenAccountMode::All), 20), &message));
    assert!(!hits(&by(Some(TokenAccountMode::BalanceChanged), 20), &message));
    assert!(hits(&by(Some(TokenAccountMode::BalanceChanged), 21), &message));
    assert!(hits(&by(Some(TokenAccountMode::BalanceChanged), 22), &message));
}

#[test]
fn a_transaction_can_be_asked_for_whole_and_as_a_status() {
    let filter = |name: &str| HashMap::from([(name.to_owned(), SubscribeRequestFilterTransactions::default())]);
    let request =
        SubscribeRequest { transactions: filter("t"), transactions_status: filter("s"), ..Default::default() };
    let updates = Filter::new(&request, 128).unwrap().apply(&transaction(&[1], true, false));
    assert_eq!(updates.len(), 2);
    let Some(UpdateOneof::TransactionStatus(status)) = &updates[1].update_oneof else { panic!("{updates:?}") };
    assert!(status.err.is_some());
}

#[test]
fn slots_by_commitment_and_between_slots() {
    let slot = |status| {
        Message::Slot(Arc::new(SlotMessage {
            slot: 1,
            parent: Some(0),
            status,
            dead_error: None,
            bank_id: None,
            created_at: Timestamp::default(),
        }))
    };
    let filter = |by_commitment, interslot| {
        let slots = SubscribeRequestFilterSlots {
            filter_by_commitment: Some(by_commitment),
            interslot_updates: Some(interslot),
        };
        let request = SubscribeRequest {
            slots: HashMap::from([("s".to_owned(), slots)]),
            commitment: Some(CommitmentLevel::Confirmed.into()),
            ..Default::default()
        };
        Filter::new(&request, 128).unwrap()
    };
    assert!(hits(&filter(false, false), &slot(SlotStatus::SlotProcessed)));
    assert!(!hits(&filter(true, false), &slot(SlotStatus::SlotProcessed)));
    assert!(hits(&filter(true, false), &slot(SlotStatus::SlotConfirmed)));
    assert!(!hits(&filter(false, false), &slot(SlotStatus::SlotCreatedBank)));
    assert!(!hits(&filter(false, false), &slot(SlotStatus::SlotDead)));
    assert!(hits(&filter(false, true), &slot(SlotStatus::SlotDead)));
}

#[test]
fn malformed_requests_are_refused_with_the_reason() {
    let refused = |filter| accounts(filter).unwrap_err().to_string();
    let list = |key: &str| SubscribeRequestFilterAccounts { account: vec![key.to_owned()], ..Default::default() };
    assert!(refused(list("not base58!")).contains("not base58!"));
    assert!(refused(list("abc")).contains("32 bytes"));
    assert_eq!(
        refused(states(vec![WireState::TokenAccountState(false)])),
        "token_account_state only allowed to be true"
    );
    assert_eq!(refused(states(vec![WireState::Datasize(1), WireState::Datasize(1)])), "datasize used more than once");
    assert_eq!(refused(states(vec![memcmp(0, Data::Bytes(vec![0; 129]))])), "data too large");
    assert_eq!(refused(states(vec![memcmp(0, Data::Base58("0".into()))])), "invalid base58");
    assert_eq!(refused(states(vec![WireState::Datasize(1); 5])), "Too many filters provided; max 4");

    let commitment = SubscribeRequest { commitment: Some(9), ..Default::default() };
    assert_eq!(Filter::new(&commitment, 128).unwrap_err(), FilterError::Commitment(9));
    let long =
        SubscribeRequest { blocks_meta: HashMap::from([("x".repeat(129), Default::default())]), ..Default::default() };
    assert_eq!(Filter::new(&long, 128).unwrap_err(), FilterError::Name { limit: 128, size: 129 });
    let signature = SubscribeRequest {
        transactions: HashMap::from([(
            "t".to_owned(),
            SubscribeRequestFilterTransactions { signature: Some("abc".into()), ..Default::default() },
        )]),
        ..Default::default()
    };
    assert_eq!(Filter::new(&signature, 128).unwrap_err(), FilterError::Signature("abc".into()));
}
