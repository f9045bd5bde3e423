//! Rewards: how they come in, drip, and are shared.

use joule_sdk::{
    staking::state::{Pool, ONE},
    Signer,
};
use joule_tests::{staking::DAY, swap, Kind, World};

/// A part of a unit waits for the next one, so that whoever is alone gets a unit later what would be theirs.
#[track_caller]
pub fn but_a_fraction(got: u64, whole: u64) {
    assert!(got == whole || got + 1 == whole, "{got} of {whole}");
}

#[test]
fn whatever_is_sent_to_the_vault_becomes_rewards() {
    let mut w = World::pooled(Kind::Classic);
    let (owner, alice) = (w.staker(10_000, 0), w.alice.insecure_clone());
    w.refuse(w.sync_rewards(), &[], "NothingToSync");
    let vault = w.pool_vault();
    w.transfer(&alice, &vault, 700);
    w.check_pool(&[&owner], 700);
    w.send(&[w.sync_rewards()], &[]);
    assert_eq!(w.pool().pending.get(), 700);
    w.check_pool(&[&owner], 0);
    w.refuse(w.sync_rewards(), &[], "NothingToSync");
    w.refuse(swap(w.sync_rewards(), vault, w.alice_tokens()), &[], "WrongVault");
}

#[test]
fn rewards_drip_over_the_time_that_the_pool_says() {
    let mut w = World::pooled(Kind::Classic);
    let owner = w.staker(10_000, 0);
    w.fund_pool(86_400);
    let start = w.now();
    w.refuse(w.claim_rewards(&owner), &[&owner], "NothingEarned");
    w.set_time(start + DAY / 4);
    w.send(&[w.claim_rewards(&owner)], &[&owner]);
    but_a_fraction(w.balance(&w.tokens_of(&owner)), 21_600);
    // A quarter of what is left.
    w.set_time(start + DAY / 2);
    w.send(&[w.claim_rewards(&owner)], &[&owner]);
    but_a_fraction(w.balance(&w.tokens_of(&owner)), 21_600 + 16_200);
    w.set_time(start + 10 * DAY);
    w.send(&[w.claim_rewards(&owner)], &[&owner]);
    but_a_fraction(w.balance(&w.tokens_of(&owner)), 86_400);
    w.check_pool(&[&owner], 0);
}

#[test]
fn rewards_are_shared_by_weight() {
    let mut w = World::pooled(Kind::Classic);
    let (once, four) = (w.staker(10_000, 0), w.staker(10_000, 365 * DAY));
    w.fund_pool(1_000);
    w.set_time(w.now() + DAY);
    w.send(&[w.claim_rewards(&once)], &[&once]);
    w.send(&[w.claim_rewards(&four)], &[&four]);
    // 200 and 800, but for a part of a unit that waits for the next.
    assert_eq!(w.balance(&w.tokens_of(&once)) + w.balance(&w.tokens_of(&four)) + w.pool().owed.get(), 1_000);
    assert!(w.balance(&w.tokens_of(&once)) >= 199 && w.balance(&w.tokens_of(&four)) >= 799);
    w.check_pool(&[&once, &four], 0);
}

#[test]
fn a_weight_whose_lock_has_ended_shares_until_somebody_refreshes_it() {
    let mut w = World::pooled(Kind::Classic);
    let (other, owner) = (w.staker(10_000, 0), w.staker(10_000, 365 * DAY));
    w.set_time(w.now() + 365 * DAY);
    w.send(&[w.refresh(&owner)], &[]);
    w.fund_pool(1_000);
    w.set_time(w.now() + DAY);
    w.send(&[w.claim_rewards(&other)], &[&other]);
    but_a_fraction(w.balance(&w.tokens_of(&other)), 500);
    w.check_pool(&[&other, &owner], 0);
}

