//! Attempts at other people's money, by name.

use joule_sdk::{
    instruction::{billing as build, model::publish_prices, registry},
    pda,
    voucher::Format,
    Signer,
};
use joule_tests::{
    billing::{session, verifying, CAP, DEPOSIT},
    swap, Kind, World, BOND,
};

/// Two who race with vouchers of one channel: whichever comes first, the newest is what counts in the end.
#[test]
fn racing_settlements_end_the_same() {
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let mut w = World::paying(Kind::Classic);
        let channel = w.channelled();
        let vouchers = [1, 2, 3].map(|n| w.voucher(&channel, n, n * 1_000));
        for place in order {
            let settling = w.settling(channel, &vouchers[place]);
            let _ = w.attempt(&settling, &[]);
        }
        let state = w.channel(&channel);
        assert_eq!((state.sequence.get(), state.settled.get()), (3, 3_000));
    }
}

/// A voucher of one price version is worth nothing on a channel of another: it is for a channel, and a channel has one.
#[test]
fn a_new_price_list_changes_nothing_about_an_open_channel() {
    let mut w = World::paying(Kind::Classic);
    let channel = w.channelled();
    let (creator, model, first) = (w.sharer(0), w.model_address(), w.prices_address());
    let second = w.published(&creator, model, &[]);
    w.settled(channel, 5_000);
    w.backed(channel);
    let good = w.distribute(channel);
    w.refuse(swap(good.clone(), first, second), &[], "WrongPrices");
    w.send(&[good], &[]);
    let mut accounts = w.open_accounts();
    accounts.prices = second;
    let alice = w.alice.insecure_clone();
    w.send(&[build::open(accounts, 1, w.channel_terms())], &[&alice]);
    let newer = pda::channel(&w.payer_address(), 1);
    let voucher = w.voucher(&channel, 9, 9_000);
    w.refuse_all(&[verifying(&session(), voucher.as_bytes()), build::settle(newer)], &[], "WrongContext");
}

#[test]
fn one_payers_money_pays_no_other_payers_channel() {
    let mut w = World::paying(Kind::Classic);
    let channel = w.channelled();
    let bob = w.holder(2 * DEPOSIT);
    let other = pda::payer(&bob.pubkey(), &w.mint);
    let create = build::create_payer(bob.pubkey(), bob.pubkey(), w.mint, w.token_program);
    w.svm.airdrop(&bob.pubkey(), 1_000_000_000).unwrap();
    let deposit = build::deposit(bob.pubkey(), other, w.tokens_of(&bob), w.token_program, DEPOSIT);
    w.send(&[create, deposit], &[&bob]);
    w.settled(channel, 5_000);
    w.backed(channel);
    let (mine, vault) = (w.payer_address(), w.payer_vault());
    let good = w.distribute(channel);
    w.refuse(swap(good.clone(), mine, other), &[], "WrongPayer");
    w.refuse(swap(good, vault, pda::payer_vault(&other)), &[], "WrongVault");
    w.refuse(swap(w.close(channel), mine, other), &[], "WrongPayer");
    let raise = swap(build::top_up(channel, &w.channel(&channel), 5), w.alice.pubkey(), bob.pubkey());
    w.refuse(swap(raise, mine, other), &[&bob], "WrongPayer");
}

/// Client, provider and creator are one person: it pays itself, less the fee, and gains nothing by any of it.
#[test]
fn dealing_with_oneself_costs_the_fee() {
    let mut w = World::paying(Kind::Classic);
    let alice = w.alice.insecure_clone();
    let mut profile = w.profile();
    profile.payout_owner = alice.pubkey();
    w.give_bond(&alice, BOND);
    w.send(&[registry::register(alice.pubkey(), alice.pubkey(), profile)], &[&alice]);
    let before = w.balance(&w.alice_tokens());
    let mut accounts = w.open_accounts();
    (accounts.authority, accounts.payout) = (alice.pubkey(), w.alice_tokens());
    w.send(&[build::open(accounts, 0, w.channel_terms())], &[&alice]);
    let channel = pda::channel(&w.payer_address(), 0);
    w.settled(channel, CAP);
    let back = build::back(alice.pubkey(), channel, &w.channel(&channel));
    w.send(&[back], &[&alice]);
    let distribute = w.distribute(channel);
    w.send(&[distribute], &[]);
    assert_eq!(w.balance(&w.alice_tokens()) - before, CAP - CAP * (1_500 + 333 + 250) / 10_000);
    assert_eq!(w.balance(&w.fee_vault()), CAP * 250 / 10_000);
}

/// A payout account that was the payer's own source: money goes round and no unit is made.
#[test]
fn what_leaves_the_vault_is_what_the_books_say() {
    let mut w = World::paying(Kind::Classic);
    let channels = [w.channelled(), w.channelled(), w.channelled()];
    for (round, channel) in channels.iter().cycle().take(9).enumerate() {
        w.settled(*channel, (round as u64 + 1) * 10_007);
        if round % 2 == 0 {
            w.backed(*channel);
        }
        let distribute = w.distribute(*channel);
        w.send(&[distribute], &[]);
        let payer = w.payer();
        let held: u64 = channels.iter().map(|c| w.channel(c).held.get()).sum();
        assert_eq!(payer.reserved.get(), held);
        assert_eq!(payer.balance.get(), w.balance(&w.payer_vault()));
    }
}

/// A creator can name any account that can receive, a payer's vault too: paid into itself, it would keep everybody from being
/// paid.
#[test]
fn a_price_list_that_shares_with_the_payers_own_vault_opens_no_channel() {
    let mut w = World::paying(Kind::Classic);
    let (alice, creator, model) = (w.alice.insecure_clone(), w.sharer(0), w.model_address());
    let listing = w.listing(&[(w.payer_address(), 100)]);
    let accounts = [w.share_account(0), w.payer_vault()];
    let publish = publish_prices(creator.pubkey(), creator.pubkey(), model, w.mint, 2, listing, &accounts);
    w.send(&[publish], &[&creator]);
    let mut accounts = w.open_accounts();
    accounts.prices = pda::price_list(&model, 2);
    w.refuse(build::open(accounts, 0, w.channel_terms()), &[&alice], "PaysItself");
}
