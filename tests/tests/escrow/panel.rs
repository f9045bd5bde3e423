//! A result is challenged, and resolvers drawn by lot decide.

use joule_sdk::{
    escrow::{
        constants::{APPEAL_MULTIPLE, JUROR_BPS, MAX_RESOLVERS},
        state::{JobStatus, Panel, Verdict},
    },
    instruction, pda,
    staking::{
        penalty,
        state::{Bond, Claim},
    },
    units::Amount,
    Keypair, Pubkey, Signer,
};
use joule_tests::{Kind, World, BOND, DISSENT, EXPOSURE, PRICE, RESULT, TRUTH};
use std::collections::HashSet;

const SEAT: u64 = EXPOSURE;

fn bond_of(w: &World, owner: &Keypair) -> Bond {
    w.get(&pda::bond(&owner.pubkey(), &w.mint))
}

/// A delivered panel job that somebody has challenged, and twelve resolvers who can be drawn.
fn challenged(w: &mut World) -> (Pubkey, Keypair, Vec<Keypair>) {
    let resolvers = w.resolvers(&[SEAT; 12]);
    let job = w.delivered_by(w.panel_terms());
    let carol = w.challenged(job);
    (job, carol, resolvers)
}

fn votes(round: u8, members: &[(u8, Keypair)]) -> Vec<(u8, &Keypair)> {
    members.iter().map(|(_, juror)| (round, juror)).collect()
}

#[test]
fn a_drawn_panel_slashes_a_lie_after_a_delay() {
    for kind in [Kind::Classic, Kind::Token2022] {
        let mut w = World::new(kind);
        let (job, carol, resolvers) = challenged(&mut w);
        let left = w.balance(&w.tokens_of(&carol));
        let members = w.drawn(job, &resolvers);
        assert_eq!(members.len(), 3);
        w.seated(job, &members, &[TRUTH, TRUTH, RESULT]);
        w.refuse(w.resolve(job), &[], "VoteStillOpen");
        w.set_time(w.dispute(&job).final_at.get() + 1);
        w.send(&[w.resolve(job)], &[]);
        assert_eq!(w.dispute(&job).verdict, Verdict::Counter as u8);
        assert_eq!(w.job(&job).status, JobStatus::Refunded as u8);
        let pot = EXPOSURE * JUROR_BPS as u64 / 10_000;
        let shares = penalty::shares(Amount::new(EXPOSURE - pot), true);
        assert_eq!(w.balance(&w.tokens_of(&carol)), left + EXPOSURE + shares.challenger.get());
        assert_eq!(w.bond().amount.get(), BOND - EXPOSURE);
        w.wind_up(job, &votes(0, &members));
        assert_eq!(w.balance(&w.tokens_of(&members[0].1)), pot / 2);
        assert_eq!(
            SEAT - bond_of(&w, &members[2].1).amount.get(),
            DISSENT,
            "whoever voted wrong lost a fifth of its stake"
        );
        // The others' seats stay theirs for the next dispute.
        assert_eq!(bond_of(&w, &members[0].1).locked.get(), SEAT);
        assert!(w.is_closed(&job));
    }
}

#[test]
fn an_appeal_is_decided_by_a_larger_panel_of_others() {
    let mut w = World::new(Kind::Classic);
    let (job, carol, resolvers) = challenged(&mut w);
    let first = w.drawn(job, &resolvers);
    w.seated(job, &first, &[RESULT, RESULT, RESULT]);
    let north = w.north.insecure_clone();
    w.refuse(w.appeal(job, &north), &[&north], "NothingToAppeal");
    let left = w.balance(&w.tokens_of(&carol));
    w.send(&[w.appeal(job, &carol)], &[&carol]);
    assert_eq!(w.balance(&w.tokens_of(&carol)), left - APPEAL_MULTIPLE * EXPOSURE);
    let second = w.drawn(job, &resolvers);
    assert_eq!(second.len(), 7);
    let who: HashSet<Pubkey> = first.iter().chain(&second).map(|(_, juror)| juror.pubkey()).collect();
    assert_eq!(who.len(), 10, "nobody sits twice");
    w.seated(job, &second, &[TRUTH; 7]);
    w.refuse(w.appeal(job, &north), &[&north], "NoAppeal");
    w.set_time(w.dispute(&job).final_at.get() + 1);
    w.send(&[w.resolve(job)], &[]);
    assert_eq!(w.dispute(&job).verdict, Verdict::Counter as u8);
    let pot = EXPOSURE * JUROR_BPS as u64 / 10_000;
    let challenger = penalty::shares(Amount::new(EXPOSURE - pot), true).challenger.get();
    assert_eq!(w.balance(&w.tokens_of(&carol)), left + EXPOSURE + challenger);
    let all: Vec<_> = votes(0, &first).into_iter().chain(votes(1, &second)).collect();
    w.wind_up(job, &all);
    assert_eq!(SEAT - bond_of(&w, &first[0].1).amount.get(), DISSENT);
    assert_eq!(w.balance(&w.tokens_of(&second[0].1)), pot / 7);
    assert!(w.is_closed(&job));
}

