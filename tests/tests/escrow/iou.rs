//! An account that cannot receive blocks nobody else, and what it is owed waits for it.

use crate::settle::shares;
use joule_sdk::{escrow::state::JobStatus, instruction, Keypair, Pubkey, Signer};
use joule_tests::{Kind, World, BUDGET, PRICE};

/// A job that was settled while `broken` could not receive.
fn settled(w: &mut World, job: Pubkey) {
    w.set_time(w.job(&job).settle_after.get());
    w.send(&[w.settle(job)], &[]);
}

#[test]
fn a_frozen_provider_account_blocks_neither_fee_nor_refund() {
    let mut w = World::new(Kind::Classic);
    let before = w.balance(&w.alice_tokens());
    let (job, payout) = (w.delivered(), w.north_tokens());
    w.freeze(&payout);
    settled(&mut w, job);
    let (fee, provider) = shares();
    let state = w.job(&job);
    assert_eq!(state.status, JobStatus::Settled as u8);
    assert_eq!((state.owed_provider.get(), state.owed_fee.get(), state.owed_client.get()), (provider, 0, 0));
    assert_eq!((w.balance(&w.fee_vault()), w.balance(&w.alice_tokens())), (fee, before - PRICE));
    assert_eq!(w.balance(&state.vault), provider);

    w.refuse(w.pay(job), &[], "NothingPayable");
    w.thaw(&payout);
    w.send(&[w.pay(job)], &[]);
    assert_eq!(w.balance(&payout), provider);
    assert!(w.is_closed(&job));
}

#[test]
fn a_closed_provider_account_is_paid_once_it_is_back() {
    let mut w = World::new(Kind::Classic);
    let (job, payout_owner) = (w.delivered(), w.north_payout.insecure_clone());
    let payout = w.north_tokens();
    w.close_token_account(&payout_owner, &payout);
    settled(&mut w, job);
    assert_eq!(w.job(&job).owed_provider.get(), shares().1);
    w.token_account(&payout_owner.pubkey());
    w.send(&[w.pay(job)], &[]);
    assert_eq!(w.balance(&payout), shares().1);
    assert!(w.is_closed(&job));
}

#[test]
fn a_payee_whose_account_is_frozen_for_ever_redirects_the_payment() {
    let mut w = World::new(Kind::Classic);
    let (job, payout_owner) = (w.delivered(), w.north_payout.insecure_clone());
    w.freeze(&w.north_tokens());
    settled(&mut w, job);
    let other = w.extra_token_account(&payout_owner.pubkey(), &w.mint.clone(), &[]);
    w.send(&[instruction::escrow::redirect(payout_owner.pubkey(), job, other)], &[&payout_owner]);
    w.send(&[w.pay(job)], &[]);
    assert_eq!(w.balance(&other), shares().1);
    assert!(w.is_closed(&job));
}

#[test]
fn a_frozen_client_account_does_not_keep_the_provider_waiting() {
    let mut w = World::new(Kind::Classic);
    let job = w.delivered();
    let tokens = w.alice_tokens();
    w.freeze(&tokens);
    settled(&mut w, job);
    assert_eq!(w.balance(&w.north_tokens()), shares().1);
    assert_eq!(w.job(&job).owed_client.get(), BUDGET - PRICE);
    w.thaw(&tokens);
    let before = w.balance(&tokens);
    w.send(&[w.pay(job)], &[]);
    assert_eq!(w.balance(&tokens), before + BUDGET - PRICE);
    assert!(w.is_closed(&job));
}

#[test]
fn a_frozen_fee_vault_does_not_keep_anybody_waiting() {
    let mut w = World::new(Kind::Classic);
    let job = w.delivered();
    let fees = w.fee_vault();
    w.freeze(&fees);
    settled(&mut w, job);
    assert_eq!(w.balance(&w.north_tokens()), shares().1);
    assert_eq!(w.job(&job).owed_fee.get(), shares().0);
    w.thaw(&fees);
    w.send(&[w.pay(job)], &[]);
    assert_eq!(w.balance(&fees), shares().0);
    assert!(w.is_closed(&job));
}

