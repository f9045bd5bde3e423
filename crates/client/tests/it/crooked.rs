//! Receipts that are not right: none is paid, and nothing more is asked for.

use crate::world::*;
use joule_client::{Answer, Channel, Draft, Kept, Objection, Session, Stop};
use joule_units::Amount;
use joule_voucher::{hashv, sign, Domain, Format, Receipt, Usage};
use joule_x402::Signed;
use proptest::prelude::*;

fn begun() -> (Session, Draft) {
    let mut session = Session::new(channel(1_000), LIMITS, &Kept::default()).unwrap();
    let draft = session.begin(&hashv(&[b"body"]), Amount::new(20), NOW, LATER).unwrap();
    (session, draft)
}

fn resigned(change: impl FnOnce(&mut Receipt)) -> (Session, Draft, Signed<Receipt>) {
    let (session, draft) = begun();
    let usage = Usage { output_tokens: 3, ..Usage::default() };
    let Signed { mut message, .. } =
        Provider::default().receipt(session.channel(), &draft.order, &usage, Amount::new(13));
    change(&mut message);
    let signature = sign(&authority(), message.as_bytes());
    (session, draft, Signed { message, signature })
}

/// The objection to an honest receipt that was changed, and signed by the provider all the same.
fn objection(change: impl FnOnce(&mut Receipt)) -> Option<Objection> {
    let (mut session, draft, signed) = resigned(change);
    let counted = counted(b"body");
    let answer = Answer::Whole { hash: &hashv(&[ANSWER]), counted: &counted };
    let objection = session.accept(draft.order.nonce.get(), &signed, &answer).err()?;
    assert_eq!((session.billed(), session.voucher()), (Amount::ZERO, None));
    let next = session.begin(&hashv(&[b"next"]), Amount::new(20), NOW, LATER);
    assert_eq!(next, Err(Stop::Caught(objection.to_string())));
    assert_eq!(session.take_changes().caught.unwrap().receipt, signed, "the proof is kept");
    Some(objection)
}

#[test]
fn the_receipt_that_is_right_is_taken() {
    assert_eq!(objection(|_| ()), None);
    assert_eq!(objection(|receipt| receipt.amount = Amount::new(12).into()), None, "less is a gift");
}

#[test]
fn one_unit_too_much_is_caught() {
    let caught = objection(|receipt| receipt.amount = Amount::new(14).into());
    assert_eq!(caught, Some(Objection::Overcharged { asked: 14, fair: 13 }));
}

#[test]
fn usage_that_cannot_be_is_caught_though_its_price_is_right() {
    let caught = objection(|receipt| {
        receipt.output_tokens = 7.into();
        receipt.amount = Amount::new(17).into();
    });
    assert_eq!(caught, Some(Objection::Usage { what: "output tokens", claimed: 7, most: 6 }));
    assert_eq!(
        objection(|receipt| receipt.input_tokens = 5.into()),
        Some(Objection::Usage { what: "input tokens", claimed: 5, most: 4 })
    );
}

#[test]
fn of_an_answer_that_did_not_come_the_request_is_still_known() {
    let (mut session, draft, signed) = resigned(|receipt| receipt.input_tokens = 5.into());
    let counted = counted(b"body");
    let caught = session.accept(draft.order.nonce.get(), &signed, &Answer::Missed(&counted));
    assert_eq!(caught, Err(Objection::Usage { what: "input tokens", claimed: 5, most: 4 }));
    let (mut session, draft, signed) = resigned(|receipt| receipt.input_tokens = 4.into());
    session.accept(draft.order.nonce.get(), &signed, &Answer::Missed(&counted)).unwrap();
}

