//! Limits that SECURITY.md states and that are no other file's subject: each is shown to be as far as it says, and no further.

use joule_sdk::{
    escrow::{
        constants::{JUROR_BPS, MAX_RESOLVERS, PANEL_EPOCH, PATIENCE},
        state::{Panel, Terms, Verdict},
    },
    instruction::{
        escrow::{accept, commit_vote, open, OpenAccounts, Provider},
        registry::define_requirements,
        staking::{release_expired, unbond},
    },
    pda,
    registry::state::Wanted,
    staking::state::{Bond, Claim},
    Keypair, Signer,
};
use joule_tests::{Kind, World, BOND, DISSENT, EXPOSURE, RESULT, TRUTH};
use solana_slot_hashes::SlotHashes;
use std::collections::BTreeSet;

const DAY: i64 = 86_400;

fn bond_of(w: &World, owner: &Keypair) -> Bond {
    w.get(&pda::bond(&owner.pubkey(), &w.mint))
}

#[test]
fn a_large_bond_in_the_last_second_decides_a_quorum_and_nobody_appeals() {
    let mut w = World::new(Kind::Classic);
    let job = w.delivered_by(w.quorum_terms());
    w.challenged(job);
    let honest: Vec<Keypair> = (0..3).map(|_| w.provider(EXPOSURE)).collect();
    let thief = w.provider(4 * EXPOSURE);
    for juror in &honest {
        w.send(&[w.commit(job, juror, TRUTH, EXPOSURE)], &[juror]);
    }
    w.set_time(w.dispute(&job).commit_by.get());
    w.send(&[w.commit(job, &thief, RESULT, 4 * EXPOSURE)], &[&thief]);
    w.set_time(w.now() + 1);
    for juror in &honest {
        w.send(&[w.reveal(job, 0, juror, TRUTH)], &[]);
    }
    w.send(&[w.reveal(job, 0, &thief, RESULT)], &[]);
    w.set_time(w.dispute(&job).final_at.get() + 1);
    let alice = w.alice.insecure_clone();
    w.refuse(w.appeal(job, &alice), &[&alice], "NoAppeal");
    w.send(&[w.resolve(job)], &[]);
    assert_eq!(w.dispute(&job).verdict, Verdict::Stands as u8);
    let fees = w.balance(&w.fee_vault());
    let votes: Vec<_> = honest.iter().chain([&thief]).map(|juror| (0, juror)).collect();
    w.wind_up(job, &votes);
    // What the others lose is the treasury's; the thief has the jurors' part of the challenger's deposit.
    assert!(honest.iter().all(|juror| bond_of(&w, juror).amount.get() == EXPOSURE - DISSENT));
    assert_eq!(w.balance(&w.fee_vault()), fees + 3 * DISSENT);
    assert_eq!(w.balance(&w.tokens_of(&thief)), EXPOSURE * JUROR_BPS as u64 / 10_000);
}

#[test]
fn whom_only_the_client_lets_vote_convicts_a_provider_that_took_its_terms() {
    let mut w = World::new(Kind::Classic);
    let (alice, north) = (w.alice.insecure_clone(), w.north.insecure_clone());
    let (friend, honest) = (w.provider(EXPOSURE), w.provider(EXPOSURE));
    let mut wanted = Wanted::default();
    wanted.allowed[..2].copy_from_slice(&[pda::provider(&north.pubkey()), pda::provider(&friend.pubkey())]);
    let accounts = OpenAccounts {
        payer: alice.pubkey(),
        client: alice.pubkey(),
        source: w.alice_tokens(),
        refund: w.alice_tokens(),
        mint: w.mint,
        token_program: w.token_program,
        requirements: Some(pda::requirements(&alice.pubkey(), &wanted.hash())),
        staked_in: None,
    };
    // Every window is a second, and one vote decides.
    let second =
        Terms { accept_window: 1, work_window: 1, review_window: 1, vote_window: 1, jurors: 1, ..w.quorum_terms() };
    let (job, id) = (pda::job(&alice.pubkey(), w.next_id()), w.next_id());
    let define = define_requirements(alice.pubkey(), alice.pubkey(), wanted);
    w.send(&[define, open(accounts, id, second)], &[&alice]);
    let take = accept(Provider::new(north.pubkey(), w.north_tokens()), job, &w.job(&job), EXPOSURE);
    w.send(&[take, w.submit(job)], &[&north]);
    w.challenged(job);
    w.refuse(w.commit(job, &honest, RESULT, EXPOSURE), &[&honest], "NotAllowed");
    let sealed = joule_sdk::escrow::state::commitment(&job, &TRUTH, &World::salt(&friend), &friend.pubkey());
    let vote = commit_vote(Provider::new(friend.pubkey(), w.tokens_of(&friend)), job, &w.job(&job), sealed, EXPOSURE);
    w.send(&[vote], &[&friend]);
    w.set_time(w.dispute(&job).commit_by.get() + 1);
    w.send(&[w.reveal(job, 0, &friend, TRUTH)], &[]);
    w.set_time(w.dispute(&job).final_at.get() + 1);
    w.send(&[w.resolve(job)], &[]);
    assert_eq!(w.dispute(&job).verdict, Verdict::Counter as u8);
    assert_eq!(w.bond().amount.get(), BOND - EXPOSURE);
}

