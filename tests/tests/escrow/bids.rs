//! Offers below the budget.

use joule_sdk::{escrow::state::JobStatus, Signer};
use joule_tests::{swap, Kind, World, BUDGET};

const LOW: u64 = 500_000;
const HIGH: u64 = 700_000;

/// An auctioned job with two bids, and who made them: the lower one first.
fn auction(w: &mut World) -> (joule_sdk::Pubkey, joule_sdk::Keypair, joule_sdk::Keypair) {
    let job = w.auctioned();
    let (low, high) = (w.provider(2 * BUDGET), w.provider(2 * BUDGET));
    w.send(&[w.bid(job, &high, HIGH)], &[&high]);
    w.send(&[w.bid(job, &low, LOW)], &[&low]);
    (job, low, high)
}

#[test]
fn the_cheapest_bid_wins_after_the_time_and_the_other_gets_its_bond_back() {
    let mut w = World::new(Kind::Classic);
    let (job, low, high) = auction(&mut w);
    let award = joule_sdk::instruction::escrow::award_bid(w.bid_address(&job, &low), &w.bid_of(&job, &low));
    w.refuse(award.clone(), &[], "BidWindowOpen");
    w.refuse(w.withdraw_bid(&job, &high), &[], "BidBinds");
    w.set_time(w.job(&job).bid_until.get() + 1);
    let dear = joule_sdk::instruction::escrow::award_bid(w.bid_address(&job, &high), &w.bid_of(&job, &high));
    w.refuse(dear, &[], "WrongBid");
    w.send(&[award], &[]);
    let state = w.job(&job);
    assert_eq!((state.status, state.price.get()), (JobStatus::Accepted as u8, LOW));
    assert_eq!((state.provider_authority, state.exposure.get()), (low.pubkey(), LOW));
    assert!(w.is_closed(&w.bid_address(&job, &low)));
    w.send(&[w.withdraw_bid(&job, &high)], &[]);
    let bond: joule_sdk::staking::state::Bond = w.get(&joule_sdk::pda::bond(&high.pubkey(), &w.mint));
    assert_eq!((bond.locked.get(), bond.kept.get()), (0, 0));
    // The winner's claim is now the job's, and goes with it.
    w.send(&[joule_sdk::instruction::escrow::submit(low.pubkey(), job, [1; 32])], &[&low]);
    w.set_time(w.job(&job).settle_after.get());
    w.send(&[w.settle(job)], &[]);
    assert!(w.is_closed(&job));
    let bond: joule_sdk::staking::state::Bond = w.get(&joule_sdk::pda::bond(&low.pubkey(), &w.mint));
    assert_eq!((bond.locked.get(), bond.kept.get()), (0, LOW));
}

#[test]
fn the_client_picks_any_bid_at_any_time() {
    let mut w = World::new(Kind::Classic);
    let (job, _, high) = auction(&mut w);
    let alice = w.alice.insecure_clone();
    let pick =
        joule_sdk::instruction::escrow::pick_bid(alice.pubkey(), w.bid_address(&job, &high), &w.bid_of(&job, &high));
    let mallory = w.new_key();
    w.refuse(swap(pick.clone(), alice.pubkey(), mallory.pubkey()), &[&mallory], "NotClient");
    w.send(&[pick], &[&alice]);
    assert_eq!((w.job(&job).price.get(), w.job(&job).provider_authority), (HIGH, high.pubkey()));
}

#[test]
fn a_bid_for_another_job_does_not_win_this_one() {
    let mut w = World::new(Kind::Classic);
    let (job, low, _) = auction(&mut w);
    let other = w.auctioned();
    let alice = w.alice.insecure_clone();
    let pick =
        joule_sdk::instruction::escrow::pick_bid(alice.pubkey(), w.bid_address(&job, &low), &w.bid_of(&job, &low));
    w.refuse(swap(pick, job, other), &[&alice], "WrongBid");
}

#[test]
fn bids_are_taken_in_their_window_within_the_budget_and_once_each() {
    let mut w = World::new(Kind::Classic);
    let (job, plain) = (w.auctioned(), w.opened());
    let bidder = w.provider(10 * BUDGET);
    for price in [0, BUDGET + 1] {
        w.refuse(w.bid(job, &bidder, price), &[&bidder], "PriceOutOfRange");
    }
    w.refuse(w.bid(plain, &bidder, LOW), &[&bidder], "BidWindowClosed");
    let north = w.north.insecure_clone();
    w.refuse(w.accept(job), &[&north], "TakesBids");
    w.send(&[w.bid(job, &bidder, LOW)], &[&bidder]);
    assert!(w.attempt(&[w.bid(job, &bidder, LOW)], &[&bidder]).is_err());
    let late = w.provider(BUDGET);
    w.set_time(w.job(&job).bid_until.get() + 1);
    w.refuse(w.bid(job, &late, LOW), &[&late], "BidWindowClosed");
}

#[test]
fn a_bid_without_a_bond_behind_it_is_rejected() {
    let mut w = World::new(Kind::Classic);
    let job = w.auctioned();
    let poor = w.provider(LOW - 1);
    w.refuse(w.bid(job, &poor, LOW), &[&poor], "BondTooSmall");
}

#[test]
fn a_job_that_is_cancelled_or_expires_lets_every_bid_go() {
    for cancel in [true, false] {
        let mut w = World::new(Kind::Classic);
        let (job, low, high) = auction(&mut w);
        let alice = w.alice.insecure_clone();
        if cancel {
            w.send(&[w.cancel(job)], &[&alice]);
        } else {
            w.set_time(w.job(&job).accept_by.get() + 1);
            w.send(&[w.expire(job)], &[]);
        }
        for bidder in [&low, &high] {
            w.send(&[w.withdraw_bid(&job, bidder)], &[]);
            let bond: joule_sdk::staking::state::Bond = w.get(&joule_sdk::pda::bond(&bidder.pubkey(), &w.mint));
            assert_eq!((bond.locked.get(), bond.amount.get()), (0, 2 * BUDGET));
        }
    }
}

#[test]
fn of_equal_bids_the_first_is_the_cheapest() {
    let mut w = World::new(Kind::Classic);
    let (job, first, second) = (w.auctioned(), w.provider(BUDGET), w.provider(BUDGET));
    w.send(&[w.bid(job, &first, LOW)], &[&first]);
    w.send(&[w.bid(job, &second, LOW)], &[&second]);
    assert_eq!(w.job(&job).best_bid, w.bid_address(&job, &first));
}

#[test]
fn a_pause_stops_new_bids_and_not_what_becomes_of_those_that_were_made() {
    let mut w = World::new(Kind::Classic);
    let (job, low, high) = auction(&mut w);
    let (late, guardian) = (w.provider(2 * BUDGET), w.guardian.insecure_clone());
    w.send(&[joule_sdk::instruction::treasury::pause(guardian.pubkey(), 0)], &[&guardian]);
    w.refuse(w.bid(job, &late, LOW), &[&late], "Paused");
    w.set_time(w.job(&job).bid_until.get() + 1);
    let award = joule_sdk::instruction::escrow::award_bid(w.bid_address(&job, &low), &w.bid_of(&job, &low));
    w.send(&[award], &[]);
    assert_eq!(w.job(&job).provider_authority, low.pubkey());
    w.send(&[w.withdraw_bid(&job, &high)], &[]);
}
