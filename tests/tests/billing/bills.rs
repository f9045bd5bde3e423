//! What is earned is backed, divided and paid.

use joule_sdk::{
    billing::constants::{DISPUTE_PERIOD, PROTOCOL, PROVIDER},
    instruction::{billing as build, registry, treasury},
    pda,
    registry::state::ProviderStatus,
    staking::state::Claim,
    Pubkey, Signer,
};
use joule_tests::{
    billing::{CAP, SHARES},
    swap, Kind, World, BOND, FEE_BPS,
};

/// What two sharers, the protocol and the provider get of `earned`, by the table in the program's README.
fn parts(earned: u64) -> [u64; 4] {
    let of = |bps: u64| earned * bps / 10_000;
    let [creator, data] = SHARES.map(u64::from);
    [of(creator), of(data), of(FEE_BPS as u64), earned - of(creator + data + FEE_BPS as u64)]
}

fn balances(w: &World) -> [u64; 4] {
    [w.share_account(0), w.share_account(1), w.fee_vault(), w.north_tokens()].map(|account| w.balance(&account))
}

fn distributed(w: &mut World, channel: Pubkey) -> u64 {
    let distribute = w.distribute(channel);
    w.send(&[distribute], &[]).compute_units_consumed
}

fn settled(cumulative: u64) -> (World, Pubkey) {
    let mut w = World::paying(Kind::Classic);
    let channel = w.channelled();
    w.settled(channel, cumulative);
    (w, channel)
}

#[test]
fn four_parties_are_paid_for_no_more_than_4_200_compute_units() {
    let (mut w, channel) = settled(777_777);
    w.backed(channel);
    let vault = w.balance(&w.payer_vault());
    let cost = distributed(&mut w, channel);
    assert_eq!(balances(&w), parts(777_777));
    let paid: u64 = parts(777_777).iter().sum();
    assert_eq!(w.balance(&w.payer_vault()), vault - paid);
    let (payer, state) = (w.payer(), w.channel(&channel));
    assert_eq!(payer.balance.get(), vault - paid);
    assert_eq!((payer.reserved.get(), state.held.get()), (CAP - paid, CAP - paid));
    assert!(cost <= 4_200, "{cost} CU");
}

#[test]
fn until_it_is_backed_everybody_but_the_provider_is_paid() {
    let (mut w, channel) = settled(777_777);
    distributed(&mut w, channel);
    let [creator, data, fee, _] = parts(777_777);
    assert_eq!(balances(&w), [creator, data, fee, 0]);
    let again = w.distribute(channel);
    w.refuse(again, &[], "NothingPayable");
    w.backed(channel);
    distributed(&mut w, channel);
    assert_eq!(balances(&w), parts(777_777));
}

#[test]
fn however_often_it_is_paid_nobody_gains_or_loses_a_unit() {
    let (mut w, channel) = settled(1);
    for cumulative in [2, 3, 4, 7, 10, 39, 40, 41, 5_003, 5_004, 99_999, CAP] {
        w.settled(channel, cumulative);
        if cumulative % 2 == 1 {
            w.backed(channel);
        }
        // Of a few units nobody's share may be one.
        let distribute = w.distribute(channel);
        let _ = w.attempt(&[distribute], &[]);
        let sum: u64 = balances(&w).iter().sum();
        assert!(sum <= cumulative, "{sum} of {cumulative}");
    }
    w.backed(channel);
    let distribute = w.distribute(channel);
    let _ = w.attempt(&[distribute], &[]);
    assert_eq!(balances(&w), parts(CAP));
}

#[test]
fn backing_locks_what_is_new_in_proportion_rounded_up() {
    let mut w = World::paying(Kind::Classic);
    let mut terms = w.channel_terms();
    terms.backing_bps = 3_333;
    let channel = w.channelled_as(terms);
    let nothing = w.back(channel);
    let north = w.north.insecure_clone();
    w.refuse(nothing, &[&north], "NothingToBack");
    w.settled(channel, 10);
    w.backed(channel);
    let (bond, claim) = (pda::bond(&north.pubkey(), &w.mint), build::claim(&channel));
    let state: Claim = w.get(&claim);
    assert_eq!((state.total.get(), state.bond, state.subject), (4, bond, channel));
    assert_eq!(state.tranches[0].until.get(), w.now() + DISPUTE_PERIOD as i64);
    assert_eq!((w.channel(&channel).backed.get(), w.channel(&channel).claim), (10, claim));
    w.settled(channel, 13);
    w.backed(channel);
    assert_eq!(w.get::<Claim>(&claim).total.get(), 5);
    let again = w.back(channel);
    w.refuse(again, &[&north], "NothingToBack");
}

#[test]
fn only_the_provider_backs_and_only_with_its_own_bond() {
    let (mut w, channel) = settled(5_000);
    let (north, alice) = (w.north.insecure_clone(), w.alice.insecure_clone());
    let other = w.give_bond(&alice, BOND);
    let back = w.back(channel);
    let by_other = swap(back.clone(), north.pubkey(), alice.pubkey());
    w.refuse(by_other, &[&alice], "NotProvider");
    let others_bond = swap(back, pda::bond(&north.pubkey(), &w.mint), other);
    w.refuse(others_bond, &[&north], "WrongBond");
}

#[test]
fn a_bond_that_is_too_small_backs_nothing() {
    let mut w = World::paying(Kind::Classic);
    let (alice, north) = (w.alice.insecure_clone(), w.north.insecure_clone());
    let mut terms = w.channel_terms();
    (terms.cap, terms.limit, terms.backing_bps) = (5_000_000, 5_000_000, 50_000);
    let channel = w.channelled_as(terms);
    w.settled(channel, 4_000_001);
    let back = w.back(channel);
    w.refuse(back, &[&north], "BondTooSmall");
    distributed(&mut w, channel);
    assert_eq!(w.balance(&w.north_tokens()), 0);
    let reclaim = w.reclaim(1);
    w.send(&[reclaim], &[&alice]);
}

