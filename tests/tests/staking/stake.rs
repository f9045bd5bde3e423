use joule_sdk::{
    instruction::{staking::StakeAccounts, treasury::update_mint},
    pda,
    staking::{
        constants::DISCOUNT_LOCK,
        state::{Pool, Stake},
    },
    Keypair, Signer,
};
use joule_tests::{
    staking::{DAY, PARAMS},
    swap, Kind, World,
};
use joule_units::UnixTime;

#[test]
fn a_lock_weighs_once_to_four_times() {
    let mut w = World::pooled(Kind::Classic);
    let mut owners = Vec::new();
    for (lock, weight) in [(0, 10_000), (365 * DAY, 40_000), (365 * DAY / 2, 25_000), (73 * DAY, 16_000), (1, 10_000)] {
        let owner = w.staker(10_000, lock);
        let stake = w.stake_of(&owner);
        assert_eq!((stake.amount.get(), stake.weight.get()), (10_000, weight));
        assert_eq!((stake.owner, stake.pool, stake.lock_end.get()), (owner.pubkey(), w.pool_address(), w.now() + lock));
        owners.push(owner);
    }
    assert_eq!((w.pool().staked.get(), w.pool().total_weight.get()), (50_000, 101_000));
    w.check_pool(&owners.iter().collect::<Vec<_>>(), 0);
}

#[test]
fn adding_weighs_everything_by_the_lock_that_is_left_and_never_shortens_it() {
    let mut w = World::pooled(Kind::Classic);
    let owner = w.staker(10_000, 365 * DAY);
    let end = w.stake_of(&owner).lock_end.get();
    w.mint_to(&w.tokens_of(&owner), 20_000);
    w.set_time(w.now() + 73 * DAY);
    w.send(&[w.stake(&owner, 10_000, DAY)], &[&owner]);
    let stake = w.stake_of(&owner);
    // 292 of 365 days are left: 1 + 3 * 0.8.
    assert_eq!((stake.amount.get(), stake.weight.get(), stake.lock_end.get()), (20_000, 68_000, end));
    w.send(&[w.stake(&owner, 10_000, 365 * DAY)], &[&owner]);
    let stake = w.stake_of(&owner);
    assert_eq!((stake.amount.get(), stake.weight.get(), stake.lock_end.get()), (30_000, 120_000, w.now() + 365 * DAY));
    w.check_pool(&[&owner], 0);
}

#[test]
fn a_lock_moves_only_to_a_later_end() {
    let mut w = World::pooled(Kind::Classic);
    let owner = w.staker(10_000, 10 * DAY);
    w.refuse(w.extend_lock(&owner, 10 * DAY), &[&owner], "LockNotLater");
    w.refuse(w.extend_lock(&owner, 0), &[&owner], "LockNotLater");
    w.refuse(w.extend_lock(&owner, 365 * DAY + 1), &[&owner], "LockTooLong");
    w.send(&[w.extend_lock(&owner, 365 * DAY)], &[&owner]);
    assert_eq!((w.stake_of(&owner).weight.get(), w.pool().total_weight.get()), (40_000, 40_000));
    w.check_pool(&[&owner], 0);
}

#[test]
fn a_lock_longer_than_the_pool_allows_is_rejected() {
    let mut w = World::pooled(Kind::Classic);
    let owner = w.holder(10_000);
    w.refuse(w.stake(&owner, 10_000, 365 * DAY + 1), &[&owner], "LockTooLong");
    w.refuse(w.stake(&owner, 10_000, u32::MAX as i64), &[&owner], "LockTooLong");
}

#[test]
fn dust_is_no_stake_but_can_be_added_to_one() {
    let mut w = World::pooled(Kind::Classic);
    let owner = w.holder(2_000);
    w.refuse(w.stake(&owner, 0, 0), &[&owner], "ZeroAmount");
    w.refuse(w.stake(&owner, 999, 0), &[&owner], "AmountTooSmall");
    w.send(&[w.stake(&owner, 1_000, 0)], &[&owner]);
    w.send(&[w.stake(&owner, 1, 0)], &[&owner]);
    assert_eq!(w.stake_of(&owner).amount.get(), 1_001);
}

#[test]
fn more_than_one_has_cannot_be_staked() {
    let mut w = World::pooled(Kind::Classic);
    let owner = w.holder(5_000);
    w.refuse(w.stake(&owner, 5_001, 0), &[&owner], "TokenError::InsufficientFunds");
}

