use crate::rewards::but_a_fraction;
use joule_sdk::{
    instruction::{staking::update_pool, treasury::pause},
    pda,
    staking::state::Params,
    Signer,
};
use joule_tests::{
    staking::{DAY, PARAMS},
    swap, Kind, World,
};

#[test]
fn unstake_waits_for_the_lock_and_withdraw_for_the_cool_down() {
    let mut w = World::pooled(Kind::Classic);
    let owner = w.staker(10_000, 30 * DAY);
    let end = w.stake_of(&owner).lock_end.get();
    w.refuse(w.unstake(&owner, 1), &[&owner], "StillLocked");
    w.set_time(end - 1);
    w.refuse(w.unstake(&owner, 1), &[&owner], "StillLocked");
    w.set_time(end);
    w.refuse(w.unstake(&owner, 0), &[&owner], "ZeroAmount");
    w.refuse(w.unstake(&owner, 10_001), &[&owner], "NotStaked");
    w.refuse(w.withdraw_stake(&owner), &[&owner], "NothingCooling");
    w.send(&[w.unstake(&owner, 4_000)], &[&owner]);
    let stake = w.stake_of(&owner);
    assert_eq!((stake.amount.get(), stake.weight.get(), stake.cooling.get()), (6_000, 6_000, 4_000));
    assert_eq!(stake.cools_at.get(), end + 7 * DAY);
    w.check_pool(&[&owner], 0);
    w.set_time(end + 7 * DAY - 1);
    w.refuse(w.withdraw_stake(&owner), &[&owner], "StillCooling");
    w.set_time(end + 7 * DAY);
    w.send(&[w.withdraw_stake(&owner)], &[&owner]);
    assert_eq!(w.balance(&w.tokens_of(&owner)), 4_000);
    assert_eq!(w.stake_of(&owner).amount.get(), 6_000);
    w.check_pool(&[&owner], 0);
    w.refuse(w.withdraw_stake(&owner), &[&owner], "NothingCooling");
}

#[test]
fn unstaking_more_starts_the_clock_again_for_all_of_it() {
    let mut w = World::pooled(Kind::Classic);
    let owner = w.staker(10_000, 0);
    w.send(&[w.unstake(&owner, 4_000)], &[&owner]);
    w.set_time(w.now() + 6 * DAY);
    w.send(&[w.unstake(&owner, 1)], &[&owner]);
    w.set_time(w.now() + DAY);
    w.refuse(w.withdraw_stake(&owner), &[&owner], "StillCooling");
    w.set_time(w.now() + 6 * DAY);
    w.send(&[w.withdraw_stake(&owner)], &[&owner]);
    assert_eq!(w.balance(&w.tokens_of(&owner)), 4_001);
}

#[test]
fn what_cools_earns_nothing() {
    let mut w = World::pooled(Kind::Classic);
    let (leaving, staying) = (w.staker(10_000, 0), w.staker(10_000, 0));
    w.send(&[w.unstake(&leaving, 10_000)], &[&leaving]);
    w.fund_pool(1_000);
    w.set_time(w.now() + DAY);
    w.refuse(w.claim_rewards(&leaving), &[&leaving], "NothingEarned");
    w.send(&[w.claim_rewards(&staying)], &[&staying]);
    but_a_fraction(w.balance(&w.tokens_of(&staying)), 1_000);
    w.check_pool(&[&leaving, &staying], 0);
}

#[test]
fn the_last_withdrawal_closes_the_stake_and_returns_the_rent() {
    let mut w = World::pooled(Kind::Classic);
    let owner = w.holder(10_000);
    let before = w.lamports(&owner.pubkey());
    w.send(&[w.stake(&owner, 10_000, 0)], &[&owner]);
    w.send(&[w.unstake(&owner, 10_000)], &[&owner]);
    w.set_time(w.now() + 7 * DAY);
    let withdraw = w.withdraw_stake(&owner);
    w.send(std::slice::from_ref(&withdraw), &[&owner]);
    assert!(w.is_closed(&w.stake_address(&owner)));
    assert_eq!((w.balance(&w.tokens_of(&owner)), w.lamports(&owner.pubkey())), (10_000, before));
    w.check_pool(&[&owner], 0);
    w.refuse(withdraw, &[&owner], "AccountDataTooSmall");
    // And it can be opened again.
    w.send(&[w.stake(&owner, 10_000, 0)], &[&owner]);
    w.check_pool(&[&owner], 0);
}

