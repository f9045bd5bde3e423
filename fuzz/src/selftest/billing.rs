//! Thefts from deposits and channels.

use super::{add_to, change, noticed, pour, until, DISCRIMINATOR};
use crate::{
    actions, chain,
    model::{Flow, Model, Tab, Wallet},
    stage::Stage,
};
use joule_sdk::{
    billing::{
        constants::{PROTOCOL, PROVIDER},
        state::{Channel, Payer, Plan},
    },
    instruction::billing,
    Pubkey,
};
use solana_account::Account;
use std::mem::offset_of;

/// A sound world with a channel that is like this.
fn tabbed(fits: impl Fn(&Model, &Tab) -> bool) -> (Stage, Tab) {
    until(|model| model.tabs.values().find(|tab| fits(model, tab)).copied())
}

fn wallet(stage: &Stage, tab: &Tab) -> Wallet {
    *stage.model.wallets.get(&tab.channel.payer).expect("a payer")
}

fn tab<'a>(stage: &'a mut Stage, address: &Pubkey) -> &'a mut Tab {
    stage.model.tabs.get_mut(address).expect("a channel")
}

/// The same in the account and in the model, as if the program had said so.
fn agree(stage: &mut Stage, address: &Pubkey, field: usize, amount: i64) {
    add_to(stage, address, field, amount);
    let bytes = bytemuck::bytes_of_mut(&mut tab(stage, address).channel);
    let number = u64::from_le_bytes(bytes[field..field + 8].try_into().expect("eight bytes"));
    bytes[field..field + 8].copy_from_slice(&number.wrapping_add_signed(amount).to_le_bytes());
}

const fn owed(party: usize) -> usize {
    offset_of!(Channel, owed) + 8 * party
}

#[test]
fn a_unit_that_leaves_a_payers_vault_for_a_thief_is_noticed() {
    let (mut stage, tab) = tabbed(|_, tab| tab.channel.held.get() > 0);
    let vault = wallet(&stage, &tab).payer.vault;
    let token = stage.cast.token(&tab.channel.mint).expect("a token of ours");
    let purses = stage.cast.holders[0].accounts[token];
    let account = purses.into_iter().find(|address| chain::purse(&stage.svm, address).is_some());
    pour(&mut stage, &vault, -1);
    pour(&mut stage, &account.expect("a token account"), 1);
    noticed(&mut stage, "the vault of payer");
}

#[test]
fn a_deposit_that_is_sold_twice_is_noticed() {
    let (mut stage, tab) = tabbed(|_, tab| tab.channel.held.get() > 0);
    let payer = tab.channel.payer;
    add_to(&mut stage, &payer, offset_of!(Payer, reserved), -1);
    noticed(&mut stage, "differs at byte");
    // Even if the program has told of it.
    let wallet = stage.model.wallets.get_mut(&payer).expect("a payer");
    wallet.payer.reserved = (wallet.payer.reserved.get() - 1).into();
    noticed(&mut stage, "what is reserved of");
}

#[test]
fn a_voucher_that_pays_one_unit_more_than_was_signed_is_noticed() {
    let (mut stage, tab) = tabbed(|_, tab| tab.channel.settled.get() > 0);
    add_to(&mut stage, &tab.address, offset_of!(Channel, settled), 1);
    noticed(&mut stage, "differs at byte");
}

#[test]
fn a_share_of_a_bill_that_goes_to_another_party_is_noticed_even_if_the_events_say_so() {
    let (mut stage, tab) = tabbed(|_, tab| tab.channel.owed[PROVIDER].get() > 0);
    agree(&mut stage, &tab.address, owed(PROVIDER), -1);
    agree(&mut stage, &tab.address, owed(PROTOCOL), 1);
    noticed(&mut stage, "has received or is owed");
}

#[test]
fn a_unit_of_a_bill_that_nobody_gets_is_noticed_even_if_the_events_say_so() {
    let (mut stage, tab) = tabbed(|_, tab| tab.channel.held.get() > 0);
    let payer = tab.channel.payer;
    agree(&mut stage, &tab.address, offset_of!(Channel, held), -1);
    add_to(&mut stage, &payer, offset_of!(Payer, reserved), -1);
    let wallet = stage.model.wallets.get_mut(&payer).expect("a payer");
    wallet.payer.reserved = (wallet.payer.reserved.get() - 1).into();
    noticed(&mut stage, "what is held and has left");
}