#[test]
fn with_nobody_staked_rewards_wait_and_the_first_staker_gets_them_no_faster() {
    let mut w = World::pooled(Kind::Classic);
    w.fund_pool(86_400);
    w.set_time(w.now() + 100 * DAY);
    let owner = w.staker(10_000, 0);
    w.refuse(w.claim_rewards(&owner), &[&owner], "NothingEarned");
    w.set_time(w.now() + 60);
    w.send(&[w.claim_rewards(&owner)], &[&owner]);
    but_a_fraction(w.balance(&w.tokens_of(&owner)), 60);
    w.check_pool(&[&owner], 0);
}

#[test]
fn with_everybody_gone_rewards_wait_for_the_next() {
    let mut w = World::pooled(Kind::Classic);
    let first = w.staker(10_000, 0);
    w.fund_pool(86_400);
    w.set_time(w.now() + DAY / 2);
    w.send(&[w.unstake(&first, 10_000)], &[&first]);
    w.set_time(w.now() + 30 * DAY);
    let second = w.staker(10_000, 0);
    assert_eq!(w.pool().pending.get(), 43_200);
    w.set_time(w.now() + DAY);
    w.send(&[w.claim_rewards(&second)], &[&second]);
    w.send(&[w.claim_rewards(&first)], &[&first]);
    but_a_fraction(w.balance(&w.tokens_of(&first)), 43_200);
    but_a_fraction(w.balance(&w.tokens_of(&second)), 43_200);
    w.check_pool(&[&first, &second], 0);
}

#[test]
fn whoever_stakes_just_before_the_funding_gets_what_drips_while_they_stay() {
    let mut w = World::pooled(Kind::Classic);
    let honest = w.staker(10_000, 0);
    let sniper = w.staker(990_000, 0);
    w.fund_pool(86_400_000);
    // In the same second there is nothing for anybody.
    w.refuse(w.claim_rewards(&sniper), &[&sniper], "NothingEarned");
    w.send(&[w.unstake(&sniper, 990_000)], &[&sniper]);
    assert_eq!(w.stake_of(&sniper).earned.get(), 0);
    w.set_time(w.now() + DAY);
    w.send(&[w.claim_rewards(&honest)], &[&honest]);
    but_a_fraction(w.balance(&w.tokens_of(&honest)), 86_400_000);
    w.check_pool(&[&honest, &sniper], 0);
}

#[test]
fn a_large_stake_without_a_lock_earns_by_its_weight_for_as_long_as_it_stays_while_it_drips() {
    for (stays, part) in [(1, 14), (2, 28)] {
        let mut w = World::pooled(Kind::Classic);
        let loyal = w.staker(10_000_000, 365 * DAY);
        let late = w.staker(100_000_000, 0);
        w.set_time(w.now() + DAY);
        w.fund_pool(1_400_000);
        // One that unstakes in the same second has nothing.
        w.send(&[w.refresh(&late)], &[]);
        assert_eq!(w.stake_of(&late).earned.get(), 0);
        w.set_time(w.now() + DAY / stays);
        w.send(&[w.unstake(&late, 100_000_000)], &[&late]);
        w.set_time(w.now() + 2 * DAY);
        w.send(&[w.refresh(&late), w.refresh(&loyal)], &[]);
        but_a_fraction(w.stake_of(&late).earned.get(), 10 * 1_400_000 / part);
        w.check_pool(&[&loyal, &late], 0);
    }
}

#[test]
fn whoever_stakes_just_after_a_long_silence_gets_nothing_of_it() {
    let mut w = World::pooled(Kind::Classic);
    let honest = w.staker(10_000, 0);
    w.fund_pool(86_400);
    w.set_time(w.now() + 10 * DAY);
    let sniper = w.staker(1_000_000, 365 * DAY);
    w.refuse(w.claim_rewards(&sniper), &[&sniper], "NothingEarned");
    w.send(&[w.claim_rewards(&honest)], &[&honest]);
    but_a_fraction(w.balance(&w.tokens_of(&honest)), 86_400);
}

