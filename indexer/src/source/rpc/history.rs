//! Filling gaps.

use super::{ledger::RANGE, transaction::Listed, Rpc, PARALLEL};
use crate::{
    decode::Program,
    source::{Fill, Gap, History, Progress, Step},
    types::{Address, Block, Look},
};
use anyhow::bail;
use futures::{StreamExt, TryStreamExt};
use serde::Deserialize;
use serde_json::{json, Value};
use solana_rpc_client_api::request::RpcRequest;
use std::collections::{BTreeMap, HashSet};

/// Most signatures that one `getSignaturesForAddress` returns.
const PAGE: usize = 1_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SignatureInfo {
    signature: String,
    slot: u64,
    block_time: Option<i64>,
    err: Option<Value>,
}

impl History for Rpc {
    async fn genesis(&self) -> anyhow::Result<String> {
        self.call(RpcRequest::GetGenesisHash, Value::Null).await
    }

    async fn fill(&self, gap: &Gap, progress: &Progress) -> anyhow::Result<Fill> {
        let Gap { after, upto, blockhash } = gap;
        let (after, upto) = (*after, *upto);
        let first = self.first_block(after).await?;
        if upto >= first {
            self.wait_for_history(upto, blockhash.as_deref()).await?;
        }
        let known = after.filter(|after| first <= after + 1);
        if let Some(after) = known {
            if let Some(fill) = self.blocks(after, upto).await? {
                return Ok(fill);
            }
        }
        let listed = self.listed(known.unwrap_or(first.saturating_sub(1)), after, upto, progress).await?;
        if upto >= first {
            let from = match known {
                Some(after) => after + 1,
                None if upto - first < RANGE => first,
                // Years of blocks before the programs were there say nothing.
                None => listed.iter().map(|listed| listed.slot).min().unwrap_or(upto),
            };
            self.check_ledger(known, from, upto, progress).await?;
        }
        tracing::info!(after, upto, transactions = listed.len(), "reading history by RPC");
        let blocks = self.blocks_of(listed, progress).await?;
        // Last, so that nothing closed before it is taken for alive.
        progress.begin(Step::Accounts, Program::ALL.len() as u64);
        let snapshots = self.snapshots(upto, || progress.add(1)).await?;
        Ok(Fill { blocks, snapshots, looks: Vec::new(), upto })
    }

    async fn look(&self, accounts: &[Address], least: u64) -> anyhow::Result<Vec<Look>> {
        self.accounts(accounts, least, None).await
    }
}

impl Rpc {
    /// Where the node's history begins. An error, unless it reaches back to `after`, or nobody minds.
    async fn first_block(&self, after: Option<u64>) -> anyhow::Result<u64> {
        let first: u64 = self.call(RpcRequest::GetFirstAvailableBlock, Value::Null).await?;
        match after {
            None if first > 1 => {
                tracing::info!(first, "the RPC node's history begins here; older events are not known");
            }
            Some(after) if first > after + 1 && self.accept_gap => {
                tracing::error!(after, first, "events between these slots are lost; going on, as --accept-gap says");
            }
            Some(after) if first > after + 1 => bail!(
                "events between slots {after} and {first} can no longer be had from {}: \
                 use an RPC node with a longer history, or go on without them with --accept-gap",
                self.url()
            ),
            _ => {}
        }
        Ok(first)
    }

    /// The successful transactions that name our programs, each once. `oldest` is where they may begin at the earliest.
    async fn listed(
        &self,
        oldest: u64,
        after: Option<u64>,
        upto: u64,
        progress: &Progress,
    ) -> anyhow::Result<Vec<Listed>> {
        let mut listed = Vec::new();
        let mut seen = HashSet::new();
        let slots = upto.saturating_sub(oldest);
        progress.begin(Step::Listing, slots * Program::ALL.len() as u64);
        for (before, program) in (0..).zip(Program::ALL) {
            // Oldest first, so that positions rise with the order in which they happened.
            let reached = |slot: u64| progress.reach(before * slots + upto.saturating_sub(slot).min(slots));
            let found = self.signatures(program, after, upto, reached).await?.into_iter().rev();
            listed.extend(found.filter(|listed| seen.insert(listed.signature)));
        }
        Ok(listed)
    }

    /// Successful transactions that name a program, after `after` and up to `upto`, newest first.
    async fn signatures(
        &self,
        program: Program,
        after: Option<u64>,
        upto: u64,
        reached: impl Fn(u64),
    ) -> anyhow::Result<Vec<Listed>> {
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
            reached(last.slot);
            let is_all = after.is_some_and(|after| last.slot <= after);
            before = Some(last.signature.clone());
            let full = page.len() == PAGE;
            for info in page {
                if info.err.is_none() && info.slot <= upto && after.is_none_or(|after| info.slot > after) {
                    let (slot, block_time) = (info.slot, info.block_time);
                    found.push(Listed { signature: info.signature.parse()?, slot, block_time });
                }
            }
            if is_all || !full {
                return Ok(found);
            }
        }
    }

    /// What they stated, in the order in which they are listed.
    async fn blocks_of(&self, listed: Vec<Listed>, progress: &Progress) -> anyhow::Result<Vec<Block>> {
        progress.begin(Step::Transactions, listed.len() as u64);
        let fetched: Vec<_> = futures::stream::iter(listed.into_iter().enumerate())
            .map(|(position, listed)| async move {
                anyhow::Ok(self.transaction(&listed, position as u64).await?.map(|transaction| (listed, transaction)))
            })
            .buffered(PARALLEL)
            .inspect(|_| progress.add(1))
            .try_collect()
            .await?;
        let mut blocks = BTreeMap::<u64, Block>::new();
        for (Listed { slot, block_time, .. }, transaction) in fetched.into_iter().flatten() {
            let block = blocks.entry(slot).or_insert_with(|| Block { slot, block_time, ..Block::default() });
            block.transactions.push(transaction.into());
        }
        Ok(blocks.into_values().collect())
    }
}
