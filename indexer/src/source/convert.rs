//! Yellowstone's messages as updates.

use super::{
    instruction::{self, Inner},
    BankRef, SlotStatus, Update,
};
use crate::types::{AccountWrite, Address, Malformed, Signature, Transaction, Version};
use std::sync::Arc;
use yellowstone_grpc_proto::prelude::{
    subscribe_update::UpdateOneof, SlotStatus as ProtoStatus, SubscribeUpdateAccount, SubscribeUpdateTransaction,
};

/// `None` for what ordering does not need: pings, entries, statuses without a meaning here.
pub fn update(message: UpdateOneof) -> Result<Option<Update>, Malformed> {
    Ok(match message {
        UpdateOneof::Account(message) => Some(account(message)?),
        UpdateOneof::Transaction(message) => transaction(message)?,
        UpdateOneof::BlockMeta(message) => Some(Update::BlockMeta {
            bank: BankRef { slot: message.slot, bank: message.bank_id },
            parent: message.parent_slot,
            block_time: message.block_time.map(|time| time.timestamp),
        }),
        UpdateOneof::Slot(message) => {
            let status = match ProtoStatus::try_from(message.status) {
                Ok(ProtoStatus::SlotFirstShredReceived | ProtoStatus::SlotCreatedBank) => SlotStatus::Begun,
                Ok(ProtoStatus::SlotProcessed) => SlotStatus::Processed,
                Ok(ProtoStatus::SlotConfirmed) => SlotStatus::Confirmed,
                Ok(ProtoStatus::SlotFinalized) => SlotStatus::Finalized,
                Ok(ProtoStatus::SlotDead) => SlotStatus::Dead,
                Ok(ProtoStatus::SlotCompleted) | Err(_) => return Ok(None),
            };
            Some(Update::Slot { slot: message.slot, bank: message.bank_id, parent: message.parent, status })
        }
        _ => None,
    })
}

fn account(message: SubscribeUpdateAccount) -> Result<Update, Malformed> {
    let info = message.account.ok_or(Malformed::Missing("account"))?;
    let write = AccountWrite {
        address: Address::try_from(info.pubkey.as_slice())?,
        owner: Address::try_from(info.owner.as_slice())?,
        lamports: info.lamports,
        data: info.data,
        version: Version { slot: message.slot, write: info.write_version },
    };
    // Servers before bank ids send none for accounts and zero elsewhere: one bank a slot.
    let bank = BankRef { slot: message.slot, bank: message.bank_id.unwrap_or_default() };
    Ok(Update::Account { bank, write: Arc::new(write) })
}

fn transaction(message: SubscribeUpdateTransaction) -> Result<Option<Update>, Malformed> {
    let info = message.transaction.ok_or(Malformed::Missing("transaction"))?;
    let meta = info.meta.ok_or(Malformed::Missing("transaction status"))?;
    // The filter excludes them; what a failed transaction says did not happen.
    if meta.err.is_some() || info.is_vote {
        return Ok(None);
    }
    let body = info.transaction.and_then(|transaction| transaction.message).ok_or(Malformed::Missing("message"))?;
    let keys = body
        .account_keys
        .iter()
        .chain(&meta.loaded_writable_addresses)
        .chain(&meta.loaded_readonly_addresses)
        .map(|key| Address::try_from(key.as_slice()))
        .collect::<Result<Vec<_>, _>>()?;
    let mut events = Vec::new();
    for group in &meta.inner_instructions {
        for (position, call) in group.instructions.iter().enumerate() {
            let inner =
                Inner { program_index: call.program_id_index as usize, accounts: &call.accounts, data: &call.data };
            events.extend(instruction::event(&keys, group.index, position as u32, inner)?);
        }
    }
    let transaction =
        Transaction { signature: Signature::try_from(info.signature.as_slice())?, index: info.index, events };
    Ok(Some(Update::Transaction {
        bank: BankRef { slot: message.slot, bank: message.bank_id },
        transaction: Arc::new(transaction),
    }))
}
