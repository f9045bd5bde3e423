//! What a gateway takes for signed, the chain's own ed25519 precompile takes too.

use joule_sdk::{Instruction, Keypair, Pubkey, Signer};
use joule_voucher::{
    precompile::{data, read_format, PROGRAM},
    sign, Format, Key, Signature, SigningKey, Verifier, Voucher,
};
use litesvm::LiteSVM;
use serde_json::Value;
use solana_transaction::Transaction;

struct Chain {
    svm: LiteSVM,
    payer: Keypair,
}

impl Chain {
    fn new() -> Self {
        let (mut svm, payer) = (LiteSVM::new(), Keypair::new());
        svm.airdrop(&payer.pubkey(), 1_000_000_000_000).unwrap();
        Self { svm, payer }
    }

    fn runs(&mut self, data: Vec<u8>) -> bool {
        let instruction = Instruction { program_id: Pubkey::new_from_array(PROGRAM), accounts: vec![], data };
        self.svm.expire_blockhash();
        let transaction = Transaction::new_signed_with_payer(
            &[instruction],
            Some(&self.payer.pubkey()),
            &[&self.payer],
            self.svm.latest_blockhash(),
        );
        self.svm.send_transaction(transaction).is_ok()
    }

    fn accepts(&mut self, key: &Key, message: &[u8], signature: &Signature) -> bool {
        self.runs(data(key, signature, message).unwrap())
    }
}

fn gateway_accepts(key: &Key, message: &[u8], signature: &Signature) -> bool {
    Verifier::new(key).is_some_and(|key| key.verify(message, signature).is_ok())
}

fn vectors(section: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("../../crates/voucher/vectors.json")).unwrap();
    all[section].as_array().unwrap().clone()
}

fn bytes(hex: &Value) -> Vec<u8> {
    hex::decode(hex.as_str().unwrap()).unwrap()
}

fn array<const N: usize>(hex: &Value) -> [u8; N] {
    bytes(hex).try_into().unwrap()
}

#[test]
fn the_precompile_has_the_address_that_we_send_to() {
    assert_eq!(Pubkey::new_from_array(PROGRAM).to_string(), "Ed25519SigVerify111111111111111111111111111");
}

#[test]
fn every_signature_on_which_verifiers_differ_is_judged_as_the_chain_judges_it() {
    let mut chain = Chain::new();
    let rows = vectors("signatures");
    for row in &rows {
        let (key, message, signature) = (array(&row["key"]), bytes(&row["message"]), array(&row["signature"]));
        let accepted = row["accepted"].as_bool().unwrap();
        assert_eq!(gateway_accepts(&key, &message, &signature), accepted, "the gateway on {row}");
        assert_eq!(chain.accepts(&key, &message, &signature), accepted, "the chain on {row}");
    }
    assert!(rows.len() > 30);
}

#[test]
fn every_signed_vector_passes_on_chain() {
    let mut chain = Chain::new();
    for section in ["vouchers", "batches", "receipts", "orders"] {
        for row in vectors(section) {
            assert!(chain.accepts(&array(&row["key"]), &bytes(&row["bytes"]), &array(&row["signature"])), "{row}");
        }
    }
}

/// Some of these the precompile runs, since it reads its parts from anywhere: then a program must not read.
#[test]
fn what_a_program_reads_from_an_instruction_is_what_the_precompile_has_checked() {
    let mut chain = Chain::new();
    let mut run_but_not_read = 0;
    for row in vectors("precompile") {
        let data = bytes(&row["data"]);
        let reads = read_format::<Voucher>(&data).is_some();
        assert_eq!(reads, row["reads"].as_bool().unwrap(), "{row}");
        let runs = chain.runs(data);
        assert!(runs || !reads, "a program would read what nobody checked: {row}");
        run_but_not_read += usize::from(runs && !reads);
    }
    assert!(run_but_not_read > 0);
}

#[test]
fn signatures_changed_at_random_are_judged_as_the_chain_judges_them() {
    let mut chain = Chain::new();
    let mut state = 88172645463325252u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    };
    let voucher = Voucher { sequence: 1.into(), ..Voucher::default() };
    let mut accepted = 0;
    for n in 0..300u64 {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&n.to_le_bytes());
        let signer = SigningKey::from_bytes(&seed);
        let (mut key, mut signature) = (signer.verifying_key().to_bytes(), sign(&signer, voucher.as_bytes()));
        match n % 4 {
            0 => key[random() % 32] ^= 1 << (random() % 8),
            1 => signature[random() % 32] ^= 1 << (random() % 8),
            2 => signature[32 + random() % 32] ^= 1 << (random() % 8),
            _ => {}
        }
        let here = gateway_accepts(&key, voucher.as_bytes(), &signature);
        assert_eq!(here, chain.accepts(&key, voucher.as_bytes(), &signature), "case {n}");
        accepted += usize::from(here);
    }
    assert_eq!(accepted, 75);
}