#[test]
fn a_crumb_that_has_waited_does_not_let_the_next_funding_out_at_once() {
    let mut w = World::pooled(Kind::Classic);
    let (owner, sniper) = (w.staker(10_000, 0), w.holder(1_000_000));
    // One unit is divided by nobody until a whole day has passed.
    w.fund_pool(1);
    w.set_time(w.now() + DAY - 1);
    w.send(&[w.refresh(&owner)], &[]);
    assert_eq!(w.pool().pending.get(), 1);
    w.send(&[w.stake(&sniper, 1_000_000, 0)], &[&sniper]);
    w.fund_pool(86_400_000);
    w.set_time(w.now() + 1);
    w.send(&[w.refresh(&sniper)], &[]);
    assert!(w.stake_of(&sniper).earned.get() <= 1_000);
    w.check_pool(&[&owner, &sniper], 0);
}

#[test]
fn frequent_refreshes_neither_lose_nor_make_a_unit() {
    let mut w = World::pooled(Kind::Classic);
    let (victim, other) = (w.staker(1_000, 0), w.staker(999_983, 0));
    w.fund_pool(1_000_003);
    // A touch a minute, each worth less than a unit to the small one.
    for _ in 0..200 {
        w.set_time(w.now() + 60);
        w.send(&[w.refresh(&victim)], &[]);
        w.check_pool(&[&victim, &other], 0);
    }
    w.set_time(w.now() + 2 * DAY);
    w.send(&[w.claim_rewards(&victim)], &[&victim]);
    w.send(&[w.claim_rewards(&other)], &[&other]);
    let (small, large) = (w.balance(&w.tokens_of(&victim)), w.balance(&w.tokens_of(&other)));
    // 1,000 of 1,000,983, but for what still waits.
    assert!((997..=999).contains(&small), "{small}");
    assert_eq!(small + large + w.pool().owed.get() + w.pool().pending.get(), 1_000_003);
    assert!(w.pool().owed.get() <= 2 && w.pool().pending.get() <= 1);
}

#[test]
fn many_tiny_claims_neither_lose_nor_make_a_unit() {
    let mut w = World::pooled(Kind::Classic);
    let owners = [w.staker(1_001, 0), w.staker(7_777, 11 * DAY), w.staker(1_000_000, 365 * DAY)];
    let all: Vec<_> = owners.iter().collect();
    let mut funded = 0;
    for round in 0..60u64 {
        let crumbs = 1 + round % 5;
        w.fund_pool(crumbs);
        funded += crumbs;
        w.set_time(w.now() + DAY / 3);
        for owner in &owners {
            let _ = w.attempt(&[w.claim_rewards(owner)], &[owner]);
        }
        w.check_pool(&all, 0);
    }
    w.set_time(w.now() + 2 * DAY);
    for owner in &owners {
        let _ = w.attempt(&[w.claim_rewards(owner)], &[owner]);
    }
    let paid: u64 = owners.iter().map(|o| w.balance(&w.tokens_of(o))).sum();
    assert_eq!(paid + w.pool().pending.get() + w.pool().owed.get(), funded);
    assert!(w.pool().owed.get() <= 3, "{}", w.pool().owed.get());
}

#[test]
fn fractions_left_behind_by_whoever_leaves_come_back_as_rewards() {
    let mut w = World::pooled(Kind::Classic);
    let anchor = w.staker(3_000, 0);
    for _ in 0..12 {
        let guest = w.staker(1_000, 0);
        w.fund_pool(10);
        w.set_time(w.now() + DAY);
        w.send(&[w.unstake(&guest, 1_000)], &[&guest]);
        w.send(&[w.claim_rewards(&guest)], &[&guest]);
        w.set_time(w.now() + 7 * DAY);
        w.send(&[w.withdraw_stake(&guest)], &[&guest]);
        assert!(w.is_closed(&w.stake_address(&guest)));
        w.check_pool(&[&anchor, &guest], 0);
    }
    w.set_time(w.now() + 2 * DAY);
    w.send(&[w.claim_rewards(&anchor)], &[&anchor]);
    let pool = w.pool();
    // Of 120 units, at most the one that is still being divided is nobody's.
    assert!(pool.owed.get() <= 1 && pool.pending.get() <= 1, "{} {}", pool.owed.get(), pool.pending.get());
}

