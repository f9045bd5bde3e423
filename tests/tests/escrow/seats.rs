//! A seat in a panel answers with what was locked when it was enrolled, once at a time: nobody is punished or expelled for
//! what it could not cover, and nobody chooses a panel, or has none, by keeping others busy.

use joule_sdk::{
    escrow::{
        constants::PATIENCE,
        state::{tickets, DisputeStatus, Panel, Terms, Verdict},
    },
    instruction, pda,
    staking::state::Bond,
    units::UnixTime,
    Keypair, Pubkey, Signer,
};
use joule_tests::{Kind, World, DISSENT, EXPOSURE, PANEL_STEP, RESULT, TRUTH};
use std::collections::{BTreeMap, BTreeSet};

fn bond_of(w: &World, owner: &Keypair) -> Bond {
    w.get(&pda::bond(&owner.pubkey(), &w.mint))
}

/// A delivered panel job that somebody has challenged.
fn dispute(w: &mut World) -> Pubkey {
    let job = w.delivered_by(w.panel_terms());
    w.challenged(job);
    job
}

fn resolved(w: &mut World, job: Pubkey) -> Verdict {
    w.set_time(w.dispute(&job).final_at.get() + 1);
    w.send(&[w.resolve(job)], &[]);
    Verdict::from_number(w.dispute(&job).verdict).unwrap()
}

/// Sends the drawing, and says whether it seated anybody.
fn draws(w: &mut World, job: Pubkey) -> bool {
    w.set_slot(w.dispute(&job).draw_slot.get() + 1);
    w.send(&[w.draw(job)], &[]);
    w.dispute(&job).status == DisputeStatus::Voting as u8
}

#[test]
fn a_member_votes_with_nothing_free_in_its_bond() {
    let mut w = World::new(Kind::Classic);
    let resolvers = w.resolvers(&[EXPOSURE; 10]);
    assert_eq!(bond_of(&w, &resolvers[0]).free().unwrap(), 0);
    let job = dispute(&mut w);
    let members = w.drawn(job, &resolvers);
    w.seated(job, &members, &[TRUTH; 3]);
    assert_eq!(resolved(&mut w, job), Verdict::Counter);
}

#[test]
fn staged_disputes_empty_no_panel() {
    // Eight resolvers, of whom two are the stagers'; each holds what it is asked for, a seat's stake, and no more.
    let mut w = World::new(Kind::Classic);
    let resolvers = w.resolvers(&[EXPOSURE; 10]);
    let staged: Vec<Pubkey> = (0..4).map(|_| dispute(&mut w)).collect();
    let mut engaged = BTreeSet::new();
    let mut running = Vec::new();
    for job in staged {
        if !draws(&mut w, job) {
            continue;
        }
        let dispute = w.dispute(&job);
        for member in &dispute.members[..dispute.drawn as usize] {
            assert!(engaged.insert(member.to_bytes()), "nobody answers for two seats with one stake");
        }
        running.push(job);
    }
    assert!((1..4).contains(&running.len()));
    // Whoever sits comes, and nobody is slashed or expelled for the disputes that wait.
    for job in running {
        let members = members(&w, job, &resolvers);
        for (seat, juror) in &members {
            w.send(&[w.commit_seat(job, *seat, juror, TRUTH)], &[juror]);
        }
        for (_, juror) in &members {
            assert_eq!(w.entry(&job, &juror.pubkey()), (EXPOSURE, EXPOSURE));
        }
    }
    for resolver in &resolvers {
        assert_eq!(bond_of(&w, resolver).amount.get(), EXPOSURE);
    }
}