#[test]
fn a_receipt_without_an_answer_is_no_answer_but_an_overcharge_is_the_better_proof() {
    let (mut session, draft, signed) = resigned(|_| ());
    let caught = session.accept(draft.order.nonce.get(), &signed, &Answer::Withheld);
    assert_eq!((caught, session.concede()), (Err(Objection::Withheld), None));
    let (mut session, draft, signed) = resigned(|receipt| receipt.amount = Amount::new(14).into());
    session.accept(draft.order.nonce.get(), &signed, &Answer::Withheld).unwrap_err();
    assert_eq!(session.concede(), Some(1));
}

#[test]
fn answers_that_nobody_waits_for_any_longer_are_counted_whatever_the_window() {
    let limits = joule_client::Limits { window: 1_000_000, ..LIMITS };
    let mut session = Session::new(channel(1_000), limits, &Kept::default()).unwrap();
    let mut provider = Provider::default();
    for number in 0..16 {
        let draft = session.begin(&hashv(&[&[number]]), Amount::new(20), NOW, LATER).unwrap();
        provider.serve(session.channel(), &draft.order, 3);
        session.lose(draft.order.nonce.get());
    }
    assert_eq!((session.gaps_until(), session.missed()), (Some(LATER), 0), "they may not have been served");
    session.recover(provider.unpaid()).unwrap();
    assert_eq!(session.begin(&[0; 32], Amount::new(20), NOW, LATER), Err(Stop::Missed(16)));
}

#[test]
fn an_answer_that_was_given_up_and_not_served_is_not_held_against_anybody() {
    let mut session = Session::new(channel(1_000), LIMITS, &Kept::default()).unwrap();
    for _ in 0..20 {
        let draft = session.begin(&hashv(&[b"body"]), Amount::new(20), NOW, LATER).unwrap();
        session.lose(draft.order.nonce.get());
        session.recover(&[]).unwrap();
        session.forget(joule_units::UnixTime::new(LATER.get() + 1));
    }
    assert_eq!(session.missed(), 0);
}

#[test]
fn two_receipts_of_one_number_are_kept_side_by_side() {
    let (mut session, first) = begun();
    let provider = Provider::default();
    let usage = Usage { output_tokens: 3, ..Usage::default() };
    let [one, other] =
        [13, 12].map(|asked| provider.receipt(&channel(1_000), &first.order, &usage, Amount::new(asked)));
    session.accept(0, &one, &Answer::Lost).unwrap();
    let mut kept = Kept::default();
    kept.apply(&session.take_changes());
    assert_eq!(kept.contradiction(&channel(1_000)), None, "nobody was caught");
    let second = session.begin(&hashv(&[b"body"]), Amount::new(20), NOW, LATER).unwrap();
    session.accept(second.order.nonce.get(), &other, &Answer::Lost).unwrap_err();
    kept.apply(&session.take_changes());
    assert_eq!(kept.contradiction(&channel(1_000)), Some([one, other]));
    let elsewhere = Channel { address: [9; 32], ..channel(1_000) };
    assert_eq!(kept.contradiction(&elsewhere), None);
    kept.caught.as_mut().unwrap().receipt = one;
    assert_eq!(kept.contradiction(&channel(1_000)), None, "the same one again contradicts nothing");
    kept.caught.as_mut().unwrap().receipt = Signed { signature: one.signature, ..other };
    assert_eq!(kept.contradiction(&channel(1_000)), None, "the provider has not signed it");
}

#[test]
fn more_than_the_order_allows_is_caught() {
    let caught = objection(|receipt| {
        receipt.output_tokens = 11.into();
        receipt.amount = Amount::new(21).into();
    });
    assert_eq!(caught, Some(Objection::AboveOrder { asked: 21, allowed: 20 }));
}

#[test]
fn usage_without_a_price_is_caught() {
    let caught = objection(|receipt| receipt.output_tokens = u64::MAX.into());
    assert_eq!(caught, Some(Objection::Unpayable));
}

