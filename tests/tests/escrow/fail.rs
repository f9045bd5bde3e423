//! A provider that does not deliver loses what it has locked.

use joule_sdk::{staking::penalty, units::Amount};
use joule_tests::{swap, Kind, World, BOND, BUDGET, PRICE};

#[test]
fn a_job_that_is_not_delivered_is_refunded_by_anyone_and_its_provider_slashed() {
    for kind in [Kind::Classic, Kind::Token2022] {
        let mut w = World::new(kind);
        let (tokens, lamports) = (w.balance(&w.alice_tokens()), w.lamports(&w.north.pubkey()));
        let job = w.accepted();
        w.set_time(w.job(&job).deliver_by.get() + 1);
        w.send(&[w.fail(job)], &[]);
        let shares = penalty::shares(Amount::new(PRICE), false);
        assert_eq!(w.balance(&w.alice_tokens()), tokens + shares.harmed.get());
        assert_eq!(w.balance(&w.fee_vault()), shares.treasury.get());
        assert_eq!(w.balance(&w.north_tokens()), 0);
        let bond = w.bond();
        assert_eq!((bond.amount.get(), bond.locked.get(), bond.claims.get()), (BOND - PRICE, 0, 0));
        assert_eq!((bond.kept.get(), bond.failed.get()), (0, PRICE));
        assert!(w.is_closed(&job));
        assert_eq!(w.lamports(&w.north.pubkey()), lamports, "the claim's rent came back");
    }
}

#[test]
fn fail_before_the_deadline_or_after_delivery_is_rejected() {
    let mut w = World::new(Kind::Classic);
    let (accepted, delivered) = (w.accepted(), w.delivered());
    w.set_time(w.job(&accepted).deliver_by.get());
    w.refuse(w.fail(accepted), &[], "NotExpired");
    w.set_time(w.now() + 1_000);
    w.refuse(w.fail(delivered), &[], "WrongState");
}

#[test]
fn a_claim_that_lapsed_does_not_keep_the_client_waiting() {
    let mut w = World::new(Kind::Classic);
    let tokens = w.balance(&w.alice_tokens());
    let job = w.accepted();
    let claim = w.job(&job).claim;
    // Nobody comes for it until it is free again.
    w.set_time(w.job(&job).deliver_by.get() + 120 + 31 * 24 * 60 * 60);
    w.send(&[joule_sdk::instruction::staking::release_expired(claim, &w.get(&claim))], &[]);
    w.send(&[w.fail(job)], &[]);
    assert_eq!(w.balance(&w.alice_tokens()), tokens);
    assert_eq!(w.bond().amount.get(), BOND);
    assert!(w.is_closed(&job));
}

#[test]
fn somebody_elses_claim_is_not_slashed_instead() {
    let mut w = World::new(Kind::Classic);
    let (job, other) = (w.accepted(), w.accepted());
    w.set_time(w.job(&job).deliver_by.get() + 1);
    let fail = w.fail(job);
    let (claim, wrong) = (w.job(&job).claim, w.job(&other).claim);
    w.refuse(swap(fail.clone(), claim, wrong), &[], "WrongClaim");
    let nobody = w.new_key().pubkey();
    w.refuse(swap(fail.clone(), claim, nobody), &[], "WrongClaim");
    w.refuse(swap(fail.clone(), joule_sdk::staking::ID, joule_sdk::registry::ID), &[], "ConstraintAddress");
    w.refuse(swap(fail, w.bond_vault(), w.fee_vault()), &[], "WrongVault");
}

#[test]
fn a_provider_that_delivers_keeps_its_bond_and_its_name() {
    let mut w = World::new(Kind::Classic);
    let job = w.delivered();
    assert_eq!((w.bond().locked.get(), w.bond().claims.get()), (PRICE, 1));
    w.set_time(w.job(&job).settle_after.get());
    w.send(&[w.settle(job)], &[]);
    let bond = w.bond();
    assert_eq!((bond.amount.get(), bond.locked.get(), bond.claims.get()), (BOND, 0, 0));
    assert_eq!((bond.kept.get(), bond.failed.get()), (PRICE, 0));
    assert!(w.balance(&w.alice_tokens()) >= BUDGET - PRICE);
}

use joule_sdk::Signer;