#[test]
fn an_appeal_that_is_lost_is_forfeited() {
    let mut w = World::new(Kind::Classic);
    let (job, carol, resolvers) = challenged(&mut w);
    let first = w.drawn(job, &resolvers);
    w.seated(job, &first, &[RESULT, RESULT, RESULT]);
    w.send(&[w.appeal(job, &carol)], &[&carol]);
    let second = w.drawn(job, &resolvers);
    w.seated(job, &second, &[RESULT; 7]);
    w.set_time(w.dispute(&job).final_at.get() + 1);
    let before = w.balance(&w.north_tokens());
    w.send(&[w.resolve(job)], &[]);
    let forfeited = EXPOSURE + APPEAL_MULTIPLE * EXPOSURE;
    let pot = forfeited * JUROR_BPS as u64 / 10_000;
    let fee = (PRICE as u128 * joule_tests::FEE_BPS as u128 / 10_000) as u64;
    assert_eq!(w.balance(&w.north_tokens()), before + PRICE - fee + (forfeited - pot) / 2);
    let all: Vec<_> = votes(0, &first).into_iter().chain(votes(1, &second)).collect();
    w.wind_up(job, &all);
    assert!(w.is_closed(&job));
}

#[test]
fn an_appeal_that_nobody_draws_or_decides_leaves_the_first_verdict() {
    let mut w = World::new(Kind::Classic);
    let (job, _, resolvers) = challenged(&mut w);
    let first = w.drawn(job, &resolvers);
    w.seated(job, &first, &[TRUTH, TRUTH, TRUTH]);
    let owner = w.north_payout.insecure_clone();
    let tokens = w.north_tokens();
    w.mint_to(&tokens, APPEAL_MULTIPLE * EXPOSURE);
    w.send(&[w.appeal(job, &owner)], &[&owner]);
    w.refuse(w.resolve(job), &[], "VoteStillOpen");
    w.set_time(w.dispute(&job).draw_by.get() + 1);
    w.set_slot(w.dispute(&job).draw_slot.get() + 1);
    w.refuse(w.draw(job), &[], "DrawWindowClosed");
    w.send(&[w.resolve(job)], &[]);
    assert_eq!(w.dispute(&job).verdict, Verdict::Counter as u8);
    assert_eq!(w.balance(&tokens), APPEAL_MULTIPLE * EXPOSURE, "what nobody has heard was not lost");
    w.wind_up(job, &votes(0, &first));
    assert!(w.is_closed(&job));
}

#[test]
fn a_panel_that_is_never_drawn_pays_the_provider() {
    let mut w = World::new(Kind::Classic);
    let (job, carol, _) = challenged(&mut w);
    let left = w.balance(&w.tokens_of(&carol));
    w.refuse(w.resolve(job), &[], "VoteStillOpen");
    w.set_time(w.dispute(&job).draw_by.get() + 1);
    w.send(&[w.resolve(job)], &[]);
    assert_eq!(w.dispute(&job).verdict, Verdict::Undecided as u8);
    assert_eq!(w.balance(&w.tokens_of(&carol)), left + EXPOSURE, "whoever was not proved wrong loses nothing");
    w.wind_up(job, &[]);
    assert!(w.is_closed(&job));
}

#[test]
fn a_member_that_never_comes_is_slashed_and_one_that_came_is_not() {
    let mut w = World::new(Kind::Classic);
    let (job, _, resolvers) = challenged(&mut w);
    let members = w.drawn(job, &resolvers);
    w.seated(job, &members[..2], &[TRUTH, TRUTH]);
    w.refuse(w.punish(job, members[2].0), &[], "WrongState");
    w.set_time(w.dispute(&job).final_at.get() + 1);
    w.send(&[w.resolve(job)], &[]);
    for (_, juror) in &members[..2] {
        w.send(&[w.close_vote(job, 0, juror)], &[]);
    }
    w.refuse(w.close_dispute(job), &[], "VotesOpen");
    w.refuse(w.punish(job, members[0].0), &[], "NotAbsent");
    let before = w.balance(&w.job(&job).vault);
    w.send(&[w.punish(job, members[2].0)], &[]);
    assert_eq!(w.balance(&w.job(&job).vault), before + EXPOSURE);
    assert_eq!(bond_of(&w, &members[2].1).amount.get(), SEAT - EXPOSURE);
    w.wind_up(job, &[]);
    assert!(w.is_closed(&job));
}

