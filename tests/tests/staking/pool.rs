use joule_sdk::{
    instruction::{
        staking::{create_pool, update_pool},
        treasury::update_mint,
    },
    pda,
    staking::state::{Params, Pool, Tier},
    Signer,
};
use joule_tests::{
    staking::{DAY, PARAMS},
    swap, Kind, World,
};

#[test]
fn the_authority_creates_a_pool_with_a_vault_of_its_own() {
    let w = World::pooled(Kind::Classic);
    let pool = w.pool();
    assert_eq!((pool.mint, pool.vault), (w.mint, w.pool_vault()));
    assert_eq!((pool.max_lock.get(), pool.cool_down.get(), pool.drip.get()), (365 * 86_400, 7 * 86_400, 86_400));
    assert_eq!(pool.tier_weights.map(|t| t.get()), PARAMS.tiers.map(|t| t.min_weight));
    assert_eq!(pool.tier_discounts_bps.map(|t| t.get()), PARAMS.tiers.map(|t| t.discount_bps));
    assert_eq!(pool.dripped_at.get(), w.now());
    let vault = w.svm.get_account(&w.pool_vault()).unwrap();
    assert_eq!((&vault.data[..32], &vault.data[32..64]), (w.mint.as_ref(), w.pool_address().as_ref()));
    w.check_pool(&[], 0);
}

#[test]
fn a_token_has_one_pool() {
    let mut w = World::pooled(Kind::Classic);
    let authority = w.authority.insecure_clone();
    let again = create_pool(authority.pubkey(), w.mint, w.token_program, PARAMS);
    assert!(w.attempt(&[again], &[&authority]).is_err());
}

#[test]
fn nobody_else_creates_or_changes_a_pool() {
    let mut w = World::unbonded(Kind::Classic);
    let (mallory, authority) = (w.alice.insecure_clone(), w.authority.insecure_clone());
    let create = create_pool(authority.pubkey(), w.mint, w.token_program, PARAMS);
    w.refuse(swap(create.clone(), authority.pubkey(), mallory.pubkey()), &[&mallory], "NotAuthority");
    let mut unsigned = create.clone();
    unsigned.accounts[0].is_signer = false;
    w.refuse(unsigned, &[], "MissingRequiredSignature");
    w.send(&[create], &[&authority]);
    let update = update_pool(authority.pubkey(), w.mint, PARAMS);
    w.refuse(swap(update.clone(), authority.pubkey(), mallory.pubkey()), &[&mallory], "NotAuthority");
    let mut unsigned = update;
    unsigned.accounts[0].is_signer = false;
    w.refuse(unsigned, &[], "MissingRequiredSignature");
}

#[test]
fn only_an_accepted_token_has_a_pool() {
    let mut w = World::unbonded(Kind::Classic);
    let authority = w.authority.insecure_clone();
    let other = w.create_mint(Kind::Classic, &[], &[]);
    let create = create_pool(authority.pubkey(), w.mint, w.token_program, PARAMS);
    let foreign = create_pool(authority.pubkey(), other, w.token_program, PARAMS);
    let borrowed = swap(foreign.clone(), pda::accepted_mint(&other), pda::accepted_mint(&w.mint));
    w.refuse(borrowed, &[&authority], "WrongMint");
    w.refuse(foreign, &[&authority], "UninitializedAccount");
    w.refuse(swap(create.clone(), pda::accepted_mint(&w.mint), pda::protocol()), &[&authority], "InvalidAccountData");
    w.refuse(swap(create.clone(), pda::protocol(), pda::accepted_mint(&w.mint)), &[&authority], "AccountDataTooSmall");
    w.send(&[update_mint(authority.pubkey(), w.mint, false, 1)], &[&authority]);
    w.refuse(create, &[&authority], "MintNotAccepted");
}

#[test]
fn parameters_lie_within_what_the_program_allows() {
    let mut w = World::pooled(Kind::Classic);
    let authority = w.authority.insecure_clone();
    let tiers = |change: fn(&mut [Tier; 4])| {
        let mut tiers = PARAMS.tiers;
        change(&mut tiers);
        Params { tiers, ..PARAMS }
    };
    for (params, error) in [
        (Params { max_lock: 0, ..PARAMS }, "MaxLockOutOfRange"),
        (Params { max_lock: 4 * 365 * 86_400 + 1, ..PARAMS }, "MaxLockOutOfRange"),
        (Params { cool_down: 90 * 86_400 + 1, ..PARAMS }, "CoolDownOutOfRange"),
        (Params { drip: 86_399, ..PARAMS }, "DripOutOfRange"),
        (Params { drip: 90 * 86_400 + 1, ..PARAMS }, "DripOutOfRange"),
        (tiers(|t| t[3].discount_bps = 5_001), "DiscountTooHigh"),
        (tiers(|t| t[1].min_weight = 9_999), "TiersNotAscending"),
        (tiers(|t| t[2].discount_bps = 999), "TiersNotAscending"),
    ] {
        w.refuse(update_pool(authority.pubkey(), w.mint, params), &[&authority], error);
    }
    let same = tiers(|t| t[1] = t[0]);
    w.send(&[update_pool(authority.pubkey(), w.mint, same)], &[&authority]);
}

