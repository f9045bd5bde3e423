use joule_sdk::{
    staking::penalty::{shares, Shares},
    Pubkey, Signer,
};
use joule_tests::{
    staking::{BOND, DAY, SERVICE},
    swap, Kind, World,
};
use joule_units::Amount;

#[test]
fn a_slash_moves_money_from_the_bond_to_where_the_service_says() {
    let mut w = World::bonded(Kind::Classic);
    let (subject, target) = (w.locked(300_000), w.holder(0));
    let before = w.lamports(&w.alice.pubkey());
    let slash = swap(w.slash(subject, 100_000, false), w.fee_vault(), w.tokens_of(&target));
    w.send(&[slash], &[]);
    assert_eq!(w.balance(&w.tokens_of(&target)), 100_000);
    let bond = w.bond();
    assert_eq!((bond.amount.get(), bond.locked.get(), bond.failed.get()), (BOND - 100_000, 200_000, 100_000));
    assert_eq!((w.claim(subject).total.get(), bond.claims.get()), (200_000, 1));
    assert_eq!(w.lamports(&w.alice.pubkey()), before);
    w.check_bond(&[subject], 0);
}

#[test]
fn a_slash_takes_no_more_than_the_claim_holds() {
    let mut w = World::bonded(Kind::Classic);
    let (first, second) = (w.locked(300_000), w.locked(200_000));
    w.send(&[w.slash(first, 300_001, false)], &[]);
    assert_eq!(w.balance(&w.fee_vault()), 300_000);
    assert!(w.is_closed(&w.claim_address(SERVICE, first)));
    assert_eq!((w.bond().amount.get(), w.bond().locked.get()), (BOND - 300_000, 200_000));
    w.check_bond(&[first, second], 0);
}

#[test]
fn the_rest_goes_back_to_the_bond_when_the_service_says_so() {
    let mut w = World::bonded(Kind::Classic);
    let subject = w.locked(300_000);
    let (before, rent) = (w.lamports(&w.alice.pubkey()), w.lamports(&w.claim_address(SERVICE, subject)));
    w.send(&[w.slash(subject, 100_000, true)], &[]);
    let bond = w.bond();
    assert_eq!((bond.amount.get(), bond.locked.get(), bond.claims.get()), (BOND - 100_000, 0, 0));
    assert_eq!((bond.kept.get(), bond.failed.get()), (0, 100_000));
    assert!(w.is_closed(&w.claim_address(SERVICE, subject)));
    assert_eq!(w.lamports(&w.alice.pubkey()), before + rent);
    w.check_bond(&[subject], 0);
}

#[test]
fn a_slash_takes_the_oldest_tranche_first() {
    let mut w = World::bonded(Kind::Classic);
    let (alice, subject, start) = (w.alice.insecure_clone(), Pubkey::new_unique(), w.now());
    for (amount, days) in [(10, 9), (20, 2)] {
        w.send(&[w.lock(subject, amount, start + days * DAY)], &[&alice]);
    }
    w.send(&[w.slash(subject, 15, false)], &[]);
    let claim = w.claim(subject);
    assert_eq!((claim.count, claim.tranches[0].amount.get()), (1, 15));
    assert_eq!(claim.tranches[0].until.get(), start + 2 * DAY);
    w.refuse(w.slash(subject, 0, true), &[], "ZeroAmount");
    w.check_bond(&[subject], 0);
}

#[test]
fn every_account_of_a_slash_is_checked() {
    let mut w = World::bonded(Kind::Classic);
    let (subject, other) = (w.locked(300_000), w.locked(1_000));
    let slash = w.slash(subject, 1_000, false);
    let (vault, fees) = (w.bond_vault(), w.fee_vault());
    w.refuse(swap(slash.clone(), vault, w.alice_tokens()), &[], "WrongVault");
    w.refuse(swap(slash.clone(), fees, vault), &[], "ConstraintDuplicateMutableAccount");
    w.refuse(swap(slash.clone(), w.token_program, Kind::Token2022.program()), &[], "IncorrectProgramId");
    let mint = w.create_mint(Kind::Classic, &[], &[]);
    let foreign = w.extra_token_account(&w.north.pubkey(), &mint, &[]);
    w.refuse(swap(slash.clone(), fees, foreign), &[], "TokenError::MintMismatch");
    let claim = w.claim_address(SERVICE, subject);
    w.refuse(swap(slash.clone(), claim, w.bond_address()), &[], "ConstraintDuplicateMutableAccount");
    let another = w.claim_address(SERVICE, other);
    w.refuse(swap(slash.clone(), w.bond_address(), another), &[], "InvalidAccountData");
    w.refuse(swap(slash.clone(), claim, w.pool_address()), &[], "AccountDataTooSmall");
    // Another claim of the same service is the service's to choose.
    w.send(&[swap(slash, claim, another)], &[]);
    w.check_bond(&[subject, other], 0);
}

#[test]
fn slashing_oneself_costs_whoever_the_accomplices_are() {
    let mut w = World::bonded(Kind::Classic);
    for (n, amount) in [1u64, 2, 9, 10, 11, 999, 100_000].into_iter().enumerate() {
        for challenged in [false, true] {
            let (subject, till) = (w.locked(amount), w.holder(0));
            let slash = swap(w.slash(subject, u64::MAX, true), w.fee_vault(), w.tokens_of(&till));
            w.send(&[slash], &[]);
            let slashed = w.balance(&w.tokens_of(&till));
            assert_eq!(slashed, amount, "{n}");
            // Owner, challenger and the harmed are one and the same.
            let Shares { harmed, challenger, treasury } = shares(Amount::new(slashed), challenged);
            assert!(harmed.get() + challenger.get() < amount && treasury.get() >= 1);
        }
    }
    w.check_bond(&[], 0);
}