#[test]
fn the_lot_waits_for_whoever_is_busy_and_is_not_cast_again() {
    let mut w = World::new(Kind::Classic);
    let resolvers = w.resolvers(&[EXPOSURE; 10]);
    // Two disputes leave one of seven free.
    let (first, other, second) = (dispute(&mut w), dispute(&mut w), dispute(&mut w));
    assert!(draws(&mut w, first));
    let mut busy = vec![first];
    for job in [other, second] {
        if draws(&mut w, job) {
            busy.push(job);
        }
    }
    let waiting = if busy.contains(&other) { second } else { other };
    assert!(busy.len() < 3);
    let lot = w.dispute(&waiting).lot;
    assert_ne!(lot, [0; 32]);
    // Asked again, it waits on; another slot changes nothing, and nobody has to keep asking.
    assert_eq!(w.dispute(&waiting).draw_by.get(), w.dispute(&waiting).patient_until.get() + PANEL_STEP);
    w.set_time(w.now() + 1);
    assert!(!draws(&mut w, waiting));
    let seated: Vec<_> = busy.iter().map(|job| (*job, members(&w, *job, &resolvers))).collect();
    for (job, members) in &seated {
        for (seat, juror) in members {
            w.send(&[w.commit_seat(*job, *seat, juror, TRUTH)], &[juror]);
        }
    }
    w.set_time(w.dispute(&first).commit_by.get() + 1);
    for (job, members) in &seated {
        for (_, juror) in members {
            w.send(&[w.reveal(*job, 0, juror, TRUTH)], &[]);
        }
    }
    for (job, members) in seated {
        assert_eq!(resolved(&mut w, job), Verdict::Counter);
        let votes: Vec<_> = members.iter().map(|(_, juror)| (0, juror)).collect();
        w.wind_up(job, &votes);
        assert_eq!(w.entry(&waiting, &members[0].1.pubkey()), (EXPOSURE, 0));
    }
    assert!(draws(&mut w, waiting));
    assert_eq!((w.dispute(&waiting).lot, w.dispute(&waiting).drawn), (lot, 3));
}

/// A resolver's key by its address.
fn key_of(resolvers: &[Keypair], who: Pubkey) -> Keypair {
    resolvers.iter().find(|r| r.pubkey() == who).expect("a resolver").insecure_clone()
}

/// Those who were drawn for the first round.
fn members(w: &World, job: Pubkey, resolvers: &[Keypair]) -> Vec<(u8, Keypair)> {
    let dispute = w.dispute(&job);
    (0..dispute.drawn).map(|seat| (seat, key_of(resolvers, dispute.members[seat as usize]))).collect()
}

/// What a penny of work puts at risk.
const PENNY: u64 = EXPOSURE / 100;

/// A challenged job that puts little at risk.
fn small_dispute(w: &mut World) -> Pubkey {
    let terms = Terms { budget: PENNY, bond_bps: 10_000, vote_window: 24 * 3600, ..w.panel_terms() };
    let (id, alice, north) = (w.next_id(), w.alice.insecure_clone(), w.north.insecure_clone());
    w.send(&[w.open(terms)], &[&alice]);
    let job = pda::job(&alice.pubkey(), id);
    let worker = instruction::escrow::Provider::new(north.pubkey(), w.north_tokens());
    w.send(&[instruction::escrow::accept(worker, job, &w.job(&job), PENNY)], &[&north]);
    w.send(&[w.submit(job)], &[&north]);
    w.challenged(job);
    job
}

