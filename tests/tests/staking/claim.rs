use joule_sdk::{instruction::staking as build, pda, staking::state::TRANCHES, Keypair, Pubkey, Signer};
use joule_tests::{
    staking::{through, Way, BOND, DAY, RIVAL, RIVAL_NUMBER, SERVICE, SERVICE_NUMBER},
    swap, Kind, World,
};

#[test]
fn a_service_locks_a_part_of_a_bond_for_a_subject() {
    let mut w = World::bonded(Kind::Classic);
    let subject = w.locked(300_000);
    let (claim, bond) = (w.claim(subject), w.bond());
    assert_eq!((claim.bond, claim.signer, claim.subject), (w.bond_address(), pda::claim_signer(&SERVICE), subject));
    assert_eq!((claim.total.get(), claim.count, claim.rent_payer), (300_000, 1, w.alice.pubkey()));
    assert_eq!((claim.tranches[0].amount.get(), claim.tranches[0].until.get()), (300_000, w.now() + 30 * DAY));
    assert_eq!((bond.amount.get(), bond.locked.get(), bond.claims.get()), (BOND, 300_000, 1));
    assert_eq!(bond.free().unwrap(), BOND - 300_000);
    w.check_bond(&[subject], 0);
}

#[test]
fn what_is_locked_cannot_be_unbonded() {
    let mut w = World::bonded(Kind::Classic);
    let cold = w.north_payout.insecure_clone();
    let subject = w.locked(300_000);
    w.refuse(w.unbond(BOND - 299_999), &[&cold], "NotFree");
    w.send(&[w.unbond(BOND - 300_000)], &[&cold]);
    w.check_bond(&[subject], 0);
}

#[test]
fn a_bond_locks_no_more_than_it_holds() {
    let mut w = World::bonded(Kind::Classic);
    let (alice, subject) = (w.alice.insecure_clone(), Pubkey::new_unique());
    let until = w.now() + DAY;
    w.refuse(w.lock(subject, BOND + 1, until), &[&alice], "BondTooSmall");
    w.refuse(w.lock(subject, u64::MAX, until), &[&alice], "BondTooSmall");
    w.refuse(w.lock(subject, 0, until), &[&alice], "ZeroAmount");
    w.send(&[w.lock(subject, BOND, until)], &[&alice]);
    w.refuse(w.lock(subject, 1, until), &[&alice], "BondTooSmall");
    w.check_bond(&[subject], 0);
}

#[test]
fn money_on_its_way_out_still_backs_new_claims_after_what_is_free() {
    let mut w = World::bonded(Kind::Classic);
    let cold = w.north_payout.insecure_clone();
    w.send(&[w.unbond(900_000)], &[&cold]);
    let first = w.locked(100_000);
    assert_eq!(w.bond().unbonding.get(), 900_000);
    let second = w.locked(500_000);
    assert_eq!((w.bond().unbonding.get(), w.bond().locked.get()), (400_000, 600_000));
    w.check_bond(&[first, second], 0);
    w.set_time(w.now() + 7 * DAY);
    w.send(&[w.withdraw_bond()], &[&cold]);
    assert_eq!((w.bond().amount.get(), w.bond().free().unwrap()), (600_000, 0));
    // What is released is free, and starts a week of its own when it is to leave.
    w.send(&[w.release(second, u64::MAX, u64::MAX)], &[]);
    w.refuse(w.withdraw_bond(), &[&cold], "NothingUnbonding");
    assert_eq!(w.bond().free().unwrap(), 500_000);
    w.check_bond(&[first], 0);
}

#[test]
fn a_claim_ends_after_now_and_within_four_hundred_days() {
    let mut w = World::bonded(Kind::Classic);
    let (alice, subject, now) = (w.alice.insecure_clone(), Pubkey::new_unique(), w.now());
    for until in [now, now - 1, 0, i64::MIN, now + 400 * DAY + 1, i64::MAX] {
        w.refuse(w.lock(subject, 1, until), &[&alice], "UntilOutOfRange");
    }
    w.send(&[w.lock(subject, 1, now + 1)], &[&alice]);
    w.send(&[w.lock(subject, 1, now + 400 * DAY)], &[&alice]);
    w.check_bond(&[subject], 0);
}

#[test]
fn locking_again_adds_a_tranche_and_joins_the_newest_when_there_is_no_room() {
    let mut w = World::bonded(Kind::Classic);
    let (alice, subject, start) = (w.alice.insecure_clone(), Pubkey::new_unique(), w.now());
    for n in 1..=TRANCHES as u64 {
        w.send(&[w.lock(subject, n * 10, start + n as i64 * DAY)], &[&alice]);
        assert_eq!(w.claim(subject).count as u64, n);
        w.check_bond(&[subject], 0);
    }
    // The later of the two ends holds for both.
    w.send(&[w.lock(subject, 5, start + DAY)], &[&alice]);
    let claim = w.claim(subject);
    assert_eq!((claim.count, claim.tranches[7].amount.get(), claim.tranches[7].until.get()), (8, 85, start + 8 * DAY));
    w.send(&[w.lock(subject, 5, start + 20 * DAY)], &[&alice]);
    let claim = w.claim(subject);
    assert_eq!((claim.tranches[7].amount.get(), claim.tranches[7].until.get()), (90, start + 20 * DAY));
    assert_eq!((claim.total.get(), w.bond().claims.get()), (370, 1));
    w.check_bond(&[subject], 0);
}