#[test]
fn a_stake_with_rewards_stays_until_they_are_claimed() {
    let mut w = World::pooled(Kind::Classic);
    let owner = w.staker(10_000, 0);
    w.fund_pool(1_000);
    w.set_time(w.now() + DAY);
    w.send(&[w.unstake(&owner, 10_000)], &[&owner]);
    w.set_time(w.now() + 7 * DAY);
    w.send(&[w.withdraw_stake(&owner)], &[&owner]);
    assert_eq!(w.stake_of(&owner).amount.get(), 0);
    but_a_fraction(w.stake_of(&owner).earned.get(), 1_000);
    w.refuse(w.withdraw_stake(&owner), &[&owner], "NothingCooling");
    w.send(&[w.claim_rewards(&owner)], &[&owner]);
    w.send(&[w.withdraw_stake(&owner)], &[&owner]);
    assert!(w.is_closed(&w.stake_address(&owner)));
    but_a_fraction(w.balance(&w.tokens_of(&owner)), 11_000);
    w.check_pool(&[&owner], 0);
}

#[test]
fn an_owner_that_has_been_frozen_takes_out_into_another_account() {
    let mut w = World::pooled(Kind::Classic);
    let owner = w.staker(10_000, 0);
    w.send(&[w.unstake(&owner, 10_000)], &[&owner]);
    w.set_time(w.now() + 7 * DAY);
    let tokens = w.tokens_of(&owner);
    w.freeze(&tokens);
    w.refuse(w.withdraw_stake(&owner), &[&owner], "TokenError::AccountFrozen");
    let other = w.extra_token_account(&owner.pubkey(), &w.mint.clone(), &[]);
    w.send(&[swap(w.withdraw_stake(&owner), tokens, other)], &[&owner]);
    assert_eq!(w.balance(&other), 10_000);
}

#[test]
fn every_account_is_the_one_that_the_stake_names() {
    let mut w = World::pooled(Kind::Classic);
    let (owner, other) = (w.staker(10_000, 0), w.staker(10_000, 0));
    w.send(&[w.unstake(&owner, 10_000)], &[&owner]);
    w.set_time(w.now() + 7 * DAY);
    let withdraw = w.withdraw_stake(&owner);
    let (vault, tokens) = (w.pool_vault(), w.tokens_of(&owner));
    w.refuse(swap(withdraw.clone(), vault, w.tokens_of(&other)), &[&owner], "WrongVault");
    w.refuse(swap(withdraw.clone(), tokens, vault), &[&owner], "ConstraintDuplicateMutableAccount");
    w.refuse(swap(withdraw.clone(), w.stake_address(&owner), w.stake_address(&other)), &[&owner], "NotOwner");
    w.refuse(swap(withdraw.clone(), w.pool_address(), pda::protocol()), &[&owner], "IllegalOwner");
    let mut rent = withdraw.clone();
    rent.accounts[5].pubkey = other.pubkey();
    w.refuse(rent, &[&owner], "WrongRentPayer");
    let mint = w.create_mint(Kind::Classic, &[], &[]);
    let foreign = w.extra_token_account(&owner.pubkey(), &mint, &[]);
    w.refuse(swap(withdraw, tokens, foreign), &[&owner], "TokenError::MintMismatch");
}

#[test]
fn a_cool_down_that_runs_keeps_its_end_and_the_next_takes_the_new_one() {
    let mut w = World::pooled(Kind::Classic);
    let (first, second, authority) = (w.staker(10_000, 0), w.staker(10_000, 0), w.authority.insecure_clone());
    w.send(&[w.unstake(&first, 10_000)], &[&first]);
    let longer = Params { cool_down: 90 * DAY as u32, ..PARAMS };
    w.send(&[update_pool(authority.pubkey(), w.mint, longer)], &[&authority]);
    w.send(&[w.unstake(&second, 10_000)], &[&second]);
    w.set_time(w.now() + 7 * DAY);
    w.send(&[w.withdraw_stake(&first)], &[&first]);
    w.refuse(w.withdraw_stake(&second), &[&second], "StillCooling");
    w.set_time(w.now() + 83 * DAY);
    w.send(&[w.withdraw_stake(&second)], &[&second]);
}

#[test]
fn no_pause_keeps_money_in_a_stake() {
    let mut w = World::pooled(Kind::Classic);
    let (owner, guardian) = (w.staker(10_000, 0), w.guardian.insecure_clone());
    w.fund_pool(1_000);
    w.set_time(w.now() + DAY);
    w.send(&[0, 1, 2, 3].map(|service| pause(guardian.pubkey(), service)), &[&guardian]);
    w.send(&[w.claim_rewards(&owner), w.unstake(&owner, 10_000)], &[&owner]);
    // As soon as they can be paused again.
    w.set_time(w.now() + 14 * DAY);
    w.send(&[0, 1, 2, 3].map(|service| pause(guardian.pubkey(), service)), &[&guardian]);
    w.send(&[w.withdraw_stake(&owner)], &[&owner]);
}