#[test]
fn a_panel_that_is_kept_busy_for_a_penny_judges_all_the_same() {
    let mut w = World::new(Kind::Classic);
    // Seats of just what is at risk, all of them behind small disputes that last for longer than anybody is patient.
    let resolvers = w.resolvers(&[EXPOSURE; 10]);
    let job = dispute(&mut w);
    let staged: Vec<Pubkey> = (0..8).map(|_| small_dispute(&mut w)).collect();
    for staged in &staged {
        assert!(draws(&mut w, *staged));
    }
    assert!(!draws(&mut w, job));
    let patient_until = w.dispute(&job).patient_until.get();
    assert_eq!(patient_until, w.now() + PATIENCE as i64);
    w.set_time(patient_until);
    assert!(!draws(&mut w, job), "asked once in a week, the lot is not lost");
    w.set_time(patient_until + 1);
    assert!(draws(&mut w, job));
    let seated = members(&w, job, &resolvers);
    assert_eq!(seated.len(), 3);
    w.seated(job, &seated, &[TRUTH, TRUTH, RESULT]);
    assert_eq!(resolved(&mut w, job), Verdict::Counter);
    // Each lost what it lost by its own doing: one was wrong here, and all were absent where nobody came.
    let votes: Vec<_> = seated.iter().map(|(_, juror)| (0, juror)).collect();
    w.wind_up(job, &votes);
    let mut lost: BTreeMap<Pubkey, u64> = [(votes[2].1.pubkey(), DISSENT)].into();
    for staged in staged {
        for (_, absent) in members(&w, staged, &resolvers) {
            *lost.entry(absent.pubkey()).or_default() += PENNY;
        }
        w.send(&[w.resolve(staged)], &[]);
        for seat in 0..w.dispute(&staged).drawn {
            w.send(&[w.punish(staged, seat)], &[]);
        }
        w.wind_up(staged, &[]);
    }
    for resolver in &resolvers {
        let lost = lost.get(&resolver.pubkey()).copied().unwrap_or_default().min(EXPOSURE);
        assert_eq!(bond_of(&w, resolver).amount.get(), EXPOSURE - lost);
    }
}

#[test]
fn what_members_lose_elsewhere_casts_no_other_lot() {
    let mut w = World::new(Kind::Classic);
    let resolvers = w.resolvers(&[2 * EXPOSURE; 10]);
    // Until the lot falls on somebody with two seats.
    let mut drawn = Vec::new();
    let third = loop {
        let job = dispute(&mut w);
        match draws(&mut w, job) {
            true => drawn.push(job),
            false => break job,
        }
    };
    let (first, second) = (drawn[0], drawn[1]);
    let seen = w.dispute(&third);
    // Whom the lot has fallen on, by the panel as it was.
    let wanted = |w: &World| {
        let (mut dispute, mut panel): (_, Panel) = (seen, w.get(&seen.panel));
        let lot = tickets(&seen.lot, &pda::dispute(&third), 0);
        dispute.draw(&w.job(&third), &mut panel, UnixTime::new(seen.patient_until.get() + 1), lot).unwrap();
        dispute.members
    };
    let before = wanted(&w);
    // The members of the first dispute vote wrong, those of the second do not come.
    let liars = members(&w, first, &resolvers);
    w.seated(first, &liars, &[RESULT, TRUTH, TRUTH]);
    assert_eq!(resolved(&mut w, first), Verdict::Counter);
    let votes: Vec<_> = liars.iter().map(|(_, juror)| (0, juror)).collect();
    w.wind_up(first, &votes);
    assert_eq!(w.entry(&second, &liars[0].1.pubkey()).0, 2 * EXPOSURE - DISSENT);
    w.set_time(w.dispute(&second).final_at.get().max(w.job(&second).settle_after.get()) + 1);
    w.send(&[w.resolve(second)], &[]);
    let absent = w.dispute(&second).members[0];
    w.send(&[w.punish(second, 0)], &[]);
    assert_eq!(w.entry(&second, &absent).0 % EXPOSURE, 0);
    w.set_time(seen.patient_until.get() + 1);
    assert!(draws(&mut w, third));
    let after = w.dispute(&third);
    let has_left =
        |who: &Pubkey| resolvers.iter().any(|r| r.pubkey() == *who && bond_of(&w, r).amount.get() >= EXPOSURE);
    let seated: Vec<Pubkey> = before[..3].iter().copied().filter(has_left).collect();
    assert_eq!(after.members[..after.drawn as usize], seated);
}

