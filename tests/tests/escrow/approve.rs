use crate::settle::shares;
use joule_sdk::{instruction, Keypair, Signer};
use joule_tests::{swap, Kind, World, PRICE, RESULT};

#[test]
fn approval_pays_at_once() {
    let mut w = World::new(Kind::Classic);
    let before = w.balance(&w.alice_tokens());
    let (job, alice) = (w.delivered(), w.alice.insecure_clone());
    w.send(&[w.approve(job)], &[&alice]);
    let (fee, provider) = shares();
    assert_eq!((w.balance(&w.north_tokens()), w.balance(&w.fee_vault())), (provider, fee));
    assert_eq!(w.balance(&w.alice_tokens()), before - PRICE);
    assert!(w.is_closed(&job));
}

#[test]
fn approval_names_the_result_it_means() {
    let mut w = World::new(Kind::Classic);
    let (job, alice) = (w.delivered(), w.alice.insecure_clone());
    let state = w.job(&job);
    let approve = instruction::escrow::approve(job, &state, w.token_program, [9; 32]);
    w.refuse(approve, &[&alice], "WrongResult");
}

#[test]
fn only_the_client_approves() {
    let mut w = World::new(Kind::Classic);
    let (job, north, mallory) = (w.delivered(), w.north.insecure_clone(), Keypair::new());
    for thief in [&north, &mallory] {
        let mut approve = w.approve(job);
        approve.accounts[0].pubkey = thief.pubkey();
        w.refuse(approve, &[thief], "NotClient");
    }
    let mut unsigned = w.approve(job);
    unsigned.accounts[0].is_signer = false;
    w.refuse(unsigned, &[], "MissingRequiredSignature");
}

#[test]
fn nothing_is_approved_before_it_is_delivered() {
    let mut w = World::new(Kind::Classic);
    let (accepted, alice) = (w.accepted(), w.alice.insecure_clone());
    let state = w.job(&accepted);
    let approve = instruction::escrow::approve(accepted, &state, w.token_program, RESULT);
    w.refuse(approve, &[&alice], "WrongState");
}

#[test]
fn wrong_accounts_are_rejected() {
    let mut w = World::new(Kind::Classic);
    let (job, alice, mallory) = (w.delivered(), w.alice.insecure_clone(), Keypair::new());
    let thief = w.token_account(&mallory.pubkey());
    let (state, approve) = (w.job(&job), w.approve(job));
    w.refuse(swap(approve.clone(), state.vault, thief), &[&alice], "WrongVault");
    w.refuse(swap(approve.clone(), state.payout, thief), &[&alice], "WrongPayout");
    w.refuse(swap(approve.clone(), state.fee_vault, thief), &[&alice], "WrongFeeVault");
    w.refuse(swap(approve, state.refund, thief), &[&alice], "WrongRefund");
}
