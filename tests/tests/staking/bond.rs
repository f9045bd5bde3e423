use joule_sdk::{
    instruction::{
        staking as build,
        treasury::{pause, update_mint},
    },
    pda,
    staking::state::Bond,
    Pubkey, Signer,
};
use joule_tests::{
    staking::{BOND, DAY},
    swap, Kind, World,
};

#[test]
fn a_bond_names_its_owner_and_who_may_withdraw_it() {
    let w = World::bonded(Kind::Classic);
    let bond = w.bond();
    assert_eq!((bond.owner, bond.withdrawer, bond.mint), (w.north.pubkey(), w.north_payout.pubkey(), w.mint));
    assert_eq!((bond.vault, bond.rent_payer), (w.bond_vault(), w.north.pubkey()));
    assert_eq!((bond.amount.get(), bond.locked.get(), bond.unbonding.get()), (BOND, 0, 0));
    let vault = w.svm.get_account(&w.bond_vault()).unwrap();
    assert_eq!((&vault.data[..32], &vault.data[32..64]), (w.mint.as_ref(), w.bond_address().as_ref()));
    w.check_bond(&[], 0);
}

#[test]
fn the_owner_signs_for_its_bond_and_has_one_for_each_token() {
    let mut w = World::bonded(Kind::Classic);
    let (mallory, stranger) = (w.alice.insecure_clone(), w.stranger.insecure_clone());
    let (mint, program) = (w.mint, w.token_program);
    let mut unsigned = build::open_bond(mallory.pubkey(), stranger.pubkey(), mint, program, mallory.pubkey());
    unsigned.accounts[1].is_signer = false;
    unsigned.accounts[1].pubkey = w.north_payout.pubkey();
    w.refuse(unsigned, &[&mallory], "MissingRequiredSignature");
    let north = w.north.insecure_clone();
    assert!(w.attempt(&[w.open_bond(&north, mallory.pubkey())], &[&north]).is_err());
    let open = build::open_bond(mallory.pubkey(), mallory.pubkey(), mint, program, Pubkey::default());
    w.refuse(open, &[&mallory], "NoWithdrawer");
}

#[test]
fn only_an_accepted_token_makes_a_bond() {
    let mut w = World::unbonded(Kind::Classic);
    let (authority, north) = (w.authority.insecure_clone(), w.north.insecure_clone());
    let open = w.open_bond(&north, north.pubkey());
    let other = w.create_mint(Kind::Classic, &[], &[]);
    let foreign = build::open_bond(north.pubkey(), north.pubkey(), other, w.token_program, north.pubkey());
    w.refuse(swap(foreign.clone(), pda::accepted_mint(&other), pda::accepted_mint(&w.mint)), &[&north], "WrongMint");
    w.refuse(foreign, &[&north], "UninitializedAccount");
    w.refuse(swap(open.clone(), pda::accepted_mint(&w.mint), pda::protocol()), &[&north], "InvalidAccountData");
    w.refuse(swap(open.clone(), w.token_program, Kind::Token2022.program()), &[&north], "IncorrectProgramId");
    w.send(&[update_mint(authority.pubkey(), w.mint, false, 1)], &[&authority]);
    w.refuse(open, &[&north], "MintNotAccepted");
}

#[test]
fn anybody_adds_to_a_bond_but_strangers_no_dust() {
    let mut w = World::bonded(Kind::Classic);
    let helper = w.holder(5_000);
    w.send(&[w.deposit_bond(&helper, 5_000)], &[&helper]);
    assert_eq!(w.bond().amount.get(), BOND + 5_000);
    let alice = w.alice.insecure_clone();
    w.refuse(w.deposit_bond(&alice, 0), &[&alice], "ZeroAmount");
    w.refuse(w.deposit_bond(&alice, 999), &[&alice], "AmountTooSmall");
    // Its own people may: no change of what is too little keeps them from answering for what they have promised.
    let (authority, north) = (w.authority.insecure_clone(), w.north.insecure_clone());
    w.send(&[update_mint(authority.pubkey(), w.mint, true, u64::MAX)], &[&authority]);
    let own = w.token_account(&north.pubkey());
    w.mint_to(&own, 7);
    w.send(&[w.deposit_bond(&north, 7)], &[&north]);
    assert_eq!(w.bond().amount.get(), BOND + 5_007);
    w.send(&[update_mint(authority.pubkey(), w.mint, true, 1_000)], &[&authority]);
    w.refuse(w.deposit_bond(&alice, u64::MAX), &[&alice], "TokenError::InsufficientFunds");
    w.check_bond(&[], 0);
}

