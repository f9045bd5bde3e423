//! Work that is paid by the second.

use joule_sdk::{escrow::state::JobStatus, Signer};
use joule_tests::{Kind, World, BUDGET, FEE_BPS};

const RATE: u64 = 3_001;

fn net(price: u64) -> u64 {
    price - price * FEE_BPS as u64 / 10_000
}

#[test]
fn what_was_reported_is_paid_and_the_rest_returns() {
    let mut w = World::new(Kind::Classic);
    let (tokens, north) = (w.balance(&w.alice_tokens()), w.north.insecure_clone());
    let job = w.metered(RATE);
    assert_eq!((w.job(&job).price.get(), w.job(&job).exposure.get()), (0, BUDGET));
    w.set_time(w.now() + 100);
    w.send(&[w.report(job, 60)], &[&north]);
    w.send(&[w.report(job, 99), w.submit(job)], &[&north]);
    assert_eq!(w.job(&job).price.get(), 99 * RATE);
    w.set_time(w.job(&job).settle_after.get());
    w.send(&[w.settle(job)], &[]);
    assert_eq!(w.balance(&w.north_tokens()), net(99 * RATE));
    assert_eq!(w.balance(&w.alice_tokens()), tokens - 99 * RATE);
}

#[test]
fn the_budget_is_the_cap() {
    let mut w = World::new(Kind::Classic);
    let north = w.north.insecure_clone();
    let job = w.metered(BUDGET / 10);
    w.set_time(w.now() + 300);
    w.send(&[w.report(job, 300), w.submit(job)], &[&north]);
    assert_eq!(w.job(&job).price.get(), BUDGET);
}

#[test]
fn seconds_only_grow_and_never_beyond_the_clock() {
    let mut w = World::new(Kind::Classic);
    let (north, alice) = (w.north.insecure_clone(), w.alice.insecure_clone());
    let (job, fixed) = (w.metered(RATE), w.accepted());
    w.set_time(w.now() + 50);
    w.refuse(w.report(job, 51), &[&north], "SecondsOutOfRange");
    w.send(&[w.report(job, 50)], &[&north]);
    w.refuse(w.report(job, 49), &[&north], "SecondsOutOfRange");
    w.refuse(w.report(fixed, 1), &[&north], "FixedPrice");
    let mut forged = w.report(job, 50);
    forged.accounts[0].pubkey = alice.pubkey();
    w.refuse(forged, &[&alice], "NotProvider");
    w.set_time(w.job(&job).deliver_by.get() + 1);
    w.refuse(w.report(job, 60), &[&north], "WorkWindowClosed");
}

#[test]
fn the_client_stops_work_and_pays_for_what_was_done() {
    let mut w = World::new(Kind::Classic);
    let (tokens, north, alice) = (w.balance(&w.alice_tokens()), w.north.insecure_clone(), w.alice.insecure_clone());
    let job = w.metered(RATE);
    w.set_time(w.now() + 40);
    w.send(&[w.report(job, 37)], &[&north]);
    let mut forged = w.stop(job);
    forged.accounts[0].pubkey = north.pubkey();
    w.refuse(forged, &[&north], "NotClient");
    w.send(&[w.stop(job)], &[&alice]);
    assert!(w.is_closed(&job));
    assert_eq!(w.balance(&w.north_tokens()), net(37 * RATE));
    assert_eq!(w.balance(&w.alice_tokens()), tokens - 37 * RATE);
    assert_eq!((w.bond().locked.get(), w.bond().kept.get()), (0, 37 * RATE), "though the whole budget was backed");
}

#[test]
fn work_that_was_never_reported_is_stopped_for_nothing() {
    let mut w = World::new(Kind::Classic);
    let (tokens, alice) = (w.balance(&w.alice_tokens()), w.alice.insecure_clone());
    let job = w.metered(RATE);
    w.send(&[w.stop(job)], &[&alice]);
    assert!(w.is_closed(&job));
    assert_eq!(w.balance(&w.alice_tokens()), tokens);
    assert_eq!((w.bond().locked.get(), w.bond().kept.get()), (0, 0));
}

#[test]
fn a_rate_above_the_clients_is_rejected() {
    let mut w = World::new(Kind::Classic);
    let (job, north) = (w.metered(1), w.north.insecure_clone());
    assert_eq!(w.job(&job).max_rate.get(), BUDGET / 2);
    let alice = w.alice.insecure_clone();
    let terms = joule_sdk::escrow::state::Terms { pricing: 1, max_rate: RATE, ..w.terms() };
    let id = w.next_id();
    w.send(&[w.open(terms)], &[&alice]);
    let job = joule_sdk::pda::job(&alice.pubkey(), id);
    w.refuse(w.accept_for(job, RATE + 1), &[&north], "RateOutOfRange");
    w.send(&[w.accept_for(job, RATE)], &[&north]);
}

#[test]
fn a_report_in_front_of_a_stop_does_not_raise_the_bill() {
    let mut w = World::new(Kind::Classic);
    let (north, alice) = (w.north.insecure_clone(), w.alice.insecure_clone());
    let job = w.metered(RATE);
    w.set_time(w.now() + 40);
    let stop = w.stop(job);
    w.send(&[w.report(job, 40)], &[&north]);
    w.refuse(stop, &[&alice], "TooManySeconds");
    w.send(&[w.stop(job)], &[&alice]);
}

#[test]
fn a_redirect_in_front_of_a_stop_does_not_keep_the_work_going() {
    let mut w = World::new(Kind::Classic);
    let (north, alice, owner) = (w.north.insecure_clone(), w.alice.insecure_clone(), w.north_payout.insecure_clone());
    let mint = w.mint;
    let job = w.metered(RATE);
    w.set_time(w.now() + 40);
    w.send(&[w.report(job, 40)], &[&north]);
    let stop = w.stop(job);
    let other = w.extra_token_account(&owner.pubkey(), &mint, &[]);
    w.send(&[joule_sdk::instruction::escrow::redirect(owner.pubkey(), job, other)], &[&owner]);
    w.send(&[stop], &[&alice]);
    assert_eq!(w.job(&job).owed_provider.get(), net(40 * RATE));
    w.send(&[w.pay(job)], &[]);
    assert_eq!(w.balance(&other), net(40 * RATE));
}

#[test]
fn a_job_with_a_fixed_price_or_a_delivered_one_is_not_stopped() {
    let mut w = World::new(Kind::Classic);
    let (north, alice) = (w.north.insecure_clone(), w.alice.insecure_clone());
    let (fixed, job) = (w.accepted(), w.metered(RATE));
    w.refuse(w.stop(fixed), &[&alice], "FixedPrice");
    w.send(&[w.submit(job)], &[&north]);
    assert_eq!(w.job(&job).status, JobStatus::Delivered as u8);
    w.refuse(w.stop(job), &[&alice], "WrongState");
}
