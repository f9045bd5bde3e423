//! The treasury's own part of the fees leaves.

use crate::{accepted, earn};
use joule_sdk::{instruction::treasury::*, pda, Signer};
use joule_tests::{swap, Kind, World};

#[test]
fn fees_go_where_the_authority_says_and_never_beyond_what_is_there() {
    let mut w = World::governed(Kind::Classic);
    let (authority, fees) = (w.authority.insecure_clone(), w.fee_vault());
    let target = w.token_account(&w.alice.pubkey());
    earn(&mut w, 500);
    let withdraw = |amount| withdraw_fees(authority.pubkey(), w.mint, target, w.token_program, amount);
    let (some, rest, none) = (withdraw(200), withdraw(301), withdraw(0));
    w.send(&[some], &[&authority]);
    assert_eq!((w.balance(&target), w.balance(&fees), accepted(&w).kept.get()), (200, 300, 300));
    w.refuse(rest, &[&authority], "BeyondKept");
    w.refuse(none, &[&authority], "ZeroAmount");
}

#[test]
fn withdraw_takes_only_from_the_fee_vault_of_the_mint() {
    let mut w = World::new(Kind::Classic);
    let authority = w.authority.insecure_clone();
    let job = w.opened();
    let target = w.token_account(&authority.pubkey());
    let withdraw = withdraw_fees(authority.pubkey(), w.mint, target, w.token_program, 1);
    w.refuse(swap(withdraw.clone(), w.fee_vault(), pda::vault(&job)), &[&authority], "WrongFeeVault");
    w.refuse(swap(withdraw.clone(), w.fee_vault(), w.alice_tokens()), &[&authority], "WrongFeeVault");
    let accepted = pda::accepted_mint(&w.mint);
    w.refuse(swap(withdraw.clone(), accepted, pda::protocol()), &[&authority], "ConstraintDuplicateMutableAccount");
    w.refuse(swap(withdraw, accepted, w.mint), &[&authority], "AccountDataTooSmall");
}

#[test]
fn withdrawing_into_the_fee_vault_itself_is_rejected() {
    let mut w = World::governed(Kind::Classic);
    let (authority, fees) = (w.authority.insecure_clone(), w.fee_vault());
    earn(&mut w, 500);
    let around = withdraw_fees(authority.pubkey(), w.mint, fees, w.token_program, 100);
    w.refuse(around, &[&authority], "ConstraintDuplicateMutableAccount");
}
