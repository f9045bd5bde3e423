//! Attacks by name.

use joule_sdk::{instruction::staking as build, pda, Keypair, Pubkey, Signer};
use joule_tests::{
    staking::{through, Way, BOND, DAY, OUTLAW, RIVAL, SERVICE, SERVICE_NUMBER},
    swap, Kind, World,
};

#[test]
fn another_admitted_service_cannot_touch_the_claim() {
    let mut w = World::bonded(Kind::Classic);
    let subject = w.locked(300_000);
    let (claim, state) = (w.claim_address(SERVICE, subject), w.claim(subject));
    let (own, theirs) = (pda::claim_signer(&RIVAL), pda::claim_signer(&SERVICE));
    let slash = build::slash(claim, &state, w.fee_vault(), w.token_program, 1, true);
    let release = build::release(claim, &state, 1, 1);
    for (way, instruction) in [(Way::Slash, slash), (Way::Release, release)] {
        // With its own signature,
        let with_own = swap(instruction.clone(), theirs, own);
        w.refuse(through(RIVAL, way, with_own), &[], "WrongClaimSigner");
        // and without the other's, which only the other can give.
        let mut forged = through(RIVAL, way, instruction.clone());
        forged.accounts.iter_mut().for_each(|a| a.is_signer = false);
        assert!(w.attempt(&[forged], &[]).is_err());
        let mut direct = instruction;
        direct.accounts[0].is_signer = false;
        w.refuse(direct, &[], "MissingRequiredSignature");
    }
    w.check_bond(&[subject], 0);
}

#[test]
fn another_service_cannot_add_to_a_claim_or_take_its_place() {
    let mut w = World::bonded(Kind::Classic);
    let (subject, alice) = (w.locked(300_000), w.alice.insecure_clone());
    let lock = w.lock_by(RIVAL, subject, 1, w.now() + DAY);
    let (own, theirs) = (w.claim_address(RIVAL, subject), w.claim_address(SERVICE, subject));
    w.refuse(swap(lock, own, theirs), &[&alice], "WrongClaim");
}

#[test]
fn a_program_that_nobody_admitted_locks_nothing() {
    let mut w = World::bonded(Kind::Classic);
    let (alice, subject) = (w.alice.insecure_clone(), Pubkey::new_unique());
    let lock = w.lock_by(OUTLAW, subject, 1, w.now() + DAY);
    // Under a service that was admitted, with its own signature or with a key of its own.
    w.refuse(lock, &[&alice], "WrongClaimSigner");
    let mut direct =
        build::lock(alice.pubkey(), (SERVICE, SERVICE_NUMBER), w.bond_address(), subject, 1, w.now() + DAY);
    let claim = pda::claim(&alice.pubkey(), &subject);
    direct = swap(direct, w.claim_address(SERVICE, subject), claim);
    direct.accounts[2].pubkey = alice.pubkey();
    w.refuse(direct, &[&alice], "WrongClaimSigner");
    w.check_bond(&[], 0);
}

#[test]
fn nobody_escapes_a_slash_by_unbonding_first() {
    let mut w = World::bonded(Kind::Classic);
    let (alice, cold) = (w.alice.insecure_clone(), w.north_payout.insecure_clone());
    w.send(&[w.unbond(BOND)], &[&cold]);
    w.set_time(w.now() + 7 * DAY - 1);
    // A second before it leaves, a service locks all of it.
    let subject = Pubkey::new_unique();
    w.send(&[w.lock(subject, BOND, w.now() + DAY)], &[&alice]);
    w.set_time(w.now() + 1);
    w.refuse(w.withdraw_bond(), &[&cold], "NothingUnbonding");
    w.refuse(w.unbond(1), &[&cold], "NotFree");
    w.send(&[w.slash(subject, u64::MAX, false)], &[]);
    assert_eq!((w.balance(&w.fee_vault()), w.balance(&w.north_tokens())), (BOND, 0));
    w.check_bond(&[subject], 0);
}

#[test]
fn money_that_was_slashed_cannot_be_withdrawn_as_unbonding() {
    let mut w = World::bonded(Kind::Classic);
    let cold = w.north_payout.insecure_clone();
    let subject = w.locked(600_000);
    w.send(&[w.unbond(400_000)], &[&cold]);
    w.send(&[w.slash(subject, 500_000, true)], &[]);
    w.set_time(w.now() + 7 * DAY);
    w.send(&[w.withdraw_bond()], &[&cold]);
    assert_eq!((w.balance(&w.north_tokens()), w.bond().amount.get()), (400_000, 100_000));
    w.check_bond(&[subject], 0);
}

