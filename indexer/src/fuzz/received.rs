//! What servers send: Yellowstone's messages, and a node's JSON.

use super::{chain::Corpus, decoded, mutate};
use crate::{
    decode::Program,
    source::{convert, rpc, Update},
    types::Address,
};
use anchor_lang::event::EVENT_IX_TAG_LE;
use base64::{prelude::BASE64_STANDARD, Engine as _};
use fastrand::Rng;
use serde_json::{json, Value};
use std::hint::black_box;
use yellowstone_grpc_proto::{
    prelude::{
        subscribe_update::UpdateOneof, InnerInstruction, InnerInstructions, Message, SubscribeUpdate,
        SubscribeUpdateAccount, SubscribeUpdateAccountInfo, SubscribeUpdateBlockMeta, SubscribeUpdateSlot,
        SubscribeUpdateTransaction, SubscribeUpdateTransactionInfo, Transaction, TransactionStatusMeta,
    },
    prost::Message as _,
};

/// A valid message on the wire.
fn message(rng: &mut Rng, corpus: &Corpus) -> SubscribeUpdate {
    let slot = rng.u64(..2_000);
    let update = match rng.u8(..8) {
        0 => UpdateOneof::Slot(SubscribeUpdateSlot {
            slot,
            parent: Some(slot),
            status: rng.i32(-1..9),
            ..Default::default()
        }),
        1 => UpdateOneof::BlockMeta(SubscribeUpdateBlockMeta {
            slot,
            blockhash: Address([rng.u8(..); 32]).to_string(),
            parent_slot: slot,
            block_time: Some(Default::default()),
            ..Default::default()
        }),
        2..=4 => {
            let (write, _) = decoded::an_account(rng, corpus);
            UpdateOneof::Account(SubscribeUpdateAccount {
                account: Some(SubscribeUpdateAccountInfo {
                    pubkey: write.address.0.to_vec(),
                    owner: write.owner.0.to_vec(),
                    lamports: write.lamports,
                    data: write.data.to_vec(),
                    write_version: write.version.write,
                    ..Default::default()
                }),
                slot,
                ..Default::default()
            })
        }
        _ => UpdateOneof::Transaction(SubscribeUpdateTransaction {
            transaction: Some(transaction(rng, corpus)),
            slot,
            bank_id: 1,
        }),
    };
    SubscribeUpdate { update_oneof: Some(update), ..Default::default() }
}

/// Inner instructions as a program's event makes them: of whom, and its bytes with the tag.
fn call(rng: &mut Rng, corpus: &Corpus) -> (Program, Vec<u8>) {
    let event = decoded::an_event(rng, corpus);
    let program = Program::of(&event.program).unwrap_or(Program::Escrow);
    (program, [EVENT_IX_TAG_LE, &event.data].concat())
}

fn transaction(rng: &mut Rng, corpus: &Corpus) -> SubscribeUpdateTransactionInfo {
    let (mut account_keys, mut instructions) = (vec![vec![9; 32]], Vec::new());
    for _ in 0..rng.usize(..4) {
        let (program, data) = call(rng, corpus);
        let at = account_keys.len() as u32;
        account_keys.extend([program.address().0.to_vec(), program.event_authority().0.to_vec()]);
        // Now and then an index far outside.
        let outside = if rng.u8(..16) == 0 { rng.u32(..) } else { 0 };
        instructions.push(InnerInstruction {
            program_id_index: at.saturating_add(outside),
            accounts: if rng.u8(..16) == 0 { vec![rng.u8(..); rng.usize(..4)] } else { vec![(at + 1) as u8] },
            data,
            ..Default::default()
        });
    }
    if rng.u8(..16) == 0 {
        account_keys.truncate(rng.usize(..account_keys.len()));
    }
    SubscribeUpdateTransactionInfo {
        signature: vec![rng.u8(..); 64],
        transaction: Some(Transaction {
            message: Some(Message { account_keys, ..Default::default() }),
            signatures: vec![vec![7; 64]],
        }),
        meta: Some(TransactionStatusMeta {
            inner_instructions: vec![InnerInstructions { index: rng.u32(..3), instructions }],
            ..Default::default()
        }),
        index: rng.u64(..9),
        ..Default::default()
    }
}

/// The wire's bytes, mutated, mostly.
pub fn a_message(rng: &mut Rng, corpus: &Corpus) -> Vec<u8> {
    let mut bytes = message(rng, corpus).encode_to_vec();
    if rng.u8(..8) > 0 {
        let other = message(rng, corpus).encode_to_vec();
        mutate::bytes(rng, &mut bytes, &other);
    }
    bytes
}