#[test]
fn a_deposit_goes_into_the_bonds_own_vault() {
    let mut w = World::bonded(Kind::Classic);
    let (alice, vault) = (w.alice.insecure_clone(), w.bond_vault());
    let deposit = w.deposit_bond(&alice, 5_000);
    let own = w.tokens_of(&alice);
    let other = w.holder(5_000);
    w.refuse(swap(deposit.clone(), vault, w.tokens_of(&other)), &[&alice], "WrongVault");
    w.refuse(swap(deposit.clone(), own, vault), &[&alice], "ConstraintDuplicateMutableAccount");
    w.refuse(swap(deposit.clone(), own, w.tokens_of(&other)), &[&alice], "TokenError::OwnerMismatch");
    w.refuse(swap(deposit.clone(), pda::accepted_mint(&w.mint), pda::protocol()), &[&alice], "InvalidAccountData");
    w.refuse(swap(deposit, w.bond_address(), pda::provider(&w.north.pubkey())), &[&alice], "AccountDataTooSmall");
}

#[test]
fn a_token_that_is_no_longer_accepted_can_still_be_added_and_taken_out() {
    let mut w = World::bonded(Kind::Classic);
    let (authority, alice, cold) =
        (w.authority.insecure_clone(), w.alice.insecure_clone(), w.north_payout.insecure_clone());
    w.send(&[update_mint(authority.pubkey(), w.mint, false, 1_000)], &[&authority]);
    w.send(&[w.deposit_bond(&alice, 1_000)], &[&alice]);
    w.send(&[w.unbond(BOND + 1_000)], &[&cold]);
    w.set_time(w.now() + 7 * DAY);
    w.send(&[w.withdraw_bond()], &[&cold]);
    assert_eq!(w.balance(&w.north_tokens()), BOND + 1_000);
}

#[test]
fn money_leaves_a_week_after_it_was_asked_for() {
    let mut w = World::bonded(Kind::Classic);
    let cold = w.north_payout.insecure_clone();
    w.refuse(w.withdraw_bond(), &[&cold], "NothingUnbonding");
    w.refuse(w.unbond(0), &[&cold], "ZeroAmount");
    w.refuse(w.unbond(BOND + 1), &[&cold], "NotFree");
    w.send(&[w.unbond(400_000)], &[&cold]);
    let bond = w.bond();
    assert_eq!((bond.amount.get(), bond.unbonding.get(), bond.unbonds_at.get()), (BOND, 400_000, w.now() + 7 * DAY));
    w.refuse(w.unbond(600_001), &[&cold], "NotFree");
    w.set_time(w.now() + 7 * DAY - 1);
    w.refuse(w.withdraw_bond(), &[&cold], "StillUnbonding");
    w.set_time(w.now() + 1);
    w.send(&[w.withdraw_bond()], &[&cold]);
    assert_eq!((w.balance(&w.north_tokens()), w.bond().amount.get()), (400_000, 600_000));
    w.check_bond(&[], 0);
    w.refuse(w.withdraw_bond(), &[&cold], "NothingUnbonding");
}

#[test]
fn unbonding_more_starts_the_week_again_for_all_of_it() {
    let mut w = World::bonded(Kind::Classic);
    let cold = w.north_payout.insecure_clone();
    w.send(&[w.unbond(400_000)], &[&cold]);
    w.set_time(w.now() + 7 * DAY - 1);
    w.send(&[w.unbond(1)], &[&cold]);
    w.set_time(w.now() + 1);
    w.refuse(w.withdraw_bond(), &[&cold], "StillUnbonding");
    w.set_time(w.now() + 7 * DAY);
    w.send(&[w.withdraw_bond()], &[&cold]);
    assert_eq!(w.balance(&w.north_tokens()), 400_001);
}

