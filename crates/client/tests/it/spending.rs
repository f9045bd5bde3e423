//! How far a session goes.

use crate::world::*;
use joule_client::{Answer, Channel, Kept, Limits, Session, Stop};
use joule_units::{Amount, UnixTime};
use joule_voucher::hashv;

fn session(channel: Channel, limits: Limits) -> Session {
    Session::new(channel, limits, &Kept::default()).unwrap()
}

fn begin(session: &mut Session, most: u64) -> Result<joule_client::Draft, Stop> {
    session.begin(&hashv(&[b"body"]), Amount::new(most), NOW, LATER)
}

/// One request from its order to its receipt.
fn buy(session: &mut Session, provider: &mut Provider, tokens: u64) -> joule_client::Draft {
    let draft = begin(session, 20).unwrap();
    let signed = provider.serve(session.channel(), &draft.order, tokens);
    let answer = Answer::Whole { hash: &signed.message.response_hash, counted: &counted(b"body") };
    session.accept(draft.order.nonce.get(), &signed, &answer).unwrap();
    draft
}

#[test]
fn request_k_brings_the_voucher_for_those_before_it() {
    let (mut session, mut provider) = (session(channel(1_000), LIMITS), Provider::default());
    assert_eq!(buy(&mut session, &mut provider, 1).voucher, None);
    for k in 2..20 {
        let voucher = buy(&mut session, &mut provider, k % 5).voucher.unwrap();
        assert_eq!(voucher.sequence.get(), k - 1);
        provider.pay(&voucher);
    }
    provider.pay(&session.voucher().unwrap());
    assert_eq!(provider.unpaid(), []);
    assert_eq!(session.billed().get(), provider.billed());
}

#[test]
fn nothing_is_asked_for_that_might_pass_the_budget() {
    let limits = Limits { budget: Amount::new(35), ..LIMITS };
    let (mut session, mut provider) = (session(channel(1_000), limits), Provider::default());
    buy(&mut session, &mut provider, 5);
    assert!(begin(&mut session, 20).is_ok(), "15 and 20 are 35");
    // It may still cost less than its order allows.
    assert_eq!(begin(&mut session, 1), Err(Stop::Wait));
    session.release(1);
    assert_eq!(begin(&mut session, 21), Err(Stop::Budget { billed: 15, most: 21, budget: 35 }));
}

#[test]
fn the_channel_and_its_session_are_limits_too() {
    let mut short = session(channel(19), LIMITS);
    assert_eq!(begin(&mut short, 20), Err(Stop::Channel { billed: 0, most: 20, allowed: 19 }));
    let ends = UnixTime::new(NOW.get() + LIMITS.margin);
    assert!(begin(&mut session(Channel { session_expires_at: ends, ..channel(20) }, LIMITS), 20).is_ok());
    let ends = UnixTime::new(ends.get() - 1);
    let mut over = session(Channel { session_expires_at: ends, ..channel(20) }, LIMITS);
    assert_eq!(begin(&mut over, 20), Err(Stop::SessionEnds(ends.get())));
}

#[test]
fn no_more_than_a_window_is_unpaid() {
    let (mut session, mut provider) = (session(channel(1_000), LIMITS), Provider::default());
    let drafts: Vec<_> = (0..4).map(|_| begin(&mut session, 20).unwrap()).collect();
    assert_eq!(begin(&mut session, 20), Err(Stop::Wait));
    let first = provider.serve(session.channel(), &drafts[0].order, 1);
    let second = provider.serve(session.channel(), &drafts[1].order, 1);
    // One that came early frees no place: it cannot be paid yet.
    session.accept(1, &second, &Answer::Lost).unwrap();
    assert_eq!(begin(&mut session, 20), Err(Stop::Wait));
    assert_eq!(session.voucher(), None);
    session.accept(0, &first, &Answer::Lost).unwrap();
    assert_eq!(session.voucher().unwrap().sequence.get(), 2);
    assert!(begin(&mut session, 20).is_ok());
    assert!(begin(&mut session, 20).is_ok());
    assert_eq!(begin(&mut session, 20), Err(Stop::Wait));
}

#[test]
fn an_answer_that_was_lost_is_paid_once_its_receipt_turns_up() {
    let (mut session, mut provider) = (session(channel(1_000), LIMITS), Provider::default());
    let draft = begin(&mut session, 20).unwrap();
    provider.serve(session.channel(), &draft.order, 3);
    session.lose(0);
    assert_eq!((session.under_way(), session.gaps()), (0, 1));
    session.recover(provider.unpaid()).unwrap();
    assert_eq!((session.gaps(), session.receipts(), session.billed().get()), (0, 1, 13));
    provider.pay(&session.voucher().unwrap());
}

#[test]
fn an_order_that_can_no_longer_begin_is_given_up() {
    let mut session = session(channel(1_000), LIMITS);
    begin(&mut session, 20).unwrap();
    session.lose(0);
    session.forget(LATER);
    assert_eq!(session.gaps(), 1, "it could begin this second");
    session.forget(UnixTime::new(LATER.get() + 1));
    assert_eq!(session.gaps(), 0);
}