#[test]
fn when_nobody_can_receive_the_job_still_settles_and_everything_waits() {
    let mut w = World::new(Kind::Classic);
    let job = w.delivered();
    let accounts = [w.north_tokens(), w.fee_vault(), w.alice_tokens()];
    for account in &accounts {
        w.freeze(account);
    }
    settled(&mut w, job);
    let state = w.job(&job);
    assert_eq!(state.status, JobStatus::Settled as u8);
    assert_eq!(w.balance(&state.vault), BUDGET);
    w.refuse(w.pay(job), &[], "NothingPayable");
    for account in &accounts {
        w.thaw(account);
        w.send(&[w.pay(job)], &[]);
    }
    assert!(w.is_closed(&job));
    assert_eq!((w.balance(&accounts[0]), w.balance(&accounts[1])), (shares().1, shares().0));
}

#[test]
fn a_refund_that_cannot_be_received_waits() {
    let mut w = World::new(Kind::Classic);
    let (job, alice, tokens) = (w.opened(), w.alice.insecure_clone(), w.alice_tokens());
    w.freeze(&tokens);
    w.send(&[w.cancel(job)], &[&alice]);
    let state = w.job(&job);
    assert_eq!((state.status, state.owed_client.get()), (JobStatus::Refunded as u8, BUDGET));
    w.refuse(w.pay(job), &[], "NothingPayable");
    w.refuse(w.cancel(job), &[&alice], "WrongState");
    let other = w.extra_token_account(&alice.pubkey(), &w.mint.clone(), &[]);
    w.send(&[instruction::escrow::redirect(alice.pubkey(), job, other)], &[&alice]);
    w.send(&[w.pay(job)], &[]);
    assert_eq!(w.balance(&other), BUDGET);
    assert!(w.is_closed(&job));
}

#[test]
fn a_settled_job_with_debts_can_be_neither_expired_nor_approved_again() {
    let mut w = World::new(Kind::Classic);
    let (job, alice) = (w.delivered(), w.alice.insecure_clone());
    w.freeze(&w.north_tokens());
    settled(&mut w, job);
    w.set_time(w.now() + 10_000_000);
    w.refuse(w.expire(job), &[], "WrongState");
    w.refuse(w.approve(job), &[&alice], "WrongState");
    w.refuse(w.settle(job), &[], "WrongState");
    w.refuse(w.fail(job), &[], "WrongState");
    let mallory = Keypair::new();
    let thief = w.token_account(&mallory.pubkey());
    w.refuse(instruction::escrow::redirect(mallory.pubkey(), job, thief), &[&mallory], "NotPayee");
}

#[test]
fn what_is_to_come_out_of_a_frozen_vault_or_bond_waits_and_then_comes() {
    let mut w = World::new(Kind::Classic);
    let (job, late, before) = (w.delivered(), w.accepted(), w.balance(&w.alice_tokens()));
    let (vault, bond_vault, amount) = (w.job(&job).vault, w.bond_vault(), w.bond().amount.get());
    w.freeze(&vault);
    w.set_time(w.job(&job).settle_after.get());
    w.refuse(w.settle(job), &[], "TokenError::AccountFrozen");
    w.thaw(&vault);
    w.send(&[w.settle(job)], &[]);
    assert_eq!(w.balance(&w.north_tokens()), shares().1);
    w.freeze(&bond_vault);
    w.set_time(w.job(&late).deliver_by.get() + 1);
    w.refuse(w.fail(late), &[], "TokenError::AccountFrozen");
    // Until the claim has lapsed: the client has its budget then, and the bond is whole.
    w.set_time(w.now() + 120 + 31 * 24 * 60 * 60);
    let claim = w.job(&late).claim;
    w.send(&[instruction::staking::release_expired(claim, &w.get(&claim)), w.fail(late)], &[]);
    assert_eq!(w.balance(&w.alice_tokens()), before + BUDGET - PRICE + BUDGET);
    assert_eq!((w.bond().amount.get(), w.bond().locked.get()), (amount, 0));
}
