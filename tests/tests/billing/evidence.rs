//! What a provider can be convicted by outlives its claim, whatever it or anybody else does.

use super::dispute::{billed, bond, contradict, contradict_vouchers, dispute, one_too_high, proof, root, PAID};
use joule_sdk::{
    billing::{constants::DISPUTE_PERIOD, state::Verdict},
    instruction::{billing as build, staking},
    voucher::{Receipt, Voucher},
    Pubkey, Signer,
};
use joule_tests::{
    billing::{session, CAP, DEPOSIT},
    key, Kind, World, BOND,
};

const PERIOD: i64 = DISPUTE_PERIOD as i64;
/// What all but the provider take of what is paid, in basis points.
const OTHERS: u64 = 1_500 + 333 + 250;

/// Everything is divided, the provider ends the channel, and whoever wants closes it.
fn left(w: &mut World, channel: Pubkey) {
    let north = w.north.insecure_clone();
    let (distribute, close) = (w.distribute(channel), w.close(channel));
    w.send(&[distribute, build::request_close(north.pubkey(), channel), close], &[&north]);
}

/// Every unit of the claim is gone from the bond, and what was given to the payer is its own; then the account goes at once.
#[track_caller]
fn is_slashed(w: &mut World, channel: Pubkey) {
    assert_eq!((bond(w).amount.get(), bond(w).locked.get()), (BOND - PAID, 0));
    let (distribute, close) = (w.distribute(channel), w.close(channel));
    w.send(&[distribute, close], &[]);
    assert!(w.is_closed(&channel));
    let payer = w.payer();
    assert_eq!((payer.reserved.get(), payer.channels.get()), (0, 0));
    assert_eq!(payer.balance.get(), w.balance(&w.payer_vault()));
}

#[test]
fn a_provider_that_collects_and_leaves_in_one_transaction_is_slashed_all_the_same() {
    let mut w = World::paying(Kind::Classic);
    let (north, channel) = (w.north.insecure_clone(), w.channelled());
    let receipts = one_too_high(&w, &channel);
    let voucher = Voucher { usage_root: root(&receipts), ..w.voucher(&channel, receipts.len() as u64, PAID) };
    let [verify, settle] = w.settling(channel, &voucher);
    let leaving = [
        verify,
        settle,
        w.back(channel),
        w.distribute(channel),
        build::request_close(north.pubkey(), channel),
        w.close(channel),
    ];
    w.send(&leaving, &[&north]);
    assert_eq!(w.balance(&w.north_tokens()), PAID - PAID * OTHERS / 10_000);
    assert_eq!(bond(&w).locked.get(), PAID, "the claim is still held");
    assert_eq!((w.payer().reserved.get(), w.payer().balance.get()), (0, DEPOSIT - PAID));
    let disputing = dispute(&w, channel, &receipts[2], proof(&receipts, 2));
    w.send(&disputing, &[]);
    is_slashed(&mut w, channel);
    assert_eq!(w.payer().balance.get(), DEPOSIT - PAID + PAID * 9 / 10);
}

#[test]
fn two_receipts_of_one_number_are_a_proof_after_everything_was_collected() {
    let (mut w, channel, receipts) = billed(one_too_high);
    left(&mut w, channel);
    let other = Receipt { response_hash: [3; 32], ..receipts[0] };
    let contradicting = contradict(&w, channel, &receipts[0], &other);
    w.set_time(w.now() + PERIOD - 1);
    w.send(&contradicting, &[]);
    is_slashed(&mut w, channel);
}

#[test]
fn the_account_stays_until_the_last_claim_on_it_ends_and_then_goes() {
    let (mut w, channel, _) = billed(one_too_high);
    let (alice, first) = (w.alice.insecure_clone(), w.now());
    assert_eq!(w.channel(&channel).claimed_until.get(), first + PERIOD);
    w.set_time(first + 1_000);
    w.settled(channel, 2 * PAID);
    w.backed(channel);
    assert_eq!(w.channel(&channel).claimed_until.get(), first + 1_000 + PERIOD);
    // What is claimed already ends no earlier when the clock steps back.
    w.set_time(first + 500);
    w.settled(channel, 3 * PAID);
    w.backed(channel);
    assert_eq!(w.channel(&channel).claimed_until.get(), first + 1_000 + PERIOD);
    left(&mut w, channel);
    assert!(w.payer().reserved.get() < 4, "the unspent cap is free at once");
    let close = w.close(channel);
    for time in [first + 500, first + PERIOD, first + 1_000 + PERIOD - 1] {
        w.set_time(time);
        w.refuse(close.clone(), &[], "StillDisputable");
    }
    w.set_time(first + 1_000 + PERIOD);
    let (lamports, rent) = (w.lamports(&alice.pubkey()), w.lamports(&channel));
    w.send(&[close], &[]);
    assert!(w.is_closed(&channel));
    assert_eq!(w.lamports(&alice.pubkey()), lamports + rent);
    assert_eq!((w.payer().reserved.get(), w.payer().channels.get()), (0, 0));
}

/// What was never backed has nothing that could be slashed.
#[test]
fn without_a_claim_the_account_goes_at_once() {
    let mut w = World::paying(Kind::Classic);
    let mut terms = w.channel_terms();
    terms.backing_bps = 0;
    let channel = w.channelled_as(terms);
    w.settled(channel, PAID);
    left(&mut w, channel);
    assert!(w.is_closed(&channel));
}