#[test]
fn a_release_takes_the_oldest_tranche_first() {
    let mut w = World::bonded(Kind::Classic);
    let (alice, subject, start) = (w.alice.insecure_clone(), Pubkey::new_unique(), w.now());
    for (amount, days) in [(10, 9), (20, 2), (30, 5), (40, 1)] {
        w.send(&[w.lock(subject, amount, start + days * DAY)], &[&alice]);
    }
    let tranches = |w: &World| {
        let claim = w.claim(subject);
        claim.tranches[..claim.count as usize]
            .iter()
            .map(|t| (t.amount.get(), (t.until.get() - start) / DAY))
            .collect::<Vec<_>>()
    };
    w.send(&[w.release(subject, 4, 4)], &[]);
    assert_eq!(tranches(&w), [(6, 9), (20, 2), (30, 5), (40, 1)]);
    w.send(&[w.release(subject, 6, 6)], &[]);
    assert_eq!(tranches(&w), [(20, 2), (30, 5), (40, 1)]);
    w.send(&[w.release(subject, 49, 49)], &[]);
    assert_eq!(tranches(&w), [(1, 5), (40, 1)]);
    w.check_bond(&[subject], 0);
    w.refuse(w.release(subject, 0, 0), &[], "ZeroAmount");
    w.send(&[w.release(subject, 1_000, 1_000)], &[]);
    assert!(w.is_closed(&w.claim_address(SERVICE, subject)));
    assert_eq!((w.bond().locked.get(), w.bond().kept.get()), (0, 100));
    w.check_bond(&[subject], 0);
}

#[test]
fn the_last_release_closes_the_claim_and_returns_the_rent() {
    let mut w = World::bonded(Kind::Classic);
    let before = w.lamports(&w.alice.pubkey());
    let subject = w.locked(300_000);
    assert!(w.lamports(&w.alice.pubkey()) < before);
    let release = w.release(subject, u64::MAX, u64::MAX);
    w.send(std::slice::from_ref(&release), &[]);
    assert!(w.is_closed(&w.claim_address(SERVICE, subject)));
    assert_eq!(w.lamports(&w.alice.pubkey()), before);
    assert_eq!((w.bond().locked.get(), w.bond().claims.get(), w.bond().amount.get()), (0, 0, BOND));
    w.refuse(release, &[], "AccountDataTooSmall");
}

#[test]
fn what_has_expired_anyone_may_release() {
    let mut w = World::bonded(Kind::Classic);
    let (alice, subject, start) = (w.alice.insecure_clone(), Pubkey::new_unique(), w.now());
    for (amount, days) in [(10, 9), (20, 2), (30, 5), (40, 2)] {
        w.send(&[w.lock(subject, amount, start + days * DAY)], &[&alice]);
    }
    w.refuse(w.release_expired(subject), &[], "NothingExpired");
    w.set_time(start + 2 * DAY - 1);
    w.refuse(w.release_expired(subject), &[], "NothingExpired");
    w.set_time(start + 2 * DAY);
    w.send(&[w.release_expired(subject)], &[]);
    let claim = w.claim(subject);
    assert_eq!((claim.total.get(), claim.count), (40, 2));
    assert_eq!((claim.tranches[0].amount.get(), claim.tranches[1].amount.get()), (10, 30));
    w.check_bond(&[subject], 0);
    w.refuse(w.release_expired(subject), &[], "NothingExpired");
    w.set_time(start + 9 * DAY);
    w.send(&[w.release_expired(subject)], &[]);
    assert!(w.is_closed(&w.claim_address(SERVICE, subject)));
    assert_eq!((w.bond().kept.get(), w.bond().failed.get()), (0, 0));
    w.check_bond(&[subject], 0);
}

#[test]
fn until_it_is_released_an_expired_claim_can_still_be_slashed() {
    let mut w = World::bonded(Kind::Classic);
    let subject = w.locked(1_000);
    w.set_time(w.now() + 31 * DAY);
    w.send(&[w.slash(subject, u64::MAX, false)], &[]);
    assert_eq!(w.balance(&w.fee_vault()), 1_000);
    w.check_bond(&[subject], 0);
}

#[test]
fn a_subject_that_was_released_can_be_locked_again() {
    let mut w = World::bonded(Kind::Classic);
    let (alice, subject) = (w.alice.insecure_clone(), w.locked(1_000));
    w.send(&[w.release(subject, u64::MAX, u64::MAX)], &[]);
    w.send(&[w.lock(subject, 7, w.now() + DAY)], &[&alice]);
    assert_eq!((w.claim(subject).total.get(), w.claim(subject).count), (7, 1));
    w.check_bond(&[subject], 0);
}

