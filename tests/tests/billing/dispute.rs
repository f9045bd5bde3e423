//! Bills and payments that are proven lies.

use joule_sdk::{
    billing::{
        constants::{DISPUTE_PERIOD, PROTOCOL},
        state::Verdict,
    },
    instruction::{billing as build, staking},
    pda,
    staking::state::{Bond, Claim},
    units::Amount,
    voucher::{tree, Domain, Format, Hash, Receipt, Voucher},
    Instruction, Keypair, Pubkey, Signer,
};
use joule_tests::{
    billing::{session, verifying, CAP, DEPOSIT},
    key, swap, Kind, World, BOND,
};

pub(super) const PAID: u64 = 10_000;

/// A channel that has paid for `receipts`, all of it backed.
pub(super) fn billed(receipts: impl Fn(&World, &Pubkey) -> Vec<Receipt>) -> (World, Pubkey, Vec<Receipt>) {
    let mut w = World::paying(Kind::Classic);
    let channel = w.channelled();
    let receipts = receipts(&w, &channel);
    let voucher = Voucher { usage_root: root(&receipts), ..w.voucher(&channel, receipts.len() as u64, PAID) };
    let settling = w.settling(channel, &voucher);
    w.send(&settling, &[]);
    w.backed(channel);
    (w, channel, receipts)
}

pub(super) fn leaves(receipts: &[Receipt]) -> Vec<Hash> {
    receipts.iter().map(|receipt| tree::leaf(receipt.as_bytes())).collect()
}

pub(super) fn root(receipts: &[Receipt]) -> Hash {
    let mut frontier = tree::Frontier::default();
    leaves(receipts).into_iter().for_each(|leaf| frontier.append(leaf));
    frontier.root()
}

/// Three fair receipts, and one that asks for a unit too much.
pub(super) fn one_too_high(w: &World, channel: &Pubkey) -> Vec<Receipt> {
    let mut all: Vec<_> = (1..=4).map(|sequence| w.receipt(channel, sequence)).collect();
    all[2].amount = Amount::new(2_011).into();
    all
}

pub(super) fn proof(receipts: &[Receipt], index: usize) -> (u64, u64, Vec<Hash>) {
    (index as u64, receipts.len() as u64, tree::prove(&leaves(receipts), index).expect("a receipt of the tree"))
}

pub(super) fn dispute(w: &World, channel: Pubkey, receipt: &Receipt, proof: (u64, u64, Vec<Hash>)) -> [Instruction; 2] {
    let (state, payer) = (w.channel(&channel), w.north.pubkey());
    let instruction = build::dispute_receipt(channel, &state, payer, w.token_program, proof);
    [verifying(&w.north, receipt.as_bytes()), instruction]
}

pub(super) fn contradict(w: &World, channel: Pubkey, one: &Receipt, other: &Receipt) -> [Instruction; 3] {
    let (state, payer) = (w.channel(&channel), w.north.pubkey());
    let instruction = build::dispute_receipts(channel, &state, payer, w.token_program);
    [verifying(&w.north, one.as_bytes()), verifying(&w.north, other.as_bytes()), instruction]
}

pub(super) fn bond(w: &World) -> Bond {
    w.get(&pda::bond(&w.north.pubkey(), &w.mint))
}

#[test]
fn an_overcharge_costs_the_whole_claim_and_everything_not_collected() {
    let (mut w, channel, receipts) = billed(one_too_high);
    let claim: Claim = w.get(&build::claim(&channel));
    assert_eq!(claim.total.get(), PAID);
    let (vault, before) = (w.balance(&w.payer_vault()), w.payer());
    let disputing = dispute(&w, channel, &receipts[2], proof(&receipts, 2));
    w.send(&disputing, &[]);
    let (state, payer) = (w.channel(&channel), w.payer());
    assert_eq!((state.disputed, state.closes_at.get()), (Verdict::AgainstProvider as u8, w.now()));
    assert_eq!((bond(&w).amount.get(), bond(&w).locked.get()), (BOND - PAID, 0));
    assert!(w.is_closed(&build::claim(&channel)));
    assert_eq!(w.balance(&w.payer_vault()), vault + PAID);
    assert_eq!(payer.balance.get(), before.balance.get() + PAID);
    // Nine tenths of the claim, and the provider's share of what was paid, are free; a tenth is the treasury's.
    let provider = PAID - PAID * (1_500 + 333 + 250) / 10_000;
    assert_eq!(payer.reserved.get(), before.reserved.get() + PAID / 10 - provider);
    assert_eq!(state.owed[PROTOCOL].get(), PAID / 10);
    let (close, distribute) = (w.close(channel), w.distribute(channel));
    w.send(&[distribute, close], &[]);
    assert!(w.is_closed(&channel));
    assert_eq!(w.balance(&w.share_account(0)), 1_500, "the others did nothing wrong");
    assert_eq!((w.balance(&w.fee_vault()), w.balance(&w.north_tokens())), (PAID / 10 + 250, 0));
    let payer = w.payer();
    assert_eq!((payer.reserved.get(), payer.balance.get()), (0, w.balance(&w.payer_vault())));
    assert_eq!(payer.balance.get(), DEPOSIT + PAID * 9 / 10 - (1_500 + 333 + 250));
}