/// A payer that contradicts itself, on purpose perhaps, does not shield a provider that has overcharged.
#[test]
fn a_double_promise_of_the_payers_shields_no_provider() {
    let (mut w, channel, receipts) = billed(one_too_high);
    let [one, other] = [20_000, 20_001].map(|cumulative| w.voucher(&channel, 7, cumulative));
    w.send(&contradict_vouchers(channel, &session(), [&one, &other]), &[]);
    assert_eq!((w.channel(&channel).disputed, w.channel(&channel).settled.get()), (2, CAP));
    let disputing = dispute(&w, channel, &receipts[2], proof(&receipts, 2));
    w.send(&disputing, &[]);
    let state = w.channel(&channel);
    assert!(state.is_convicted(Verdict::AgainstProvider) && state.is_convicted(Verdict::AgainstPayer));
    w.refuse_all(&disputing, &[], "AlreadyDisputed");
    assert_eq!(w.balance(&w.north_tokens()), 0);
    is_slashed(&mut w, channel);
    assert_eq!(w.balance(&w.share_account(0)), CAP * 1_500 / 10_000, "the others get theirs");
}

#[test]
fn a_conviction_of_the_provider_shields_no_payer() {
    let (mut w, channel, receipts) = billed(one_too_high);
    let [one, other] = [20_000, 20_001].map(|cumulative| w.voucher(&channel, 7, cumulative));
    let contradicting = contradict_vouchers(channel, &session(), [&one, &other]);
    let disputing = dispute(&w, channel, &receipts[2], proof(&receipts, 2));
    w.send(&disputing, &[]);
    w.send(&contradicting, &[]);
    w.refuse_all(&contradicting, &[], "AlreadyDisputed");
    let state = w.channel(&channel);
    assert_eq!((state.disputed, state.settled.get()), (3, CAP));
    // The provider's part of that is the payer's, and waits for nobody.
    is_slashed(&mut w, channel);
    assert_eq!((w.balance(&w.share_account(0)), w.balance(&w.north_tokens())), (CAP * 1_500 / 10_000, 0));
}

/// A channel that one of the parties had ended cannot be spent from any more, and no proof against the other changes that.
#[test]
fn a_conviction_of_the_provider_opens_no_channel_that_was_over() {
    let (mut w, channel, receipts) = billed(one_too_high);
    let north = w.north.insecure_clone();
    let [one, other] = [20_000, 20_001].map(|cumulative| w.voucher(&channel, 7, cumulative));
    w.send(&[build::request_close(north.pubkey(), channel)], &[&north]);
    let disputing = dispute(&w, channel, &receipts[2], proof(&receipts, 2));
    w.send(&disputing, &[]);
    w.refuse_all(&contradict_vouchers(channel, &session(), [&one, &other]), &[], "NothingOwed");
    is_slashed(&mut w, channel);
}

#[test]
fn a_new_session_and_the_end_of_a_plan_change_no_evidence() {
    let (mut w, channel, receipts) = billed(one_too_high);
    let (alice, north) = (w.alice.insecure_clone(), w.north.insecure_clone());
    let end = w.now() + 86_400;
    let set = build::set_session(alice.pubkey(), channel, key("next session").pubkey(), CAP, end);
    let start = build::start_plan(alice.pubkey(), channel, &w.channel(&channel), 1, 60);
    w.send(&[set, start], &[&alice]);
    w.set_time(w.channel(&channel).staged_at.get());
    w.send(&[build::apply_session(channel)], &[]);
    let end = build::terminate_plan(north.pubkey(), channel, &w.channel(&channel), &w.plan(&channel));
    w.send(&[end], &[&north]);
    assert_eq!(w.channel(&channel).has_plan, 0);
    let disputing = dispute(&w, channel, &receipts[2], proof(&receipts, 2));
    w.send(&disputing, &[]);
    is_slashed(&mut w, channel);
}

/// The provider's first claim has lapsed and its second has not: the second is what the channel is evidence for.
#[test]
fn what_is_left_of_a_claim_is_slashed_after_its_first_part_has_lapsed() {
    let (mut w, channel, receipts) = billed(one_too_high);
    let (first, claim) = (w.now(), build::claim(&channel));
    w.set_time(first + 1_000);
    // The root stays the payer's own tree.
    let voucher = Voucher { usage_root: root(&receipts), ..w.voucher(&channel, 5, PAID + 500) };
    let settling = w.settling(channel, &voucher);
    w.send(&settling, &[]);
    w.backed(channel);
    left(&mut w, channel);
    w.set_time(first + PERIOD);
    w.send(&[staking::release_expired(claim, &w.get(&claim))], &[]);
    assert_eq!(bond(&w).locked.get(), 500);
    let disputing = dispute(&w, channel, &receipts[2], proof(&receipts, 2));
    w.send(&disputing, &[]);
    assert_eq!((bond(&w).amount.get(), bond(&w).locked.get()), (BOND - 500, 0));
}

/// A payer that signs another root, which the receipt is not under, gives the proof up; with one that has it again, it is back.
#[test]
fn a_receipt_is_proven_by_the_root_settled_last_and_by_no_earlier_one() {
    let (mut w, channel, receipts) = billed(one_too_high);
    w.settled(channel, PAID + 1);
    let disputing = dispute(&w, channel, &receipts[2], proof(&receipts, 2));
    w.refuse_all(&disputing, &[], "NotIncluded");
    let next = Voucher { usage_root: root(&receipts), ..w.voucher(&channel, 6, PAID + 2) };
    let settling = w.settling(channel, &next);
    w.send(&settling, &[]);
    w.send(&disputing, &[]);
}