#[test]
fn an_absent_member_outwaits_nobody() {
    let mut w = World::new(Kind::Classic);
    let (job, _, resolvers) = challenged(&mut w);
    let members = w.drawn(job, &resolvers);
    let panel = w.dispute(&job).panel;
    w.set_time(w.dispute(&job).final_at.get() + 1);
    w.send(&[w.resolve(job)], &[]);
    w.set_time(w.get::<Panel>(&panel).needed_until().unwrap() - 1);
    w.refuse(w.close_dispute(job), &[], "VotesOpen");
    for (seat, _) in &members[1..] {
        w.send(&[w.punish(job, *seat)], &[]);
    }
    // A seat that lapses, since its bond's vault is frozen and nobody can take anything, keeps nothing open for ever.
    let punish = w.punish(job, members[0].0);
    let claim = pda::seat_claim(&panel, &members[0].1.pubkey());
    w.set_time(w.now() + 1);
    w.send(&[instruction::staking::release_expired(claim, &w.get(&claim)), punish], &[]);
    w.wind_up(job, &[]);
    assert!(w.is_closed(&job));
    assert_eq!(bond_of(&w, &members[0].1).amount.get(), SEAT);
}

#[test]
fn only_the_member_takes_its_seat_and_only_in_its_round() {
    let mut w = World::new(Kind::Classic);
    let (job, _, resolvers) = challenged(&mut w);
    let members = w.drawn(job, &resolvers);
    let (seat, juror) = &members[0];
    let outsider = resolvers.iter().find(|r| members.iter().all(|(_, m)| m.pubkey() != r.pubkey())).unwrap();
    w.refuse(w.commit_seat(job, *seat, outsider, TRUTH), &[outsider], "NotDrawn");
    w.refuse(w.commit_seat(job, members[1].0, juror, TRUTH), &[juror], "NotDrawn");
    w.refuse(w.commit_seat(job, 21, juror, TRUTH), &[juror], "NotDrawn");
    let provider = w.provider(EXPOSURE);
    w.refuse(w.commit(job, &provider, TRUTH, EXPOSURE), &[&provider], "NotDrawn");
    w.send(&[w.commit_seat(job, *seat, juror, TRUTH)], &[juror]);
    assert!(w.attempt(&[w.commit_seat(job, *seat, juror, TRUTH)], &[juror]).is_err(), "once");
    w.set_time(w.dispute(&job).commit_by.get() + 1);
    w.refuse(w.commit_seat(job, members[1].0, &members[1].1, TRUTH), &[&members[1].1], "CommitWindowClosed");
}

#[test]
fn the_parties_are_never_drawn() {
    let mut w = World::new(Kind::Classic);
    let epoch = w.epoch();
    let (alice, north) = (w.alice.insecure_clone(), w.north.insecure_clone());
    w.give_bond(&alice, 1_000 * SEAT);
    for party in [&alice, &north] {
        let stake = if party.pubkey() == alice.pubkey() { 1_000 * SEAT } else { SEAT };
        let enroll = instruction::escrow::enroll(party.pubkey(), party.pubkey(), w.mint, epoch + 1, stake);
        w.send(&[enroll], &[party]);
    }
    let resolvers = w.resolvers(&[SEAT; 10]);
    let job = w.delivered_by(w.panel_terms());
    w.challenged(job);
    let members = w.drawn(job, &resolvers);
    assert_eq!(members.len(), 3);
}

#[test]
fn the_set_is_fixed_before_the_dispute() {
    let mut w = World::new(Kind::Classic);
    let resolver = w.holder(0);
    w.give_bond(&resolver, 10 * SEAT);
    let epoch = w.epoch();
    let at = |w: &World, epoch| instruction::escrow::enroll(resolver.pubkey(), resolver.pubkey(), w.mint, epoch, SEAT);
    w.refuse(at(&w, epoch), &[&resolver], "NotNextEpoch");
    w.refuse(at(&w, epoch + 2), &[&resolver], "NotNextEpoch");
    w.send(&[at(&w, epoch + 1)], &[&resolver]);
    w.refuse(at(&w, epoch + 1), &[&resolver], "AlreadyEnrolled");
}