/// The treasury's part of what is slashed is set aside before plans in arrears take what is free.
#[test]
fn a_payer_that_is_behind_with_its_plans_can_still_prove_an_overcharge() {
    let (mut w, channel, receipts) = billed(one_too_high);
    let (alice, other) = (w.alice.insecure_clone(), w.channelled());
    let start = build::start_plan(alice.pubkey(), other, &w.channel(&other), 1_000, 10);
    w.send(&[start], &[&alice]);
    let payer = w.payer();
    let reclaim = w.reclaim(payer.balance.get() - payer.reserved.get());
    w.send(&[reclaim], &[&alice]);
    w.set_time(w.now() + 3_600);
    let disputing = dispute(&w, channel, &receipts[2], proof(&receipts, 2));
    w.send(&disputing, &[]);
    let (payer, state) = (w.payer(), w.channel(&channel));
    assert_eq!(state.owed[PROTOCOL].get(), PAID / 10);
    assert!(payer.balance.get() - payer.reserved.get() < 1_000, "what came back pays the plan");
    assert_eq!(payer.balance.get(), w.balance(&w.payer_vault()));
}

#[test]
fn a_provider_is_slashed_once() {
    let (mut w, channel, receipts) = billed(one_too_high);
    let disputing = dispute(&w, channel, &receipts[2], proof(&receipts, 2));
    w.send(&disputing, &[]);
    w.refuse_all(&disputing, &[], "AlreadyDisputed");
    let other = Receipt { response_hash: [3; 32], ..receipts[0] };
    let contradicting = contradict(&w, channel, &receipts[0], &other);
    w.refuse_all(&contradicting, &[], "AlreadyDisputed");
}

#[test]
fn a_receipt_that_is_fair_is_no_proof() {
    let (mut w, channel, receipts) = billed(one_too_high);
    let disputing = dispute(&w, channel, &receipts[1], proof(&receipts, 1));
    w.refuse_all(&disputing, &[], "FairPrice");
}

#[test]
fn a_receipt_that_nobody_paid_for_is_no_proof() {
    let (mut w, channel, receipts) = billed(one_too_high);
    let unpaid = Receipt { sequence: 5.into(), ..receipts[2] };
    let disputing = dispute(&w, channel, &unpaid, proof(&receipts, 2));
    w.refuse_all(&disputing, &[], "NotIncluded");
    let (index, size, good) = proof(&receipts, 2);
    for wrong in [
        (index + 1, size, good.clone()),
        (index, index, good.clone()),
        (index, size, good[1..].to_vec()),
        (index, size, Vec::new()),
        (index, 1, Vec::new()),
        (index, u64::MAX, vec![[0; 32]; 20]),
    ] {
        let disputing = dispute(&w, channel, &receipts[2], wrong);
        w.refuse_all(&disputing, &[], "NotIncluded");
    }
    let mut bent = good;
    bent[0][0] ^= 1;
    let disputing = dispute(&w, channel, &receipts[2], (index, size, bent));
    w.refuse_all(&disputing, &[], "NotIncluded");
}

#[test]
fn a_receipt_of_another_channel_or_signer_or_format_is_no_proof() {
    let (mut w, channel, receipts) = billed(one_too_high);
    let other = w.channelled();
    let foreign = Receipt { context: build::context(Domain::Receipt, &joule_tests::GENESIS, &other), ..receipts[2] };
    let disputing = dispute(&w, channel, &foreign, proof(&receipts, 2));
    w.refuse_all(&disputing, &[], "WrongContext");
    let wrong_format =
        Receipt { context: build::context(Domain::Order, &joule_tests::GENESIS, &channel), ..receipts[2] };
    let disputing = dispute(&w, channel, &wrong_format, proof(&receipts, 2));
    w.refuse_all(&disputing, &[], "WrongContext");
    let mut disputing = dispute(&w, channel, &receipts[2], proof(&receipts, 2));
    disputing[0] = verifying(&session(), receipts[2].as_bytes());
    w.refuse_all(&disputing, &[], "WrongSigner");
    let unsigned = disputing[1].clone();
    w.refuse_all(&[unsigned], &[], "NoSignature");
}

