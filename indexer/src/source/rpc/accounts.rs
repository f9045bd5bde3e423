//! Accounts by RPC, as they are now.

use super::Rpc;
use crate::{
    decode::Program,
    source::Heads,
    types::{AccountWrite, Address, Look, Snapshot, Version},
};
use anyhow::{ensure, Context as _};
use base64::{prelude::BASE64_STANDARD, Engine};
use serde::Deserialize;
use serde_json::json;
use solana_rpc_client_api::request::RpcRequest;
use std::time::{SystemTime, UNIX_EPOCH};

/// Accounts that one `getMultipleAccounts` takes.
const ACCOUNTS: usize = 100;
/// Where a token account says what it holds, in SPL Token and Token-2022 alike.
const BALANCE: std::ops::Range<usize> = 64..72;

#[derive(Deserialize)]
pub(super) struct WithContext<T> {
    context: Context,
    value: T,
}

#[derive(Deserialize)]
struct Context {
    slot: u64,
}

#[derive(Deserialize)]
pub(super) struct KeyedAccount {
    pubkey: String,
    account: UiAccount,
}

#[derive(Deserialize)]
pub(super) struct UiAccount {
    lamports: u64,
    owner: String,
    /// The bytes and their encoding.
    data: (String, String),
}

/// What one `getProgramAccounts` answers.
pub(super) type Keyed = WithContext<Vec<KeyedAccount>>;
/// What one `getMultipleAccounts` answers: `None` where there is no account.
pub(super) type Several = WithContext<Vec<Option<UiAccount>>>;

impl Keyed {
    pub(super) fn writes(self) -> anyhow::Result<Vec<AccountWrite>> {
        let slot = self.context.slot;
        self.value.into_iter().map(|keyed| keyed.account.write(keyed.pubkey.parse()?, slot)).collect()
    }
}

impl Several {
    #[cfg(any(test, feature = "fuzz"))]
    pub(super) fn asked(&self) -> usize {
        self.value.len()
    }

    /// Of these addresses, which are as many.
    pub(super) fn look(self, addresses: &[Address], block_time: Option<i64>) -> anyhow::Result<Look> {
        ensure!(self.value.len() == addresses.len(), "the RPC node left accounts out");
        let mut look = Look { slot: self.context.slot, block_time, ..Look::default() };
        for (address, account) in addresses.iter().zip(self.value) {
            match account.map(|account| account.write(*address, look.slot)).transpose()? {
                Some(write) if Program::of(&write.owner).is_some() => look.found.push(write),
                _ => look.gone.push(*address),
            }
        }
        Ok(look)
    }
}

impl UiAccount {
    fn write(self, address: Address, slot: u64) -> anyhow::Result<AccountWrite> {
        let data = BASE64_STANDARD
            .decode(&self.data.0)
            .with_context(|| format!("account {address} is not base64 ({})", self.data.1))?;
        let owner = self.owner.parse()?;
        Ok(AccountWrite {
            address,
            owner,
            lamports: self.lamports,
            data: data.into(),
            version: Version::snapshot(slot),
        })
    }
}

impl Rpc {
    /// Every account of every program of ours, confirmed, at `min_slot` or later. `read` hears of each program.
    pub async fn snapshots(&self, min_slot: u64, read: impl Fn()) -> anyhow::Result<Vec<Snapshot>> {
        let mut snapshots = Vec::with_capacity(Program::ALL.len());
        for program in Program::ALL {
            snapshots.push(self.snapshot(program, min_slot).await?);
            read();
        }
        Ok(snapshots)
    }

    /// Every account of every program of ours without its bytes, confirmed, at `min_slot` or later.
    pub(super) async fn heads_of_all(&self, min_slot: u64) -> anyhow::Result<Vec<Heads>> {
        let mut all = Vec::with_capacity(Program::ALL.len());
        for program in Program::ALL {
            let config = json!({
                "commitment": "confirmed", "encoding": "base64", "withContext": true, "minContextSlot": min_slot,
                "dataSlice": {"offset": 0, "length": 0},
            });
            let program = program.address();
            let found: Keyed = self.call(RpcRequest::GetProgramAccounts, json!([program.to_string(), config])).await?;
            let head = |keyed: &KeyedAccount| anyhow::Ok((keyed.pubkey.parse()?, keyed.account.lamports));
            let accounts = found.value.iter().map(head).collect::<anyhow::Result<_>>()?;
            all.push(Heads { program, slot: found.context.slot, accounts });
        }
        Ok(all)
    }

    async fn snapshot(&self, program: Program, min_slot: u64) -> anyhow::Result<Snapshot> {
        let config = json!({
            "commitment": "confirmed", "encoding": "base64", "withContext": true, "minContextSlot": min_slot,
        });
        let found: Keyed =
            self.call(RpcRequest::GetProgramAccounts, json!([program.address().to_string(), config])).await?;
        let slot = found.context.slot;
        let accounts = found.writes()?;
        let block_time = self.time_of(slot).await;
        Ok(Snapshot { program: program.address(), slot, block_time, accounts })
    }

    /// Some accounts, confirmed, at `least` or later. `time` is that of `least`, in Unix seconds: near enough for what it is for.
    pub(super) async fn accounts(
        &self,
        addresses: &[Address],
        least: u64,
        time: Option<i64>,
    ) -> anyhow::Result<Vec<Look>> {
        let mut looks = Vec::new();
        for some in addresses.chunks(ACCOUNTS) {
            let names: Vec<String> = some.iter().map(ToString::to_string).collect();
            let config = json!({"commitment": "confirmed", "encoding": "base64", "minContextSlot": least});
            let answer: Several = self.call(RpcRequest::GetMultipleAccounts, json!([names, config])).await?;
            looks.push(answer.look(some, time)?);
        }
        Ok(looks)
    }

    /// Of a slot that is confirmed just now. Not every node knows it, and nothing depends on it but the day on which something
    /// is counted: the clock here is right enough.
    async fn time_of(&self, slot: u64) -> Option<i64> {
        match self.ask(RpcRequest::GetBlockTime, json!([slot])).await {
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
            let found: Several = self.call(RpcRequest::GetMultipleAccounts, json!([names, config])).await?;
            ensure!(found.value.len() == some.len(), "the RPC node left accounts out");
            for account in found.value {
                let data = account.map(|account| BASE64_STANDARD.decode(account.data.0)).transpose()?;
                let bytes = data.as_ref().and_then(|data| data.get(BALANCE)?.try_into().ok());
                balances.push(bytes.map(u64::from_le_bytes));
            }
        }
        Ok(balances)
    }
}