#[test]
fn unbonding_can_be_cancelled() {
    let mut w = World::bonded(Kind::Classic);
    let cold = w.north_payout.insecure_clone();
    let cancel = build::cancel_unbond(cold.pubkey(), w.bond_address());
    w.refuse(cancel.clone(), &[&cold], "NothingUnbonding");
    w.send(&[w.unbond(400_000)], &[&cold]);
    w.send(&[cancel], &[&cold]);
    assert_eq!((w.bond().unbonding.get(), w.bond().free().unwrap()), (0, BOND));
    w.set_time(w.now() + 8 * DAY);
    w.refuse(w.withdraw_bond(), &[&cold], "NothingUnbonding");
}

#[test]
fn only_the_withdrawer_takes_money_out_and_the_owners_key_does_not_help() {
    let mut w = World::bonded(Kind::Classic);
    let (cold, hot, mallory) = (w.north_payout.insecure_clone(), w.north.insecure_clone(), w.alice.insecure_clone());
    w.send(&[w.unbond(BOND)], &[&cold]);
    w.set_time(w.now() + 7 * DAY);
    let instructions =
        [w.unbond(1), build::cancel_unbond(cold.pubkey(), w.bond_address()), w.withdraw_bond(), w.close_bond()];
    for instruction in instructions {
        for thief in [&hot, &mallory] {
            w.refuse(swap(instruction.clone(), cold.pubkey(), thief.pubkey()), &[thief], "NotWithdrawer");
        }
        let mut unsigned = instruction;
        unsigned.accounts[0].is_signer = false;
        assert!(w.attempt(&[unsigned], &[]).is_err());
    }
    assert_eq!(w.bond().amount.get(), BOND);
}

#[test]
fn money_leaves_only_the_bonds_own_vault() {
    let mut w = World::bonded(Kind::Classic);
    let (cold, vault, tokens) = (w.north_payout.insecure_clone(), w.bond_vault(), w.north_tokens());
    w.send(&[w.unbond(BOND)], &[&cold]);
    w.set_time(w.now() + 7 * DAY);
    let withdraw = w.withdraw_bond();
    w.refuse(swap(withdraw.clone(), vault, w.alice_tokens()), &[&cold], "WrongVault");
    w.refuse(swap(withdraw.clone(), tokens, vault), &[&cold], "ConstraintDuplicateMutableAccount");
    w.refuse(swap(withdraw.clone(), w.token_program, Kind::Token2022.program()), &[&cold], "IncorrectProgramId");
    let mint = w.create_mint(Kind::Classic, &[], &[]);
    let foreign = w.extra_token_account(&cold.pubkey(), &mint, &[]);
    w.refuse(swap(withdraw, tokens, foreign), &[&cold], "TokenError::MintMismatch");
}

#[test]
fn an_empty_bond_is_closed_with_its_vault_and_strangers_gifts() {
    let mut w = World::bonded(Kind::Classic);
    let (cold, alice) = (w.north_payout.insecure_clone(), w.alice.insecure_clone());
    w.refuse(w.close_bond(), &[&cold], "BondNotEmpty");
    w.send(&[w.unbond(BOND)], &[&cold]);
    w.refuse(w.close_bond(), &[&cold], "BondNotEmpty");
    w.set_time(w.now() + 7 * DAY);
    w.send(&[w.withdraw_bond()], &[&cold]);
    let vault = w.bond_vault();
    w.transfer(&alice, &vault, 3);
    w.check_bond(&[], 3);
    let (rent, before) = (w.lamports(&w.bond_address()) + w.lamports(&vault), w.lamports(&w.north.pubkey()));
    let close = w.close_bond();
    w.refuse(swap(close.clone(), vault, w.alice_tokens()), &[&cold], "WrongVault");
    w.refuse(swap(close.clone(), w.north.pubkey(), alice.pubkey()), &[&cold], "WrongRentPayer");
    w.send(std::slice::from_ref(&close), &[&cold]);
    assert!(w.is_closed(&w.bond_address()) && w.is_closed(&vault));
    assert_eq!(w.lamports(&w.north.pubkey()), before + rent);
    assert_eq!(w.balance(&w.north_tokens()), BOND + 3);
    w.refuse(close, &[&cold], "AccountDataTooSmall");
}

