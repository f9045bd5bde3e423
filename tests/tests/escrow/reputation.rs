//! Reputation counts what was paid for, and cannot be had for less than the fee.

use joule_sdk::{escrow::state::Terms, Keypair, Signer};
use joule_tests::{Kind, World, BUDGET, EXPOSURE, FEE_BPS, PRICE, RESULT};

/// Alice and `north` are one person, who opens, takes, delivers and approves a job of its own for `price`.
fn self_dealt(w: &mut World, terms: Terms, price: u64) {
    let (id, alice, north) = (w.next_id(), w.alice.insecure_clone(), w.north.insecure_clone());
    w.send(&[w.open(terms)], &[&alice]);
    let job = joule_sdk::pda::job(&alice.pubkey(), id);
    w.send(&[w.accept_for(job, price)], &[&north]);
    w.send(&[w.submit(job)], &[&north]);
    w.send(&[w.approve(job)], &[&alice]);
}

#[test]
fn a_huge_bond_behind_a_tiny_price_counts_as_the_price() {
    let mut w = World::new(Kind::Classic);
    let terms = Terms { bond_bps: 50_000, ..w.terms() };
    for _ in 0..5 {
        self_dealt(&mut w, terms, 1);
    }
    assert_eq!(w.bond().kept.get(), 5, "though each locked a tenth of the budget");
    assert_eq!(w.balance(&w.fee_vault()), 0);
    self_dealt(&mut w, terms, 100_000);
    assert_eq!(w.bond().kept.get(), 100_005, "though five times as much was locked");
}

#[test]
fn a_price_above_the_bond_counts_as_the_bond() {
    let mut w = World::new(Kind::Classic);
    let terms = Terms { bond_bps: 1_000, ..w.terms() };
    self_dealt(&mut w, terms, BUDGET);
    assert_eq!(w.bond().kept.get(), BUDGET / 10, "more was not at stake");
}

#[test]
fn working_for_oneself_costs_the_fee_of_all_that_it_counts() {
    let mut w = World::new(Kind::Classic);
    let money = |w: &World| w.balance(&w.alice_tokens()) + w.balance(&w.north_tokens());
    let before = money(&w);
    let terms = Terms { bond_bps: 50_000, ..w.terms() };
    for price in [PRICE, 40_000, BUDGET] {
        self_dealt(&mut w, terms, price);
    }
    let lost = before - money(&w);
    assert_eq!(w.balance(&w.fee_vault()), lost);
    assert_eq!(w.bond().kept.get(), PRICE + 40_000 + BUDGET);
    assert_eq!(lost, [PRICE, 40_000, BUDGET].iter().map(|price| price * FEE_BPS as u64 / 10_000).sum::<u64>());
}

#[test]
fn a_dispute_that_one_person_stages_and_judges_makes_no_name() {
    let mut w = World::new(Kind::Classic);
    // A price of next to nothing, and so no fee; what jurors get is the challenger's deposit, its own.
    let terms = Terms { bond_bps: 50_000, ..w.quorum_terms() };
    let (id, alice, north) = (w.next_id(), w.alice.insecure_clone(), w.north.insecure_clone());
    w.send(&[w.open(terms)], &[&alice]);
    let job = joule_sdk::pda::job(&alice.pubkey(), id);
    w.send(&[w.accept_for(job, 1)], &[&north]);
    w.send(&[w.submit(job)], &[&north]);
    w.challenged(job);
    let jurors = w.voted(job, &[RESULT; 3]);
    w.send(&[w.resolve(job)], &[]);
    let votes: Vec<(u8, &Keypair)> = jurors.iter().map(|juror| (0, juror)).collect();
    w.wind_up(job, &votes);
    assert_eq!(w.bond().kept.get(), 1);
    for juror in &jurors {
        let bond: joule_sdk::staking::state::Bond = w.get(&joule_sdk::pda::bond(&juror.pubkey(), &w.mint));
        assert_eq!((bond.kept.get(), bond.amount.get() >= 2 * EXPOSURE), (0, true), "paid, and not praised");
    }
}
