//! Fees change one small step at a time, announced days ahead.

use crate::{pass, protocol, DAY, FEES};
use joule_sdk::{instruction::treasury::*, Keypair, Signer};
use joule_tests::{Kind, World, FEE_BPS};

fn governed() -> (World, Keypair) {
    let w = World::governed(Kind::Classic);
    let authority = w.authority.insecure_clone();
    (w, authority)
}

fn fee(w: &World) -> u16 {
    protocol(w).fee_bps[0].get()
}

#[test]
fn a_staged_fee_holds_once_anyone_applies_it_after_two_days() {
    let (mut w, authority) = governed();
    w.send(&[stage_fee(authority.pubkey(), 0, FEE_BPS + 100)], &[&authority]);
    let p = protocol(&w);
    assert_eq!((p.staged_fee_bps[0].get(), p.staged_fee_at[0].get()), (FEE_BPS + 100, w.now() + 2 * DAY));
    assert_eq!(fee(&w), FEE_BPS);
    w.refuse(apply_fee(0), &[], "DelayNotOver");
    pass(&mut w, 2 * DAY - 1);
    w.refuse(apply_fee(0), &[], "DelayNotOver");
    pass(&mut w, 1);
    w.send(&[apply_fee(0)], &[]);
    let p = protocol(&w);
    assert_eq!((p.fee_bps[0].get(), p.staged_fee_bps[0].get(), p.staged_fee_at[0].get()), (FEE_BPS + 100, 0, 0));
    w.refuse(apply_fee(0), &[], "NothingStaged");
}

#[test]
fn a_fee_moves_by_one_point_at_most_and_never_above_the_maximum() {
    let (mut w, authority) = governed();
    for far in [FEE_BPS + 101, FEE_BPS - 101, 0, 2_000] {
        w.refuse(stage_fee(authority.pubkey(), 0, far), &[&authority], "FeeStepTooLarge");
    }
    for high in [2_001, u16::MAX] {
        w.refuse(stage_fee(authority.pubkey(), 0, high), &[&authority], "FeeTooHigh");
    }
    w.send(&[stage_fee(authority.pubkey(), 0, FEE_BPS - 100)], &[&authority]);
    pass(&mut w, 2 * DAY);
    w.send(&[apply_fee(0)], &[]);
    assert_eq!(fee(&w), FEE_BPS - 100);
}

#[test]
fn an_authority_cannot_take_two_steps_in_one_transaction() {
    let (mut w, authority) = governed();
    let stage = |bps| stage_fee(authority.pubkey(), 0, bps);
    let mut attempt = |instructions: &[_], error| {
        assert_eq!(w.attempt(instructions, &[&authority]).unwrap_err().name, error);
        assert_eq!(fee(&w), FEE_BPS);
    };
    attempt(&[stage(350), stage(450)], "FeeAlreadyStaged");
    attempt(&[stage(350), apply_fee(0)], "DelayNotOver");
    attempt(&[stage(350), cancel_fee(authority.pubkey(), 0), stage(450)], "FeeStepTooLarge");
    // Nor does an old announcement let two steps through at once.
    w.send(&[stage(350)], &[&authority]);
    pass(&mut w, 30 * DAY);
    let at_once = [apply_fee(0), stage(450), apply_fee(0)];
    assert_eq!(w.attempt(&at_once, &[&authority]).unwrap_err().name, "DelayNotOver");
    w.send(&[apply_fee(0), stage(450)], &[&authority]);
    w.refuse(apply_fee(0), &[], "DelayNotOver");
    assert_eq!(fee(&w), 350);
}

#[test]
fn one_change_a_service_is_pending_until_it_is_applied_or_cancelled() {
    let (mut w, authority) = governed();
    w.send(&[stage_fee(authority.pubkey(), 0, 300), stage_fee(authority.pubkey(), 1, 300)], &[&authority]);
    w.refuse(stage_fee(authority.pubkey(), 0, 300), &[&authority], "FeeAlreadyStaged");
    w.send(&[cancel_fee(authority.pubkey(), 0)], &[&authority]);
    w.refuse(cancel_fee(authority.pubkey(), 0), &[&authority], "NothingStaged");
    pass(&mut w, 2 * DAY);
    w.refuse(apply_fee(0), &[], "NothingStaged");
    w.send(&[apply_fee(1)], &[]);
    assert_eq!(protocol(&w).fee_bps.map(|bps| bps.get()), [FEE_BPS, 300, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn staging_nothing_new_changes_nothing() {
    let (mut w, authority) = governed();
    w.send(&[stage_fee(authority.pubkey(), 0, FEE_BPS)], &[&authority]);
    pass(&mut w, 2 * DAY);
    w.send(&[apply_fee(0)], &[]);
    assert_eq!(protocol(&w).fee_bps.map(|bps| bps.get()), FEES);
}

#[test]
fn only_services_that_there_are_have_fees() {
    let (mut w, authority) = governed();
    for service in [4, 8, 255] {
        w.refuse(stage_fee(authority.pubkey(), service, 1), &[&authority], "UnknownService");
        w.refuse(cancel_fee(authority.pubkey(), service), &[&authority], "UnknownService");
        w.refuse(apply_fee(service), &[], "UnknownService");
    }
    let mut bare = World::bare();
    let mut fees = FEES;
    fees[3] = 2_001;
    bare.refuse(initialize_protocol(authority.pubkey(), authority.pubkey(), fees), &[&authority], "FeeTooHigh");
    // There is no service 7 yet, and its fee could not be changed later.
    fees[7] = 1;
    fees[3] = 0;
    bare.refuse(initialize_protocol(authority.pubkey(), authority.pubkey(), fees), &[&authority], "UnknownService");
}