#[test]
fn another_request_answer_channel_or_number_is_caught() {
    assert_eq!(objection(|receipt| receipt.request_hash = hashv(&[b"other"])), Some(Objection::Request));
    assert_eq!(objection(|receipt| receipt.response_hash = hashv(&[b"other"])), Some(Objection::Response));
    let other = Channel { address: [9; 32], ..channel(1) }.context(Domain::Receipt);
    assert_eq!(objection(|receipt| receipt.context = other), Some(Objection::Context));
    assert_eq!(objection(|receipt| receipt.context = channel(1).context(Domain::Voucher)), Some(Objection::Context));
    for number in [0, 2, u64::MAX] {
        let caught = objection(|receipt| receipt.sequence = number.into());
        assert_eq!(caught, Some(Objection::Sequence { got: number, first: 1, last: 1 }));
    }
}

#[test]
fn a_number_that_was_used_is_caught() {
    let (mut session, first) = begun();
    let second = session.begin(&hashv(&[b"body"]), Amount::new(20), NOW, LATER).unwrap();
    let signed = Provider::default().serve(session.channel(), &first.order, 1);
    session.accept(0, &signed, &Answer::Lost).unwrap();
    let again = session.accept(second.order.nonce.get(), &signed, &Answer::Lost);
    assert_eq!(again, Err(Objection::Sequence { got: 1, first: 2, last: 2 }));
}

#[test]
fn a_receipt_for_what_was_never_sent_is_caught() {
    let (mut session, draft) = begun();
    session.lose(0);
    let other = joule_voucher::Order { request_hash: hashv(&[b"never sent"]), ..draft.order };
    let signed = Provider::default().serve(session.channel(), &other, 1);
    assert_eq!(session.recover(&[signed]), Err(Objection::Unknown));
    assert!(session.caught().is_some());
}

#[test]
fn an_overcharge_can_be_paid_once_to_be_proven() {
    let (mut session, draft, signed) = resigned(|receipt| receipt.amount = Amount::new(14).into());
    assert_eq!(session.concede(), None, "nobody was caught");
    session.accept(draft.order.nonce.get(), &signed, &Answer::Lost).unwrap_err();
    assert_eq!(session.concede(), Some(1));
    let voucher = session.voucher().unwrap();
    assert_eq!((voucher.sequence.get(), voucher.cumulative.get().get()), (1, 14));
    assert_eq!(session.concede(), None);
    assert!(matches!(session.begin(&[0; 32], Amount::ZERO, NOW, LATER), Err(Stop::Caught(_))));
}

#[test]
fn what_the_order_does_not_allow_is_not_paid_to_be_proven() {
    let (mut session, draft, signed) = resigned(|receipt| receipt.amount = Amount::new(21).into());
    session.accept(draft.order.nonce.get(), &signed, &Answer::Lost).unwrap_err();
    assert_eq!(session.concede(), None);
}

#[test]
fn whoever_was_caught_cannot_mend_it() {
    let (mut session, draft, signed) = resigned(|receipt| receipt.amount = Amount::new(14).into());
    session.accept(draft.order.nonce.get(), &signed, &Answer::Lost).unwrap_err();
    let honest = Provider::default().serve(session.channel(), &draft.order, 3);
    session.recover(&[honest]).unwrap();
    session.forget(joule_units::UnixTime::new(i64::MAX));
    assert_eq!(session.receipts(), 0);
    assert_eq!(session.concede(), Some(1), "the proof is still there");
}

proptest! {
    #[test]
    fn whoever_changes_a_bit_on_the_way_gets_no_payment(byte in 0..Receipt::LEN + 64, bit in 0..8_u8) {
        let (mut session, draft) = begun();
        let mut bytes = Provider::default().serve(session.channel(), &draft.order, 3).bytes();
        bytes[byte] ^= 1_u8 << bit;
        let changed = Signed::read(&bytes).unwrap();
        prop_assert!(session.accept(0, &changed, &Answer::Lost).is_err());
        prop_assert_eq!(session.billed(), Amount::ZERO);
    }
}