#[test]
fn numbers_that_would_not_fit_keep_rewards_pending_and_nobody_in() {
    let mut w = World::pooled(Kind::Classic);
    let owner = w.staker(10_000, 0);
    w.fund_pool(1_000);
    // As if the accumulator had run for ages.
    let (mut pool, mut stake) = (w.pool(), w.stake_of(&owner));
    pool.accumulator = u128::MAX.into();
    stake.accrued = u128::MAX.into();
    write(&mut w, pool, &owner, stake);
    w.set_time(w.now() + DAY);
    w.send(&[w.unstake(&owner, 10_000)], &[&owner]);
    w.set_time(w.now() + 7 * DAY);
    w.send(&[w.withdraw_stake(&owner)], &[&owner]);
    assert_eq!((w.balance(&w.tokens_of(&owner)), w.pool().pending.get()), (10_000, 1_000));
}

fn write(w: &mut World, pool: Pool, owner: &joule_sdk::Keypair, stake: joule_sdk::staking::state::Stake) {
    let (at, of) = (w.pool_address(), w.stake_address(owner));
    let mut account = w.svm.get_account(&at).unwrap();
    account.data[8..].copy_from_slice(bytemuck::bytes_of(&pool));
    w.svm.set_account(at, account).unwrap();
    let mut account = w.svm.get_account(&of).unwrap();
    account.data[8..].copy_from_slice(bytemuck::bytes_of(&stake));
    w.svm.set_account(of, account).unwrap();
}

#[test]
fn rewards_too_small_to_divide_wait_for_more() {
    let mut w = World::pooled(Kind::Classic);
    // 2^50 weights and one unit: less than the accumulator's smallest step for each.
    let owner = w.staker(1 << 50, 0);
    w.fund_pool(1);
    w.set_time(w.now() + 2 * DAY);
    w.send(&[w.refresh(&owner)], &[]);
    assert_eq!((w.pool().pending.get(), w.pool().owed.get()), (1, 0));
    w.fund_pool(99);
    w.set_time(w.now() + 2 * DAY);
    w.send(&[w.claim_rewards(&owner)], &[&owner]);
    let pool = w.pool();
    let paid = w.balance(&w.tokens_of(&owner));
    assert_eq!(paid + pool.pending.get() + pool.owed.get(), 100);
    assert!(paid >= 98 && (pool.dust.get() as u128) < ONE);
    w.check_pool(&[&owner], 0);
}

#[test]
fn only_the_owner_claims_and_where_it_says() {
    let mut w = World::pooled(Kind::Classic);
    let (owner, mallory) = (w.staker(10_000, 0), w.holder(0));
    w.fund_pool(1_000);
    w.set_time(w.now() + DAY);
    let claim = w.claim_rewards(&owner);
    let (vault, tokens) = (w.pool_vault(), w.tokens_of(&owner));
    w.refuse(swap(claim.clone(), vault, w.tokens_of(&mallory)), &[&owner], "WrongVault");
    w.refuse(swap(claim.clone(), tokens, vault), &[&owner], "ConstraintDuplicateMutableAccount");
    let mint = w.create_mint(Kind::Classic, &[], &[]);
    let foreign = w.extra_token_account(&owner.pubkey(), &mint, &[]);
    w.refuse(swap(claim.clone(), tokens, foreign), &[&owner], "TokenError::MintMismatch");
    w.send(&[swap(claim, tokens, w.tokens_of(&mallory))], &[&owner]);
    but_a_fraction(w.balance(&w.tokens_of(&mallory)), 1_000);
}