#[test]
fn a_change_of_the_drip_leaves_what_has_dripped() {
    let mut w = World::pooled(Kind::Classic);
    let authority = w.authority.insecure_clone();
    let owner = w.staker(1_000_000, 0);
    w.fund_pool(10_000);
    w.set_time(w.now() + DAY / 2);
    let slower = Params { drip: 90 * DAY as u32, ..PARAMS };
    w.send(&[update_pool(authority.pubkey(), w.mint, slower)], &[&authority]);
    let pool: Pool = w.pool();
    assert_eq!((pool.pending.get(), pool.owed.get()), (5_000, 5_000));
    w.check_pool(&[&owner], 0);
}

#[test]
fn nobody_makes_pending_rewards_drip_at_once_with_the_authoritys_key() {
    let mut w = World::pooled(Kind::Classic);
    let authority = w.authority.insecure_clone();
    let month = Params { drip: 30 * DAY as u32, ..PARAMS };
    w.send(&[update_pool(authority.pubkey(), w.mint, month)], &[&authority]);
    let start = w.now();
    w.staker(1_000_000, 365 * DAY);
    w.fund_pool(3_000_000);
    // Whoever is there for a hundred seconds gets their part, whatever the pool asks of it.
    let thief = w.holder(10_000_000);
    let at_once = Params { max_lock: 1, cool_down: 0, ..month };
    w.refuse(
        update_pool(authority.pubkey(), w.mint, Params { drip: DAY as u32, ..at_once }),
        &[&authority],
        "DripCutTooFast",
    );
    w.send(&[update_pool(authority.pubkey(), w.mint, at_once), w.stake(&thief, 10_000_000, 1)], &[&authority, &thief]);
    w.set_time(w.now() + 100);
    w.send(&[w.claim_rewards(&thief), w.unstake(&thief, 10_000_000)], &[&thief]);
    w.send(&[w.withdraw_stake(&thief)], &[&thief]);
    assert!(w.balance(&w.tokens_of(&thief)) - 10_000_000 <= 3_000_000 * 100 / (30 * DAY as u64));
    // A drip that has run its length is cut to half, and then runs that long.
    let half = Params { drip: 15 * DAY as u32, ..PARAMS };
    w.set_time(start + 30 * DAY - 1);
    w.refuse(update_pool(authority.pubkey(), w.mint, half), &[&authority], "DripCutTooFast");
    w.set_time(start + 30 * DAY);
    let more = Params { drip: 15 * DAY as u32 - 1, ..PARAMS };
    w.refuse(update_pool(authority.pubkey(), w.mint, more), &[&authority], "DripCutTooFast");
    w.send(&[update_pool(authority.pubkey(), w.mint, half)], &[&authority]);
    w.set_time(start + 44 * DAY);
    w.refuse(
        update_pool(authority.pubkey(), w.mint, Params { drip: 8 * DAY as u32, ..PARAMS }),
        &[&authority],
        "DripCutTooFast",
    );
}

#[test]
fn locks_that_run_keep_their_end_when_the_longest_lock_is_cut() {
    let mut w = World::pooled(Kind::Classic);
    let authority = w.authority.insecure_clone();
    let owner = w.staker(10_000, 365 * DAY);
    let end = w.stake_of(&owner).lock_end.get();
    let shorter = Params { max_lock: DAY as u32, ..PARAMS };
    w.send(&[update_pool(authority.pubkey(), w.mint, shorter)], &[&authority]);
    w.mint_to(&w.tokens_of(&owner), 10_000);
    w.send(&[w.stake(&owner, 10_000, 0)], &[&owner]);
    let stake = w.stake_of(&owner);
    // More than the longest lock weighs no more than the longest.
    assert_eq!((stake.lock_end.get(), stake.weight.get()), (end, 80_000));
    w.refuse(w.extend_lock(&owner, 2 * DAY), &[&owner], "LockTooLong");
}
