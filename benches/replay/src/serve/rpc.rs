//! JSON-RPC, as far as followers of programs ask: of all that was told by now, or of nothing but the last block before the file.

mod encode;

use super::{
    chain::Chain,
    faults::RpcFault,
    ledger::{Block, Ledger},
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
    Json, Router,
};
use serde_json::{json, Value};
use std::{collections::BTreeSet, sync::Arc};

const NO_METHOD: i64 = -32_601;
const WRONG: i64 = -32_602;
/// As nodes say it: what is asked for is newer than what is here.
const NOT_REACHED: i64 = -32_016;
const NOT_YET: i64 = -32_004;
/// As nodes say it: there was no block, or it is not kept.
const SKIPPED: i64 = -32_009;
const OF_A_LATER_VERSION: i64 = -32_015;
/// Signatures in an answer, at most.
const PAGE: usize = 1_000;

type Failure = (i64, String);

pub fn router(chain: Arc<Chain>) -> Router {
    Router::new().route("/", post(answer)).with_state(chain)
}

async fn answer(State(chain): State<Arc<Chain>>, Json(question): Json<Value>) -> Response {
    let method = question["method"].as_str().unwrap_or_default().to_owned();
    let reply = |key: &str, value: Value| Json(json!({"jsonrpc": "2.0", "id": question["id"], key: value}));
    let fault = chain.faults.as_ref().and_then(|faults| faults.rpc());
    match fault {
        Some(RpcFault::Http(status)) => {
            return StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE).into_response();
        }
        Some(RpcFault::Error(code, message)) => {
            return reply("error", json!({"code": code, "message": message})).into_response();
        }
        Some(RpcFault::Slow(time)) => tokio::time::sleep(time).await,
        Some(RpcFault::Hole) | None => {}
    }
    let mut result = result(&chain, &method, &question["params"]);
    if let (Some(RpcFault::Hole), "getBlocks", Ok(Value::Array(slots))) = (fault, method.as_str(), &mut result) {
        let place = slots.len() / 2;
        if place < slots.len() {
            slots.remove(place);
        }
    }
    match result {
        Ok(result) => reply("result", result),
        Err((code, message)) => reply("error", json!({"code": code, "message": message})),
    }
    .into_response()
}

fn result(chain: &Chain, method: &str, params: &Value) -> Result<Value, Failure> {
    let ledger = &chain.ledger;
    let confirmed = ledger.confirmed(chain.past());
    let settings = params.as_array().and_then(|params| params.last()).unwrap_or(&Value::Null);
    // An answer as of before would be a lie.
    let least = settings["minContextSlot"].as_u64();
    if least > Some(confirmed) {
        return Err((NOT_REACHED, "Minimum context slot has not been reached".to_owned()));
    }
    let shown = |value: Value| {
        chain.shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert((least.unwrap_or(0), confirmed));
        json!({"context": {"slot": confirmed, "apiVersion": "4.3.2"}, "value": value})
    };
    Ok(match method {
        "getGenesisHash" => json!(chain.header.genesis),
        "getHealth" => json!("ok"),
        "getVersion" => json!({"solana-core": concat!("joule-replay ", env!("CARGO_PKG_VERSION")), "feature-set": 0}),
        "getSlot" if ledger.is_whole() => json!(confirmed),
        "getSlot" => json!(chain.tip()),
        "getFirstAvailableBlock" | "minimumLedgerSlot" => json!(ledger.base().slot),
        "getBlocks" => {
            let to = params[1].as_u64().unwrap_or(u64::MAX).min(confirmed);
            json!(ledger.slots(number(&params[0])?, to))
        }
        "getBlock" => block(known(ledger, number(&params[0])?, confirmed)?, settings)?,
        "getBlockTime" => json!(known(ledger, number(&params[0])?, confirmed)?.time),
        "getSignaturesForAddress" => signatures(ledger, &address(&params[0])?, settings, confirmed),
        "getTransaction" => {
            let signature = bs58::decode(params[0].as_str().unwrap_or_default()).into_vec();
            let found = signature.ok().and_then(|signature| ledger.transaction(&signature));
            match found.filter(|(block, _)| block.slot <= confirmed) {
                None => Value::Null,
                Some((block, place)) => {
                    let mut value = transaction(&block.transactions[place], settings)?;
                    value["slot"] = json!(block.slot);
                    value["blockTime"] = json!(block.time);
                    value
                }
            }
        }
        "getProgramAccounts" => {
            let program = address(&params[0])?;
            let states = ledger.addresses().filter_map(|address| Some((address, ledger.account(address, confirmed)?)));
            let owned = states.filter(|(_, state)| state.owner == program);
            let list: Vec<Value> = owned
                .map(|(address, state)| {
                    let mut account = encode::account(state);
                    if settings["dataSlice"]["length"] == 0 {
                        account["data"][0] = json!("");
                    }
                    json!({"pubkey": bs58::encode(address).into_string(), "account": account})
                })
                .collect();
            match settings["withContext"] == true {
                true => shown(json!(list)),
                false => json!(list),
            }
        }
        "getMultipleAccounts" => {
            let asked = params[0].as_array().ok_or((WRONG, "a list of addresses".to_owned()))?;
            let accounts = asked.iter().map(|asked| account(ledger, asked, confirmed));
            shown(accounts.collect::<Result<Value, Failure>>()?)
        }
        "getAccountInfo" => shown(account(ledger, &params[0], confirmed)?),
        _ => return Err((NO_METHOD, format!("a replayed file has no {method}"))),
    })
}

