//! Credentials: given, renewed, revoked, expired, and closed.

use crate::{attestor, world, DAY};
use joule_sdk::{
    instruction::registry::*,
    pda,
    registry::{
        constants::{EVIDENCE, MAX_VALIDITY},
        state::{Attestations, Profile},
    },
    Instruction, Keypair, Pubkey, Signer,
};
use joule_tests::{swap, World};
use solana_instruction::AccountMeta;

const SUBJECT: Pubkey = Pubkey::new_from_array([77; 32]);

fn statement(w: &World, schema: u32) -> Statement {
    Statement { subject: SUBJECT, schema, value_hash: [schema as u8; 32], expires_at: w.now() + DAY }
}

/// An attestor that pays for itself.
fn attest_by(key: &Keypair, s: Statement) -> Instruction {
    attest(key.pubkey(), key.pubkey(), s)
}

fn given(w: &mut World, key: &Keypair, schema: u32) {
    let give = attest_by(key, statement(w, schema));
    w.send(&[give], &[key]);
}

fn list(w: &World) -> Attestations {
    w.get(&pda::attestations(&SUBJECT))
}

fn holds(w: &World, key: &Keypair, schema: u32) -> bool {
    list(w).holds(&pda::attestor(&key.pubkey()), schema, w.now())
}

/// Schemas of the live credentials, in order.
fn schemas(w: &World) -> Vec<u32> {
    let mut live: Vec<u32> = list(w).places.iter().filter(|p| p.is_live(w.now())).map(|p| p.schema.get()).collect();
    live.sort_unstable();
    live
}

#[test]
fn an_attestor_gives_a_credential_and_the_payer_pays_for_the_account_once() {
    let mut w = world();
    let (key, other) = (attestor(&mut w), attestor(&mut w));
    given(&mut w, &key, 3);
    let (found, place) = (list(&w), list(&w).places[0]);
    assert_eq!((found.subject, found.rent_payer), (SUBJECT, key.pubkey()));
    assert_eq!((place.attestor, place.schema.get()), (pda::attestor(&key.pubkey()), 3));
    assert_eq!((place.value_hash, place.expires_at.get()), ([3; 32], w.now() + DAY));
    // A later payer pays nothing and gets nothing.
    let alice = w.alice.insecure_clone();
    let before = w.lamports(&alice.pubkey());
    w.send(&[attest(alice.pubkey(), other.pubkey(), statement(&w, 3))], &[&alice, &other]);
    assert_eq!((w.lamports(&alice.pubkey()), list(&w).rent_payer), (before, key.pubkey()));
    assert!(holds(&w, &key, 3) && holds(&w, &other, 3) && holds(&w, &key, 0) && !holds(&w, &key, 4));
}

#[test]
fn the_same_credential_is_replaced_and_takes_no_second_place() {
    let mut w = world();
    let key = attestor(&mut w);
    given(&mut w, &key, 3);
    let renewed = Statement { value_hash: [9; 32], expires_at: w.now() + 9 * DAY, ..statement(&w, 3) };
    w.send(&[attest_by(&key, renewed)], &[&key]);
    assert_eq!(schemas(&w), [3]);
    assert_eq!((list(&w).places[0].value_hash, list(&w).places[0].expires_at.get()), ([9; 32], w.now() + 9 * DAY));
    // Renewing can also shorten.
    given(&mut w, &key, 3);
    assert_eq!(list(&w).places[0].expires_at.get(), w.now() + DAY);
}

#[test]
fn a_credential_expires_in_the_future_and_within_two_years() {
    let mut w = world();
    let key = attestor(&mut w);
    let now = w.now();
    for expires_at in [now, now - 1, 0, i64::MIN, now + MAX_VALIDITY as i64 + 1, i64::MAX] {
        let s = Statement { expires_at, ..statement(&w, 1) };
        w.refuse(attest_by(&key, s), &[&key], "ExpiryOutOfRange");
    }
    for expires_at in [now + 1, now + MAX_VALIDITY as i64] {
        let s = Statement { expires_at, ..statement(&w, 1) };
        w.send(&[attest_by(&key, s)], &[&key]);
    }
    w.refuse(attest_by(&key, statement(&w, 0)), &[&key], "MissingSchema");
}

