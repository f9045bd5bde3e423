//! The same through Token-2022.

use joule_sdk::Signer;
use joule_tests::{
    staking::{BOND, DAY},
    Kind, World,
};

#[test]
fn a_token_2022_stake_earns_and_leaves() {
    let mut w = World::pooled(Kind::Token2022);
    let owner = w.staker(10_000, 30 * DAY);
    w.fund_pool(1_000);
    w.set_time(w.now() + 30 * DAY);
    w.send(&[w.claim_rewards(&owner)], &[&owner]);
    w.send(&[w.unstake(&owner, 10_000)], &[&owner]);
    w.set_time(w.now() + 7 * DAY);
    w.check_pool(&[&owner], 0);
    w.send(&[w.withdraw_stake(&owner)], &[&owner]);
    let pool = w.pool();
    assert_eq!(w.balance(&w.tokens_of(&owner)) + pool.owed.get() + pool.pending.get(), 11_000);
    assert!(w.is_closed(&w.stake_address(&owner)) || w.stake_of(&owner).earned.get() > 0);
    w.check_pool(&[&owner], 0);
}

#[test]
fn a_token_2022_bond_is_locked_slashed_withdrawn_and_closed() {
    let mut w = World::bonded(Kind::Token2022);
    let cold = w.north_payout.insecure_clone();
    let (first, second) = (w.locked(300_000), w.locked(200_000));
    w.send(&[w.slash(first, 100_000, true)], &[]);
    w.send(&[w.release(second, u64::MAX, u64::MAX)], &[]);
    w.check_bond(&[first, second], 0);
    w.send(&[w.unbond(BOND - 100_000)], &[&cold]);
    w.set_time(w.now() + 7 * DAY);
    w.send(&[w.withdraw_bond()], &[&cold]);
    assert_eq!((w.balance(&w.north_tokens()), w.balance(&w.fee_vault())), (BOND - 100_000, 100_000));
    let before = w.lamports(&w.north.pubkey());
    w.send(&[w.close_bond()], &[&cold]);
    assert!(w.is_closed(&w.bond_address()) && w.is_closed(&w.bond_vault()));
    assert!(w.lamports(&w.north.pubkey()) > before);
}
