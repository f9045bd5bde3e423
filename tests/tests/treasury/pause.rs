//! Pauses stop new work, and end.

use crate::{pass, protocol, DAY};
use joule_sdk::{instruction::treasury::*, Keypair, Signer};
use joule_tests::{Kind, World};

fn guarded(kind: Kind) -> (World, Keypair, Keypair) {
    let w = World::new(kind);
    let (guardian, authority) = (w.guardian.insecure_clone(), w.authority.insecure_clone());
    (w, guardian, authority)
}

#[test]
fn a_pause_ends_by_itself() {
    let (mut w, guardian, _) = guarded(Kind::Classic);
    let alice = w.alice.insecure_clone();
    w.send(&[pause(guardian.pubkey(), 0)], &[&guardian]);
    assert_eq!(protocol(&w).paused_until.map(|until| until.get()), [w.now() + 7 * DAY, 0, 0, 0, 0, 0, 0, 0]);
    w.refuse(w.open(w.terms()), &[&alice], "Paused");
    pass(&mut w, 7 * DAY - 1);
    w.refuse(w.open(w.terms()), &[&alice], "Paused");
    pass(&mut w, 1);
    w.opened();
}

#[test]
fn a_guardian_that_pauses_again_and_again_holds_nothing_for_ever() {
    let (mut w, guardian, authority) = guarded(Kind::Classic);
    let again = || pause(guardian.pubkey(), 0);
    w.send(&[again()], &[&guardian]);
    w.refuse(again(), &[&guardian], "PauseTooSoon");
    pass(&mut w, 6 * DAY);
    w.refuse(again(), &[&guardian], "PauseTooSoon");
    // It is open again, and stays so for as long as it was closed; for the authority too, and for another guardian.
    pass(&mut w, DAY);
    w.refuse(again(), &[&guardian], "PauseTooSoon");
    w.refuse(pause(authority.pubkey(), 0), &[&authority], "PauseTooSoon");
    let next = Keypair::new();
    w.send(&[set_guardian(authority.pubkey(), next.pubkey())], &[&authority]);
    w.refuse(pause(next.pubkey(), 0), &[&next], "PauseTooSoon");
    pass(&mut w, 7 * DAY - 1);
    w.refuse(pause(next.pubkey(), 0), &[&next], "PauseTooSoon");
    pass(&mut w, 1);
    w.send(&[pause(next.pubkey(), 0)], &[&next]);
    assert_eq!(protocol(&w).paused_until[0].get(), w.now() + 7 * DAY);
}

#[test]
fn pausing_twice_in_one_transaction_does_not_prolong_the_pause() {
    let (mut w, guardian, authority) = guarded(Kind::Classic);
    let twice = [pause(guardian.pubkey(), 0), pause(guardian.pubkey(), 0)];
    assert_eq!(w.attempt(&twice, &[&guardian]).unwrap_err().name, "PauseTooSoon");
    let lifted = [pause(guardian.pubkey(), 0), unpause(authority.pubkey(), 0), pause(guardian.pubkey(), 0)];
    assert_eq!(w.attempt(&lifted, &[&guardian, &authority]).unwrap_err().name, "PauseTooSoon");
}

#[test]
fn the_authority_lifts_a_pause_and_the_gap_counts_from_then() {
    let (mut w, guardian, authority) = guarded(Kind::Classic);
    w.send(&[pause(guardian.pubkey(), 0)], &[&guardian]);
    w.refuse(unpause(guardian.pubkey(), 0), &[&guardian], "NotAuthority");
    pass(&mut w, DAY);
    w.send(&[unpause(authority.pubkey(), 0)], &[&authority]);
    w.opened();
    pass(&mut w, 7 * DAY - 1);
    w.refuse(pause(guardian.pubkey(), 0), &[&guardian], "PauseTooSoon");
    pass(&mut w, 1);
    w.send(&[pause(guardian.pubkey(), 0)], &[&guardian]);
}

#[test]
fn lifting_what_is_not_paused_does_not_keep_the_guardian_from_pausing() {
    let (mut w, guardian, authority) = guarded(Kind::Classic);
    w.refuse(unpause(authority.pubkey(), 0), &[&authority], "NotPaused");
    w.send(&[pause(guardian.pubkey(), 0)], &[&guardian]);
    pass(&mut w, 7 * DAY);
    w.refuse(unpause(authority.pubkey(), 0), &[&authority], "NotPaused");
    pass(&mut w, 7 * DAY);
    w.refuse(unpause(authority.pubkey(), 0), &[&authority], "NotPaused");
    w.send(&[pause(guardian.pubkey(), 0)], &[&guardian]);
}

#[test]
fn services_are_paused_one_by_one_and_only_those_there_are() {
    let (mut w, guardian, authority) = guarded(Kind::Classic);
    w.send(&[pause(guardian.pubkey(), 3), pause(authority.pubkey(), 1)], &[&guardian, &authority]);
    let until = w.now() + 7 * DAY;
    assert_eq!(protocol(&w).paused_until.map(|at| at.get()), [0, until, 0, until, 0, 0, 0, 0]);
    w.opened();
    for service in [4, 8, 255] {
        w.refuse(pause(guardian.pubkey(), service), &[&guardian], "UnknownService");
        w.refuse(unpause(authority.pubkey(), service), &[&authority], "UnknownService");
    }
}