#[test]
fn a_token_that_is_no_longer_accepted_takes_no_stakes_and_returns_those_it_has() {
    let mut w = World::pooled(Kind::Classic);
    let (authority, owner) = (w.authority.insecure_clone(), w.staker(10_000, 0));
    w.send(&[update_mint(authority.pubkey(), w.mint, false, 1_000)], &[&authority]);
    w.mint_to(&w.tokens_of(&owner), 5_000);
    w.refuse(w.stake(&owner, 5_000, 0), &[&owner], "MintNotAccepted");
    w.send(&[w.unstake(&owner, 10_000)], &[&owner]);
    w.set_time(w.now() + 7 * DAY);
    w.send(&[w.withdraw_stake(&owner)], &[&owner]);
    assert_eq!(w.balance(&w.tokens_of(&owner)), 15_000);
}

#[test]
fn the_weight_drops_to_once_the_amount_when_the_lock_has_ended_and_anyone_may_see_to_it() {
    let mut w = World::pooled(Kind::Classic);
    let owner = w.staker(10_000, 100 * DAY);
    let weight = w.stake_of(&owner).weight.get();
    assert_eq!(weight, 10_000 + 3 * 10_000 * 100 / 365);
    w.set_time(w.stake_of(&owner).lock_end.get() - 1);
    w.send(&[w.refresh(&owner)], &[]);
    assert_eq!(w.stake_of(&owner).weight.get(), weight);
    w.set_time(w.now() + 1);
    w.send(&[w.refresh(&owner)], &[]);
    assert_eq!((w.stake_of(&owner).weight.get(), w.pool().total_weight.get()), (10_000, 10_000));
    w.check_pool(&[&owner], 0);
}

#[test]
fn a_discount_follows_the_weight_that_stays_locked_for_a_week() {
    let mut w = World::pooled(Kind::Classic);
    let owner = w.staker(40_000, 365 * DAY);
    let of = |w: &World| {
        let (stake, pool): (Stake, Pool) = (w.stake_of(&owner), w.pool());
        stake.discount(&pool, UnixTime::new(w.now())).get()
    };
    assert_eq!(of(&w), 1_000);
    w.mint_to(&w.tokens_of(&owner), 10_000_000);
    w.send(&[w.stake(&owner, 210_000, 365 * DAY)], &[&owner]);
    assert_eq!((w.stake_of(&owner).weight.get(), of(&w)), (1_000_000, 2_500));
    w.set_time(w.stake_of(&owner).lock_end.get() - DISCOUNT_LOCK as i64);
    assert_eq!(of(&w), 2_500);
    // Nobody has refreshed it, and still it gives nothing any more.
    w.set_time(w.now() + 1);
    assert_eq!((w.stake_of(&owner).weight.get(), of(&w)), (1_000_000, 0));
    let unlocked = w.staker(10_000_000, 0);
    assert_eq!(w.stake_of(&unlocked).discount(&w.pool(), UnixTime::new(w.now())).get(), 0);
}

#[test]
fn every_tier_begins_at_its_weight() {
    let w = World::pooled(Kind::Classic);
    let pool = w.pool();
    let mut below = 0;
    for tier in PARAMS.tiers {
        assert_eq!(pool.discount(tier.min_weight - 1).get(), below);
        assert_eq!(pool.discount(tier.min_weight).get(), tier.discount_bps);
        below = tier.discount_bps;
    }
    assert_eq!(pool.discount(u64::MAX).get(), 5_000);
}

#[test]
fn somebody_else_may_pay_the_rent_and_gets_it_back() {
    let mut w = World::pooled(Kind::Classic);
    let (owner, sponsor) = (w.holder(10_000), w.alice.insecure_clone());
    let before = w.lamports(&sponsor.pubkey());
    let accounts = StakeAccounts {
        payer: sponsor.pubkey(),
        owner: owner.pubkey(),
        source: w.tokens_of(&owner),
        mint: w.mint,
        token_program: w.token_program,
    };
    let stake = joule_sdk::instruction::staking::stake(accounts, 10_000, 0);
    w.send(&[stake], &[&owner, &sponsor]);
    assert!(w.lamports(&sponsor.pubkey()) < before);
    w.send(&[w.unstake(&owner, 10_000)], &[&owner]);
    w.set_time(w.now() + 7 * DAY);
    w.send(&[w.withdraw_stake(&owner)], &[&owner]);
    assert_eq!(w.lamports(&sponsor.pubkey()), before);
}