#[test]
fn the_lot_is_a_slot_that_had_not_begun() {
    let mut w = World::new(Kind::Classic);
    let resolvers = w.resolvers(&[SEAT; 10]);
    w.set_slot(1_000);
    let job = w.delivered_by(w.panel_terms());
    w.challenged(job);
    assert!(w.dispute(&job).draw_slot.get() > 1_000);
    w.refuse(w.draw(job), &[], "SlotNotReached");
    // Nobody drew while the slot was remembered: another one is chosen, and nobody is seated by it.
    w.set_slot(w.dispute(&job).draw_slot.get() + 600);
    w.send(&[w.draw(job)], &[]);
    assert_eq!(w.dispute(&job).drawn, 0);
    assert_eq!(w.dispute(&job).draw_slot.get(), w.slot() + 16);
    assert_eq!(w.drawn(job, &resolvers).len(), 3);
    w.refuse(w.draw(job), &[], "WrongState");
}

#[test]
fn splitting_a_stake_over_identities_gains_no_seat_and_nobodies_cannot_fill_a_panel() {
    let mut w = World::new(Kind::Classic);
    let rich = w.holder(0);
    w.give_bond(&rich, 1_000 * SEAT);
    w.send(&[w.enroll(&rich, 10 * SEAT)], &[&rich]);
    for _ in 1..MAX_RESOLVERS {
        let nobody = w.holder(0);
        w.give_bond(&nobody, SEAT);
        w.send(&[w.enroll(&nobody, 10_000)], &[&nobody]);
    }
    let (poor, honest) = (w.holder(0), w.holder(0));
    w.give_bond(&poor, SEAT);
    w.give_bond(&honest, SEAT);
    w.refuse(w.enroll(&poor, 10_000), &[&poor], "PanelFull");
    w.send(&[w.enroll(&honest, SEAT)], &[&honest]);
    let panel: Panel = w.get(&pda::panel(&w.mint, w.epoch() + 1));
    assert_eq!(panel.enrolled().len(), MAX_RESOLVERS);
    assert!(panel.enrolled().iter().any(|r| r.resolver == honest.pubkey()));
    assert!(panel.enrolled().iter().any(|r| r.resolver == rich.pubkey()));
}

#[test]
fn a_panel_is_closed_once_no_dispute_can_need_it_and_seats_are_free_then() {
    let mut w = World::new(Kind::Classic);
    let resolvers = w.resolvers(&[SEAT]);
    let address = pda::panel(&w.mint, w.epoch());
    let panel: Panel = w.get(&address);
    let close = instruction::escrow::close_panel(address, &panel);
    w.set_time(panel.ends_at() + 38 * 24 * 60 * 60);
    w.refuse(close.clone(), &[], "PanelNeeded");
    w.set_time(w.now() + 1);
    let claim = pda::seat_claim(&address, &resolvers[0].pubkey());
    let state: Claim = w.get(&claim);
    w.send(&[instruction::staking::release_expired(claim, &state), close], &[]);
    assert!(w.is_closed(&address) && w.is_closed(&claim));
    assert_eq!(bond_of(&w, &resolvers[0]).locked.get(), 0);
}

#[test]
fn every_step_of_a_dispute_fits_a_transaction() {
    let mut w = World::new(Kind::Classic);
    let (job, carol, resolvers) = challenged(&mut w);
    let mut sizes = Vec::new();
    let mut measure = |name: &'static str, instruction: &joule_sdk::Instruction, payer: &Pubkey| {
        let message = solana_transaction::Message::new(std::slice::from_ref(instruction), Some(payer));
        let signatures = 1 + 64 * message.header.num_required_signatures as usize;
        sizes.push((name, signatures + message.serialize().len(), message.account_keys.len()));
    };
    let payer = w.stranger.pubkey();
    measure("challenge", &w.challenge(job, &carol, TRUTH), &payer);
    let members = w.drawn(job, &resolvers);
    measure("draw_panel", &w.draw(job), &payer);
    measure("commit_seat", &w.commit_seat(job, members[0].0, &members[0].1, TRUTH), &payer);
    measure("commit_vote", &w.commit(job, &members[0].1, TRUTH, EXPOSURE), &payer);
    w.seated(job, &members[..2], &[TRUTH, TRUTH]);
    measure("reveal_vote", &w.reveal(job, 0, &members[0].1, TRUTH), &payer);
    measure("appeal", &w.appeal(job, &carol), &payer);
    measure("resolve", &w.resolve(job), &payer);
    measure("close_vote", &w.close_vote(job, 0, &members[0].1), &payer);
    measure("punish_absent", &w.punish(job, members[2].0), &payer);
    measure("close_dispute", &w.close_dispute(job), &payer);
    measure("pay", &w.pay(job), &payer);
    for (name, bytes, accounts) in sizes {
        println!("{name}: {bytes} bytes, {accounts} accounts");
        assert!(bytes <= 1_232 && accounts <= 64, "{name}: {bytes} bytes, {accounts} accounts");
    }
}
