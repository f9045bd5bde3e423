//! Newest vouchers of many channels come on chain under one signature.

use joule_sdk::{instruction::billing as build, pda, voucher::Format, Instruction, Keypair, Pubkey, Signer};
use joule_tests::{
    billing::{session, verifying, CAP},
    key, Kind, World, GENESIS,
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
    let other_payer = [both[0].clone(), build::settle_batch(w.alice.pubkey(), &channels)];
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
    // Nor with something in front that is no channel, and so knows no cluster.
    let mut behind = channels.clone();
    behind[0] = pda::cluster();
    let context = build::batch_context(&[1; 32], &w.payer_address(), &behind).unwrap();
    other_cluster[..32].copy_from_slice(context.bytes());
    let both = settling(&w, &behind, &other_cluster);
    w.refuse_all(&both, &[], "WrongContext");
    let mut others = channels.clone();
    others[2] = w.channelled();
    let both = settling(&w, &others, &message);
    w.refuse_all(&both, &[], "WrongContext");
    assert_eq!(settled(&w, &channels), [(0, 0); 3]);
}

#[test]
fn a_channel_knows_its_cluster_and_a_batch_without_a_channel_does_nothing() {
    let (mut w, channels) = paying(1);
    assert_eq!(w.channel(&channels[0]).genesis_hash, GENESIS);
    let nobody = [key("nowhere").pubkey(), w.payer_address()];
    let message = w.batch(&nobody, &[(1, 100), (1, 100)]);
    let both = settling(&w, &nobody, &message);
    let before = w.svm.get_account(&nobody[1]);
    w.send(&both, &[]);
    assert_eq!(w.svm.get_account(&nobody[1]), before);
}

#[test]
fn a_batch_moves_no_channel_but_of_the_payer_and_the_session_that_signed() {
    let (mut w, channels) = paying(2);
    let message = w.batch(&channels, &[(1, 100), (1, 100)]);
    let thief: Keypair = w.north.insecure_clone();
    w.send(&[verifying(&thief, &message), build::settle_batch(w.payer_address(), &channels)], &[]);
    assert_eq!(settled(&w, &channels), [(0, 0), (0, 0)]);
    // A batch that names another payer account than its channels do, and is signed for that one.
    let other = w.alice.pubkey();
    let context = build::batch_context(&GENESIS, &other, &channels).unwrap();
    let mut named = message;
    named[..32].copy_from_slice(context.bytes());
    w.send(&[verifying(&session(), &named), build::settle_batch(other, &channels)], &[]);
    assert_eq!(settled(&w, &channels), [(0, 0), (0, 0)]);
}

#[test]
fn an_entry_keeps_to_every_limit_that_a_voucher_keeps_to() {
    let (mut w, channels) = paying(2);
    w.settled(channels[0], 50);
    for entries in [[(2, 60), (1, 100_001)], [(3, CAP), (1, 100)]] {
        let message = w.batch(&channels, &entries);
        let both = settling(&w, &channels, &message);
        w.send(&both, &[]);
    }
    assert_eq!(settled(&w, &channels), [(2, 60), (1, 100)]);
    let message = w.batch(&channels, &[(3, 70), (2, 200)]);
    let both = settling(&w, &channels, &message);
    w.set_time(w.now() + 601);
    w.refuse_all(&both, &[], "VoucherExpired");
}

/// Another payer's channel to north, with the same session.
fn of_somebody_else(w: &mut World) -> Pubkey {
    let owner = w.holder(1_000_000);
    let payer = pda::payer(&owner.pubkey(), &w.mint);
    let create = build::create_payer(owner.pubkey(), owner.pubkey(), w.mint, w.token_program);
    let deposit = build::deposit(owner.pubkey(), payer, w.tokens_of(&owner), w.token_program, 1_000_000);
    let mut accounts = w.open_accounts();
    (accounts.owner, accounts.rent_payer) = (owner.pubkey(), owner.pubkey());
    let open = build::open(accounts, 0, w.channel_terms());
    w.send(&[create, deposit, open], &[&owner]);
    pda::channel(&payer, 0)
}

/// A payer could else keep the money of one channel with a long grace back by a new session on one with a short grace.
#[test]
fn whatever_is_wrong_with_one_channel_the_others_settle() {
    let mut w = World::paying(Kind::Classic);
    let alice = w.alice.insecure_clone();
    let mut terms = w.channel_terms();
    (terms.cap, terms.grace) = (100_000, 60);
    let [resigned, over_cap, over_limit] = [0; 3].map(|_| w.channelled_as(terms));
    terms.session_expires_at = w.now() + 50;
    let over = w.channelled_as(terms);
    terms.session_expires_at = w.now() + 300;
    let outlived = w.channelled_as(terms);
    let foreign = of_somebody_else(&mut w);
    let good = w.channelled();
    for (channel, signer, limit) in [(resigned, key("new session"), CAP), (over_limit, session(), 50)] {
        let set = build::set_session(alice.pubkey(), channel, signer.pubkey(), limit, w.now() + 86_400);
        w.send(&[set], &[&alice]);
    }
    w.set_time(w.now() + 60);
    w.send(&[build::apply_session(resigned), build::apply_session(over_limit)], &[]);
    let channels = [resigned, over_cap, over_limit, over, outlived, foreign, good];
    let amounts = [100, 100_001, 100, 100, 100, 100, 100];
    let message = w.batch(&channels, &amounts.map(|amount| (1, amount)));
    let both = settling(&w, &channels, &message);
    w.send(&both, &[]);
    assert_eq!(settled(&w, &channels[..6]), [(0, 0); 6]);
    assert_eq!(settled(&w, &[good]), [(1, 100)]);
}

#[test]
fn an_account_that_is_no_channel_keeps_no_channel_waiting() {
    let mut w = World::paying(Kind::Classic);
    let alice = w.alice.insecure_clone();
    let (planned, good) = (w.channelled(), w.channelled());
    w.send(&[build::start_plan(alice.pubkey(), planned, &w.channel(&planned), 1, 60)], &[&alice]);
    let nothing = [
        pda::plan(&planned),
        w.payer_address(),
        w.payer_vault(),
        w.prices_address(),
        pda::cluster(),
        joule_sdk::billing::ID,
        key("nowhere").pubkey(),
    ];
    for no_channel in nothing {
        let amount = w.channel(&good).settled.get() + 10;
        let channels = [no_channel, good];
        let message = w.batch(&channels, &[(1, amount), (1, amount)]);
        let both = settling(&w, &channels, &message);
        let before = w.svm.get_account(&no_channel);
        w.send(&both, &[]);
        assert_eq!((settled(&w, &[good]), w.svm.get_account(&no_channel)), (vec![(1, amount)], before));
    }
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
