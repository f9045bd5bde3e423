//! A validator's part: the callbacks in its order and with its structs, for whoever tests or replays a stream.

use crate::{message::Key, Plugin};
pub use agave_geyser_plugin_interface::geyser_plugin_interface::SlotStatus;
use agave_geyser_plugin_interface::geyser_plugin_interface::{
    GeyserPlugin, ReplicaAccountInfoV3, ReplicaAccountInfoVersions, ReplicaBlockInfoV4, ReplicaBlockInfoVersions,
    ReplicaEntryInfoV2, ReplicaEntryInfoVersions, ReplicaTransactionInfoV3, ReplicaTransactionInfoVersions, Result,
};
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_status::RewardsAndNumPartitions;
pub use solana_transaction_status::{InnerInstruction, InnerInstructions, TransactionStatusMeta};

/// Each slot has one bank, of this number beyond the slot's.
const BANK: u64 = 1_000;

/// Calls a plugin as a validator does.
#[derive(Debug, Clone, Copy)]
pub struct Feed<'a>(pub &'a Plugin);

/// One write to one account.
#[derive(Debug, Clone, Copy)]
pub struct Write<'a> {
    pub pubkey: Key,
    pub owner: Key,
    pub lamports: u64,
    pub write_version: u64,
    pub data: &'a [u8],
}

impl Feed<'_> {
    pub fn account(&self, slot: u64, write: Write<'_>) -> Result<()> {
        let info = ReplicaAccountInfoV3 {
            pubkey: &write.pubkey,
            lamports: write.lamports,
            owner: &write.owner,
            executable: false,
            rent_epoch: u64::MAX,
            data: write.data,
            write_version: write.write_version,
            txn: None,
        };
        self.0.update_account_for_bank(ReplicaAccountInfoVersions::V0_0_3(&info), slot, slot + BANK)
    }

    /// `index` is its place in the block.
    pub fn transaction(
        &self,
        slot: u64,
        index: usize,
        transaction: &VersionedTransaction,
        meta: &TransactionStatusMeta,
    ) -> Result<()> {
        let info = ReplicaTransactionInfoV3 {
            signature: &transaction.signatures[0],
            message_hash: &transaction.message.hash(),
            is_vote: false,
            transaction,
            transaction_status_meta: meta,
            index,
        };
        self.0.notify_transaction_for_bank(ReplicaTransactionInfoVersions::V0_0_3(&info), slot, slot + BANK)
    }

    /// The block's only entry.
    pub fn entry(&self, slot: u64, transactions: u64) -> Result<()> {
        let info = ReplicaEntryInfoV2 {
            slot,
            index: 0,
            num_hashes: 1,
            hash: &[9; 32],
            executed_transaction_count: transactions,
            starting_transaction_index: 0,
        };
        self.0.notify_entry_for_bank(ReplicaEntryInfoVersions::V0_0_2(&info), slot + BANK)
    }

    /// The block's summary, with a made-up hash.
    pub fn block(&self, slot: u64, parent: u64, transactions: u64) -> Result<()> {
        let rewards = RewardsAndNumPartitions { rewards: vec![], num_partitions: None };
        let info = ReplicaBlockInfoV4 {
            parent_slot: parent,
            parent_blockhash: &format!("hash{parent}"),
            slot,
            blockhash: &format!("hash{slot}"),
            rewards: &rewards,
            block_time: Some(1),
            block_height: Some(slot),
            executed_transaction_count: transactions,
            entry_count: 1,
        };
        self.0.notify_block_metadata_for_bank(ReplicaBlockInfoVersions::V0_0_4(&info), slot + BANK)
    }

    pub fn status(&self, slot: u64, parent: u64, status: SlotStatus) -> Result<()> {
        self.0.update_bank_status(slot, Some(parent), &status, slot + BANK)
    }
}