#[test]
fn only_the_owner_acts_on_a_stake() {
    let mut w = World::pooled(Kind::Classic);
    let (owner, mallory) = (w.staker(10_000, 0), w.holder(10_000));
    w.fund_pool(1_000);
    w.set_time(w.now() + DAY);
    for instruction in
        [w.extend_lock(&owner, DAY), w.unstake(&owner, 1), w.withdraw_stake(&owner), w.claim_rewards(&owner)]
    {
        w.refuse(swap(instruction.clone(), owner.pubkey(), mallory.pubkey()), &[&mallory], "NotOwner");
        let mut unsigned = instruction;
        let place = unsigned.accounts.iter().position(|a| a.pubkey == owner.pubkey()).unwrap();
        unsigned.accounts[place].is_signer = false;
        assert!(w.attempt(&[unsigned], &[]).is_err());
    }
    // Nor can she add to it with her own money, or with the owner's.
    let theirs = swap(w.stake(&mallory, 1_000, 0), w.stake_address(&mallory), w.stake_address(&owner));
    w.refuse(theirs, &[&mallory], "NotOwner");
    let elsewhere = swap(w.stake(&mallory, 1_000, 0), w.stake_address(&mallory), Keypair::new().pubkey());
    w.refuse(elsewhere, &[&mallory], "InvalidSeeds");
    w.mint_to(&w.tokens_of(&owner), 1_000);
    let theirs = swap(w.stake(&mallory, 1_000, 0), w.tokens_of(&mallory), w.tokens_of(&owner));
    w.refuse(theirs, &[&mallory], "TokenError::OwnerMismatch");
}

#[test]
fn wrong_accounts_are_rejected() {
    let mut w = World::pooled(Kind::Classic);
    let owner = w.holder(20_000);
    let stake = w.stake(&owner, 10_000, 0);
    let (vault, source) = (w.pool_vault(), w.tokens_of(&owner));
    let other = w.holder(0);
    w.refuse(swap(stake.clone(), vault, w.tokens_of(&other)), &[&owner], "WrongVault");
    w.refuse(swap(stake.clone(), w.pool_address(), pda::protocol()), &[&owner], "IllegalOwner");
    w.refuse(swap(stake.clone(), source, vault), &[&owner], "ConstraintDuplicateMutableAccount");
    w.refuse(swap(stake.clone(), pda::accepted_mint(&w.mint), pda::protocol()), &[&owner], "InvalidAccountData");
    w.refuse(swap(stake.clone(), w.token_program, Kind::Token2022.program()), &[&owner], "IncorrectProgramId");
    w.refuse(swap(stake.clone(), w.token_program, joule_sdk::escrow::ID), &[&owner], "IncorrectProgramId");
    w.send(&[stake], &[&owner]);
    // A pool or a stake in the other's place.
    let refresh = w.refresh(&owner);
    let (pool, address) = (w.pool_address(), w.stake_address(&owner));
    w.refuse(swap(refresh.clone(), pool, address), &[], "ConstraintDuplicateMutableAccount");
    w.refuse(swap(refresh, address, Keypair::new().pubkey()), &[], "AccountDataTooSmall");
}

#[test]
fn a_stake_in_one_pool_is_nothing_to_another() {
    let mut w = World::pooled(Kind::Classic);
    let owner = w.staker(10_000, 0);
    let (first, address) = (w.mint, w.stake_address(&owner));
    let authority = w.authority.insecure_clone();
    w.mint = w.create_mint(Kind::Classic, &[], &[]);
    let accept = joule_sdk::instruction::treasury::accept_mint(
        authority.pubkey(),
        w.mint,
        w.token_program,
        1_000,
        joule_tests::BREAKER,
    );
    let create = joule_sdk::instruction::staking::create_pool(authority.pubkey(), w.mint, w.token_program, PARAMS);
    w.send(&[accept, create], &[&authority]);
    let second = w.pool_address();
    let borrowed = swap(w.stake(&owner, 1_000, 0), w.stake_address(&owner), address);
    w.refuse(borrowed, &[&owner], "WrongPool");
    w.mint = first;
    w.refuse(swap(w.refresh(&owner), w.pool_address(), second), &[], "WrongPool");
    w.refuse(swap(w.unstake(&owner, 1), w.pool_address(), second), &[&owner], "WrongPool");
    let (vault, other) = (w.pool_vault(), pda::pool_vault(&second));
    w.refuse(swap(w.withdraw_stake(&owner), vault, other), &[&owner], "WrongVault");
    assert_eq!(w.stake_address(&owner), address);
}