#[test]
fn who_votes_wrong_loses_a_fifth_and_who_is_right_nothing_and_both_can_sit_again() {
    let mut w = World::new(Kind::Classic);
    let resolvers = w.resolvers(&[3 * EXPOSURE; 10]);
    let job = dispute(&mut w);
    let members = w.drawn(job, &resolvers);
    w.seated(job, &members, &[TRUTH, TRUTH, RESULT]);
    assert_eq!(resolved(&mut w, job), Verdict::Counter);
    for (_, juror) in &members {
        w.send(&[w.close_vote(job, 0, juror)], &[]);
    }
    let entries: Vec<_> = members.iter().map(|(_, juror)| w.entry(&job, &juror.pubkey())).collect();
    assert_eq!(entries, [(3 * EXPOSURE, 0), (3 * EXPOSURE, 0), (3 * EXPOSURE - DISSENT, 0)]);
    assert_eq!(bond_of(&w, &members[2].1).locked.get(), 3 * EXPOSURE - DISSENT);
}

#[test]
fn a_panel_stays_until_the_last_of_its_seats_is_wound_up_however_late() {
    let mut w = World::new(Kind::Classic);
    let resolvers = w.resolvers(&[EXPOSURE; 10]);
    let job = dispute(&mut w);
    let members = w.drawn(job, &resolvers);
    w.seated(job, &members[..2], &[TRUTH; 2]);
    assert_eq!(resolved(&mut w, job), Verdict::Counter);
    let address = w.dispute(&job).panel;
    let panel: Panel = w.get(&address);
    w.set_time(panel.needed_until().unwrap() + 1);
    let close = instruction::escrow::close_panel(address, &panel);
    w.refuse(close.clone(), &[], "PanelNeeded");
    w.send(&[w.close_vote(job, 0, &members[0].1), w.close_vote(job, 0, &members[1].1)], &[]);
    w.refuse(close.clone(), &[], "PanelNeeded");
    w.send(&[w.punish(job, members[2].0)], &[]);
    w.send(&[close], &[]);
    w.wind_up(job, &[]);
    assert!(w.is_closed(&job) && w.is_closed(&address));
}

#[test]
fn a_panels_verdict_needs_more_than_half_of_all_its_seats() {
    let mut w = World::new(Kind::Classic);
    let resolvers = w.resolvers(&[EXPOSURE; 10]);
    let job = dispute(&mut w);
    let members = w.drawn(job, &resolvers);
    w.seated(job, &members[..1], &[TRUTH]);
    assert_eq!(resolved(&mut w, job), Verdict::Undecided);
}

#[test]
fn a_member_that_could_not_run_the_job_says_so_and_loses_nothing() {
    let mut w = World::new(Kind::Classic);
    let resolvers = w.resolvers(&[EXPOSURE; 10]);
    // One in three: the others decide. Two in three: nothing is decided, and nobody loses anything.
    for (outputs, verdict) in
        [([TRUTH, [0; 32], TRUTH], Verdict::Counter), ([TRUTH, [0; 32], [0; 32]], Verdict::Undecided)]
    {
        let job = w.delivered_by(w.panel_terms());
        let carol = w.challenged(job);
        let left = w.balance(&w.tokens_of(&carol));
        let members = w.drawn(job, &resolvers);
        w.seated(job, &members, &outputs);
        assert_eq!(resolved(&mut w, job), verdict);
        let votes: Vec<_> = members.iter().map(|(_, juror)| (0, juror)).collect();
        let before: Vec<_> = members.iter().map(|(_, juror)| w.balance(&w.tokens_of(juror))).collect();
        w.wind_up(job, &votes);
        for ((_, juror), (output, before)) in members.iter().zip(outputs.iter().zip(before)) {
            let is_paid = w.balance(&w.tokens_of(juror)) > before;
            assert_eq!(is_paid, verdict == Verdict::Counter && *output == TRUTH);
            assert_eq!(bond_of(&w, juror).amount.get(), EXPOSURE);
        }
        assert!(w.balance(&w.tokens_of(&carol)) >= left + EXPOSURE);
    }
    // Nobody has to come to a quorum, and whoever comes has run it.
    let job = w.delivered_by(w.quorum_terms());
    w.challenged(job);
    let juror = w.provider(EXPOSURE);
    w.send(&[w.commit(job, &juror, [0; 32], EXPOSURE)], &[&juror]);
    w.set_time(w.dispute(&job).commit_by.get() + 1);
    w.refuse(w.reveal(job, 0, &juror, [0; 32]), &[], "MissingResult");
}