#[test]
fn a_second_lock_is_on_the_same_bond() {
    let mut w = World::bonded(Kind::Classic);
    let (alice, subject) = (w.alice.insecure_clone(), w.locked(1_000));
    let source = w.tokens_of(&alice);
    let open = w.open_bond(&alice, alice.pubkey());
    let bond = pda::bond(&alice.pubkey(), &w.mint);
    let deposit = build::deposit_bond(alice.pubkey(), source, bond, w.mint, w.token_program, 5_000, alice.pubkey());
    let name = build::name_service(alice.pubkey(), bond, SERVICE_NUMBER, true);
    w.send(&[open, deposit, name], &[&alice]);
    let lock = w.lock(subject, 1_000, w.now() + DAY);
    w.refuse(swap(lock, w.bond_address(), bond), &[&alice], "WrongBond");
    let release = w.release(subject, 1_000, 1_000);
    w.refuse(swap(release, w.bond_address(), bond), &[], "WrongBond");
}

#[test]
fn two_services_hold_two_claims_for_one_subject() {
    let mut w = World::bonded(Kind::Classic);
    let (alice, subject) = (w.alice.insecure_clone(), w.locked(1_000));
    w.send(&[w.lock_by(RIVAL, subject, 500, w.now() + DAY)], &[&alice]);
    assert_eq!((w.bond().locked.get(), w.bond().claims.get()), (1_500, 2));
    assert_ne!(w.claim_address(SERVICE, subject), w.claim_address(RIVAL, subject));
}

#[test]
fn passing_the_bytes_on_does_the_same_as_the_calls_made_for_services() {
    let mut w = World::bonded(Kind::Classic);
    let (alice, subject) = (w.alice.insecure_clone(), Pubkey::new_unique());
    let until = w.now() + DAY;
    let lock = build::lock(alice.pubkey(), (SERVICE, SERVICE_NUMBER), w.bond_address(), subject, 1_000, until);
    w.send(&[through(SERVICE, Way::Pass, lock)], &[&alice]);
    let claim = w.claim_address(SERVICE, subject);
    let release = build::release(claim, &w.claim(subject), 400, 400);
    w.send(&[through(SERVICE, Way::Pass, release)], &[]);
    let slash = build::slash(claim, &w.claim(subject), w.fee_vault(), w.token_program, 100, true);
    w.send(&[through(SERVICE, Way::Pass, slash)], &[]);
    assert_eq!((w.bond().kept.get(), w.bond().failed.get(), w.bond().amount.get()), (400, 100, BOND - 100));
    w.check_bond(&[subject], 0);
}

#[test]
fn every_account_of_a_lock_is_checked() {
    let mut w = World::bonded(Kind::Classic);
    let (alice, subject) = (w.alice.insecure_clone(), Pubkey::new_unique());
    let lock = w.lock(subject, 1_000, w.now() + DAY);
    let (bond, claim) = (w.bond_address(), w.claim_address(SERVICE, subject));
    w.refuse(
        swap(lock.clone(), pda::service(SERVICE_NUMBER), pda::service(RIVAL_NUMBER)),
        &[&alice],
        "WrongClaimSigner",
    );
    w.refuse(swap(lock.clone(), pda::service(SERVICE_NUMBER), pda::protocol()), &[&alice], "IllegalOwner");
    w.refuse(swap(lock.clone(), bond, pda::provider(&w.north.pubkey())), &[&alice], "AccountDataTooSmall");
    let elsewhere = w.claim_address(SERVICE, Keypair::new().pubkey());
    w.refuse(swap(lock.clone(), claim, elsewhere), &[&alice], "InvalidSeeds");
    w.refuse(swap(lock.clone(), claim, bond), &[&alice], "ConstraintDuplicateMutableAccount");
    // A claim that exists, but for another subject; and things that are no claim.
    let other = w.locked(1_000);
    w.refuse(swap(lock.clone(), claim, w.claim_address(SERVICE, other)), &[&alice], "WrongClaim");
    w.refuse(swap(lock.clone(), claim, pda::service(RIVAL_NUMBER)), &[&alice], "AccountDataTooSmall");
    w.refuse(swap(lock, claim, w.alice_tokens()), &[&alice], "AccountDataTooSmall");
    w.check_bond(&[other], 0);
}

#[test]
fn rent_returns_only_to_whoever_paid_it() {
    let mut w = World::bonded(Kind::Classic);
    let (subject, mallory) = (w.locked(1_000), Keypair::new());
    w.set_time(w.now() + 30 * DAY);
    let (alice, release, expired) =
        (w.alice.pubkey(), w.release(subject, u64::MAX, u64::MAX), w.release_expired(subject));
    w.refuse(swap(release, alice, mallory.pubkey()), &[], "WrongRentPayer");
    w.refuse(swap(expired, alice, mallory.pubkey()), &[], "WrongRentPayer");
    w.refuse(swap(w.slash(subject, 1, true), alice, mallory.pubkey()), &[], "WrongRentPayer");
}
