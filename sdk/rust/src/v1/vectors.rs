//! `sdk/v1.json`: transactions of version 1 that are made here, committed, and made again by `sdk/ts`.
//!
//! After a change that is meant, `JOULE_WRITE_VECTORS=1 cargo test -p joule-sdk vectors` writes the file anew.

use super::{message, Limits};
use crate::{
    instruction::billing,
    transaction::{write, VersionedTransaction},
    Instruction, Keypair, Pubkey, Signer,
};
use serde_json::{json, Value};
use solana_instruction::AccountMeta;
use solana_message::Hash;
use std::path::Path;

fn key(n: u8) -> Keypair {
    Keypair::new_from_array([n; 32])
}

/// An address that is far from its neighbours, as addresses are.
fn address(n: u8) -> Pubkey {
    key(n).pubkey()
}

fn row(what: &str, signers: &[Keypair], limits: Limits, instructions: &[Instruction]) -> Value {
    let blockhash = Hash::new_from_array([8; 32]);
    let message = message(&signers[0].pubkey(), instructions, limits, blockhash).unwrap();
    let bytes = message.serialize();
    let transaction = VersionedTransaction::try_new(message, signers).unwrap();
    let account = |account: &AccountMeta| json!([account.pubkey.to_string(), account.is_signer, account.is_writable]);
    let instruction = |instruction: &Instruction| {
        json!({
            "program": instruction.program_id.to_string(),
            "accounts": instruction.accounts.iter().map(account).collect::<Vec<_>>(),
            "data": hex::encode(&instruction.data),
        })
    };
    json!({
        "what": what,
        "secrets": signers.iter().map(|key| hex::encode(key.secret_bytes())).collect::<Vec<_>>(),
        "blockhash": blockhash.to_string(),
        "compute_units": limits.compute_units,
        "loaded_bytes": limits.loaded_bytes,
        "heap_bytes": limits.heap_bytes,
        "priority_fee": limits.priority_fee.to_string(),
        "instructions": instructions.iter().map(instruction).collect::<Vec<_>>(),
        "message": hex::encode(bytes),
        "transaction": hex::encode(write(&transaction)),
    })
}

/// Two vouchers that settle together; what they say does not matter here.
fn settling() -> Vec<Instruction> {
    let settle = |n: u8| {
        let verify = billing::verify(&address(20 + n), &[n; 64], &[n; 96]).unwrap();
        [verify, billing::settle(address(30 + n))]
    };
    [settle(1), settle(2)].concat()
}

/// One account in several roles, the payer among them: the strongest counts, and the payer comes first.
fn roles() -> Vec<Instruction> {
    let accounts = |metas: &[(u8, bool, bool)]| {
        metas
            .iter()
            .map(|&(n, is_signer, is_writable)| AccountMeta { pubkey: address(n), is_signer, is_writable })
            .collect()
    };
    let first =
        accounts(&[(40, false, false), (2, true, false), (41, false, true), (1, false, false), (42, false, false)]);
    let second =
        accounts(&[(42, false, true), (3, true, true), (40, false, false), (2, false, false), (51, false, false)]);
    vec![
        Instruction { program_id: address(50), accounts: first, data: vec![1, 2, 3] },
        Instruction { program_id: address(51), accounts: second, data: vec![] },
        Instruction { program_id: address(50), accounts: vec![], data: vec![9; 300] },
    ]
}

fn full() -> Vec<Instruction> {
    let accounts = (100..162).map(|n| AccountMeta::new(address(n), false)).collect();
    vec![Instruction { program_id: address(50), accounts, data: vec![7; 1_800] }]
}

#[test]
fn the_committed_transactions_are_what_is_made() {
    let paying = Limits { compute_units: 1_234, loaded_bytes: 65_536, heap_bytes: Some(65_536), priority_fee: 1 << 40 };
    let rows = [
        row("two vouchers settle together", &[key(1)], Limits::around(600, 300_000), &settling()),
        row("one account in several roles", &[key(1), key(2), key(3)], Limits::MOST, &roles()),
        row("every limit is said", &[key(1), key(2), key(3)], paying, &roles()),
        row("64 addresses", &[key(1)], Limits::MOST, &full()),
    ];
    let text = serde_json::to_string_pretty(&rows).unwrap() + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../v1.json");
    if std::env::var_os("JOULE_WRITE_VECTORS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).expect("sdk/v1.json");
    assert!(committed == text, "sdk/v1.json is not what is made here");
}
