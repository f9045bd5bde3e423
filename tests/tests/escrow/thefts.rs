//! Thefts that a review of challenges found, each as its thief would try it.

use joule_sdk::{
    escrow::{
        constants::{APPEAL_MULTIPLE, JUROR_BPS},
        state::{Terms, Verdict},
    },
    staking::penalty,
    units::Amount,
    Signer,
};
use joule_tests::{Kind, World, BUDGET, EXPOSURE, PRICE, RESULT, TRUTH};

#[test]
fn whoever_stages_a_dispute_gains_nothing_by_jurors_who_lose_it() {
    let mut w = World::new(Kind::Classic);
    let resolvers = w.resolvers(&[EXPOSURE; 10]);
    let before = w.balance(&w.alice_tokens());
    let job = w.delivered_by(w.panel_terms());
    w.challenged(job);
    let members = w.drawn(job, &resolvers);
    w.set_time(w.dispute(&job).final_at.get() + 1);
    w.send(&[w.resolve(job)], &[]);
    let fees = w.balance(&w.fee_vault());
    for (seat, _) in &members {
        w.send(&[w.punish(job, *seat)], &[]);
    }
    w.wind_up(job, &[]);
    assert_eq!(w.balance(&w.alice_tokens()), before - PRICE);
    assert_eq!(w.balance(&w.fee_vault()), fees + 3 * EXPOSURE);
}

#[test]
fn a_member_that_lost_its_stake_by_not_coming_takes_no_seat_again() {
    let mut w = World::new(Kind::Classic);
    let resolvers = w.resolvers(&[EXPOSURE; 16]);
    let job = w.delivered_by(w.panel_terms());
    w.challenged(job);
    let members = w.drawn(job, &resolvers);
    w.set_time(w.dispute(&job).final_at.get() + 1);
    w.send(&[w.resolve(job)], &[]);
    for (seat, _) in &members {
        w.send(&[w.punish(job, *seat)], &[]);
    }
    let third = w.delivered_by(w.panel_terms());
    w.challenged(third);
    for (_, member) in w.drawn(third, &resolvers) {
        assert!(members.iter().all(|(_, absent)| absent.pubkey() != member.pubkey()));
    }
}

#[test]
fn keeping_silent_does_not_turn_a_verdict_into_none() {
    let mut w = World::new(Kind::Classic);
    let job = w.delivered_by(w.quorum_terms());
    w.challenged(job);
    let silent = w.provider(EXPOSURE);
    w.send(&[w.commit(job, &silent, RESULT, EXPOSURE)], &[&silent]);
    w.voted(job, &[TRUTH, TRUTH]);
    w.send(&[w.resolve(job)], &[]);
    assert_eq!(w.dispute(&job).verdict, Verdict::Counter as u8);
}

#[test]
fn asking_for_next_to_nothing_does_not_freeze_a_budget_for_nothing() {
    let mut w = World::new(Kind::Classic);
    let (job, north) = (w.opened(), w.north.insecure_clone());
    w.send(&[w.accept_for(job, 1)], &[&north]);
    assert_eq!(w.job(&job).exposure.get(), BUDGET / 10);
    assert_eq!(w.bond().locked.get(), BUDGET / 10);
}

#[test]
fn a_friend_that_challenges_at_once_does_not_shorten_the_review() {
    let mut w = World::new(Kind::Classic);
    let job = w.delivered_by(Terms { review_window: 10_000, ..w.quorum_terms() });
    let settle_after = w.job(&job).settle_after.get();
    w.challenged(job);
    assert_eq!(w.dispute(&job).commit_by.get(), settle_after);
}

#[test]
fn the_client_can_appeal_when_the_challenger_does_not_want_to() {
    let mut w = World::new(Kind::Classic);
    let resolvers = w.resolvers(&[EXPOSURE; 12]);
    let job = w.delivered_by(w.panel_terms());
    w.challenged(job);
    let alice = w.alice.insecure_clone();
    let first = w.drawn(job, &resolvers);
    w.seated(job, &first, &[RESULT; 3]);
    let before = w.balance(&w.alice_tokens());
    w.send(&[w.appeal(job, &alice)], &[&alice]);
    assert_eq!(w.balance(&w.alice_tokens()), before - 2 * EXPOSURE);
    let second = w.drawn(job, &resolvers);
    w.seated(job, &second, &[TRUTH; 7]);
    w.set_time(w.dispute(&job).final_at.get() + 1);
    w.send(&[w.resolve(job)], &[]);
    // Budget, appeal, and its share of the slashed bond.
    assert!(w.balance(&w.alice_tokens()) > before + BUDGET);
}

#[test]
fn a_challenger_gains_two_fifths_at_most_of_what_is_slashed_and_of_an_appeal_that_is_lost() {
    let mut w = World::new(Kind::Classic);
    let resolvers = w.resolvers(&[EXPOSURE; 12]);
    let job = w.delivered_by(w.panel_terms());
    let carol = w.challenged(job);
    let left = w.balance(&w.tokens_of(&carol));
    let first = w.drawn(job, &resolvers);
    w.seated(job, &first, &[TRUTH; 3]);
    let (owner, tokens) = (w.north_payout.insecure_clone(), w.north_tokens());
    w.mint_to(&tokens, APPEAL_MULTIPLE * EXPOSURE);
    w.send(&[w.appeal(job, &owner)], &[&owner]);
    let second = w.drawn(job, &resolvers);
    w.seated(job, &second, &[TRUTH; 7]);
    w.set_time(w.dispute(&job).final_at.get() + 1);
    w.send(&[w.resolve(job)], &[]);
    let forfeited = (1 + APPEAL_MULTIPLE) * EXPOSURE;
    let jurors = forfeited * JUROR_BPS as u64 / 10_000;
    let gain = w.balance(&w.tokens_of(&carol)) - left - EXPOSURE;
    assert_eq!(gain, penalty::shares(Amount::new(forfeited - jurors), true).challenger.get());
    assert!(0 < gain && gain * 5 <= 2 * forfeited);
}
