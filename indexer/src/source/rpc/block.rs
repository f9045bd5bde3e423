//! A few blocks, one by one: all that happened in them, and then only the accounts that they name. On a rented node that is a small
//! part of what complete lists cost.

use super::{
    ledger::Hole,
    response_code,
    transaction::{self, ANY_VERSION, INTERNAL_ERROR},
    Rpc,
};
use crate::{
    decode::Program,
    source::Fill,
    types::{Address, Block, Signature, Transaction},
};
use anyhow::anyhow;
use futures::{StreamExt, TryStreamExt};
use serde::{Deserialize, Deserializer};
use serde_json::{json, Value};
use solana_rpc_client_api::{custom_error as code, request::RpcRequest};
use std::{collections::BTreeSet, sync::LazyLock};

/// Of more blocks it is cheaper to ask for the signatures of our programs.
const FEW: usize = 64;
/// Blocks are large: on a full cluster some megabytes.
const AT_A_TIME: usize = 4;

static PROGRAMS: LazyLock<[String; 5]> = LazyLock::new(|| Program::ALL.map(|program| program.address().to_string()));

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UiBlock {
    parent_slot: u64,
    block_time: Option<i64>,
    /// Those of our programs, with their places. Of all others, which are megabytes, nothing is held.
    #[serde(deserialize_with = "ours")]
    transactions: Vec<(u64, Value)>,
}

/// What the node says of a block.
enum Asked {
    Block(UiBlock),
    /// It does not have it.
    Missing,
    /// It has it and cannot give it.
    Unreadable,
}

impl Rpc {
    /// What happened after the block at `after` up to the block at `upto`. `None` where that is not for this way: they are too many,
    /// or the node cannot give one of them as a whole, or has it not and nobody minds.
    pub(super) async fn blocks(&self, after: u64, upto: u64) -> anyhow::Result<Option<Fill>> {
        let slots = self.slots(after + 1, upto).await?;
        if slots.len() > FEW {
            return Ok(None);
        }
        let mut asked = futures::stream::iter(slots)
            .map(|slot| async move { anyhow::Ok((slot, self.block(slot).await?)) })
            .buffered(AT_A_TIME);
        let (mut blocks, mut before) = (Vec::new(), after);
        while let Some((slot, asked)) = asked.try_next().await? {
            match asked {
                Asked::Unreadable => return Ok(None),
                Asked::Missing => return self.mind(Hole { from: slot, to: slot }).map(|()| None),
                Asked::Block(block) if block.parent_slot != before => {
                    let hole = Hole { from: before + 1, to: block.parent_slot.max(before + 1) };
                    return self.mind(hole).map(|()| None);
                }
                Asked::Block(block) => blocks.push((slot, block)),
            }
            before = slot;
        }
        if before != upto {
            return self.mind(Hole { from: before + 1, to: upto }).map(|()| None);
        }
        drop(asked);
        tracing::info!(after, upto, blocks = blocks.len(), "reading blocks by RPC");
        self.told(blocks, upto).await
    }

    async fn told(&self, blocks: Vec<(u64, UiBlock)>, upto: u64) -> anyhow::Result<Option<Fill>> {
        let (mut told, mut named, mut time) = (Vec::new(), BTreeSet::new(), None);
        for (slot, block) in blocks {
            let mut transactions = Vec::new();
            for (index, found) in &block.transactions {
                let Some(transaction) = read(*index, found)? else { continue };
                if transaction.unread.is_some() {
                    // What it has changed is not known either.
                    return Ok(None);
                }
                named.extend(transaction::keys(found)?);
                transactions.push(transaction.into());
            }
            time = block.block_time.or(time);
            told.push(Block { slot, block_time: block.block_time, transactions, ..Block::default() });
        }
        told.retain(|block| !block.transactions.is_empty());
        // Last, so that nothing closed before it is taken for alive.
        let named: Vec<Address> = named.into_iter().collect();
        let looks = self.accounts(&named, upto, time).await?;
        Ok(Some(Fill { blocks: told, looks, upto, block_time: time, ..Fill::default() }))
    }

    async fn block(&self, slot: u64) -> anyhow::Result<Asked> {
        let config = json!({
            "commitment": "confirmed", "encoding": "json", "transactionDetails": "full", "rewards": false,
            "maxSupportedTransactionVersion": ANY_VERSION,
        });
        match self.ask::<Option<UiBlock>>(RpcRequest::GetBlock, json!([slot, config])).await {
            Ok(Some(block)) => Ok(Asked::Block(block)),
            Ok(None) => Ok(Asked::Missing),
            Err(error) => match response_code(&error) {
                Some(
                    code::JSON_RPC_SERVER_ERROR_SLOT_SKIPPED
                    | code::JSON_RPC_SERVER_ERROR_LONG_TERM_STORAGE_SLOT_SKIPPED
                    | code::JSON_RPC_SERVER_ERROR_BLOCK_CLEANED_UP,
                ) => Ok(Asked::Missing),
                Some(code::JSON_RPC_SERVER_ERROR_UNSUPPORTED_TRANSACTION_VERSION | INTERNAL_ERROR) => {
                    Ok(Asked::Unreadable)
                }
                _ => Err(anyhow!(error).context(format!("{} does not give block {slot}", self.url()))),
            },
        }
    }
}

impl UiBlock {
    /// What happened in it for us.
    #[cfg(any(test, feature = "fuzz"))]
    pub(super) fn read(&self) -> anyhow::Result<Vec<Transaction>> {
        self.transactions.iter().filter_map(|(index, found)| read(*index, found).transpose()).collect()
    }
}

fn ours<'de, D: Deserializer<'de>>(found: D) -> Result<Vec<(u64, Value)>, D::Error> {
    let all = Vec::<Value>::deserialize(found)?;
    Ok((0..).zip(all).filter(|(_, found)| is_ours(found)).collect())
}

/// Whether it names a program of ours, in whatever form.
fn is_ours(found: &Value) -> bool {
    match transaction::names(found) {
        Some(names) => names.into_iter().any(|name| PROGRAMS.iter().any(|program| program == name)),
        None => {
            let text = found.to_string();
            PROGRAMS.iter().any(|program| text.contains(program))
        }
    }
}

/// `None` where it failed.
fn read(index: u64, found: &Value) -> anyhow::Result<Option<Transaction>> {
    let signature = found["transaction"]["signatures"][0].as_str();
    let signature: Signature = signature.ok_or_else(|| anyhow!("a transaction without a signature"))?.parse()?;
    transaction::read(signature, index, found)
}