#[test]
fn what_no_panel_can_judge_is_not_challenged() {
    let mut w = World::new(Kind::Classic);
    let week = Terms { review_window: 604_800, ..w.panel_terms() };
    // Nobody is enrolled: a friend's challenge would have had the provider paid after 3,601 seconds.
    let job = w.delivered_by(week);
    let friend = w.challenger();
    w.refuse(w.challenge(job, &friend, TRUTH), &[&friend], "UninitializedAccount");
    // Nor where every seat is smaller than what is at risk, or too few are large enough.
    for stakes in [[EXPOSURE - 1; 6], [EXPOSURE, 1, 1, 1, 1, 1]] {
        let mut w = World::new(Kind::Classic);
        w.resolvers(&stakes);
        let (job, friend) = (w.delivered_by(week), w.challenger());
        w.refuse(w.challenge(job, &friend, TRUTH), &[&friend], "NoPanel");
        // An honest challenger keeps its deposit, and the review window is what it was.
        w.refuse(w.settle(job), &[], "ReviewWindowOpen");
    }
    // Another epoch's panel, another token's and none are no panel.
    let mut w = World::new(Kind::Classic);
    w.resolvers(&[EXPOSURE; 10]);
    let (job, carol) = (w.delivered_by(week), w.challenger());
    let challenge = w.challenge(job, &carol, TRUTH);
    let panel = pda::panel(&w.mint, w.epoch());
    let left_out = joule_tests::swap(challenge.clone(), panel, joule_sdk::escrow::ID);
    w.refuse(left_out, &[&carol], "NoPanel");
    w.set_time((w.epoch() as i64 + 1) * joule_sdk::escrow::constants::PANEL_EPOCH);
    let job = w.delivered_by(week);
    let late = joule_tests::swap(w.challenge(job, &carol, TRUTH), pda::panel(&w.mint, w.epoch()), panel);
    w.refuse(late, &[&carol], "WrongPanel");
}

#[test]
fn a_client_cannot_put_more_at_risk_than_honest_people_have_staked_and_so_choose_its_own() {
    let mut w = World::new(Kind::Classic);
    // The client's three have a little more than the others, who have nearly all of it.
    w.resolvers(&[EXPOSURE, EXPOSURE, EXPOSURE, EXPOSURE - 1, EXPOSURE - 1, EXPOSURE - 1, EXPOSURE - 1]);
    let (job, carol) = (w.delivered_by(w.panel_terms()), w.challenger());
    w.refuse(w.challenge(job, &carol, TRUTH), &[&carol], "NoPanel");
}

#[test]
fn a_friends_challenge_that_decides_nothing_does_not_shorten_the_review() {
    let mut w = World::new(Kind::Classic);
    w.resolvers(&[EXPOSURE; 10]);
    let job = w.delivered_by(Terms { review_window: 604_800, ..w.panel_terms() });
    let settle_after = w.job(&job).settle_after.get();
    w.challenged(job);
    w.set_time(w.dispute(&job).draw_by.get() + 1);
    w.refuse(w.resolve(job), &[], "ReviewWindowOpen");
    w.set_time(settle_after - 1);
    w.refuse(w.resolve(job), &[], "ReviewWindowOpen");
    w.set_time(settle_after);
    w.send(&[w.resolve(job)], &[]);
}

#[test]
fn whoever_governs_keeps_nobody_from_enrolling() {
    let mut w = World::new(Kind::Classic);
    let (authority, resolver) = (w.authority.insecure_clone(), w.holder(0));
    w.give_bond(&resolver, EXPOSURE);
    // A smallest payment that nobody can meet, and a token that is retired.
    let update = instruction::treasury::update_mint(authority.pubkey(), w.mint, false, u64::MAX);
    w.send(&[update], &[&authority]);
    w.send(&[w.enroll(&resolver, 5)], &[&resolver]);
}