#[test]
fn an_expired_credential_does_not_count_and_frees_its_place_once_no_dispute_can_ask_for_it() {
    let mut w = world();
    let (key, other) = (attestor(&mut w), attestor(&mut w));
    given(&mut w, &key, 1);
    w.set_time(w.now() + DAY - 1);
    assert!(holds(&w, &key, 1));
    w.set_time(w.now() + 1);
    assert!(!holds(&w, &key, 1) && !holds(&w, &key, 0));
    given(&mut w, &other, 2);
    assert_eq!(list(&w).places[1].attestor, pda::attestor(&other.pubkey()));
    w.set_time(w.now() + EVIDENCE as i64 - 1);
    given(&mut w, &other, 3);
    assert_eq!(list(&w).places[2].attestor, pda::attestor(&other.pubkey()));
    w.set_time(w.now() + 1);
    given(&mut w, &other, 4);
    assert_eq!(list(&w).places[0].attestor, pda::attestor(&other.pubkey()));
}

#[test]
fn revoking_ends_a_credential_at_once_and_again_is_an_error() {
    let mut w = world();
    let key = attestor(&mut w);
    given(&mut w, &key, 1);
    given(&mut w, &key, 2);
    let revoke_one = revoke(key.pubkey(), key.pubkey(), SUBJECT, 1);
    w.send(std::slice::from_ref(&revoke_one), &[&key]);
    assert_eq!(schemas(&w), [2]);
    w.refuse(revoke_one, &[&key], "NotAttested");
    w.refuse(revoke(key.pubkey(), key.pubkey(), SUBJECT, 0), &[&key], "MissingSchema");
    w.refuse(revoke(key.pubkey(), key.pubkey(), SUBJECT, 9), &[&key], "NotAttested");
}

#[test]
fn a_credential_is_not_replayed_after_its_revocation() {
    let mut w = world();
    let key = attestor(&mut w);
    let give = attest_by(&key, statement(&w, 1));
    let transaction = solana_transaction::Transaction::new_signed_with_payer(
        std::slice::from_ref(&give),
        Some(&w.stranger.pubkey()),
        &[&w.stranger, &key],
        w.svm.latest_blockhash(),
    );
    w.svm.send_transaction(transaction.clone()).unwrap();
    w.send(&[revoke(key.pubkey(), key.pubkey(), SUBJECT, 1)], &[&key]);
    // The very transaction, and its instruction without the attestor's signature.
    assert!(w.svm.send_transaction(transaction).is_err());
    let mut unsigned = swap(give, key.pubkey(), w.alice.pubkey());
    unsigned.accounts[1] = AccountMeta::new_readonly(key.pubkey(), false);
    let alice = w.alice.insecure_clone();
    w.refuse(unsigned, &[&alice], "MissingRequiredSignature");
    assert!(!holds(&w, &key, 0));
}

