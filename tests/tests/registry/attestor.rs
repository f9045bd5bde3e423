//! Who may attest.

use crate::{attestor, world};
use joule_sdk::{
    instruction::{registry::*, treasury},
    pda,
    registry::state::Attestor,
    Keypair, Pubkey, Signer,
};
use joule_tests::swap;

#[test]
fn the_protocols_authority_admits_an_attestor_and_anyone_may_pay() {
    let mut w = world();
    let (governor, sponsor, key) = (w.authority.insecure_clone(), w.alice.insecure_clone(), w.new_key());
    let admit = admit_attestor(sponsor.pubkey(), governor.pubkey(), key.pubkey(), [5; 32]);
    w.send(&[admit], &[&governor, &sponsor]);
    let found: Attestor = w.get(&pda::attestor(&key.pubkey()));
    assert_eq!((found.authority, found.metadata_hash, found.enabled), (key.pubkey(), [5; 32], 1));
    assert_eq!(found.admitted_at.get(), w.now());
    // Once: what others have come to rely on cannot be replaced.
    let again = admit_attestor(governor.pubkey(), governor.pubkey(), key.pubkey(), [6; 32]);
    assert!(w.attempt(&[again], &[&governor]).is_err());
}

#[test]
fn nobody_else_admits_or_changes_attestors() {
    let mut w = world();
    let (mallory, guardian, key) = (w.alice.insecure_clone(), w.guardian.insecure_clone(), attestor(&mut w));
    for thief in [&mallory, &guardian, &key] {
        let admit = admit_attestor(mallory.pubkey(), thief.pubkey(), mallory.pubkey(), [0; 32]);
        w.refuse(admit, &[&mallory, thief], "NotGovernor");
        w.refuse(set_attestor(thief.pubkey(), key.pubkey(), false), &[thief], "NotGovernor");
    }
    let governor = w.authority.pubkey();
    let mut admit = admit_attestor(mallory.pubkey(), governor, mallory.pubkey(), [0; 32]);
    admit.accounts[1].is_signer = false;
    w.refuse(admit, &[&mallory], "MissingRequiredSignature");
    let mut set = set_attestor(governor, key.pubkey(), false);
    set.accounts[0].is_signer = false;
    w.refuse(set, &[], "MissingRequiredSignature");
}

#[test]
fn a_former_authority_admits_nobody() {
    let mut w = world();
    let (old, next) = (w.authority.insecure_clone(), w.alice.insecure_clone());
    w.send(&[treasury::propose_authority(old.pubkey(), next.pubkey())], &[&old]);
    w.send(&[treasury::accept_authority(next.pubkey())], &[&next]);
    w.refuse(admit_attestor(old.pubkey(), old.pubkey(), old.pubkey(), [0; 32]), &[&old], "NotGovernor");
    w.send(&[admit_attestor(next.pubkey(), next.pubkey(), old.pubkey(), [0; 32])], &[&next]);
}

#[test]
fn the_protocol_account_is_the_treasurys() {
    let mut w = world();
    let (governor, mallory) = (w.authority.insecure_clone(), Keypair::new());
    let admit = admit_attestor(governor.pubkey(), governor.pubkey(), mallory.pubkey(), [0; 32]);
    w.refuse(swap(admit.clone(), pda::protocol(), pda::accepted_mint(&w.mint)), &[&governor], "AccountDataTooSmall");
    w.refuse(swap(admit.clone(), pda::protocol(), w.mint), &[&governor], "IllegalOwner");
    let other = pda::attestor(&Pubkey::new_unique());
    w.refuse(swap(admit, pda::attestor(&mallory.pubkey()), other), &[&governor], "InvalidSeeds");
}

#[test]
fn lamports_sent_ahead_do_not_keep_an_attestor_out() {
    let mut w = world();
    let (governor, key) = (w.authority.insecure_clone(), w.new_key());
    w.svm.airdrop(&pda::attestor(&key.pubkey()), 1_000_000).unwrap();
    w.send(&[admit_attestor(governor.pubkey(), governor.pubkey(), key.pubkey(), [0; 32])], &[&governor]);
}
