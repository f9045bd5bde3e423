//! Newest vouchers of many channels come on chain under one signature.

use joule_sdk::{instruction::billing as build, voucher::Format, Instruction, Keypair, Pubkey, Signer};
use joule_tests::{
    billing::{session, verifying, CAP},
    Kind, World, GENESIS,
};

fn paying(channels: usize) -> (World, Vec<Pubkey>) {
    let mut w = World::paying(Kind::Classic);
    let mut terms = w.channel_terms();
    terms.cap = 100_000;
    let channels = (0..channels).map(|_| w.channelled_as(terms)).collect();
    (w, channels)
}

fn settling(w: &World, channels: &[Pubkey], message: &[u8]) -> [Instruction; 2] {
    [verifying(&session(), message), build::settle_batch(w.payer_address(), channels)]
}

fn settled(w: &World, channels: &[Pubkey]) -> Vec<(u64, u64)> {
    channels.iter().map(|c| w.channel(c)).map(|c| (c.sequence.get(), c.settled.get())).collect()
}

#[test]
fn one_signature_settles_every_channel_of_the_batch() {
    let (mut w, channels) = paying(3);
    let entries = [(1, 100), (2, 200), (3, 300)];
    let message = w.batch(&channels, &entries);
    let both = settling(&w, &channels, &message);
    w.send(&both, &[]);
    assert_eq!(settled(&w, &channels), entries);
    assert!(channels.iter().all(|c| w.channel(c).usage_root == [8; 32]));
}

/// One channel that has settled more already, or closed, or is gone, must not keep the others waiting.
#[test]
fn a_channel_that_needs_nothing_or_is_closed_is_passed_over() {
    let (mut w, channels) = paying(4);
    let north = w.north.insecure_clone();
    w.settled(channels[0], 5_000);
    w.send(&[build::request_close(north.pubkey(), channels[1])], &[&north]);
    w.send(&[build::request_close(north.pubkey(), channels[2])], &[&north]);
    let close = w.close(channels[2]);
    w.send(&[close], &[]);
    let message = w.batch(&channels, &[(9, 5_000), (1, 100), (1, 100), (1, 100)]);
    let both = settling(&w, &channels, &message);
    w.send(&both, &[]);
    assert_eq!(settled(&w, &[channels[0], channels[1], channels[3]]), [(1, 5_000), (0, 0), (1, 100)]);
    assert!(w.is_closed(&channels[2]));
    w.send(&both, &[]);
}

#[test]
fn a_batch_is_for_its_channels_in_their_order_and_its_payer_and_cluster() {
    let (mut w, channels) = paying(3);
    let message = w.batch(&channels, &[(1, 100), (1, 100), (1, 100)]);
    let reversed: Vec<_> = channels.iter().rev().copied().collect();
    let both = settling(&w, &reversed, &message);
    w.refuse_all(&both, &[], "WrongContext");
    let both = settling(&w, &channels[..2], &message);
    w.refuse_all(&both, &[], "WrongBatch");
    let mut other_payer = settling(&w, &channels, &message);
    other_payer[1].accounts[0].pubkey = w.alice.pubkey();
    w.refuse_all(&other_payer, &[], "WrongContext");
    let mut other_cluster = message.clone();
    let context = joule_sdk::voucher::Context::batch(
        &[1; 32],
        joule_sdk::billing::ID.as_array(),
        w.payer_address().as_array(),
        channels.iter().map(|c| c.as_array()),
    );
    assert_ne!(GENESIS, [1; 32]);
    other_cluster[..32].copy_from_slice(context.unwrap().bytes());
    let both = settling(&w, &channels, &other_cluster);
    w.refuse_all(&both, &[], "WrongContext");
}

#[test]
fn every_channel_of_a_batch_has_the_payer_and_the_session_that_signed() {
    let (mut w, channels) = paying(2);
    let message = w.batch(&channels, &[(1, 100), (1, 100)]);
    let thief: Keypair = w.north.insecure_clone();
    let both = [verifying(&thief, &message), build::settle_batch(w.payer_address(), &channels)];
    w.refuse_all(&both, &[], "WrongSigner");
    // A batch that names another payer account than its channels do, and is signed for that one.
    let other = w.alice.pubkey();
    let context = build::batch_context(&GENESIS, &other, &channels).unwrap();
    let mut named = message;
    named[..32].copy_from_slice(context.bytes());
    let both = [verifying(&session(), &named), build::settle_batch(other, &channels)];
    w.refuse_all(&both, &[], "WrongPayer");
}

#[test]
fn an_entry_keeps_to_every_limit_that_a_voucher_keeps_to() {
    let (mut w, channels) = paying(2);
    w.settled(channels[0], 50);
    for (entries, expected) in [([(2, 60), (1, 100_001)], "OverLimit"), ([(2, CAP), (1, 100)], "OverLimit")] {
        let message = w.batch(&channels, &entries);
        let both = settling(&w, &channels, &message);
        w.refuse_all(&both, &[], expected);
    }
    let message = w.batch(&channels, &[(2, 60), (1, 100)]);
    let both = settling(&w, &channels, &message);
    w.set_time(w.now() + 601);
    w.refuse_all(&both, &[], "VoucherExpired");
}

#[test]
fn a_voucher_is_no_batch() {
    let (mut w, channels) = paying(1);
    let voucher = w.voucher(&channels[0], 1, 100);
    let both = settling(&w, &channels, voucher.as_bytes());
    let name = w.refusal(&both, &[]);
    assert!(["WrongBatch", "WrongContext"].contains(&name.as_str()), "{name}");
}

#[test]
fn a_channel_named_twice_settles_once() {
    let (mut w, channels) = paying(1);
    let twice = [channels[0], channels[0]];
    let message = w.batch(&twice, &[(1, 100), (2, 200)]);
    let both = settling(&w, &twice, &message);
    w.send(&both, &[]);
    assert_eq!(settled(&w, &channels), [(2, 200)]);
}
