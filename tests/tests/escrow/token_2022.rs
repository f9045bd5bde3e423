//! The same money through Token-2022.

use crate::settle::shares;
use joule_sdk::{instruction, instruction::escrow::Provider, pda, Signer};
use joule_tests::{Kind, World, BUDGET, PRICE};
use spl_token_2022_interface::{extension::ExtensionType, instruction as token};

#[test]
fn a_token_2022_job_runs_from_open_to_settled() {
    let mut w = World::new(Kind::Token2022);
    let before = w.balance(&w.alice_tokens());
    let job = w.delivered();
    assert_eq!(w.balance(&pda::vault(&job)), BUDGET);
    w.set_time(w.now() + 120);
    w.send(&[w.settle(job)], &[]);
    let (fee, provider) = shares();
    assert_eq!((w.balance(&w.north_tokens()), w.balance(&w.fee_vault())), (provider, fee));
    assert_eq!(w.balance(&w.alice_tokens()), before - PRICE);
    assert!(w.is_closed(&job) && w.is_closed(&pda::vault(&job)));
}

#[test]
fn a_token_2022_job_is_refunded() {
    let mut w = World::new(Kind::Token2022);
    let before = w.balance(&w.alice_tokens());
    let job = w.accepted();
    w.set_time(w.now() + 301);
    w.send(&[w.fail(job)], &[]);
    assert_eq!(w.balance(&w.alice_tokens()), before + PRICE * 9 / 10);
    assert!(w.is_closed(&job));
}

#[test]
fn an_account_that_demands_a_memo_waits_and_blocks_nobody() {
    let mut w = World::new(Kind::Token2022);
    let (owner, mint) = (w.north_payout.insecure_clone(), w.mint);
    let picky = w.extra_token_account(&owner.pubkey(), &mint, &[ExtensionType::MemoTransfer]);
    let (job, north) = (w.opened(), w.north.insecure_clone());
    let accept = instruction::escrow::accept(Provider::new(north.pubkey(), picky), job, &w.job(&job), PRICE);
    w.send(&[accept], &[&north]);
    w.send(&[w.submit(job)], &[&north]);
    let demand = spl_token_2022_interface::extension::memo_transfer::instruction::enable_required_transfer_memos(
        &w.token_program,
        &picky,
        &owner.pubkey(),
        &[],
    )
    .unwrap();
    w.send(&[demand], &[&owner]);
    w.set_time(w.now() + 120);
    w.send(&[w.settle(job)], &[]);
    assert_eq!((w.balance(&picky), w.job(&job).owed_provider.get()), (0, shares().1));
    assert_eq!(w.balance(&w.fee_vault()), shares().0);
    w.refuse(w.pay(job), &[], "NothingPayable");
    w.send(&[instruction::escrow::redirect(owner.pubkey(), job, w.north_tokens())], &[&owner]);
    w.send(&[w.pay(job)], &[]);
    assert_eq!(w.balance(&w.north_tokens()), shares().1);
    assert!(w.is_closed(&job));
}

#[test]
fn the_vault_cannot_be_reached_by_a_burn() {
    let mut w = World::new(Kind::Token2022);
    let (job, authority) = (w.delivered(), w.authority.insecure_clone());
    let vault = pda::vault(&job);
    let burn = token::burn(&w.token_program, &vault, &w.mint, &authority.pubkey(), &[], 1).unwrap();
    w.refuse(burn, &[&authority], "TokenError::OwnerMismatch");
}
