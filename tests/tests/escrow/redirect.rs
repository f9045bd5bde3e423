use joule_sdk::{instruction::escrow::redirect, Keypair, Signer};
use joule_tests::{Kind, World, RESULT};

#[test]
fn client_and_payout_owner_move_their_own_payment_and_no_other() {
    let mut w = World::new(Kind::Classic);
    let (job, mint) = (w.accepted(), w.mint);
    let (alice, owner) = (w.alice.insecure_clone(), w.north_payout.insecure_clone());
    let for_alice = w.extra_token_account(&alice.pubkey(), &mint, &[]);
    let for_north = w.extra_token_account(&owner.pubkey(), &mint, &[]);
    let before = w.job(&job);
    w.send(&[redirect(alice.pubkey(), job, for_alice)], &[&alice]);
    assert_eq!((w.job(&job).refund, w.job(&job).payout), (for_alice, before.payout));
    w.send(&[redirect(owner.pubkey(), job, for_north)], &[&owner]);
    assert_eq!((w.job(&job).refund, w.job(&job).payout), (for_alice, for_north));
}

#[test]
fn the_providers_working_key_cannot_redirect_its_earnings() {
    let mut w = World::new(Kind::Classic);
    let (job, north) = (w.delivered(), w.north.insecure_clone());
    let hot = w.token_account(&north.pubkey());
    w.refuse(redirect(north.pubkey(), job, hot), &[&north], "NotPayee");
}

#[test]
fn a_stranger_redirects_nothing() {
    let mut w = World::new(Kind::Classic);
    let (job, mallory) = (w.delivered(), Keypair::new());
    let thief = w.token_account(&mallory.pubkey());
    w.refuse(redirect(mallory.pubkey(), job, thief), &[&mallory], "NotPayee");
    let mut unsigned = redirect(w.alice.pubkey(), job, thief);
    unsigned.accounts[0].is_signer = false;
    w.refuse(unsigned, &[], "MissingRequiredSignature");
}

#[test]
fn the_new_account_must_be_able_to_receive_and_not_be_the_vault() {
    let mut w = World::new(Kind::Classic);
    let (job, alice) = (w.accepted(), w.alice.insecure_clone());
    let vault = w.job(&job).vault;
    let other_mint = w.create_mint(Kind::Classic, &[], &[]);
    let other = w.extra_token_account(&alice.pubkey(), &other_mint, &[]);
    w.refuse(redirect(alice.pubkey(), job, vault), &[&alice], "PaysItself");
    w.refuse(redirect(alice.pubkey(), job, other), &[&alice], "CannotReceive");
    w.refuse(redirect(alice.pubkey(), job, w.mint), &[&alice], "CannotReceive");
    w.refuse(redirect(alice.pubkey(), job, Keypair::new().pubkey()), &[&alice], "CannotReceive");
}

#[test]
fn nothing_is_redirected_while_a_settlement_is_due_or_when_nothing_is_owed() {
    let mut w = World::new(Kind::Classic);
    let (job, mint) = (w.delivered(), w.mint);
    let (alice, owner) = (w.alice.insecure_clone(), w.north_payout.insecure_clone());
    let other = w.extra_token_account(&alice.pubkey(), &mint, &[]);
    w.refuse(redirect(alice.pubkey(), job, other), &[&alice], "NothingToRedirect");
    w.refuse(redirect(owner.pubkey(), job, other), &[&owner], "NothingToRedirect");
    w.freeze(&w.alice_tokens());
    w.set_time(w.now() + 120);
    w.send(&[w.settle(job)], &[]);
    // The client is owed, the provider is not.
    w.refuse(redirect(owner.pubkey(), job, other), &[&owner], "NothingToRedirect");
}

#[test]
fn the_providers_payment_goes_to_accounts_of_the_payout_owner_only() {
    let mut w = World::new(Kind::Classic);
    let (job, mint, owner) = (w.accepted(), w.mint, w.north_payout.insecure_clone());
    let strange = w.extra_token_account(&w.alice.pubkey(), &mint, &[]);
    w.refuse(redirect(owner.pubkey(), job, strange), &[&owner], "WrongPayoutOwner");
}

#[test]
fn an_open_job_has_no_payout_owner_to_impersonate() {
    let mut w = World::new(Kind::Classic);
    let (job, owner) = (w.opened(), w.north_payout.insecure_clone());
    w.refuse(redirect(owner.pubkey(), job, w.north_tokens()), &[&owner], "NotPayee");
    assert_eq!(w.job(&job).result_hash, [0; RESULT.len()]);
}