#[test]
fn a_debt_that_is_paid_twice_is_noticed() {
    let is_in_debt = |model: &Model, tab: &Tab| {
        let list = model.list(&tab.channel.prices).expect("a price list");
        let mut owed = tab.channel.owed.iter().zip(list.parties());
        owed.any(|(owed, _)| owed.get() > 0)
    };
    let (mut stage, tab) = tabbed(is_in_debt);
    let party = tab.channel.owed.iter().position(|owed| owed.get() > 0).expect("a debt");
    let owed = tab.channel.owed[party].get();
    // What would be left in the model, had it been paid before.
    let known = stage.model.tabs.get_mut(&tab.address).expect("a channel");
    known.channel.owed[party] = 0.into();
    known.paid[party] += owed as u128;
    noticed(&mut stage, "differs at byte");
}

#[test]
fn a_voucher_that_nobody_has_signed_is_noticed() {
    let is_new = |_: &Model, tab: &Tab| tab.closed_at.is_none() && tab.channel.settled.get() == 0;
    let (mut stage, tab) = tabbed(is_new);
    let promise = crate::model::Promise { sequence: 1, cumulative: 1, expires_at: stage.now };
    let voucher = actions::vouchers::voucher(&tab.address, &promise, [8; 32]);
    let message = bytemuck::bytes_of(&voucher).to_vec();
    let verify = actions::vouchers::verify(&mut stage, &tab.channel.session.signer, &message).expect("a session");
    // As if the precompile had let a forged signature through.
    stage.model.signed = Default::default();
    let complaint = stage.send(&[verify, billing::settle(tab.address)]).expect_err("the theft must be noticed");
    assert!(complaint.to_string().contains("has not signed it"), "{complaint}");
}

#[test]
fn a_plan_that_makes_more_than_its_rate_is_noticed_even_if_the_events_say_so() {
    let runs = |flow: &&Flow| flow.is_running() && flow.plan.rate.get() > 0;
    let (mut stage, flow) = until(|model| model.flows.values().find(runs).copied());
    add_to(&mut stage, &flow.address, offset_of!(Plan, lockup), -1);
    noticed(&mut stage, "differs at byte");
    add_to(&mut stage, &flow.address, offset_of!(Plan, lockup), 1);
    let known = stage.model.flows.get_mut(&flow.plan.channel).expect("a plan");
    known.made += flow.plan.rate.get() as u128 * 10_000_000_000;
    noticed(&mut stage, "more than its rate");
}

#[test]
fn a_channel_or_a_payer_that_vanishes_is_noticed() {
    for (vanishes, what) in [(true, "channel"), (false, "payer")] {
        let (mut stage, tab) = tabbed(|_, _| true);
        let address = if vanishes { tab.address } else { tab.channel.payer };
        stage.svm.set_account(address, Account::default()).expect("an account that is closed");
        noticed(&mut stage, &format!("{what} {address} is gone"));
    }
}

#[test]
fn a_session_key_that_changes_is_noticed() {
    let (mut stage, tab) = tabbed(|_, _| true);
    let signer = DISCRIMINATOR + offset_of!(Channel, session);
    change(&mut stage, &tab.address, |account| account.data[signer] ^= 1);
    noticed(&mut stage, "differs at byte");
}

#[test]
fn a_debt_to_somebody_who_can_be_paid_is_noticed() {
    let (mut stage, tab) = tabbed(|_, tab| tab.earned() > tab.channel.paid.get());
    let payout = chain::purse(&stage.svm, &tab.channel.fee_vault).expect("a fee vault");
    let mut story = crate::story::Story::default();
    story.debts.push(crate::story::Debt { account: tab.channel.fee_vault, owner: None, mint: payout.mint });
    let snapshot = || crate::check::Snapshot::take(&stage.svm, &[tab.channel.fee_vault, stage.cast.crank]);
    let (before, after) = (snapshot(), snapshot());
    let complaint = crate::check::step(&mut stage, &story, &before, &after, 0).expect_err("it must be noticed");
    assert!(complaint.to_string().contains("could have been paid"), "{complaint}");
}
