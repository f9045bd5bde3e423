//! The protocol's fee cannot be gone around.

use joule_sdk::{
    instruction::{
        escrow::{open, OpenAccounts},
        staking::{create_pool, update_pool},
    },
    pda,
    staking::state::{Params, Tier},
    units::{Amount, Bps},
    Signer,
};
use joule_tests::{
    staking::{DAY, PARAMS},
    Kind, World, BUDGET, FEE_BPS,
};

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

#[test]
fn a_stakers_discount_is_off_the_fee_of_what_it_opens_and_its_change_touches_no_open_job() {
    let mut w = World::new(Kind::Classic);
    let (authority, alice, north) = (w.authority.insecure_clone(), w.alice.insecure_clone(), w.north.insecure_clone());
    let create = create_pool(authority.pubkey(), w.mint, w.token_program, PARAMS);
    // Four times this weighs enough for the highest tier, which takes half off.
    w.send(&[create, w.stake(&alice, 10_000_000, 365 * DAY)], &[&authority, &alice]);
    let opened = |w: &mut World| {
        let accounts = OpenAccounts {
            payer: alice.pubkey(),
            client: alice.pubkey(),
            source: w.alice_tokens(),
            refund: w.alice_tokens(),
            mint: w.mint,
            token_program: w.token_program,
            requirements: None,
            staked_in: Some(w.mint),
        };
        let id = w.next_id();
        w.send(&[open(accounts, id, w.terms())], &[&alice]);
        pda::job(&alice.pubkey(), id)
    };
    let cheap = opened(&mut w);
    let tiers = PARAMS.tiers.map(|tier| Tier { discount_bps: 0, ..tier });
    w.send(&[update_pool(authority.pubkey(), w.mint, Params { tiers, ..PARAMS })], &[&authority]);
    let dear = opened(&mut w);
    let mut paid = Vec::new();
    for job in [cheap, dear] {
        let before = w.balance(&w.fee_vault());
        w.send(&[w.accept_for(job, BUDGET)], &[&north]);
        w.send(&[w.submit(job)], &[&north]);
        w.send(&[w.approve(job)], &[&alice]);
        paid.push(w.balance(&w.fee_vault()) - before);
    }
    assert_eq!(paid, [fee(BUDGET) / 2, fee(BUDGET)]);
}
