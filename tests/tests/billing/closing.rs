//! A channel ends.

use joule_sdk::{billing::constants::DISPUTE_PERIOD, instruction::billing as build, Signer};
use joule_tests::{
    billing::{CAP, DEPOSIT, GRACE},
    key, swap, Kind, World,
};

#[test]
fn the_owner_waits_for_the_grace_and_the_provider_does_not() {
    let mut w = World::paying(Kind::Classic);
    let (alice, north) = (w.alice.insecure_clone(), w.north.insecure_clone());
    let (by_owner, by_provider) = (w.channelled(), w.channelled());
    let now = w.now();
    w.send(&[build::request_close(alice.pubkey(), by_owner)], &[&alice]);
    w.send(&[build::request_close(north.pubkey(), by_provider)], &[&north]);
    assert_eq!(w.channel(&by_owner).closes_at.get(), now + GRACE as i64);
    assert_eq!(w.channel(&by_provider).closes_at.get(), now);
    let close = w.close(by_owner);
    w.refuse(close.clone(), &[], "NotClosed");
    w.set_time(now + GRACE as i64 - 1);
    w.refuse(close.clone(), &[], "NotClosed");
    w.set_time(now + GRACE as i64);
    w.send(&[close], &[]);
    assert!(w.is_closed(&by_owner));
    assert_eq!(w.payer().reserved.get(), CAP);
}

#[test]
fn only_owner_and_provider_end_a_channel_once() {
    let mut w = World::paying(Kind::Classic);
    let (alice, north, bob) = (w.alice.insecure_clone(), w.north.insecure_clone(), key("bob"));
    let channel = w.channelled();
    w.refuse(build::request_close(bob.pubkey(), channel), &[&bob], "NotParty");
    let open = w.close(channel);
    w.refuse(open, &[], "NotClosed");
    w.send(&[build::request_close(alice.pubkey(), channel)], &[&alice]);
    w.refuse(build::request_close(alice.pubkey(), channel), &[&alice], "AlreadyClosing");
    let state = w.channel(&channel);
    w.refuse(build::top_up(channel, &state, 5), &[&alice], "AlreadyClosing");
    w.refuse(build::start_plan(alice.pubkey(), channel, &state, 1, 60), &[&alice], "AlreadyClosing");
    w.send(&[build::request_close(north.pubkey(), channel)], &[&north]);
    assert_eq!(w.channel(&channel).closes_at.get(), w.now());
    w.refuse(build::request_close(north.pubkey(), channel), &[&north], "ChannelClosed");
}

#[test]
fn what_was_not_spent_is_free_again_once() {
    let mut w = World::paying(Kind::Classic);
    let (alice, north, channel) = (w.alice.insecure_clone(), w.north.insecure_clone(), w.channelled());
    w.settled(channel, 400_000);
    w.send(&[build::request_close(north.pubkey(), channel)], &[&north]);
    let close = w.close(channel);
    w.send(std::slice::from_ref(&close), &[]);
    assert_eq!((w.payer().reserved.get(), w.channel(&channel).held.get()), (400_000, 400_000));
    w.refuse(close.clone(), &[], "NotPaidOut");
    assert_eq!(w.payer().reserved.get(), 400_000);
    let reclaim = w.reclaim(DEPOSIT - 400_000);
    w.send(&[reclaim], &[&alice]);
    w.backed(channel);
    let distribute = w.distribute(channel);
    w.send(&[distribute], &[]);
    w.refuse(close.clone(), &[], "StillDisputable");
    w.set_time(w.now() + DISPUTE_PERIOD as i64);
    let rent = w.lamports(&alice.pubkey());
    w.send(&[close], &[]);
    assert!(w.is_closed(&channel));
    assert!(w.lamports(&alice.pubkey()) > rent, "the rent returns to whoever paid it");
    let payer = w.payer();
    assert_eq!((payer.reserved.get(), payer.channels.get(), payer.next_channel.get()), (0, 0, 1));
    assert_eq!(w.balance(&w.payer_vault()), payer.balance.get());
    let dust = w.reclaim(payer.balance.get().max(1));
    match payer.balance.get() {
        0 => w.refuse(dust, &[&alice], "NotFree"),
        _ => drop(w.send(&[dust], &[&alice])),
    }
}

#[test]
fn rent_returns_to_whoever_paid_it_and_to_nobody_else() {
    let mut w = World::paying(Kind::Classic);
    let (north, bob, channel) = (w.north.insecure_clone(), key("bob"), w.channelled());
    w.send(&[build::request_close(north.pubkey(), channel)], &[&north]);
    let close = swap(w.close(channel), w.alice.pubkey(), bob.pubkey());
    w.refuse(close, &[], "WrongRentPayer");
}

#[test]
fn a_rent_payer_that_becomes_a_program_keeps_no_channel_open() {
    let mut w = World::paying(Kind::Classic);
    let (north, channel) = (w.north.insecure_clone(), w.channelled());
    let (mut account, mut state) = (w.svm.get_account(&channel).unwrap(), w.channel(&channel));
    state.rent_payer = joule_sdk::registry::ID;
    account.data[8..].copy_from_slice(bytemuck::bytes_of(&state));
    let (rent, before) = (account.lamports, w.lamports(&w.payer_address()));
    w.svm.set_account(channel, account).unwrap();
    w.send(&[build::request_close(north.pubkey(), channel), w.close(channel)], &[&north]);
    assert!(w.is_closed(&channel));
    // The payer's own account keeps it.
    assert_eq!(w.lamports(&w.payer_address()), before + rent);
}
