//! From Geyser's borrowed structs to owned wire messages.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use agave_geyser_plugin_interface::geyser_plugin_interface::{
    ReplicaAccountInfoVersions, ReplicaBlockInfoVersions, ReplicaEntryInfoVersions, ReplicaTransactionInfoVersions,
    SlotStatus as GeyserSlotStatus,
};
use solana_message::{compiled_instruction::CompiledInstruction, MessageHeader, VersionedMessage};
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_status::{
    InnerInstructions, Reward, RewardType, TransactionStatusMeta, TransactionTokenBalance,
};
use yellowstone_grpc_proto::{
    geyser::{
        SlotStatus, SubscribeUpdateAccountInfo, SubscribeUpdateBlockMeta, SubscribeUpdateEntry,
        SubscribeUpdateTransactionInfo,
    },
    prost_types::Timestamp,
    solana::storage::confirmed_block as wire,
};

use crate::message::{AccountMessage, BlockMetaMessage, EntryMessage, Key, Message, SlotMessage, TransactionMessage};

/// What Geyser sent could not be turned into a wire message.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    #[error("block information of the first version has no parent; the validator is too old, 1.18 or newer is needed")]
    BlockInfoTooOld,
    #[error("a transaction error could not be encoded: {0}")]
    TransactionError(#[from] bincode::Error),
}

/// The wall clock now.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp {
        seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(since.subsec_nanos()).unwrap_or_default(),
    }
}

/// An account write.
pub fn account(info: ReplicaAccountInfoVersions, slot: u64, bank_id: Option<u64>) -> Message {
    let info = match info {
        ReplicaAccountInfoVersions::V0_0_1(a) => SubscribeUpdateAccountInfo {
            pubkey: a.pubkey.to_vec(),
            lamports: a.lamports,
            owner: a.owner.to_vec(),
            executable: a.executable,
            rent_epoch: a.rent_epoch,
            data: a.data.to_vec(),
            write_version: a.write_version,
            txn_signature: None,
        },
        ReplicaAccountInfoVersions::V0_0_2(a) => SubscribeUpdateAccountInfo {
            pubkey: a.pubkey.to_vec(),
            lamports: a.lamports,
            owner: a.owner.to_vec(),
            executable: a.executable,
            rent_epoch: a.rent_epoch,
            data: a.data.to_vec(),
            write_version: a.write_version,
            txn_signature: a.txn_signature.map(|s| s.as_ref().to_vec()),
        },
        ReplicaAccountInfoVersions::V0_0_3(a) => SubscribeUpdateAccountInfo {
            pubkey: a.pubkey.to_vec(),
            lamports: a.lamports,
            owner: a.owner.to_vec(),
            executable: a.executable,
            rent_epoch: a.rent_epoch,
            data: a.data.to_vec(),
            write_version: a.write_version,
            txn_signature: a.txn.map(|t| t.signature().as_ref().to_vec()),
        },
    };
    Message::Account(Arc::new(AccountMessage { info, slot, bank_id, created_at: now() }))
}

/// An executed transaction with its outcome.
pub fn transaction(
    info: ReplicaTransactionInfoVersions,
    slot: u64,
    bank_id: Option<u64>,
) -> Result<Message, ConvertError> {
    let (signature, is_vote, transaction, meta, index) = match info {
        ReplicaTransactionInfoVersions::V0_0_1(t) => (
            t.signature,
            t.is_vote,
            std::borrow::Cow::Owned(t.transaction.to_versioned_transaction()),
            t.transaction_status_meta,
            0,
        ),
        ReplicaTransactionInfoVersions::V0_0_2(t) => (
            t.signature,
            t.is_vote,
            std::borrow::Cow::Owned(t.transaction.to_versioned_transaction()),
            t.transaction_status_meta,
            t.index,
        ),
        ReplicaTransactionInfoVersions::V0_0_3(t) => {
            (t.signature, t.is_vote, std::borrow::Cow::Borrowed(t.transaction), t.transaction_status_meta, t.index)
        }
    };
    let account_keys: HashSet<Key> = transaction
        .message
        .static_account_keys()
        .iter()
        .chain(&meta.loaded_addresses.writable)
        .chain(&meta.loaded_addresses.readonly)
        .map(|key| key.to_bytes())
        .collect();
    let info = SubscribeUpdateTransactionInfo {
        signature: signature.as_ref().to_vec(),
        is_vote,
        transaction: Some(wire_transaction(&transaction)),
        meta: Some(wire_meta(meta)?),
        index: index as u64,
    };
    Ok(Message::Transaction(Arc::new(TransactionMessage { info, account_keys, slot, bank_id, created_at: now() })))
}