#[test]
fn a_bond_with_a_claim_stays_open() {
    let mut w = World::bonded(Kind::Classic);
    let cold = w.north_payout.insecure_clone();
    let subject = w.locked(BOND);
    w.refuse(w.close_bond(), &[&cold], "BondNotEmpty");
    w.send(&[w.slash(subject, u64::MAX, false)], &[]);
    assert_eq!((w.bond().amount.get(), w.bond().claims.get()), (0, 0));
    w.send(&[w.close_bond()], &[&cold]);
    assert!(w.is_closed(&w.bond_address()));
}

#[test]
fn what_was_kept_and_failed_is_counted_and_half_forgotten_every_ninety_days() {
    let mut w = World::bonded(Kind::Classic);
    let scores = |w: &World| (w.bond().kept.get(), w.bond().failed.get());
    let (kept, failed) = (w.locked(40_000), w.locked(20_000));
    w.send(&[w.release(kept, u64::MAX, u64::MAX)], &[]);
    w.send(&[w.slash(failed, 8_000, true)], &[]);
    assert_eq!(scores(&w), (40_000, 8_000));
    let (second, third) = (w.locked(100), w.locked(100));
    w.set_time(w.now() + 90 * DAY);
    w.send(&[w.release(second, u64::MAX, u64::MAX)], &[]);
    assert_eq!(scores(&w), (20_100, 4_000));
    w.set_time(w.now() + 45 * DAY);
    w.send(&[w.slash(third, 100, false)], &[]);
    assert_eq!(scores(&w), (15_075, 3_100));
    assert_eq!(w.bond().scored_at.get(), w.now());
}

#[test]
fn no_more_counts_as_kept_than_is_released_and_than_the_service_says() {
    let mut w = World::bonded(Kind::Classic);
    let subject = w.locked(10_000);
    w.send(&[w.release(subject, 4_000, u64::MAX)], &[]);
    assert_eq!(w.bond().kept.get(), 4_000);
    w.send(&[w.release(subject, u64::MAX, 5)], &[]);
    assert_eq!(w.bond().kept.get(), 4_005);
}

#[test]
fn what_is_released_and_not_kept_counts_nothing() {
    let mut w = World::bonded(Kind::Classic);
    let (first, second, third) = (w.locked(1_000), w.locked(1_000), w.locked(1_000));
    w.send(&[w.release(first, u64::MAX, 0)], &[]);
    w.send(&[w.slash(second, 1, true)], &[]);
    w.set_time(w.now() + 30 * DAY);
    w.send(&[w.release_expired(third)], &[]);
    let bond: Bond = w.bond();
    assert_eq!((bond.kept.get(), bond.failed.get()), (0, 1));
    w.check_bond(&[first, second, third], 0);
}

#[test]
fn no_pause_keeps_money_in_a_bond() {
    let mut w = World::bonded(Kind::Classic);
    let (cold, guardian) = (w.north_payout.insecure_clone(), w.guardian.insecure_clone());
    w.send(&[w.unbond(BOND)], &[&cold]);
    w.set_time(w.now() + 6 * DAY);
    w.send(&[0, 1, 2, 3].map(|service| pause(guardian.pubkey(), service)), &[&guardian]);
    w.set_time(w.now() + DAY);
    w.send(&[w.withdraw_bond(), w.close_bond()], &[&cold]);
    assert_eq!(w.balance(&w.north_tokens()), BOND);
}
