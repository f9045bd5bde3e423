//! History by JSON-RPC: snapshots of our programs' accounts, and the transactions of slots that the stream did not bring.

use super::{
    instruction::{self, Inner},
    Fill, History,
};
use crate::{
    decode::Program,
    types::{AccountWrite, Address, Block, Signature, Snapshot, Transaction, Version},
};
use anyhow::{anyhow, bail, ensure, Context as _};
use backon::{ExponentialBuilder, Retryable};
use base64::{prelude::BASE64_STANDARD, Engine};
use futures::{StreamExt, TryStreamExt};
use serde::{de::DeserializeOwned, Deserialize};
use serde_json::{json, Value};
use solana_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::{client_error::ErrorKind, custom_error as code, request::RpcError, request::RpcRequest};
use std::{
    collections::{BTreeMap, HashSet},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Most signatures that one `getSignaturesForAddress` returns.
const PAGE: usize = 1_000;
/// Transactions fetched at a time.
const PARALLEL: usize = 8;
const TIMEOUT: Duration = Duration::from_secs(30);

/// A JSON-RPC node that serves the same cluster as the stream.
pub struct Rpc {
    client: RpcClient,
    /// Go on after a gap whose history the node no longer has, leaving its events out.
    accept_gap: bool,
}

#[derive(Deserialize)]
struct WithContext<T> {
    context: Context,
    value: T,
}

#[derive(Deserialize)]
struct Context {
    slot: u64,
}

#[derive(Deserialize)]
struct KeyedAccount {
    pubkey: String,
    account: UiAccount,
}

#[derive(Deserialize)]
struct UiAccount {
    lamports: u64,
    owner: String,
    /// The bytes and their encoding.
    data: (String, String),
}

/// Accounts that one `getMultipleAccounts` takes.
const ACCOUNTS: usize = 100;
/// Where a token account says what it holds, in SPL Token and Token-2022 alike.
const BALANCE: std::ops::Range<usize> = 64..72;

#[derive(Deserialize)]
struct SignatureInfo {
    signature: String,
    slot: u64,
    err: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FoundTransaction {
    slot: u64,
    block_time: Option<i64>,
    transaction: UiTransaction,
    meta: Option<Meta>,
}

#[derive(Deserialize)]
struct UiTransaction {
    message: Message,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    account_keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    err: Option<Value>,
    inner_instructions: Option<Vec<InnerGroup>>,
    loaded_addresses: Option<LoadedAddresses>,
}

#[derive(Deserialize)]
struct LoadedAddresses {
    #[serde(default)]
    writable: Vec<String>,
    #[serde(default)]
    readonly: Vec<String>,
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
    pub fn new(url: String, accept_gap: bool) -> Self {
        Self { client: RpcClient::new_with_timeout(url, TIMEOUT), accept_gap }
    }

    /// Every account of every program of ours, confirmed, at `min_slot` or later.
    pub async fn snapshots(&self, min_slot: u64) -> anyhow::Result<Vec<Snapshot>> {
        let mut snapshots = Vec::with_capacity(Program::ALL.len());
        for program in Program::ALL {
            snapshots.push(self.snapshot(program, min_slot).await?);
        }
        Ok(snapshots)
    }

    async fn snapshot(&self, program: Program, min_slot: u64) -> anyhow::Result<Snapshot> {
        let config = json!({
            "commitment": "confirmed", "encoding": "base64", "withContext": true, "minContextSlot": min_slot,
        });
        let found: WithContext<Vec<KeyedAccount>> =
            self.call(RpcRequest::GetProgramAccounts, json!([program.address().to_string(), config])).await?;
        let slot = found.context.slot;
        let accounts = found
            .value
            .into_iter()
            .map(|keyed| {
                let data = BASE64_STANDARD
                    .decode(&keyed.account.data.0)
                    .with_context(|| format!("account {} is not base64 ({})", keyed.pubkey, keyed.account.data.1))?;
                Ok(AccountWrite {
                    address: keyed.pubkey.parse()?,
                    owner: keyed.account.owner.parse()?,
                    lamports: keyed.account.lamports,
                    data,
                    version: Version::snapshot(slot),
                })
            })
            .collect::<anyhow::Result<_>>()?;
        let block_time = self.time_of(slot).await;
        Ok(Snapshot { program: program.address(), slot, block_time, accounts })
    }

    /// Of a slot that is confirmed just now. Not every node knows it, and nothing depends on it but the day on which something
    /// is counted: the clock here is right enough.
    async fn time_of(&self, slot: u64) -> Option<i64> {
        match self.client.send(RpcRequest::GetBlockTime, json!([slot])).await {
            Ok(Some(time)) => Some(time),
            Ok(None) | Err(_) => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
                i64::try_from(since.as_secs()).ok()
            }
        }
    }

    /// What token accounts hold, in base units, confirmed; `None` where there is no token account.
    pub async fn balances(&self, accounts: &[Address]) -> anyhow::Result<Vec<Option<u64>>> {
        let mut balances = Vec::with_capacity(accounts.len());
        for some in accounts.chunks(ACCOUNTS) {
            let names: Vec<String> = some.iter().map(ToString::to_string).collect();
            let config = json!({"commitment": "confirmed", "encoding": "base64"});
            let found: WithContext<Vec<Option<UiAccount>>> =
                self.call(RpcRequest::GetMultipleAccounts, json!([names, config])).await?;
            ensure!(found.value.len() == some.len(), "the RPC node left accounts out");
            for account in found.value {
                let data = account.map(|account| BASE64_STANDARD.decode(account.data.0)).transpose()?;
                let bytes = data.as_ref().and_then(|data| data.get(BALANCE)?.try_into().ok());
                balances.push(bytes.map(u64::from_le_bytes));
            }
        }
        Ok(balances)
    }

    /// Waits until the node has written down what the transactions of `slot` did: its index of signatures is filled
    /// after a slot is confirmed, and until then it would answer as if there were none.
    async fn wait_for_history(&self, slot: u64) -> anyhow::Result<()> {
        let config = json!({
            "commitment": "confirmed", "transactionDetails": "none", "rewards": false,
            "maxSupportedTransactionVersion": 0,
        });
        let ask = || async {
            let params = json!([slot, config.clone()]);
            let reached = self.call::<u64>(RpcRequest::GetSlot, json!([{"commitment": "confirmed"}])).await?;
            ensure!(reached >= slot, "the RPC node is at slot {reached}, the stream is past {slot}");
            let Err(error) = self.client.send::<Value>(RpcRequest::GetBlock, params).await else { return Ok(()) };
            match error.kind() {
                ErrorKind::RpcError(RpcError::RpcResponseError {
                    code:
                        code::JSON_RPC_SERVER_ERROR_BLOCK_STATUS_NOT_AVAILABLE_YET
                        | code::JSON_RPC_SERVER_ERROR_BLOCK_NOT_AVAILABLE
                        | code::JSON_RPC_SERVER_ERROR_NODE_UNHEALTHY
                        | code::JSON_RPC_SERVER_ERROR_MIN_CONTEXT_SLOT_NOT_REACHED,
                    ..
                }) => bail!("the RPC node has no history of slot {slot} yet: {error}"),
                // A skipped slot, one cleaned up, or one that a local validator jumped over: nothing to wait for.
                ErrorKind::RpcError(RpcError::RpcResponseError { .. }) => Ok(()),
                _ => Err(anyhow!(error)),
            }
        };
        let schedule = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(50))
            .with_max_delay(Duration::from_secs(1))
            .with_max_times(30);
        ask.retry(schedule).await
    }

    /// Successful transactions that mention a program, after `after` and up to `upto`, newest first.
    async fn signatures(&self, program: Program, after: Option<u64>, upto: u64) -> anyhow::Result<Vec<SignatureInfo>> {
        let mut found = Vec::new();
        let mut before: Option<String> = None;
        loop {
            let mut config = json!({"commitment": "confirmed", "limit": PAGE, "minContextSlot": upto});
            if let Some(before) = &before {
                config["before"] = json!(before);
            }
            let page: Vec<SignatureInfo> =
                self.call(RpcRequest::GetSignaturesForAddress, json!([program.address().to_string(), config])).await?;
            let Some(last) = page.last() else { return Ok(found) };
            let reached = after.is_some_and(|after| last.slot <= after);
            before = Some(last.signature.clone());
            let full = page.len() == PAGE;
            found.extend(
                page.into_iter().filter(|info| {
                    info.err.is_none() && info.slot <= upto && after.is_none_or(|after| info.slot > after)
                }),
            );
            if reached || !full {
                return Ok(found);
            }
        }
    }

    async fn transaction(
        &self,
        signature: String,
        position: u64,
    ) -> anyhow::Result<Option<(u64, Option<i64>, Transaction)>> {
        let config = json!({"commitment": "confirmed", "encoding": "json", "maxSupportedTransactionVersion": 0});
        let fetch = || async {
            let found: Option<FoundTransaction> =
                self.call(RpcRequest::GetTransaction, json!([signature, config.clone()])).await?;
            found.ok_or_else(|| anyhow!("the RPC node lists transaction {signature} and does not have it"))
        };
        let schedule = ExponentialBuilder::default().with_min_delay(Duration::from_millis(50)).with_max_times(6);
        let found = fetch.retry(schedule).await?;
        let meta = found.meta.with_context(|| format!("the RPC node keeps no status of transaction {signature}"))?;
        if meta.err.is_some() {
            return Ok(None);
        }
        let loaded = meta.loaded_addresses.map(|loaded| (loaded.writable, loaded.readonly)).unwrap_or_default();
        let keys = found
            .transaction
            .message
            .account_keys
            .iter()
            .chain(&loaded.0)
            .chain(&loaded.1)
            .map(|key| key.parse())
            .collect::<Result<Vec<Address>, _>>()?;
        let groups = meta.inner_instructions.with_context(|| {
            format!("the RPC node keeps no inner instructions of {signature}, and events are there; use another node")
        })?;
        let mut events = Vec::new();
        for group in &groups {
            for (inner, call) in group.instructions.iter().enumerate() {
                let data = bs58::decode(&call.data).into_vec().context("an instruction is not base58")?;
                let call = Inner { program_index: call.program_id_index, accounts: &call.accounts, data: &data };
                events.extend(instruction::event(&keys, group.index, inner as u32, call)?);
            }
        }
        let transaction = Transaction { signature: signature.parse::<Signature>()?, index: position, events };
        Ok(Some((found.slot, found.block_time, transaction)))
    }

    async fn call<T: DeserializeOwned>(&self, request: RpcRequest, params: Value) -> anyhow::Result<T> {
        self.client
            .send(request, params)
            .await
            .with_context(|| format!("{request} at {} failed; check --rpc", self.client.url()))
    }

    /// An error, unless the node's history reaches back to `after`, or nobody minds.
    async fn check_reach(&self, after: Option<u64>) -> anyhow::Result<()> {
        let first: u64 = self.call(RpcRequest::GetFirstAvailableBlock, Value::Null).await?;
        match after {
            None if first > 1 => {
                tracing::info!(first, "the RPC node's history begins here; older events are not known")
            }
            Some(after) if first > after + 1 && self.accept_gap => {
                tracing::error!(after, first, "events between these slots are lost; going on, as --accept-gap says");
            }
            Some(after) if first > after + 1 => bail!(
                "events between slots {after} and {first} can no longer be had from {}: \
                 use an RPC node with a longer history, or go on without them with --accept-gap",
                self.client.url()
            ),
            _ => {}
        }
        Ok(())
    }
}