#[test]
fn nobody_attests_or_revokes_as_another() {
    let mut w = world();
    let (key, other, mallory) = (attestor(&mut w), attestor(&mut w), w.new_key());
    given(&mut w, &key, 1);
    for thief in [&other, &mallory] {
        // Under the victim's account with the thief's signature.
        let give =
            swap(attest_by(thief, statement(&w, 2)), pda::attestor(&thief.pubkey()), pda::attestor(&key.pubkey()));
        w.refuse(give, &[thief], "NotAttestor");
        w.refuse(revoke(thief.pubkey(), key.pubkey(), SUBJECT, 1), &[thief], "NotAttestor");
    }
    // Another attestor revokes only its own, and a stranger has no attestor account at all.
    w.refuse(revoke(other.pubkey(), other.pubkey(), SUBJECT, 1), &[&other], "NotAttested");
    w.refuse(attest_by(&mallory, statement(&w, 1)), &[&mallory], "UninitializedAccount");
    // A provider's account is no attestor's.
    let profile = Profile { payout_owner: mallory.pubkey(), ..w.profile() };
    let stranger = w.stranger.pubkey();
    w.send(&[register(stranger, mallory.pubkey(), profile)], &[&mallory]);
    let fake =
        swap(attest_by(&mallory, statement(&w, 1)), pda::attestor(&mallory.pubkey()), pda::provider(&mallory.pubkey()));
    w.refuse(fake, &[&mallory], "InvalidAccountData");
}

#[test]
fn a_credential_lands_in_the_account_of_its_subject_only() {
    let mut w = world();
    let (key, victim) = (attestor(&mut w), Pubkey::new_unique());
    let give = attest_by(&key, statement(&w, 1));
    let wrong = swap(give, pda::attestations(&SUBJECT), pda::attestations(&victim));
    w.refuse(wrong, &[&key], "InvalidSeeds");
    given(&mut w, &key, 1);
    let elsewhere = Statement { subject: victim, ..statement(&w, 1) };
    let wrong = swap(attest_by(&key, elsewhere), pda::attestations(&victim), pda::attestations(&SUBJECT));
    w.refuse(wrong, &[&key], "WrongSubject");
}

#[test]
fn a_disabled_attestor_attests_nothing_and_still_revokes() {
    let mut w = world();
    let (key, governor) = (attestor(&mut w), w.authority.insecure_clone());
    given(&mut w, &key, 1);
    given(&mut w, &key, 2);
    w.send(&[set_attestor(governor.pubkey(), key.pubkey(), false)], &[&governor]);
    w.refuse(attest_by(&key, statement(&w, 3)), &[&key], "AttestorDisabled");
    // Nor does it renew.
    w.refuse(attest_by(&key, statement(&w, 1)), &[&key], "AttestorDisabled");
    w.send(&[revoke(key.pubkey(), key.pubkey(), SUBJECT, 1)], &[&key]);
    assert_eq!(schemas(&w), [2]);
    w.send(&[set_attestor(governor.pubkey(), key.pubkey(), true)], &[&governor]);
    given(&mut w, &key, 3);
}

#[test]
fn what_a_stolen_attestor_key_attested_the_protocols_authority_revokes_once_it_is_disabled() {
    let mut w = world();
    let (key, governor) = (attestor(&mut w), w.authority.insecure_clone());
    given(&mut w, &key, 1);
    let undo = revoke(governor.pubkey(), key.pubkey(), SUBJECT, 1);
    w.refuse(undo.clone(), &[&governor], "NotAttestor");
    w.send(&[set_attestor(governor.pubkey(), key.pubkey(), false)], &[&governor]);
    let (guardian, mallory) = (w.guardian.insecure_clone(), w.new_key());
    for thief in [guardian, mallory] {
        w.refuse(revoke(thief.pubkey(), key.pubkey(), SUBJECT, 1), &[&thief], "NotAttestor");
    }
    w.send(&[undo], &[&governor]);
    assert!(!holds(&w, &key, 0));
}

