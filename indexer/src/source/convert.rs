//! Yellowstone's messages as updates.

use super::{
    instruction::{self, Inner},
    BankRef, SlotStatus, Update,
};
use crate::types::{AccountWrite, Address, Malformed, RawEvent, Signature, Transaction, Unread, Version};
use std::{sync::Arc, time::Instant};
use yellowstone_grpc_proto::{
    prelude::{
        subscribe_update::UpdateOneof, SlotStatus as ProtoStatus, SubscribeUpdateAccount, SubscribeUpdateTransaction,
        SubscribeUpdateTransactionInfo,
    },
    prost::Message as _,
};

/// `None` for what ordering does not need: pings, entries, statuses without a meaning here.
pub fn update(message: UpdateOneof) -> Result<Option<Update>, Malformed> {
    Ok(match message {
        UpdateOneof::Account(message) => Some(account(message)?),
        UpdateOneof::Transaction(message) => transaction(message)?,
        UpdateOneof::BlockMeta(message) => Some(Update::BlockMeta {
            bank: BankRef { slot: message.slot, bank: message.bank_id },
            parent: message.parent_slot,
            parent_hash: Some(message.parent_blockhash.into()).filter(|hash: &Arc<str>| !hash.is_empty()),
            hash: Some(message.blockhash.into()).filter(|hash: &Arc<str>| !hash.is_empty()),
            block_time: message.block_time.map(|time| time.timestamp),
            received: Instant::now(),
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
        data: info.data.into(),
        version: Version { slot: message.slot, write: info.write_version },
    };
    // Servers before bank ids send none for accounts and zero elsewhere: one bank a slot.
    let bank = BankRef { slot: message.slot, bank: message.bank_id.unwrap_or_default() };
    Ok(Update::Account { bank, write: Arc::new(write) })
}

fn transaction(message: SubscribeUpdateTransaction) -> Result<Option<Update>, Malformed> {
    let info = message.transaction.ok_or(Malformed::Missing("transaction"))?;
    let signature = Signature::try_from(info.signature.as_slice())?;
    let (events, unread) = match events(&info) {
        Ok(Some(events)) => (events, None),
        Ok(None) => return Ok(None),
        Err(error) => (Vec::new(), Some(Unread { reason: error.to_string(), data: info.encode_to_vec().into() })),
    };
    let transaction = Transaction { signature, index: info.index, events, unread };
    Ok(Some(Update::Transaction {
        bank: BankRef { slot: message.slot, bank: message.bank_id },
        transaction: Arc::new(transaction),
    }))
}

/// What our programs stated in it. `None` for what did not happen: the filter excludes votes and failures.
fn events(info: &SubscribeUpdateTransactionInfo) -> Result<Option<Vec<RawEvent>>, Malformed> {
    let meta = info.meta.as_ref().ok_or(Malformed::Missing("transaction status"))?;
    if meta.err.is_some() || info.is_vote {
        return Ok(None);
    }
    let message = info.transaction.as_ref().and_then(|transaction| transaction.message.as_ref());
    let keys = message
        .ok_or(Malformed::Missing("message"))?
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
    Ok(Some(events))
}

#[cfg(test)]
mod tests {
    use super::*;
    use yellowstone_grpc_proto::prelude::{
        self as wire, InnerInstruction, InnerInstructions, Message, TransactionStatusMeta,
    };

    #[test]
    fn a_transaction_that_cannot_be_read_is_told_with_its_bytes_and_the_reason() {
        let stranger = InnerInstruction { program_id_index: 200, ..Default::default() };
        let inner = InnerInstructions { index: 0, instructions: vec![stranger] };
        let outside = TransactionStatusMeta { inner_instructions: vec![inner], ..Default::default() };
        let signed = |key: Vec<u8>| {
            let message = Some(Message { account_keys: vec![key], ..Default::default() });
            Some(wire::Transaction { message, ..Default::default() })
        };
        for (transaction, meta) in [
            (signed(vec![1; 32]), Some(outside)),
            (signed(vec![1; 31]), Some(TransactionStatusMeta::default())),
            (signed(vec![1; 32]), None),
            (None, Some(TransactionStatusMeta::default())),
        ] {
            let signature = vec![7; 64];
            let info = SubscribeUpdateTransactionInfo { signature, transaction, meta, index: 3, ..Default::default() };
            let message = SubscribeUpdateTransaction { transaction: Some(info.clone()), slot: 9, bank_id: 1 };
            let Ok(Some(Update::Transaction { transaction, .. })) = update(UpdateOneof::Transaction(message)) else {
                panic!("it is told")
            };
            assert_eq!((transaction.signature, transaction.index), (Signature([7; 64]), 3));
            let unread = transaction.unread.as_ref().expect("nobody can read it");
            assert!(unread.data == info.encode_to_vec() && !unread.reason.is_empty(), "{unread:?}");
        }
    }

    #[test]
    fn a_failed_transaction_and_a_vote_are_not_told_even_if_they_cannot_be_read() {
        let failed = TransactionStatusMeta { err: Some(Default::default()), ..Default::default() };
        let vote = TransactionStatusMeta::default();
        for (meta, is_vote) in [(failed, false), (vote, true)] {
            let meta = Some(meta);
            let info = SubscribeUpdateTransactionInfo { signature: vec![7; 64], meta, is_vote, ..Default::default() };
            let message = SubscribeUpdateTransaction { transaction: Some(info), slot: 9, bank_id: 1 };
            assert!(matches!(update(UpdateOneof::Transaction(message)), Ok(None)));
        }
    }
}
