//! What an indexer asks an RPC node when it starts on an empty store, of a chain that begins after one empty block.

use super::chain::Chain;
use axum::{extract::State, routing::post, Json, Router};
use serde_json::{json, Value};
use std::sync::Arc;

const NO_METHOD: i64 = -32_601;
/// As nodes say it: what is asked for is newer than what is here.
const NOT_REACHED: i64 = -32_016;
/// As nodes say it: there was no block, or it is not kept.
const SKIPPED: i64 = -32_009;

pub fn router(chain: Arc<Chain>) -> Router {
    Router::new().route("/", post(answer)).with_state(chain)
}

async fn answer(State(chain): State<Arc<Chain>>, Json(question): Json<Value>) -> Json<Value> {
    let method = question["method"].as_str().unwrap_or_default();
    let (key, value) = match result(&chain, method, &question["params"]) {
        Ok(result) => ("result", result),
        Err((code, message)) => ("error", json!({"code": code, "message": message})),
    };
    Json(json!({"jsonrpc": "2.0", "id": question["id"], key: value}))
}

fn result(chain: &Chain, method: &str, params: &Value) -> Result<Value, (i64, String)> {
    let base = &chain.base;
    let context = json!({"slot": base.slot});
    // Of what happens in the file nothing is known here, and an empty answer would be a lie.
    let least = params.as_array().into_iter().flatten().find_map(|part| part["minContextSlot"].as_u64());
    if least > Some(base.slot) {
        return Err((NOT_REACHED, "Minimum context slot has not been reached".to_owned()));
    }
    let is_base = params[0].as_u64() == Some(base.slot);
    Ok(match method {
        "getGenesisHash" => json!(chain.header.genesis),
        "getHealth" => json!("ok"),
        "getVersion" => json!({"solana-core": concat!("joule-replay ", env!("CARGO_PKG_VERSION")), "feature-set": 0}),
        "getSlot" => json!(chain.tip()),
        "getFirstAvailableBlock" | "minimumLedgerSlot" => json!(base.slot),
        "getBlocks" => {
            let from = params[0].as_u64().unwrap_or_default();
            let to = params[1].as_u64().unwrap_or(u64::MAX);
            json!((from..=to).contains(&base.slot).then_some(base.slot).into_iter().collect::<Vec<_>>())
        }
        "getBlock" if is_base => json!({
            "blockhash": base.blockhash, "previousBlockhash": base.blockhash, "parentSlot": base.slot.saturating_sub(1),
            "blockTime": base.time, "blockHeight": base.slot, "transactions": [],
        }),
        "getBlockTime" if is_base => json!(base.time),
        "getBlock" | "getBlockTime" => {
            return Err((SKIPPED, format!("Slot {} was skipped, or missing in long-term storage", params[0])));
        }
        "getSignaturesForAddress" => json!([]),
        "getProgramAccounts" if params[1]["withContext"] == true => json!({"context": context, "value": []}),
        "getProgramAccounts" => json!([]),
        "getMultipleAccounts" => {
            let asked = params[0].as_array().map_or(0, Vec::len);
            json!({"context": context, "value": vec![Value::Null; asked]})
        }
        "getAccountInfo" => json!({"context": context, "value": null}),
        _ => return Err((NO_METHOD, format!("a replayed file has no {method}"))),
    })
}