#[test]
fn without_backing_the_provider_is_paid_at_once() {
    let mut w = World::paying(Kind::Classic);
    let north = w.north.insecure_clone();
    let mut terms = w.channel_terms();
    terms.backing_bps = 0;
    let channel = w.channelled_as(terms);
    w.settled(channel, 5_000);
    let back = w.back(channel);
    w.refuse(back, &[&north], "NothingToBack");
    distributed(&mut w, channel);
    assert_eq!(balances(&w), parts(5_000));
}

/// The default: a provider that never backs holds nobody's money for ever.
#[test]
fn an_unbacked_share_is_paid_when_nobody_can_dispute_it_any_more() {
    let (mut w, channel) = settled(5_000);
    let north = w.north.insecure_clone();
    distributed(&mut w, channel);
    w.send(&[build::request_close(north.pubkey(), channel)], &[&north]);
    let late = w.now() + DISPUTE_PERIOD as i64;
    w.set_time(late - 1);
    let early = w.distribute(channel);
    w.refuse(early, &[], "NothingPayable");
    w.set_time(late);
    distributed(&mut w, channel);
    assert_eq!(balances(&w), parts(5_000));
    let close = w.close(channel);
    w.send(&[close], &[]);
    assert!(w.is_closed(&channel));
    assert_eq!((w.payer().reserved.get(), w.payer().channels.get()), (0, 0));
}

#[test]
fn the_accounts_are_those_that_price_list_and_channel_name_in_their_order() {
    let (mut w, channel) = settled(5_000);
    w.backed(channel);
    let good = w.distribute(channel);
    let alices = w.alice_tokens();
    for (named, expected) in [
        (w.share_account(0), "WrongShares"),
        (w.share_account(1), "WrongShares"),
        (w.fee_vault(), "WrongFeeVault"),
        (w.north_tokens(), "WrongPayout"),
    ] {
        w.refuse(swap(good.clone(), named, alices), &[], expected);
    }
    let mut fewer = good.clone();
    fewer.accounts.pop();
    w.refuse(fewer, &[], "WrongShares");
    let mut more = good.clone();
    more.accounts.push(solana_instruction::AccountMeta::new(alices, false));
    w.refuse(more, &[], "WrongShares");
    let mut turned = good.clone();
    let last = turned.accounts.len() - 1;
    turned.accounts.swap(last, last - 1);
    w.refuse(turned, &[], "WrongShares");
    let other_program = match w.kind() {
        Kind::Classic => Kind::Token2022.program(),
        Kind::Token2022 => Kind::Classic.program(),
    };
    let program = w.token_program;
    w.refuse(swap(good, program, other_program), &[], "WrongTokenProgram");
}

/// A channel names whom it was opened with, whatever they become.
#[test]
fn a_provider_that_retires_or_pauses_is_paid_all_the_same() {
    let (mut w, channel) = settled(5_000);
    let north = w.north.insecure_clone();
    w.backed(channel);
    w.send(&[registry::set_status(north.pubkey(), ProviderStatus::Paused)], &[&north]);
    w.send(&[registry::retire(north.pubkey(), north.pubkey())], &[&north]);
    distributed(&mut w, channel);
    assert_eq!(balances(&w), parts(5_000));
}

#[test]
fn a_price_list_without_shares_leaves_protocol_and_provider() {
    let mut w = World::new(Kind::Classic);
    let alice = w.alice.insecure_clone();
    let create = build::create_payer(alice.pubkey(), alice.pubkey(), w.mint, w.token_program);
    let deposit = w.deposit(2 * CAP);
    w.send(&[create, deposit], &[&alice]);
    w.priced(&[]);
    let channel = w.channelled();
    w.settled(channel, 5_001);
    w.backed(channel);
    distributed(&mut w, channel);
    let state = w.channel(&channel);
    assert_eq!((w.balance(&w.fee_vault()), w.balance(&w.north_tokens())), (125, 4_876));
    assert_eq!((state.owed[PROTOCOL].get(), state.owed[PROVIDER].get()), (0, 0));
}

#[test]
fn six_shares_are_paid_too() {
    let mut w = World::new(Kind::Classic);
    let alice = w.alice.insecure_clone();
    let create = build::create_payer(alice.pubkey(), alice.pubkey(), w.mint, w.token_program);
    let deposit = w.deposit(2 * CAP);
    w.send(&[create, deposit], &[&alice]);
    let shares = [1_333, 1_333, 1_333, 1_333, 1_333, 1_335];
    w.priced(&shares);
    let channel = w.channelled();
    w.settled(channel, 99_999);
    w.backed(channel);
    distributed(&mut w, channel);
    for (place, bps) in shares.iter().enumerate() {
        assert_eq!(w.balance(&w.share_account(place)), 99_999 * *bps as u64 / 10_000);
    }
}

#[test]
fn a_fee_change_does_not_touch_an_open_channel() {
    let (mut w, channel) = settled(777_777);
    let authority = w.authority.insecure_clone();
    w.send(&[treasury::stage_fee(authority.pubkey(), 1, FEE_BPS + 100)], &[&authority]);
    w.set_time(w.now() + 2 * 86_400);
    w.send(&[treasury::apply_fee(1)], &[]);
    w.backed(channel);
    distributed(&mut w, channel);
    assert_eq!(balances(&w), parts(777_777));
}