/// As it comes from the stream. True if it is an update.
pub fn grpc(bytes: &[u8]) -> Result<bool, String> {
    let Ok(SubscribeUpdate { update_oneof: Some(update), .. }) = SubscribeUpdate::decode(bytes) else {
        return Ok(false);
    };
    match convert::update(update) {
        Ok(Some(Update::Transaction { transaction, .. })) => {
            black_box(&transaction);
            Ok(transaction.unread.is_none())
        }
        Ok(update) => Ok(black_box(update).is_some()),
        Err(error) => {
            black_box(error.to_string());
            Ok(false)
        }
    }
}

/// A node's answer as JSON, and what it was asked for.
#[derive(Debug, Clone)]
pub struct Answer {
    pub to: To,
    pub json: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    Transaction,
    Block,
    ProgramAccounts,
    MultipleAccounts,
}

fn a_transaction(rng: &mut Rng, corpus: &Corpus) -> Value {
    let (mut keys, mut instructions) = (vec![Address([9; 32])], Vec::new());
    for _ in 0..rng.usize(..4) {
        let (program, data) = call(rng, corpus);
        let at = keys.len();
        keys.extend([program.address(), program.event_authority()]);
        let data = bs58::encode(data).into_string();
        instructions.push(json!({"programIdIndex": at, "accounts": [at + 1], "data": data, "stackHeight": 2}));
    }
    let keys: Vec<_> = keys.iter().map(ToString::to_string).collect();
    json!({
        "slot": 5, "blockTime": 7, "version": 0,
        "meta": {
            "err": null, "innerInstructions": [{"index": 0, "instructions": instructions}],
            "loadedAddresses": {"writable": [], "readonly": []},
        },
        "transaction": {
            "signatures": [crate::types::Signature([rng.u8(..); 64]).to_string()],
            "message": {"accountKeys": keys},
        },
    })
}

fn an_account(rng: &mut Rng, corpus: &Corpus) -> Value {
    let (write, _) = decoded::an_account(rng, corpus);
    json!({
        "lamports": write.lamports, "owner": write.owner.to_string(), "data": [BASE64_STANDARD.encode(write.data), "base64"],
        "executable": false, "rentEpoch": u64::MAX, "space": 0,
    })
}

pub fn an_answer(rng: &mut Rng, corpus: &Corpus) -> Answer {
    let to = [To::Transaction, To::Block, To::ProgramAccounts, To::MultipleAccounts][rng.usize(..4)];
    let some = rng.usize(..3);
    let mut value = match to {
        To::Transaction => a_transaction(rng, corpus),
        To::Block => {
            let transactions: Vec<_> = (0..some).map(|_| a_transaction(rng, corpus)).collect();
            json!({"parentSlot": 4, "blockTime": 7, "blockhash": "x", "transactions": transactions})
        }
        To::ProgramAccounts => {
            let keyed =
                |rng: &mut Rng| json!({"pubkey": Address([3; 32]).to_string(), "account": an_account(rng, corpus)});
            let value: Vec<_> = (0..some).map(|_| keyed(rng)).collect();
            json!({"context": {"slot": 5}, "value": value})
        }
        To::MultipleAccounts => {
            let value: Vec<_> = (0..some).map(|_| an_account(rng, corpus)).collect();
            json!({"context": {"slot": 5}, "value": value})
        }
    };
    if rng.u8(..8) > 0 {
        mutate::tree(rng, &mut value);
    }
    let mut json = value.to_string().into_bytes();
    if rng.u8(..4) == 0 {
        mutate::bytes(rng, &mut json, b"[[[[{\"meta\":null,\"err\":{}}]]]]");
    }
    Answer { to, json }
}

/// As it comes from the node. True if something could be read.
pub fn json(answer: &Answer) -> Result<bool, String> {
    let Ok(value) = serde_json::from_slice::<Value>(&answer.json) else { return Ok(false) };
    let read = match answer.to {
        To::Transaction => rpc::fuzzed::transaction(&value),
        To::Block => rpc::fuzzed::block(value),
        To::ProgramAccounts => rpc::fuzzed::program_accounts(value),
        To::MultipleAccounts => rpc::fuzzed::multiple_accounts(value),
    };
    Ok(read.map_err(|error| black_box(format!("{error:#}"))).is_ok())
}