fn number(value: &Value) -> Result<u64, Failure> {
    value.as_u64().ok_or((WRONG, format!("{value} is no slot")))
}

fn address(value: &Value) -> Result<[u8; 32], Failure> {
    let mut address = [0; 32];
    match bs58::decode(value.as_str().unwrap_or_default()).onto(&mut address) {
        Ok(32) => Ok(address),
        _ => Err((WRONG, format!("{value} is no address"))),
    }
}

fn account(ledger: &Ledger, asked: &Value, slot: u64) -> Result<Value, Failure> {
    Ok(ledger.account(&address(asked)?, slot).map_or(Value::Null, encode::account))
}

fn known(ledger: &Ledger, slot: u64, confirmed: u64) -> Result<&Block, Failure> {
    if slot > confirmed && ledger.is_whole() {
        return Err((NOT_YET, format!("Block not available for slot {slot}")));
    }
    ledger.block(slot).ok_or((SKIPPED, format!("Slot {slot} was skipped, or missing in long-term storage")))
}

fn block(block: &Block, settings: &Value) -> Result<Value, Failure> {
    let mut value = json!({
        "blockhash": block.hash, "previousBlockhash": block.parent_hash, "parentSlot": block.parent,
        "blockTime": block.time, "blockHeight": block.height,
    });
    if settings["transactionDetails"] != "none" {
        let transactions = block.transactions.iter().map(|info| transaction(info, settings));
        value["transactions"] = transactions.collect::<Result<_, _>>()?;
    }
    Ok(value)
}

fn transaction(
    info: &yellowstone_grpc_proto::prelude::SubscribeUpdateTransactionInfo,
    settings: &Value,
) -> Result<Value, Failure> {
    let version = encode::version(info);
    let most = settings["maxSupportedTransactionVersion"].as_u64();
    if version > most {
        let version = version.unwrap_or_default();
        return Err((
            OF_A_LATER_VERSION,
            format!("Transaction version ({version}) is not supported by the requesting client. Please try the request again with the following configuration parameter: \"maxSupportedTransactionVersion\": {version}"),
        ));
    }
    Ok(encode::transaction(info))
}

fn signatures(ledger: &Ledger, address: &[u8; 32], settings: &Value, confirmed: u64) -> Value {
    let limit = settings["limit"].as_u64().map_or(PAGE, |limit| (limit as usize).min(PAGE));
    let text = |key: &str| settings[key].as_str().map(str::to_owned);
    let (before, until) = (text("before"), text("until"));
    let mut seen = BTreeSet::new();
    let mut listed = Vec::new();
    let mut begun = before.is_none();
    for (block, info) in ledger.naming(address, confirmed) {
        let signature = bs58::encode(&info.signature).into_string();
        if until.as_ref() == Some(&signature) || listed.len() == limit {
            break;
        }
        if begun && seen.insert(signature.clone()) {
            listed.push(json!({
                "signature": signature, "slot": block.slot, "blockTime": block.time, "memo": null,
                "err": encode::error(info), "confirmationStatus": "confirmed",
            }));
        }
        begun |= before.as_ref() == Some(&signature);
    }
    json!(listed)
}
