//! The registry on the SVM, one file a subject: what it does, and every way of misusing it.

mod attestations;
mod attestor;
mod check;
mod models;
mod prices;
mod provider;
mod requirements;

use joule_sdk::{instruction::registry::admit_attestor, Keypair, Signer};
use joule_tests::{Kind, World};

const DAY: i64 = 86_400;

fn world() -> World {
    World::governed(Kind::Classic)
}

/// A new key with some SOL that has been admitted as an attestor.
fn attestor(w: &mut World) -> Keypair {
    let (key, governor) = (w.new_key(), w.authority.insecure_clone());
    w.svm.airdrop(&key.pubkey(), 1_000_000_000).unwrap();
    w.send(&[admit_attestor(governor.pubkey(), governor.pubkey(), key.pubkey(), [5; 32])], &[&governor]);
    key
}
