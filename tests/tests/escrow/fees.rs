//! The protocol's fee cannot be gone around.

use joule_sdk::units::{Amount, Bps};
use joule_tests::{Kind, World, BUDGET, FEE_BPS};

fn fee(price: u64) -> u64 {
    Bps::new(FEE_BPS).unwrap().of(Amount::new(price)).get()
}

/// Runs a job to its end for `price` and returns the fee it paid, in base units.
fn paid_fee(w: &mut World, price: u64) -> u64 {
    let (before, north, alice) = (w.balance(&w.fee_vault()), w.north.insecure_clone(), w.alice.insecure_clone());
    let job = w.opened();
    w.send(&[w.accept_for(job, price)], &[&north]);
    w.send(&[w.submit(job)], &[&north]);
    w.send(&[w.approve(job)], &[&alice]);
    assert!(w.is_closed(&job));
    w.balance(&w.fee_vault()) - before
}

#[test]
fn work_split_into_tiny_jobs_saves_less_than_a_unit_a_job() {
    let mut w = World::new(Kind::Classic);
    let prices = [1, 39, 40, 41, 79, 80, 1_001, 9_999];
    let paid: u64 = prices.iter().map(|price| paid_fee(&mut w, *price)).sum();
    let (together, jobs) = (fee(prices.iter().sum()), prices.len() as u64);
    assert!(paid <= together && together - paid < jobs, "{paid} of {together} in {jobs} jobs");
    assert_eq!(paid_fee(&mut w, BUDGET), fee(BUDGET));
}

#[test]
fn work_paid_by_the_second_pays_the_fee_whichever_way_it_ends() {
    const RATE: u64 = 3_001;
    let mut w = World::new(Kind::Classic);
    let (north, alice) = (w.north.insecure_clone(), w.alice.insecure_clone());
    for is_stopped in [true, false] {
        let before = w.balance(&w.fee_vault());
        let job = w.metered(RATE);
        w.set_time(w.now() + 100);
        w.send(&[w.report(job, 50)], &[&north]);
        if is_stopped {
            w.send(&[w.stop(job)], &[&alice]);
        } else {
            w.send(&[w.submit(job)], &[&north]);
            w.set_time(w.job(&job).settle_after.get());
            w.send(&[w.settle(job)], &[]);
        }
        assert_eq!(w.balance(&w.fee_vault()) - before, fee(50 * RATE), "stopped: {is_stopped}");
    }
}
