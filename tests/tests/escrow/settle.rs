use joule_sdk::{instruction, pda, Keypair, Signer};
use joule_tests::{swap, Kind, World, BUDGET, FEE_BPS, PRICE};

/// `floor(price * bps / 10_000)`, and the rest.
pub fn shares() -> (u64, u64) {
    let fee = (PRICE as u128 * FEE_BPS as u128 / 10_000) as u64;
    (fee, PRICE - fee)
}

#[test]
fn silence_pays_the_provider_the_protocol_and_the_client_and_closes_everything() {
    let mut w = World::new(Kind::Classic);
    let rent_before = w.lamports(&w.alice.pubkey());
    let tokens_before = w.balance(&w.alice_tokens());
    let job = w.delivered();
    let vault = pda::vault(&job);
    w.set_time(w.job(&job).settle_after.get());
    w.send(&[w.settle(job)], &[]);
    let (fee, provider) = shares();
    assert_eq!(w.balance(&w.north_tokens()), provider);
    assert_eq!(w.balance(&w.fee_vault()), fee);
    assert_eq!(w.balance(&w.alice_tokens()), tokens_before - PRICE);
    assert!(w.is_closed(&job) && w.is_closed(&vault));
    // All the rent came back, but for the client's counter, which stays.
    let counter = w.lamports(&pda::client(&w.alice.pubkey()));
    assert_eq!(w.lamports(&w.alice.pubkey()), rent_before - counter);
}

#[test]
fn the_whole_budget_can_be_the_price() {
    let mut w = World::new(Kind::Classic);
    let (job, north) = (w.opened(), w.north.insecure_clone());
    w.send(&[instruction::escrow::accept(north.pubkey(), job, w.north_tokens(), BUDGET)], &[&north]);
    w.send(&[w.submit(job)], &[&north]);
    w.set_time(w.now() + 120);
    w.send(&[w.settle(job)], &[]);
    assert_eq!(w.balance(&w.north_tokens()) + w.balance(&w.fee_vault()), BUDGET);
    assert!(w.is_closed(&job));
}

#[test]
fn settle_before_the_review_window_has_passed_is_rejected() {
    let mut w = World::new(Kind::Classic);
    let job = w.delivered();
    w.refuse(w.settle(job), &[], "ReviewWindowOpen");
    w.set_time(w.job(&job).settle_after.get() - 1);
    w.refuse(w.settle(job), &[], "ReviewWindowOpen");
}

#[test]
fn settle_of_an_open_or_accepted_job_is_rejected() {
    let mut w = World::new(Kind::Classic);
    let (open, accepted) = (w.opened(), w.accepted());
    w.set_time(w.now() + 100_000);
    w.refuse(w.settle(accepted), &[], "WrongState");
    w.refuse(swap(w.settle(open), w.job(&open).payout, w.north_tokens()), &[], "WrongState");
}

#[test]
fn a_paused_service_still_pays() {
    let mut w = World::new(Kind::Classic);
    let (job, guardian) = (w.delivered(), w.guardian.insecure_clone());
    w.send(&[instruction::treasury::pause(guardian.pubkey(), 0)], &[&guardian]);
    w.set_time(w.now() + 120);
    w.send(&[w.settle(job)], &[]);
    assert!(w.is_closed(&job));
}

#[test]
fn a_fee_change_does_not_touch_a_job_that_is_open() {
    let mut w = World::new(Kind::Classic);
    let (job, authority) = (w.delivered(), w.authority.insecure_clone());
    w.send(&[instruction::treasury::stage_fee(authority.pubkey(), 0, FEE_BPS + 100)], &[&authority]);
    w.set_time(w.now() + 2 * 86_400);
    w.send(&[instruction::treasury::apply_fee(0)], &[]);
    w.send(&[w.settle(job)], &[]);
    assert_eq!(w.balance(&w.fee_vault()), shares().0);
}

#[test]
fn a_provider_that_has_retired_is_paid_all_the_same() {
    let mut w = World::new(Kind::Classic);
    let (job, north) = (w.delivered(), w.north.insecure_clone());
    w.send(&[instruction::registry::retire(north.pubkey(), north.pubkey())], &[&north]);
    w.set_time(w.now() + 120);
    w.send(&[w.settle(job)], &[]);
    assert_eq!(w.balance(&w.north_tokens()), shares().1);
}

#[test]
fn every_account_is_the_one_that_the_job_names() {
    let mut w = World::new(Kind::Classic);
    let job = w.delivered();
    let second = w.delivered();
    w.set_time(w.now() + 120);
    let mallory = Keypair::new();
    let thief = w.token_account(&mallory.pubkey());
    let state = w.job(&job);
    let settle = w.settle(job);
    w.refuse(swap(settle.clone(), state.vault, w.job(&second).vault), &[], "WrongVault");
    w.refuse(swap(settle.clone(), state.vault, thief), &[], "WrongVault");
    w.refuse(swap(settle.clone(), state.payout, thief), &[], "WrongPayout");
    w.refuse(swap(settle.clone(), state.fee_vault, thief), &[], "WrongFeeVault");
    w.refuse(swap(settle.clone(), state.refund, thief), &[], "WrongRefund");
    w.refuse(swap(settle.clone(), state.rent_payer, mallory.pubkey()), &[], "WrongRentPayer");
    w.refuse(swap(settle.clone(), job, second), &[], "WrongVault");
    w.refuse(swap(settle.clone(), job, pda::provider(&w.north.pubkey())), &[], "AccountDataTooSmall");
    w.refuse(swap(settle.clone(), w.token_program, joule_sdk::escrow::ID), &[], "IncorrectProgramId");
    // Through the other token program nobody could be paid, and everything would become a debt.
    w.refuse(swap(settle, w.token_program, Kind::Token2022.program()), &[], "WrongTokenProgram");
}