#[test]
fn one_attestor_cannot_take_every_place() {
    let mut w = world();
    let keys: Vec<Keypair> = (0..5).map(|_| attestor(&mut w)).collect();
    for key in &keys[..4] {
        for schema in 1..=4 {
            given(&mut w, key, schema);
        }
        w.refuse(attest_by(key, statement(&w, 5)), &[key], "TooManyOfAttestor");
    }
    // Sixteen credentials are all that fit; each can still be renewed, and a revoked one makes no room of its attestor's.
    w.refuse(attest_by(&keys[4], statement(&w, 1)), &[&keys[4]], "AttestationsFull");
    given(&mut w, &keys[2], 3);
    w.send(&[revoke(keys[0].pubkey(), keys[0].pubkey(), SUBJECT, 2)], &[&keys[0]]);
    w.refuse(attest_by(&keys[4], statement(&w, 1)), &[&keys[4]], "AttestationsFull");
    w.refuse(attest_by(&keys[0], statement(&w, 2)), &[&keys[0]], "TooManyOfAttestor");
    // Time does.
    w.set_time(w.now() + EVIDENCE as i64);
    given(&mut w, &keys[4], 1);
    w.set_time(w.now() + DAY);
    given(&mut w, &keys[0], 2);
    assert_eq!(schemas(&w), [2]);
}

#[test]
fn an_expired_credential_of_its_own_does_not_give_an_attestor_a_fifth_place() {
    let mut w = world();
    let (key, other) = (attestor(&mut w), attestor(&mut w));
    given(&mut w, &other, 9);
    given(&mut w, &key, 1);
    w.set_time(w.now() + DAY);
    for schema in 2..=4 {
        given(&mut w, &key, schema);
    }
    // The first has expired, and is kept.
    w.refuse(attest_by(&key, statement(&w, 5)), &[&key], "TooManyOfAttestor");
    w.refuse(attest_by(&key, statement(&w, 1)), &[&key], "TooManyOfAttestor");
    // Renewing a live one is always possible.
    given(&mut w, &key, 4);
}

#[test]
fn an_account_without_a_live_credential_is_closed_by_anyone_and_its_rent_returns() {
    let mut w = world();
    let (key, alice) = (attestor(&mut w), w.alice.insecure_clone());
    let before = w.lamports(&alice.pubkey());
    w.send(&[attest(alice.pubkey(), key.pubkey(), statement(&w, 1))], &[&alice, &key]);
    let close = close_attestations(SUBJECT, alice.pubkey());
    w.refuse(close.clone(), &[], "StillAttested");
    w.set_time(w.now() + DAY + EVIDENCE as i64 - 1);
    w.refuse(close.clone(), &[], "StillAttested");
    w.set_time(w.now() + 1);
    w.refuse(close_attestations(SUBJECT, w.north.pubkey()), &[], "WrongRentPayer");
    w.send(std::slice::from_ref(&close), &[]);
    assert!(w.is_closed(&pda::attestations(&SUBJECT)));
    assert_eq!(w.lamports(&alice.pubkey()), before);
    w.refuse(close, &[], "AccountDataTooSmall");
    // It may come back, empty but for what is attested then.
    given(&mut w, &key, 2);
    assert_eq!((schemas(&w), list(&w).rent_payer), (vec![2], key.pubkey()));
}

#[test]
fn closing_and_reviving_in_one_transaction_brings_nothing_back() {
    let mut w = world();
    let (key, governor) = (attestor(&mut w), w.authority.insecure_clone());
    given(&mut w, &key, 1);
    w.send(&[revoke(key.pubkey(), key.pubkey(), SUBJECT, 1)], &[&key]);
    w.set_time(w.now() + EVIDENCE as i64);
    let stranger = w.stranger.pubkey();
    let address = pda::attestations(&SUBJECT);
    let revive = solana_system_interface::instruction::transfer(&stranger, &address, 100_000_000);
    w.send(&[close_attestations(SUBJECT, key.pubkey()), revive], &[]);
    w.send(&[set_attestor(governor.pubkey(), key.pubkey(), true)], &[&governor]);
    given(&mut w, &key, 2);
    assert_eq!(schemas(&w), [2]);
}

#[test]
fn lamports_sent_ahead_do_not_keep_a_subject_without_credentials() {
    let mut w = world();
    let key = attestor(&mut w);
    w.svm.airdrop(&pda::attestations(&SUBJECT), 1_000_000).unwrap();
    given(&mut w, &key, 1);
    assert!(holds(&w, &key, 1));
}