#[test]
fn lamports_sent_ahead_keep_nothing_from_being_opened() {
    let mut w = World::unbonded(Kind::Classic);
    let authority = w.authority.insecure_clone();
    let (pool, bond, subject) = (w.pool_address(), w.bond_address(), Pubkey::new_unique());
    let owner = w.holder(10_000);
    for address in [
        pool,
        w.pool_vault(),
        w.stake_address(&owner),
        bond,
        w.bond_vault(),
        pda::service(SERVICE_NUMBER),
        w.claim_address(SERVICE, subject),
    ] {
        w.svm.airdrop(&address, 1_000_000).unwrap();
    }
    let north = w.north.insecure_clone();
    let create = build::create_pool(authority.pubkey(), w.mint, w.token_program, joule_tests::staking::PARAMS);
    w.send(&[create], &[&authority]);
    w.send(&[w.stake(&owner, 10_000, 0)], &[&owner]);
    w.send(&[w.open_bond(&north, w.north_payout.pubkey())], &[&north]);
    w.send(&[build::admit_service(authority.pubkey(), SERVICE, SERVICE_NUMBER)], &[&authority]);
    w.svm.add_program_from_file(SERVICE, joule_tests::deployed("joule_test_service")).unwrap();
    let alice = w.alice.insecure_clone();
    w.send(&[w.name_service(&north, SERVICE_NUMBER, true), w.deposit_bond(&alice, BOND)], &[&north, &alice]);
    w.send(&[w.lock(subject, 1_000, w.now() + DAY)], &[&alice]);
    w.check_bond(&[subject], 0);
    w.check_pool(&[&owner], 0);
}

#[test]
fn nothing_is_replayed_in_the_transaction_that_closes() {
    let mut w = World::bonded(Kind::Classic);
    let (subject, stranger) = (w.locked(1_000), w.stranger.insecure_clone());
    let claim = w.claim_address(SERVICE, subject);
    let (release, slash) = (w.release(subject, u64::MAX, u64::MAX), w.slash(subject, u64::MAX, true));
    let revive = solana_system_interface::instruction::transfer(&stranger.pubkey(), &claim, 10_000_000);
    for second in [release.clone(), slash.clone()] {
        assert!(w.attempt(&[release.clone(), second.clone()], &[]).is_err());
        assert!(w.attempt(&[slash.clone(), revive.clone(), second], &[]).is_err());
    }
    w.send(&[release, revive], &[]);
    assert!(w.svm.get_account(&claim).is_none_or(|a| a.data.is_empty()));
    w.refuse(slash, &[], "AccountDataTooSmall");
    assert_eq!(w.bond().amount.get(), BOND);
    // The address is as good as new.
    let alice = w.alice.insecure_clone();
    w.send(&[w.lock(subject, 5, w.now() + DAY)], &[&alice]);
    w.check_bond(&[subject], 0);
}

#[test]
fn a_reopened_bond_begins_with_nothing() {
    let mut w = World::bonded(Kind::Classic);
    let (cold, north) = (w.north_payout.insecure_clone(), w.north.insecure_clone());
    let subject = w.locked(1_000);
    let stale = w.release(subject, u64::MAX, u64::MAX);
    w.send(&[w.slash(subject, u64::MAX, true)], &[]);
    w.send(&[w.unbond(BOND - 1_000)], &[&cold]);
    w.set_time(w.now() + 7 * DAY);
    w.send(&[w.withdraw_bond()], &[&cold]);
    w.send(&[w.close_bond()], &[&cold]);
    w.send(&[w.open_bond(&north, cold.pubkey())], &[&north]);
    let bond = w.bond();
    assert_eq!((bond.amount.get(), bond.kept.get(), bond.failed.get(), bond.claims.get()), (0, 0, 0, 0));
    w.refuse(stale, &[], "AccountDataTooSmall");
    w.check_bond(&[], 0);
}

#[test]
fn a_frozen_bond_vault_cannot_be_slashed_and_keeps_no_claim_from_ending() {
    let mut w = World::bonded(Kind::Classic);
    let (alice, cold, vault) = (w.alice.insecure_clone(), w.north_payout.insecure_clone(), w.bond_vault());
    let (first, second) = (w.locked(1_000), w.locked(2_000));
    w.freeze(&vault);
    w.refuse(w.slash(first, 500, true), &[], "TokenError::AccountFrozen");
    w.refuse(w.deposit_bond(&alice, 1_000), &[&alice], "TokenError::AccountFrozen");
    w.send(&[w.release(second, u64::MAX, u64::MAX)], &[]);
    w.set_time(w.now() + 30 * DAY);
    w.send(&[w.release_expired(first)], &[]);
    w.send(&[w.unbond(BOND)], &[&cold]);
    w.set_time(w.now() + 7 * DAY);
    w.refuse(w.withdraw_bond(), &[&cold], "TokenError::AccountFrozen");
    w.thaw(&vault);
    w.send(&[w.withdraw_bond()], &[&cold]);
    assert_eq!(w.balance(&w.north_tokens()), BOND);
}

#[test]
fn gifts_to_a_bonds_vault_are_not_bond() {
    let mut w = World::bonded(Kind::Classic);
    let (alice, cold, vault) = (w.alice.insecure_clone(), w.north_payout.insecure_clone(), w.bond_vault());
    w.transfer(&alice, &vault, 7);
    w.refuse(w.unbond(BOND + 1), &[&cold], "NotFree");
    w.refuse(w.lock(Pubkey::new_unique(), BOND + 1, w.now() + DAY), &[&alice], "BondTooSmall");
    w.check_bond(&[], 7);
}

