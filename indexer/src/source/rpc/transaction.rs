//! Transactions by RPC: of every version, as `getTransaction` and `getBlock` give them.

use super::{response_code, Rpc};
use crate::{
    row::UnreadRow,
    source::instruction::{self, Inner},
    types::{Address, RawEvent, Signature, Transaction, Unread},
};
use anyhow::{anyhow, bail, Context as _};
use backon::{ExponentialBuilder, Retryable};
use serde::Deserialize;
use serde_json::{json, Value};
use solana_rpc_client_api::{
    client_error::Error as ClientError, custom_error::JSON_RPC_SERVER_ERROR_UNSUPPORTED_TRANSACTION_VERSION,
    request::RpcRequest,
};
use std::time::Duration;

/// For `maxSupportedTransactionVersion`: every version, later ones too. Addresses, status and inner instructions stand in the same
/// places of each, and nothing else is read.
pub(super) const ANY_VERSION: u8 = u8::MAX;
/// What some nodes say instead of naming the version.
pub(super) const INTERNAL_ERROR: i64 = -32603;

/// As signatures are listed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listed {
    pub signature: Signature,
    pub slot: u64,
    /// Unix seconds.
    pub block_time: Option<i64>,
}

#[derive(Deserialize)]
struct Found {
    meta: Meta,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    inner_instructions: Vec<InnerGroup>,
}

#[derive(Deserialize)]
struct InnerGroup {
    index: u32,
    instructions: Vec<InnerCall>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InnerCall {
    program_id_index: usize,
    accounts: Vec<u8>,
    data: String,
}

impl Rpc {
    /// The transaction, with `index` as its place in the block; `None` where it failed. One that nobody can read is no error: anybody
    /// can send one.
    pub(super) async fn transaction(&self, listed: &Listed, index: u64) -> anyhow::Result<Option<Transaction>> {
        match self.fetch(&listed.signature).await? {
            Ok(found) => read(listed.signature, index, &found),
            Err(reason) => Ok(Some(unread(listed.signature, index, reason, Vec::new()))),
        }
    }

    /// The transaction, if it can be read this time, and when it was, in Unix seconds. One that failed states nothing.
    pub async fn again(&self, row: &UnreadRow) -> anyhow::Result<Option<(Transaction, Option<i64>)>> {
        let Ok(found) = self.fetch(&row.signature).await? else { return Ok(None) };
        let nothing = Transaction { signature: row.signature, index: row.index, events: Vec::new(), unread: None };
        let transaction = read(row.signature, row.index, &found)?.unwrap_or(nothing);
        Ok(transaction.unread.is_none().then(|| (transaction, found["blockTime"].as_i64())))
    }

    /// The node's answer, or why it can give none for this one, however often it is asked.
    async fn fetch(&self, signature: &Signature) -> anyhow::Result<Result<Value, String>> {
        let config =
            json!({"commitment": "confirmed", "encoding": "json", "maxSupportedTransactionVersion": ANY_VERSION});
        let params = json!([signature.to_string(), config]);
        let schedule = ExponentialBuilder::default().with_min_delay(Duration::from_millis(50)).with_max_times(6);
        let answer = (|| async {
            match self.ask::<Option<Value>>(RpcRequest::GetTransaction, params.clone()).await {
                Ok(Some(found)) => Ok(found),
                Ok(None) => Err(None),
                Err(error) => Err(Some(error)),
            }
        })
        .retry(schedule)
        .when(|error: &Option<ClientError>| error.as_ref().is_none_or(|error| !is_of_a_later_version(error)))
        .await;
        match answer {
            Ok(found) => Ok(Ok(found)),
            Err(None) => bail!("the RPC node lists transaction {signature} and does not have it"),
            Err(Some(error)) if is_of_a_later_version(&error) || response_code(&error) == Some(INTERNAL_ERROR) => {
                Ok(Err(error.to_string()))
            }
            Err(Some(error)) => {
                Err(anyhow!(error).context(format!("{} does not give transaction {signature}", self.url())))
            }
        }
    }
}

fn is_of_a_later_version(error: &ClientError) -> bool {
    response_code(error) == Some(JSON_RPC_SERVER_ERROR_UNSUPPORTED_TRANSACTION_VERSION)
}

fn unread(signature: Signature, index: u64, reason: String, data: Vec<u8>) -> Transaction {
    Transaction { signature, index, events: Vec::new(), unread: Some(Unread { reason, data: data.into() }) }
}

/// What a node said of a transaction. `None` where it failed; an error where the node keeps too little of all of them.
pub(super) fn read(signature: Signature, index: u64, found: &Value) -> anyhow::Result<Option<Transaction>> {
    let meta = &found["meta"];
    if meta.is_null() {
        bail!("the RPC node keeps no status of transaction {signature}; use another node");
    }
    if !meta["err"].is_null() {
        return Ok(None);
    }
    if meta["innerInstructions"].is_null() {
        bail!("the RPC node keeps no inner instructions of {signature}, and events are there; use another node");
    }
    Ok(match events(found) {
        Ok(events) => Some(Transaction { signature, index, events, unread: None }),
        Err(error) => Some(unread(signature, index, format!("{error:#}"), found.to_string().into_bytes())),
    })
}

/// The addresses that a transaction names, in their order; `None` where they stand elsewhere than in all versions so far.
pub(super) fn names(found: &Value) -> Option<Vec<&str>> {
    let loaded = &found["meta"]["loadedAddresses"];
    let lists = [&found["transaction"]["message"]["accountKeys"], &loaded["writable"], &loaded["readonly"]];
    let mut names = Vec::new();
    for (place, list) in lists.into_iter().enumerate() {
        match list.as_array() {
            Some(list) => names.extend(list.iter().map(Value::as_str).collect::<Option<Vec<_>>>()?),
            None if place > 0 && list.is_null() => {}
            None => return None,
        }
    }
    Some(names)
}

pub(super) fn keys(found: &Value) -> anyhow::Result<Vec<Address>> {
    let names = names(found).context("it names its accounts in another form than is known")?;
    Ok(names.into_iter().map(str::parse).collect::<Result<_, _>>()?)
}

/// What our programs stated in a transaction that succeeded.
fn events(found: &Value) -> anyhow::Result<Vec<RawEvent>> {
    let Found { meta } = Found::deserialize(found).context("it has another form than is known")?;
    let keys = keys(found)?;
    let mut events = Vec::new();
    for group in &meta.inner_instructions {
        for (inner, call) in group.instructions.iter().enumerate() {
            let data = bs58::decode(&call.data).into_vec().context("an instruction is not base58")?;
            let call = Inner { program_index: call.program_id_index, accounts: &call.accounts, data: &data };
            events.extend(instruction::event(&keys, group.index, inner as u32, call)?);
        }
    }
    Ok(events)
}