#[test]
fn whoever_makes_the_slots_block_chooses_among_panels_of_the_enrolled() {
    let mut w = World::new(Kind::Classic);
    let resolvers = w.resolvers(&[EXPOSURE; 12]);
    let job = w.delivered_by(w.panel_terms());
    w.challenged(job);
    let slot = w.dispute(&job).draw_slot.get();
    w.set_slot(slot + 1);
    let mut panels = BTreeSet::new();
    for byte in 1..=8 {
        let mut w = w.clone();
        w.svm.set_sysvar(&SlotHashes::new(&[(slot, [byte; 32].into())]));
        w.send(&[w.draw(job)], &[]);
        let dispute = w.dispute(&job);
        let members = &dispute.members[..dispute.drawn as usize];
        assert_eq!(members.len(), 3);
        assert!(members.iter().all(|member| resolvers.iter().any(|resolver| resolver.pubkey() == *member)));
        panels.insert(members.iter().map(|member| member.to_bytes()).collect::<Vec<_>>());
    }
    assert!(panels.len() > 1, "the hash is what decides");
}

#[test]
fn whoever_enrols_after_a_delivery_judges_it_where_the_review_reaches_into_the_next_epoch() {
    let mut w = World::new(Kind::Classic);
    let job = w.delivered_by(Terms { review_window: PANEL_EPOCH as u32 + 1, ..w.panel_terms() });
    let late = w.resolvers(&[EXPOSURE; 10]);
    w.challenged(job);
    assert_eq!(w.drawn(job, &late).len(), 3);
}

#[test]
fn whoever_is_displaced_has_its_stake_back_38_days_after_the_panels_epoch() {
    let mut w = World::new(Kind::Classic);
    let displaced = w.holder(0);
    w.give_bond(&displaced, EXPOSURE);
    w.send(&[w.enroll(&displaced, 1)], &[&displaced]);
    let address = pda::panel(&w.mint, w.epoch() + 1);
    for _ in 0..MAX_RESOLVERS {
        let richer = w.holder(0);
        w.give_bond(&richer, 2);
        w.send(&[w.enroll(&richer, 2)], &[&richer]);
    }
    let panel: Panel = w.get(&address);
    assert!(panel.enrolled().iter().all(|resolver| resolver.resolver != displaced.pubkey()));
    let (bond, claim) = (pda::bond(&displaced.pubkey(), &w.mint), pda::seat_claim(&address, &displaced.pubkey()));
    let state: Claim = w.get(&claim);
    w.set_time(panel.ends_at() + 38 * DAY - 1);
    w.refuse(release_expired(claim, &state), &[], "NothingExpired");
    w.refuse(unbond(displaced.pubkey(), bond, EXPOSURE), &[&displaced], "NotFree");
    w.set_time(w.now() + 1);
    w.send(&[release_expired(claim, &state), unbond(displaced.pubkey(), bond, EXPOSURE)], &[&displaced]);
}

#[test]
fn an_appeals_panel_is_waited_for_as_long_again() {
    let mut w = World::new(Kind::Classic);
    let resolvers = w.resolvers(&[EXPOSURE; 12]);
    let job = w.delivered_by(w.panel_terms());
    let carol = w.challenged(job);
    let patient_until = |w: &World| w.dispute(&job).patient_until.get();
    assert_eq!(patient_until(&w), w.now() + PATIENCE as i64);
    let first = w.drawn(job, &resolvers);
    w.seated(job, &first, &[RESULT; 3]);
    w.send(&[w.appeal(job, &carol)], &[&carol]);
    assert_eq!(patient_until(&w), w.now() + PATIENCE as i64);
}