#[test]
fn nothing_but_the_program_moves_a_vault() {
    use spl_token_2022_interface::instruction::transfer_checked;
    let mut w = World::bonded(Kind::Classic);
    let mallory = w.holder(0);
    let (program, mint, thief) = (w.token_program, w.mint, w.tokens_of(&mallory));
    for owner in [mallory.pubkey(), w.north.pubkey()] {
        let steal = transfer_checked(&program, &w.bond_vault(), &mint, &thief, &owner, &[], BOND, 6).unwrap();
        let key = if owner == mallory.pubkey() { mallory.insecure_clone() } else { w.north.insecure_clone() };
        w.refuse(steal, &[&key], "TokenError::OwnerMismatch");
    }
}

#[test]
fn a_forged_event_is_refused() {
    let mut w = World::bonded(Kind::Classic);
    let mallory = Keypair::new();
    let mut data = anchor_lang::event::EVENT_IX_TAG_LE.to_vec();
    data.extend([0; 64]);
    let accounts = vec![solana_instruction::AccountMeta::new_readonly(mallory.pubkey(), true)];
    let forged = joule_sdk::Instruction { program_id: joule_sdk::staking::ID, accounts, data: data.clone() };
    assert!(w.attempt(&[forged], &[&mallory]).is_err());
    // Nor through a service, which signs for its own address and no other.
    let signer = pda::claim_signer(&SERVICE);
    let accounts = vec![solana_instruction::AccountMeta::new_readonly(signer, false)];
    let inner = joule_sdk::Instruction { program_id: joule_sdk::staking::ID, accounts, data };
    assert!(w.attempt(&[through(SERVICE, Way::Pass, inner)], &[]).is_err());
}

#[test]
fn a_rent_payer_that_becomes_a_program_keeps_no_claim_open() {
    for slashed in [false, true] {
        let mut w = World::bonded(Kind::Classic);
        let subject = w.locked(1_000);
        let address = w.claim_address(SERVICE, subject);
        let (mut account, mut state) = (w.svm.get_account(&address).unwrap(), w.claim(subject));
        state.rent_payer = joule_sdk::registry::ID;
        account.data[8..].copy_from_slice(bytemuck::bytes_of(&state));
        let (rent, before) = (account.lamports, w.lamports(&w.bond_address()));
        w.svm.set_account(address, account).unwrap();
        let end = if slashed { w.slash(subject, 1, true) } else { w.release(subject, u64::MAX, u64::MAX) };
        w.send(&[end], &[]);
        assert!(w.is_closed(&address));
        // The bond keeps the rent for whoever paid its own.
        assert_eq!(w.lamports(&w.bond_address()), before + rent);
        w.check_bond(&[subject], 0);
    }
}

#[test]
fn one_account_cannot_stand_for_two() {
    let mut w = World::bonded(Kind::Classic);
    let subject = w.locked(1_000);
    let (bond, claim) = (w.bond_address(), w.claim_address(SERVICE, subject));
    for (old, new) in [(bond, claim), (claim, bond), (w.bond_vault(), w.fee_vault()), (w.fee_vault(), w.bond_vault())] {
        w.refuse(swap(w.slash(subject, 1, true), old, new), &[], "ConstraintDuplicateMutableAccount");
    }
    let expired = w.release_expired(subject);
    w.refuse(swap(expired, bond, claim), &[], "ConstraintDuplicateMutableAccount");
}

#[test]
fn a_stranger_cannot_keep_a_bond_open_with_dust() {
    let mut w = World::bonded(Kind::Classic);
    let (cold, mallory) = (w.north_payout.insecure_clone(), w.holder(1_000));
    w.send(&[w.unbond(BOND)], &[&cold]);
    w.set_time(w.now() + 7 * DAY);
    w.send(&[w.withdraw_bond()], &[&cold]);
    w.refuse(w.deposit_bond(&mallory, 1), &[&mallory], "AmountTooSmall");
    let vault = w.bond_vault();
    w.transfer(&mallory, &vault, 1);
    w.send(&[w.close_bond()], &[&cold]);
    assert_eq!(w.balance(&w.north_tokens()), BOND + 1);
}

#[test]
fn many_tiny_claims_neither_lose_nor_make_a_unit() {
    let mut w = World::bonded(Kind::Classic);
    let mut subjects = Vec::new();
    for round in 0..40u64 {
        subjects.push(w.locked(1 + round % 3));
        let subject = subjects[(round * 7 % subjects.len() as u64) as usize];
        if !w.is_closed(&w.claim_address(SERVICE, subject)) {
            let end = if round % 2 == 0 { w.release(subject, 1, 1) } else { w.slash(subject, 1, false) };
            w.send(&[end], &[]);
        }
        w.check_bond(&subjects, 0);
    }
    assert_eq!(w.bond().amount.get() + w.balance(&w.fee_vault()), BOND);
}