/// Whoever disputes names the claim; it must be this channel's, or a provider could use up its one dispute with nothing at stake.
#[test]
fn a_provider_cannot_dispute_itself_with_another_claim() {
    let (mut w, channel, receipts) = billed(one_too_high);
    let disputing = dispute(&w, channel, &receipts[2], proof(&receipts, 2));
    let second = w.channelled();
    w.settled(second, 5_000);
    w.backed(second);
    for other in [build::claim(&second), key("nowhere").pubkey()] {
        let mut changed = disputing.clone();
        changed[1] = swap(changed[1].clone(), build::claim(&channel), other);
        w.refuse_all(&changed, &[], "WrongClaim");
    }
}

/// What was never backed, or has lapsed, cannot be slashed; what was not collected goes back all the same.
#[test]
fn without_a_live_claim_the_uncollected_share_still_goes_back() {
    let (mut w, channel, receipts) = billed(one_too_high);
    let (north, claim) = (w.north.insecure_clone(), build::claim(&channel));
    w.set_time(w.now() + DISPUTE_PERIOD as i64);
    w.send(&[staking::release_expired(claim, &w.get(&claim))], &[]);
    assert!(w.is_closed(&claim));
    let before = w.payer().reserved.get();
    let disputing = dispute(&w, channel, &receipts[2], proof(&receipts, 2));
    w.send(&disputing, &[]);
    assert_eq!(bond(&w).amount.get(), BOND);
    assert_eq!(w.payer().reserved.get(), before - (PAID - PAID * (1_500 + 333 + 250) / 10_000));
    assert_eq!(w.balance(&w.north_tokens()), 0);
    assert_eq!(north.pubkey(), w.north.pubkey());
}

#[test]
fn what_the_provider_has_collected_is_its_own_and_the_claim_is_not() {
    let (mut w, channel, receipts) = billed(one_too_high);
    let distribute = w.distribute(channel);
    w.send(&[distribute], &[]);
    let collected = w.balance(&w.north_tokens());
    let disputing = dispute(&w, channel, &receipts[2], proof(&receipts, 2));
    w.send(&disputing, &[]);
    assert_eq!((w.balance(&w.north_tokens()), bond(&w).amount.get()), (collected, BOND - PAID));
}

#[test]
fn a_receipt_paid_for_in_a_batch_is_proven_by_the_batchs_tree() {
    let mut w = World::paying(Kind::Classic);
    let channels = [w.channelled(), w.channelled()];
    let mut receipts: Vec<_> = channels.iter().map(|channel| w.receipt(channel, 1)).collect();
    receipts[1].amount = Amount::new(9_999).into();
    let mut message = w.batch(&channels, &[(1, 2_010), (1, 9_999)]);
    message[40..72].copy_from_slice(&root(&receipts));
    w.send(&[verifying(&session(), &message), build::settle_batch(w.payer_address(), &channels)], &[]);
    w.backed(channels[1]);
    let disputing = dispute(&w, channels[1], &receipts[1], proof(&receipts, 1));
    w.send(&disputing, &[]);
    let of_other = dispute(&w, channels[0], &receipts[1], proof(&receipts, 1));
    w.refuse_all(&of_other, &[], "WrongContext");
}

#[test]
fn two_receipts_of_one_number_cost_the_same_as_an_overcharge() {
    let (mut w, channel, receipts) = billed(one_too_high);
    let other = Receipt { response_hash: [3; 32], ..receipts[0] };
    let same = contradict(&w, channel, &receipts[0], &receipts[0]);
    w.refuse_all(&same, &[], "NoContradiction");
    let next = contradict(&w, channel, &receipts[0], &receipts[1]);
    w.refuse_all(&next, &[], "NoContradiction");
    let contradicting = contradict(&w, channel, &receipts[0], &other);
    let mut one_alone = contradicting.to_vec();
    one_alone.remove(0);
    w.refuse_all(&one_alone, &[], "NoSignature");
    w.send(&contradicting, &[]);
    assert_eq!(w.channel(&channel).disputed, Verdict::AgainstProvider as u8);
    assert_eq!(bond(&w).amount.get(), BOND - PAID);
}

pub(super) fn contradict_vouchers(channel: Pubkey, signer: &Keypair, vouchers: [&Voucher; 2]) -> [Instruction; 3] {
    let [one, other] = vouchers.map(|voucher| verifying(signer, voucher.as_bytes()));
    [one, other, build::dispute_vouchers(channel)]
}