/// A ledger entry.
pub fn entry(info: ReplicaEntryInfoVersions, bank_id: Option<u64>) -> Message {
    let bank_id = bank_id.unwrap_or_default();
    let update = match info {
        ReplicaEntryInfoVersions::V0_0_1(e) => SubscribeUpdateEntry {
            slot: e.slot,
            index: e.index as u64,
            num_hashes: e.num_hashes,
            hash: e.hash.to_vec(),
            executed_transaction_count: e.executed_transaction_count,
            starting_transaction_index: 0,
            bank_id,
        },
        ReplicaEntryInfoVersions::V0_0_2(e) => SubscribeUpdateEntry {
            slot: e.slot,
            index: e.index as u64,
            num_hashes: e.num_hashes,
            hash: e.hash.to_vec(),
            executed_transaction_count: e.executed_transaction_count,
            starting_transaction_index: e.starting_transaction_index as u64,
            bank_id,
        },
    };
    Message::Entry(Arc::new(EntryMessage { update, created_at: now() }))
}

/// A slot status.
pub fn slot_status(slot: u64, parent: Option<u64>, status: &GeyserSlotStatus, bank_id: Option<u64>) -> Message {
    let (status, dead_error) = match status {
        GeyserSlotStatus::Processed => (SlotStatus::SlotProcessed, None),
        GeyserSlotStatus::Confirmed => (SlotStatus::SlotConfirmed, None),
        GeyserSlotStatus::Rooted => (SlotStatus::SlotFinalized, None),
        GeyserSlotStatus::FirstShredReceived => (SlotStatus::SlotFirstShredReceived, None),
        GeyserSlotStatus::Completed => (SlotStatus::SlotCompleted, None),
        GeyserSlotStatus::CreatedBank => (SlotStatus::SlotCreatedBank, None),
        GeyserSlotStatus::Dead(error) => (SlotStatus::SlotDead, Some(error.clone())),
    };
    Message::Slot(Arc::new(SlotMessage { slot, parent, status, dead_error, bank_id, created_at: now() }))
}

