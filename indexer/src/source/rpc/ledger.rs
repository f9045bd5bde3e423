//! Whether the node has every block of a stretch.
//!
//! A node that was started from a newer snapshot has a hole in its ledger: it answers for those slots as if they had been skipped, and
//! leaves their signatures out. So a slot is empty when the block after it says so by naming its parent, and never because an answer
//! is empty.

use super::{response_code, transaction::ANY_VERSION, Rpc, PARALLEL};
use crate::source::{Progress, Step};
use anyhow::{anyhow, bail, ensure};
use backon::{ExponentialBuilder, Retryable};
use futures::{StreamExt, TryStreamExt};
use serde::Deserialize;
use serde_json::json;
use solana_rpc_client_api::{custom_error as code, request::RpcRequest};
use std::{fmt, time::Duration};

/// The longest range that one `getBlocks` takes.
pub(super) const RANGE: u64 = 500_000;
/// Of a stretch of at most so many blocks each is asked for. Of a longer one only those that do not come right after another: two
/// blocks of one chain in neighbouring slots are parent and child.
const EACH: usize = 2_000;

/// A block as it stands in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Link {
    parent_slot: u64,
    blockhash: String,
}

/// Blocks that there are and that the node does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hole {
    pub from: u64,
    pub to: u64,
}

impl fmt::Display for Hole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "blocks are missing from slot {} to {}", self.from, self.to)
    }
}

impl Rpc {
    /// Waits until the node has written down what the transactions of the block at `slot` did: its index of signatures is filled
    /// after a slot is confirmed, and until then it would answer as if there were none. An error if it has another block there than
    /// the stream: what it says is not of the same chain.
    pub(super) async fn wait_for_history(&self, slot: u64, blockhash: Option<&str>) -> anyhow::Result<()> {
        let ask = || async {
            let reached = self.call::<u64>(RpcRequest::GetSlot, json!([{"commitment": "confirmed"}])).await?;
            ensure!(reached >= slot, "the RPC node is at slot {reached}, the stream is past {slot}");
            self.link(slot).await
        };
        let schedule = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(50))
            .with_max_delay(Duration::from_secs(1))
            .with_max_times(30);
        // Whether it is not there at all is looked at later, with all the others.
        let Some(link) = ask.retry(schedule).await? else { return Ok(()) };
        ensure!(
            blockhash.is_none_or(|blockhash| blockhash == link.blockhash),
            "{} has another block at slot {slot} than the stream: --rpc and --grpc are of two chains",
            self.url()
        );
        Ok(())
    }

    /// An error unless the node has every block after `from` up to the block at `upto`. Without `parent`, the first one is not
    /// asked for its parent.
    pub(super) async fn check_ledger(
        &self,
        parent: Option<u64>,
        from: u64,
        upto: u64,
        progress: &Progress,
    ) -> anyhow::Result<()> {
        match self.hole(parent, from, upto, progress).await? {
            Some(hole) => self.mind(hole),
            None => Ok(()),
        }
    }

    /// An error, unless nobody minds.
    pub(super) fn mind(&self, hole: Hole) -> anyhow::Result<()> {
        if self.accept_gap {
            tracing::error!(%hole, "what happened in them is lost; going on, as --accept-gap says");
            return Ok(());
        }
        bail!(
            "{hole} of the ledger of {}: use an RPC node that has them, or go on without what happened in them with --accept-gap",
            self.url()
        )
    }

    async fn hole(
        &self,
        parent: Option<u64>,
        from: u64,
        upto: u64,
        progress: &Progress,
    ) -> anyhow::Result<Option<Hole>> {
        let slots = self.slots(from, upto).await?;
        let Some(last) = slots.last().filter(|last| **last == upto) else {
            let from = slots.last().map_or(from, |last| last + 1);
            return Ok(Some(Hole { from, to: upto }));
        };
        debug_assert_eq!(*last, upto);
        let before = std::iter::once(parent).chain(slots.iter().copied().map(Some));
        let each = slots.len() <= EACH;
        let asked: Vec<(Option<u64>, u64)> = before
            .zip(slots.iter().copied())
            .filter(|(before, slot)| each || before.is_none_or(|before| before + 1 < *slot))
            .collect();
        progress.begin(Step::Checking, asked.len() as u64);
        let mut found = futures::stream::iter(asked)
            .map(|(before, slot)| async move { anyhow::Ok((before, slot, self.link(slot).await?)) })
            .buffered(PARALLEL);
        while let Some((before, slot, link)) = found.try_next().await? {
            progress.add(1);
            match (link, before) {
                (None, _) => return Ok(Some(Hole { from: slot, to: slot })),
                (Some(link), Some(before)) if link.parent_slot != before => {
                    return Ok(Some(Hole { from: before + 1, to: link.parent_slot.max(before + 1) }));
                }
                _ => {}
            }
        }
        Ok(None)
    }

    /// The slots in which the node has a block.
    pub(super) async fn slots(&self, from: u64, upto: u64) -> anyhow::Result<Vec<u64>> {
        let mut slots = Vec::new();
        let mut begin = from;
        while begin <= upto {
            let end = upto.min(begin.saturating_add(RANGE - 1));
            let params = json!([begin, end, {"commitment": "confirmed"}]);
            slots.extend(self.call::<Vec<u64>>(RpcRequest::GetBlocks, params).await?);
            begin = end + 1;
        }
        Ok(slots)
    }

    /// `None` where the node has no block, whatever it says of the reason. That it has none yet is an error.
    async fn link(&self, slot: u64) -> anyhow::Result<Option<Link>> {
        let config = json!({
            "commitment": "confirmed", "transactionDetails": "none", "rewards": false,
            "maxSupportedTransactionVersion": ANY_VERSION,
        });
        match self.ask::<Option<Link>>(RpcRequest::GetBlock, json!([slot, config])).await {
            Ok(link) => Ok(link),
            Err(error) => match response_code(&error) {
                Some(
                    code::JSON_RPC_SERVER_ERROR_SLOT_SKIPPED
                    | code::JSON_RPC_SERVER_ERROR_LONG_TERM_STORAGE_SLOT_SKIPPED
                    | code::JSON_RPC_SERVER_ERROR_BLOCK_CLEANED_UP,
                ) => Ok(None),
                _ => Err(anyhow!(error).context(format!("{} does not give block {slot}", self.url()))),
            },
        }
    }
}
