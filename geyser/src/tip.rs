//! The newest block per commitment level and recent blockhashes: what the unary calls answer from.

use std::{collections::HashMap, sync::Arc};

use crate::message::{BlockMetaMessage, Level};

/// How many blocks a blockhash stays valid for, and how many the cluster remembers.
const MAX_RECENT_BLOCKHASHES: u64 = 300;
/// Kept beyond that, so that a hash that just expired is known and not merely unknown.
const MARGIN: u64 = 32;

/// Why a question cannot be answered yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TipError {
    #[error("block is not available yet")]
    NoBlock,
    #[error("failed to build response")]
    NoHeight,
    #[error("startup")]
    Startup,
}

/// A recent block, as `GetLatestBlockhash` tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Latest {
    pub slot: u64,
    pub blockhash: String,
    pub last_valid_block_height: u64,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Tip {
    newest: [Option<Arc<BlockMetaMessage>>; 3],
    /// Blockhash to its slot and the level it reached.
    hashes: HashMap<String, (u64, Level)>,
}

impl Tip {
    /// A block reached a level.
    pub fn reached(&mut self, level: Level, meta: &Arc<BlockMetaMessage>) {
        let slot = meta.update.slot;
        let newest = &mut self.newest[level as usize];
        if newest.as_ref().is_none_or(|known| known.update.slot <= slot) {
            *newest = Some(Arc::clone(meta));
        }
        let known = self.hashes.entry(meta.update.blockhash.clone()).or_insert((slot, level));
        known.1 = known.1.max(level);
        if level == Level::Finalized {
            let oldest = slot.saturating_sub(MAX_RECENT_BLOCKHASHES + MARGIN);
            self.hashes.retain(|_, (slot, _)| *slot >= oldest);
        }
    }

    /// The newest slot with a block at `level`.
    pub fn slot(&self, level: Level) -> Result<u64, TipError> {
        Ok(self.block(level)?.update.slot)
    }

    /// The newest block height at `level`.
    pub fn height(&self, level: Level) -> Result<u64, TipError> {
        let height = self.block(level)?.update.block_height.ok_or(TipError::NoHeight)?;
        Ok(height.block_height)
    }

    /// The newest blockhash at `level` and how long it can be used.
    pub fn latest(&self, level: Level) -> Result<Latest, TipError> {
        let block = &self.block(level)?.update;
        Ok(Latest {
            slot: block.slot,
            blockhash: block.blockhash.clone(),
            last_valid_block_height: self.height(level)?.saturating_add(MAX_RECENT_BLOCKHASHES),
        })
    }

    /// Whether `blockhash` belongs to a recent block at `level`, and the slot that was judged at.
    /// Until a full window of blocks has been seen, an unknown hash is "startup", not "invalid".
    pub fn is_valid(&self, blockhash: &str, level: Level) -> Result<(u64, bool), TipError> {
        let slot = self.slot(level).map_err(|_| TipError::Startup)?;
        match self.hashes.get(blockhash) {
            Some((_, reached)) => Ok((slot, *reached >= level)),
            None if (self.hashes.len() as u64) < MAX_RECENT_BLOCKHASHES + MARGIN => Err(TipError::Startup),
            None => Ok((slot, false)),
        }
    }

    fn block(&self, level: Level) -> Result<&BlockMetaMessage, TipError> {
        self.newest[level as usize].as_deref().ok_or(TipError::NoBlock)
    }
}

#[cfg(test)]
mod tests {
    use yellowstone_grpc_proto::{geyser::SubscribeUpdateBlockMeta, solana::storage::confirmed_block::BlockHeight};

    use super::*;

    fn block(slot: u64) -> Arc<BlockMetaMessage> {
        Arc::new(BlockMetaMessage {
            update: SubscribeUpdateBlockMeta {
                slot,
                blockhash: format!("hash{slot}"),
                block_height: Some(BlockHeight { block_height: slot - 1 }),
                ..Default::default()
            },
            created_at: Default::default(),
        })
    }

    #[test]
    fn each_level_has_its_own_newest_block() {
        let mut tip = Tip::default();
        assert_eq!(tip.slot(Level::Processed), Err(TipError::NoBlock));
        tip.reached(Level::Processed, &block(7));
        tip.reached(Level::Confirmed, &block(6));
        assert_eq!(tip.slot(Level::Processed), Ok(7));
        assert_eq!(tip.height(Level::Confirmed), Ok(5));
        assert_eq!(tip.latest(Level::Processed).unwrap().last_valid_block_height, 306);
    }

    #[test]
    fn a_blockhash_is_valid_at_the_levels_its_block_reached() {
        let mut tip = Tip::default();
        tip.reached(Level::Processed, &block(6));
        tip.reached(Level::Confirmed, &block(5));
        assert_eq!(tip.is_valid("hash6", Level::Processed), Ok((6, true)));
        assert_eq!(tip.is_valid("hash6", Level::Confirmed), Ok((5, false)));
        assert_eq!(tip.is_valid("other", Level::Processed), Err(TipError::Startup));
    }

    #[test]
    fn old_blockhashes_expire_and_unknown_ones_become_invalid() {
        let mut tip = Tip::default();
        for slot in 1..500 {
            for level in Level::ALL {
                tip.reached(level, &block(slot));
            }
        }
        assert_eq!(tip.is_valid("hash100", Level::Finalized), Ok((499, false)));
        assert_eq!(tip.is_valid("hash499", Level::Finalized), Ok((499, true)));
        assert!(tip.hashes.len() < 400);
    }
}