/// A block's summary.
pub fn block_meta(info: ReplicaBlockInfoVersions, bank_id: Option<u64>) -> Result<Message, ConvertError> {
    let update = match info {
        ReplicaBlockInfoVersions::V0_0_1(_) => return Err(ConvertError::BlockInfoTooOld),
        ReplicaBlockInfoVersions::V0_0_2(b) => SubscribeUpdateBlockMeta {
            slot: b.slot,
            blockhash: b.blockhash.to_owned(),
            rewards: Some(wire_rewards(b.rewards, None)),
            block_time: b.block_time.map(|timestamp| wire::UnixTimestamp { timestamp }),
            block_height: b.block_height.map(|block_height| wire::BlockHeight { block_height }),
            parent_slot: b.parent_slot,
            parent_blockhash: b.parent_blockhash.to_owned(),
            executed_transaction_count: b.executed_transaction_count,
            entries_count: 0,
            bank_id: bank_id.unwrap_or_default(),
        },
        ReplicaBlockInfoVersions::V0_0_3(b) => SubscribeUpdateBlockMeta {
            slot: b.slot,
            blockhash: b.blockhash.to_owned(),
            rewards: Some(wire_rewards(b.rewards, None)),
            block_time: b.block_time.map(|timestamp| wire::UnixTimestamp { timestamp }),
            block_height: b.block_height.map(|block_height| wire::BlockHeight { block_height }),
            parent_slot: b.parent_slot,
            parent_blockhash: b.parent_blockhash.to_owned(),
            executed_transaction_count: b.executed_transaction_count,
            entries_count: b.entry_count,
            bank_id: bank_id.unwrap_or_default(),
        },
        ReplicaBlockInfoVersions::V0_0_4(b) => SubscribeUpdateBlockMeta {
            slot: b.slot,
            blockhash: b.blockhash.to_owned(),
            rewards: Some(wire_rewards(&b.rewards.rewards, b.rewards.num_partitions)),
            block_time: b.block_time.map(|timestamp| wire::UnixTimestamp { timestamp }),
            block_height: b.block_height.map(|block_height| wire::BlockHeight { block_height }),
            parent_slot: b.parent_slot,
            parent_blockhash: b.parent_blockhash.to_owned(),
            executed_transaction_count: b.executed_transaction_count,
            entries_count: b.entry_count,
            bank_id: bank_id.unwrap_or_default(),
        },
    };
    Ok(Message::BlockMeta(Arc::new(BlockMetaMessage { update, created_at: now() })))
}

fn wire_transaction(transaction: &VersionedTransaction) -> wire::Transaction {
    wire::Transaction {
        signatures: transaction.signatures.iter().map(|s| s.as_ref().to_vec()).collect(),
        message: Some(wire_message(&transaction.message)),
    }
}

fn wire_message(message: &VersionedMessage) -> wire::Message {
    let (address_table_lookups, config) = match message {
        VersionedMessage::Legacy(_) => (Vec::new(), None),
        VersionedMessage::V0(m) => (
            m.address_table_lookups
                .iter()
                .map(|lookup| wire::MessageAddressTableLookup {
                    account_key: lookup.account_key.to_bytes().to_vec(),
                    writable_indexes: lookup.writable_indexes.clone(),
                    readonly_indexes: lookup.readonly_indexes.clone(),
                })
                .collect(),
            None,
        ),
        VersionedMessage::V1(m) => (
            Vec::new(),
            Some(wire::TransactionConfig {
                priority_fee: m.config.priority_fee,
                compute_unit_limit: m.config.compute_unit_limit,
                loaded_accounts_data_size_limit: m.config.loaded_accounts_data_size_limit,
                heap_size: m.config.heap_size,
            }),
        ),
    };
    wire::Message {
        header: Some(wire_header(message.header())),
        account_keys: message.static_account_keys().iter().map(|k| k.to_bytes().to_vec()).collect(),
        recent_blockhash: message.recent_blockhash().to_bytes().to_vec(),
        instructions: message.instructions().iter().map(wire_instruction).collect(),
        versioned: !matches!(message, VersionedMessage::Legacy(_)),
        address_table_lookups,
        config,
    }
}

fn wire_header(header: &MessageHeader) -> wire::MessageHeader {
    wire::MessageHeader {
        num_required_signatures: header.num_required_signatures.into(),
        num_readonly_signed_accounts: header.num_readonly_signed_accounts.into(),
        num_readonly_unsigned_accounts: header.num_readonly_unsigned_accounts.into(),
    }
}

fn wire_instruction(instruction: &CompiledInstruction) -> wire::CompiledInstruction {
    wire::CompiledInstruction {
        program_id_index: instruction.program_id_index.into(),
        accounts: instruction.accounts.clone(),
        data: instruction.data.clone(),
    }
}

