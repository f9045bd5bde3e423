//! Whose signature spends.

use joule_sdk::{instruction::billing as build, voucher::Format, Pubkey, Signer};
use joule_tests::{
    billing::{session, verifying, CAP, GRACE},
    key, swap, Kind, World,
};

fn set(w: &World, channel: Pubkey, signer: Pubkey, limit: u64, expires_at: i64) -> joule_sdk::Instruction {
    build::set_session(w.alice.pubkey(), channel, signer, limit, expires_at)
}

#[test]
fn a_session_that_takes_nothing_back_holds_at_once() {
    let mut w = World::paying(Kind::Classic);
    let (alice, channel) = (w.alice.insecure_clone(), w.channelled());
    let before = w.channel(&channel).session;
    let end = before.expires_at.get() + 60;
    let more = set(&w, channel, before.signer, CAP * 2, end);
    w.send(&[more], &[&alice]);
    let after = w.channel(&channel);
    assert_eq!((after.session.limit.get(), after.session.expires_at.get()), (CAP * 2, end));
    assert_eq!(after.staged_at.get(), 0);
}

/// Otherwise a payer could be served, and then make every voucher that it gave worthless.
#[test]
fn a_session_that_takes_something_back_holds_once_the_provider_had_its_grace() {
    let mut w = World::paying(Kind::Classic);
    let (alice, next) = (w.alice.insecure_clone(), key("next session"));
    let now = w.now();
    let old = w.channel_terms();
    for (signer, limit, end) in [
        (next.pubkey(), old.limit, old.session_expires_at),
        (old.signer, old.limit - 1, old.session_expires_at),
        (old.signer, old.limit, old.session_expires_at - 1),
    ] {
        w.set_time(now);
        let channel = w.channelled();
        let change = set(&w, channel, signer, limit, end);
        w.send(&[change], &[&alice]);
        w.refuse(build::apply_session(channel), &[], "SessionNotDue");
        w.set_time(now + GRACE as i64 - 1);
        w.refuse(build::apply_session(channel), &[], "SessionNotDue");
        w.settled(channel, 1_000);
        w.set_time(now + GRACE as i64);
        w.send(&[build::apply_session(channel)], &[]);
        let state = w.channel(&channel);
        assert_eq!((state.session.signer, state.session.limit.get()), (signer, limit));
        assert_eq!((state.session.expires_at.get(), state.staged_at.get()), (end, 0));
        w.refuse(build::apply_session(channel), &[], "NothingStaged");
    }
}

#[test]
fn an_old_sessions_voucher_is_worth_nothing_under_the_new_one() {
    let mut w = World::paying(Kind::Classic);
    let (alice, next, channel) = (w.alice.insecure_clone(), key("next session"), w.channelled());
    let end = w.now() + 86_400;
    let change = set(&w, channel, next.pubkey(), CAP, end);
    w.send(&[change], &[&alice]);
    w.set_time(w.now() + GRACE as i64);
    w.send(&[build::apply_session(channel)], &[]);
    let voucher = w.voucher(&channel, 1, 1_000);
    w.refuse_all(&[verifying(&session(), voucher.as_bytes()), build::settle(channel)], &[], "WrongSigner");
    w.send(&[verifying(&next, voucher.as_bytes()), build::settle(channel)], &[]);
}

#[test]
fn the_newest_staged_session_counts_and_an_old_one_is_forgotten() {
    let mut w = World::paying(Kind::Classic);
    let (alice, channel) = (w.alice.insecure_clone(), w.channelled());
    let before = w.channel(&channel).session;
    let end = before.expires_at.get();
    let change = set(&w, channel, key("thief").pubkey(), CAP, end);
    w.send(&[change], &[&alice]);
    let back = set(&w, channel, before.signer, CAP, end);
    w.send(&[back], &[&alice]);
    w.set_time(w.now() + GRACE as i64);
    w.refuse(build::apply_session(channel), &[], "NothingStaged");
}

#[test]
fn only_the_owner_sets_a_session_that_has_a_key_and_a_future() {
    let mut w = World::paying(Kind::Classic);
    let (alice, north, channel) = (w.alice.insecure_clone(), w.north.insecure_clone(), w.channelled());
    let end = w.now() + 60;
    let other = swap(set(&w, channel, north.pubkey(), CAP, end), alice.pubkey(), north.pubkey());
    w.refuse(other, &[&north], "NotOwner");
    let nobody = set(&w, channel, Pubkey::default(), CAP, end);
    w.refuse(nobody, &[&alice], "BadSession");
    let past = set(&w, channel, session().pubkey(), CAP, w.now());
    w.refuse(past, &[&alice], "BadSession");
    w.send(&[build::request_close(alice.pubkey(), channel)], &[&alice]);
    let closing = set(&w, channel, session().pubkey(), CAP, end);
    w.refuse(closing, &[&alice], "AlreadyClosing");
}