impl History for Rpc {
    async fn fill(&self, after: Option<u64>, upto: u64) -> anyhow::Result<Fill> {
        self.wait_for_history(upto).await?;
        self.check_reach(after).await?;
        let mut listed = Vec::new();
        let mut seen = HashSet::new();
        for program in Program::ALL {
            // Oldest first, so that positions rise with the order in which they happened.
            let found = self.signatures(program, after, upto).await?.into_iter().rev();
            listed.extend(found.filter(|info| seen.insert(info.signature.clone())));
        }
        tracing::info!(?after, upto, transactions = listed.len(), "reading history by RPC");
        let fetched: Vec<_> = futures::stream::iter(listed.into_iter().enumerate())
            .map(|(position, info)| self.transaction(info.signature, position as u64))
            .buffered(PARALLEL)
            .try_collect()
            .await?;
        let mut blocks = BTreeMap::<u64, Block>::new();
        for (slot, block_time, transaction) in fetched.into_iter().flatten() {
            let block = blocks.entry(slot).or_insert_with(|| Block { slot, block_time, ..Block::default() });
            block.transactions.push(transaction.into());
        }
        // Last, so that nothing closed before it is taken for alive.
        let snapshots = self.snapshots(upto).await?;
        Ok(Fill { blocks: blocks.into_values().collect(), snapshots, upto })
    }
}
