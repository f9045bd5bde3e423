//! Filling gaps.

use super::{ledger::RANGE, transaction::Listed, Rpc, PARALLEL};
use crate::{
    decode::Program,
    source::{Fill, Gap, Heads, History, Parts, Progress, Step},
    types::{Address, Block, Look, Snapshot},
};
use anyhow::bail;
use futures::{StreamExt, TryStreamExt};
use serde::Deserialize;
use serde_json::{json, Value};
use solana_rpc_client_api::request::RpcRequest;
use std::collections::{BTreeMap, HashSet};

/// Transactions after which what was read of a long gap is passed on.
const PART: usize = 512;
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

    async fn tip(&self) -> anyhow::Result<u64> {
        self.call(RpcRequest::GetSlot, json!([{"commitment": "confirmed"}])).await
    }

    async fn fill(&self, gap: &Gap, progress: &Progress, parts: &Parts) -> anyhow::Result<Fill> {
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
        let blocks = self.blocks_of(listed, progress, parts).await?;
        // Last, so that nothing closed before it is taken for alive.
        progress.begin(Step::Accounts, Program::ALL.len() as u64);
        let snapshots = self.snapshots(upto, || progress.add(1)).await?;
        Ok(Fill { blocks, snapshots, upto, ..Fill::default() })
    }

    async fn list(&self, least: u64) -> anyhow::Result<Vec<Snapshot>> {
        self.snapshots(least, || ()).await
    }

    async fn heads(&self, least: u64) -> anyhow::Result<Vec<Heads>> {
        self.heads_of_all(least).await
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
        listed.sort_by_key(|listed: &Listed| listed.slot);
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

    /// What they stated, in the order in which they are listed, which is by slot; all but the last of it goes into `parts`.
    async fn blocks_of(&self, listed: Vec<Listed>, progress: &Progress, parts: &Parts) -> anyhow::Result<Vec<Block>> {
        progress.begin(Step::Transactions, listed.len() as u64);
        let mut left = &listed[..];
        while let Some(end) = left.get(PART).map(|last| left.partition_point(|listed| listed.slot < last.slot)) {
            // A block that is larger is a part of its own.
            let end = if end == 0 { left.partition_point(|listed| listed.slot == left[0].slot) } else { end };
            let (part, rest) = left.split_at(end);
            let (Some(last), false) = (part.last(), rest.is_empty()) else { break };
            let blocks = self.stated(part, listed.len() - left.len(), progress).await?;
            parts.pass(blocks, last.slot).await?;
            left = rest;
        }
        self.stated(left, listed.len() - left.len(), progress).await
    }

    /// What some of them stated; `first` is the place of the first among all.
    async fn stated(&self, listed: &[Listed], first: usize, progress: &Progress) -> anyhow::Result<Vec<Block>> {
        let fetched: Vec<_> = futures::stream::iter(listed.iter().copied().zip(first as u64..))
            .map(|(listed, position)| async move {
                anyhow::Ok(self.transaction(&listed, position).await?.map(|transaction| (listed, transaction)))
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