fn wire_meta(meta: &TransactionStatusMeta) -> Result<wire::TransactionStatusMeta, ConvertError> {
    let err = match &meta.status {
        Ok(()) => None,
        Err(error) => Some(wire::TransactionError { err: bincode::serialize(error)? }),
    };
    let keys = |keys: &[solana_message::Address]| keys.iter().map(|k| k.to_bytes().to_vec()).collect();
    Ok(wire::TransactionStatusMeta {
        err,
        fee: meta.fee,
        pre_balances: meta.pre_balances.clone(),
        post_balances: meta.post_balances.clone(),
        inner_instructions: meta.inner_instructions.iter().flatten().map(wire_inner).collect(),
        inner_instructions_none: meta.inner_instructions.is_none(),
        log_messages: meta.log_messages.clone().unwrap_or_default(),
        log_messages_none: meta.log_messages.is_none(),
        pre_token_balances: meta.pre_token_balances.iter().flatten().map(wire_token_balance).collect(),
        post_token_balances: meta.post_token_balances.iter().flatten().map(wire_token_balance).collect(),
        rewards: meta.rewards.iter().flatten().map(wire_reward).collect(),
        loaded_writable_addresses: keys(&meta.loaded_addresses.writable),
        loaded_readonly_addresses: keys(&meta.loaded_addresses.readonly),
        return_data: meta
            .return_data
            .as_ref()
            .map(|data| wire::ReturnData { program_id: data.program_id.to_bytes().to_vec(), data: data.data.clone() }),
        return_data_none: meta.return_data.is_none(),
        compute_units_consumed: meta.compute_units_consumed,
        cost_units: meta.cost_units,
    })
}

fn wire_inner(inner: &InnerInstructions) -> wire::InnerInstructions {
    wire::InnerInstructions {
        index: inner.index.into(),
        instructions: inner
            .instructions
            .iter()
            .map(|i| wire::InnerInstruction {
                program_id_index: i.instruction.program_id_index.into(),
                accounts: i.instruction.accounts.clone(),
                data: i.instruction.data.clone(),
                stack_height: i.stack_height,
            })
            .collect(),
    }
}

fn wire_token_balance(balance: &TransactionTokenBalance) -> wire::TokenBalance {
    let amount = &balance.ui_token_amount;
    wire::TokenBalance {
        account_index: balance.account_index.into(),
        mint: balance.mint.clone(),
        ui_token_amount: Some(wire::UiTokenAmount {
            ui_amount: amount.ui_amount.unwrap_or_default(),
            decimals: amount.decimals.into(),
            amount: amount.amount.clone(),
            ui_amount_string: amount.ui_amount_string.clone(),
        }),
        owner: balance.owner.clone(),
        program_id: balance.program_id.clone(),
    }
}

fn wire_rewards(rewards: &[Reward], num_partitions: Option<u64>) -> wire::Rewards {
    wire::Rewards {
        rewards: rewards.iter().map(wire_reward).collect(),
        num_partitions: num_partitions.map(|num_partitions| wire::NumPartitions { num_partitions }),
    }
}

fn wire_reward(reward: &Reward) -> wire::Reward {
    let reward_type = match reward.reward_type {
        None => wire::RewardType::Unspecified,
        Some(RewardType::Fee) => wire::RewardType::Fee,
        Some(RewardType::Rent) => wire::RewardType::Rent,
        Some(RewardType::Staking) => wire::RewardType::Staking,
        Some(RewardType::Voting) => wire::RewardType::Voting,
        Some(RewardType::DeactivatedStake) => wire::RewardType::DeactivatedStake,
        Some(RewardType::VATDebit) => wire::RewardType::VatDebit,
    };
    wire::Reward {
        pubkey: reward.pubkey.clone(),
        lamports: reward.lamports,
        post_balance: reward.post_balance,
        reward_type: reward_type.into(),
        commission: reward.commission.map(|c| c.to_string()).unwrap_or_default(),
        commission_bps: reward.commission_bps.map(|c| c.to_string()).unwrap_or_default(),
    }
}
