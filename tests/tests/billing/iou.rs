//! Somebody who cannot be paid is owed, and keeps nobody else waiting.

use joule_sdk::{
    billing::constants::{PROTOCOL, PROVIDER},
    instruction::billing as build,
    pda, Keypair, Pubkey, Signer,
};
use joule_tests::{key, Kind, World};
use spl_token_2022_interface::instruction::{set_authority, AuthorityType};

fn backed() -> (World, Pubkey) {
    let mut w = World::paying(Kind::Classic);
    let channel = w.channelled();
    w.settled(channel, 100_000);
    w.backed(channel);
    (w, channel)
}

fn distribute(w: &mut World, channel: Pubkey) {
    let distribute = w.distribute(channel);
    w.send(&[distribute], &[]);
}

/// Gives a token account to somebody else.
fn give_away(w: &mut World, account: &Pubkey, owner: &Keypair, to: &Pubkey) {
    let give =
        set_authority(&w.token_program, account, Some(to), AuthorityType::AccountOwner, &owner.pubkey(), &[]).unwrap();
    w.send(&[give], &[owner]);
}

#[test]
fn a_frozen_account_is_owed_and_paid_by_a_later_call() {
    let (mut w, channel) = backed();
    let frozen = w.share_account(0);
    w.freeze(&frozen);
    distribute(&mut w, channel);
    assert_eq!((w.channel(&channel).owed[0].get(), w.balance(&frozen)), (15_000, 0));
    assert!(w.balance(&w.share_account(1)) > 0 && w.balance(&w.north_tokens()) > 0);
    assert_eq!(w.channel(&channel).held.get(), w.payer().reserved.get());
    w.thaw(&frozen);
    distribute(&mut w, channel);
    assert_eq!((w.channel(&channel).owed[0].get(), w.balance(&frozen)), (0, 15_000));
}

#[test]
fn a_missing_account_is_owed_and_its_owner_takes_it_elsewhere() {
    let (mut w, channel) = backed();
    let (creator, account) = (w.sharer(0), w.share_account(0));
    w.close_token_account(&creator, &account);
    distribute(&mut w, channel);
    let state = w.channel(&channel);
    assert_eq!(state.owed[0].get(), 15_000);
    let other = w.extra_token_account(&creator.pubkey(), &w.mint.clone(), &[]);
    let claim = build::claim_owed(creator.pubkey(), channel, &state, 0, other, w.token_program);
    w.send(std::slice::from_ref(&claim), &[&creator]);
    assert_eq!((w.balance(&other), w.channel(&channel).owed[0].get()), (15_000, 0));
    w.refuse(claim, &[&creator], "NothingOwed");
}

/// Whoever gets hold of the account that a share names gets nothing of the share.
#[test]
fn an_account_that_is_somebody_elses_now_is_not_paid() {
    let (mut w, channel) = backed();
    let (creator, payout_owner) = (w.sharer(0), w.north_payout.insecure_clone());
    w.svm.airdrop(&payout_owner.pubkey(), 1_000_000_000).unwrap();
    let (share, payout, thief) = (w.share_account(0), w.north_tokens(), key("thief"));
    give_away(&mut w, &share, &creator, &thief.pubkey());
    give_away(&mut w, &payout, &payout_owner, &thief.pubkey());
    distribute(&mut w, channel);
    let state = w.channel(&channel);
    assert_eq!((w.balance(&share), w.balance(&payout)), (0, 0));
    assert_eq!(state.owed[0].get(), 15_000);
    assert!(state.owed[PROVIDER].get() > 0);
    let other = w.extra_token_account(&payout_owner.pubkey(), &w.mint.clone(), &[]);
    let program = w.token_program;
    let claim = |owner: Pubkey, place: usize, to| build::claim_owed(owner, channel, &state, place as u8, to, program);
    w.refuse(claim(thief.pubkey(), 0, share), &[&thief], "NotPayee");
    w.refuse(claim(thief.pubkey(), PROVIDER, payout), &[&thief], "NotPayee");
    w.refuse(claim(payout_owner.pubkey(), PROVIDER, payout), &[&payout_owner], "NotPayee");
    w.send(&[claim(payout_owner.pubkey(), PROVIDER, other)], &[&payout_owner]);
    assert_eq!(w.balance(&other), state.owed[PROVIDER].get());
}

#[test]
fn nobody_claims_what_is_not_its_own_or_not_there() {
    let (mut w, channel) = backed();
    let (creator, data) = (w.sharer(0), w.sharer(1));
    let frozen = w.share_account(0);
    w.freeze(&frozen);
    distribute(&mut w, channel);
    let (state, program) = (w.channel(&channel), w.token_program);
    let others = w.share_account(1);
    let claim = |owner: &Keypair, place: u8, to| build::claim_owed(owner.pubkey(), channel, &state, place, to, program);
    w.refuse(claim(&data, 0, others), &[&data], "NotPayee");
    w.refuse(claim(&creator, 0, others), &[&creator], "NotPayee");
    w.refuse(claim(&creator, 0, frozen), &[&creator], "CannotReceive");
    w.refuse(claim(&data, 1, others), &[&data], "NothingOwed");
    for place in [2, 5, PROTOCOL as u8, 8, 255] {
        w.refuse(claim(&creator, place, others), &[&creator], "NothingOwed");
    }
}

#[test]
fn a_channel_with_a_debt_gives_the_payer_its_rest_and_stays_until_the_debt_is_paid() {
    let (mut w, channel) = backed();
    let (north, alice, frozen) = (w.north.insecure_clone(), w.alice.insecure_clone(), w.share_account(1));
    w.freeze(&frozen);
    distribute(&mut w, channel);
    w.send(&[build::request_close(north.pubkey(), channel)], &[&north]);
    let close = w.close(channel);
    w.send(std::slice::from_ref(&close), &[]);
    assert!(!w.is_closed(&channel));
    let owed = w.channel(&channel).owed[1].get();
    // The debt, and the unit of dust that nobody's share came to.
    assert!(w.payer().reserved.get() <= owed + 2);
    let all = w.reclaim(w.payer().balance.get() - w.payer().reserved.get());
    w.send(&[all], &[&alice]);
    w.refuse(close.clone(), &[], "NotPaidOut");
    w.thaw(&frozen);
    distribute(&mut w, channel);
    w.set_time(w.channel(&channel).claimed_until.get());
    w.send(&[close], &[]);
    assert!(w.is_closed(&channel));
    assert_eq!(w.payer().reserved.get(), 0);
    assert_eq!(w.balance(&w.payer_vault()), w.payer().balance.get());
    assert_eq!(pda::payer(&alice.pubkey(), &w.mint), w.payer_address());
}