#[test]
fn two_vouchers_of_one_number_cost_what_the_session_could_still_spend() {
    let mut w = World::paying(Kind::Classic);
    let mut terms = w.channel_terms();
    terms.limit = 600_000;
    let channel = w.channelled_as(terms);
    w.settled(channel, 100_000);
    let (one, other) = (w.voucher(&channel, 7, 200_000), w.voucher(&channel, 7, 200_001));
    let disputing = contradict_vouchers(channel, &session(), [&one, &other]);
    w.send(&disputing, &[]);
    let state = w.channel(&channel);
    assert_eq!((state.disputed, state.settled.get()), (Verdict::AgainstPayer as u8, 600_000));
    w.refuse_all(&disputing, &[], "AlreadyDisputed");
    let settling = w.settling(channel, &one);
    w.refuse_all(&settling, &[], "NothingNew");
    w.backed(channel);
    let (distribute, close) = (w.distribute(channel), w.close(channel));
    w.send(&[distribute], &[]);
    w.set_time(w.now() + DISPUTE_PERIOD as i64);
    w.send(&[close], &[]);
    assert!(w.is_closed(&channel));
    let payer = w.payer();
    assert_eq!((payer.reserved.get(), payer.balance.get()), (0, w.balance(&w.payer_vault())));
    assert!(payer.balance.get() - (DEPOSIT - 600_000) <= 3);
    // Or payer and provider would contradict themselves on purpose, and leave the model's creator out.
    assert_eq!(w.balance(&w.share_account(0)), 600_000 * 1_500 / 10_000);
    assert_eq!(w.balance(&w.share_account(1)), 600_000 * 333 / 10_000);
}

/// Signed again with a later end, it is the same promise; and so is every other number's.
#[test]
fn vouchers_that_promise_the_same_do_not_contradict_each_other() {
    let mut w = World::paying(Kind::Classic);
    let (channel, second) = (w.channelled(), w.channelled());
    let one = w.voucher(&channel, 7, 200_000);
    let later = Voucher { expires_at: joule_sdk::units::UnixTime::new(w.now() + 9_000).into(), ..one };
    let next = w.voucher(&channel, 8, 200_001);
    for other in [&one, &later, &next] {
        let disputing = contradict_vouchers(channel, &session(), [&one, other]);
        w.refuse_all(&disputing, &[], "NoContradiction");
    }
    let foreign = w.voucher(&second, 7, 200_001);
    let disputing = contradict_vouchers(channel, &session(), [&one, &foreign]);
    w.refuse_all(&disputing, &[], "WrongContext");
    let two = w.voucher(&channel, 7, 200_001);
    let disputing = contradict_vouchers(channel, &w.north, [&one, &two]);
    w.refuse_all(&disputing, &[], "WrongSigner");
    let other_root = Voucher { usage_root: [99; 32], ..one };
    let disputing = contradict_vouchers(channel, &session(), [&one, &other_root]);
    w.send(&disputing, &[]);
}

#[test]
fn a_payer_that_has_nothing_left_to_spend_has_nothing_to_lose() {
    let mut w = World::paying(Kind::Classic);
    let (north, channel) = (w.north.insecure_clone(), w.channelled());
    let (one, other) = (w.voucher(&channel, 7, 200_000), w.voucher(&channel, 7, 200_001));
    w.settled(channel, CAP);
    let disputing = contradict_vouchers(channel, &session(), [&one, &other]);
    w.refuse_all(&disputing, &[], "NothingOwed");
    let second = w.channelled();
    let (one, other) = (w.voucher(&second, 7, 200_000), w.voucher(&second, 7, 200_001));
    w.settled(second, 5);
    w.send(&[build::request_close(north.pubkey(), second)], &[&north]);
    let close = w.close(second);
    w.send(&[close], &[]);
    let disputing = contradict_vouchers(second, &session(), [&one, &other]);
    w.refuse_all(&disputing, &[], "ChannelClosed");
}

/// Whoever has the key of a session that is over can promise what it likes.
#[test]
fn two_vouchers_of_a_session_or_channel_that_is_over_cost_nothing() {
    for is_closed in [false, true] {
        let mut w = World::paying(Kind::Classic);
        let (alice, channel) = (w.alice.insecure_clone(), w.channelled());
        if is_closed {
            w.send(&[build::request_close(alice.pubkey(), channel)], &[&alice]);
        }
        let state = w.channel(&channel);
        let (over, expected) = match is_closed {
            true => (state.closes_at.get(), "ChannelClosed"),
            false => (state.session.expires_at.get() + 1, "SessionOver"),
        };
        w.set_time(over);
        let [one, other] = [200_000, 200_001].map(|cumulative| w.voucher(&channel, 7, cumulative));
        let contradicting = contradict_vouchers(channel, &session(), [&one, &other]);
        w.refuse_all(&contradicting, &[], expected);
        w.set_time(over - 1);
        w.send(&contradicting, &[]);
    }
}
