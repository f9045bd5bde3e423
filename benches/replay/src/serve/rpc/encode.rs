//! Accounts and transactions in JSON, as a node gives them with the encodings `base64` and `json`.

use crate::serve::ledger::State;
use base64::{prelude::BASE64_STANDARD, Engine};
use serde_json::{json, Value};
use yellowstone_grpc_proto::prelude::SubscribeUpdateTransactionInfo;

pub fn account(state: &State) -> Value {
    json!({
        "lamports": state.lamports, "owner": text(&state.owner), "executable": false, "rentEpoch": u64::MAX,
        "space": state.data.len(), "data": [BASE64_STANDARD.encode(&state.data), "base64"],
    })
}

/// `None` where it is a legacy one.
pub fn version(info: &SubscribeUpdateTransactionInfo) -> Option<u64> {
    let message = info.transaction.as_ref().and_then(|transaction| transaction.message.as_ref())?;
    match (message.versioned, &message.config) {
        (false, _) => None,
        (true, None) => Some(0),
        (true, Some(_)) => Some(1),
    }
}

pub fn error(info: &SubscribeUpdateTransactionInfo) -> Value {
    // Which one it is nobody here asks.
    let failed = info.meta.as_ref().is_some_and(|meta| meta.err.is_some());
    if failed {
        json!({"InstructionError": [0, {"Custom": 1}]})
    } else {
        Value::Null
    }
}

pub fn transaction(info: &SubscribeUpdateTransactionInfo) -> Value {
    let transaction = info.transaction.clone().unwrap_or_default();
    let message = transaction.message.unwrap_or_default();
    let meta = info.meta.clone().unwrap_or_default();
    let header = message.header.unwrap_or_default();
    let outer: Vec<Value> = message
        .instructions
        .iter()
        .map(|call| call_of(call.program_id_index, &call.accounts, &call.data, Some(1)))
        .collect();
    let mut encoded = json!({
        "header": {
            "numRequiredSignatures": header.num_required_signatures,
            "numReadonlySignedAccounts": header.num_readonly_signed_accounts,
            "numReadonlyUnsignedAccounts": header.num_readonly_unsigned_accounts,
        },
        "accountKeys": texts(&message.account_keys), "recentBlockhash": text(&message.recent_blockhash),
        "instructions": outer,
    });
    match (message.versioned, &message.config) {
        (false, _) => {}
        (true, None) => {
            let lookups = message.address_table_lookups.iter().map(|lookup| {
                json!({
                    "accountKey": text(&lookup.account_key), "writableIndexes": lookup.writable_indexes,
                    "readonlyIndexes": lookup.readonly_indexes,
                })
            });
            encoded["addressTableLookups"] = lookups.collect();
        }
        (true, Some(config)) => {
            encoded["transactionConfig"] = json!({
                "priorityFee": config.priority_fee, "computeUnitLimit": config.compute_unit_limit,
                "loadedAccountsDataSizeLimit": config.loaded_accounts_data_size_limit, "heapSize": config.heap_size,
            });
        }
    }
    let inner = meta.inner_instructions.iter().map(|group| {
        let calls = group
            .instructions
            .iter()
            .map(|call| call_of(call.program_id_index, &call.accounts, &call.data, call.stack_height));
        json!({"index": group.index, "instructions": calls.collect::<Vec<_>>()})
    });
    let status = match error(info) {
        Value::Null => json!({"Ok": null}),
        error => json!({"Err": error}),
    };
    json!({
        "version": version(info).map_or(json!("legacy"), |version| json!(version)),
        "transaction": {
            "signatures": texts(&transaction.signatures),
            "message": encoded,
        },
        "meta": {
            "err": error(info), "status": status, "fee": meta.fee, "preBalances": meta.pre_balances,
            "postBalances": meta.post_balances, "innerInstructions": inner.collect::<Vec<_>>(),
            "logMessages": meta.log_messages, "preTokenBalances": [], "postTokenBalances": [], "rewards": [],
            "loadedAddresses": {
                "writable": texts(&meta.loaded_writable_addresses), "readonly": texts(&meta.loaded_readonly_addresses),
            },
            "computeUnitsConsumed": meta.compute_units_consumed,
        },
    })
}

fn call_of(program: u32, accounts: &[u8], data: &[u8], height: Option<u32>) -> Value {
    json!({"programIdIndex": program, "accounts": accounts, "data": text(data), "stackHeight": height})
}

fn text(bytes: &[u8]) -> String {
    bs58::encode(bytes).into_string()
}

fn texts(all: &[Vec<u8>]) -> Vec<String> {
    all.iter().map(|bytes| text(bytes)).collect()
}
