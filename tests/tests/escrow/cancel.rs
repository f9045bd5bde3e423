use joule_sdk::{pda, Keypair, Signer};
use joule_tests::{swap, Kind, World, BUDGET};

#[test]
fn cancel_returns_budget_and_rent() {
    let mut w = World::new(Kind::Classic);
    let (tokens, lamports) = (w.balance(&w.alice_tokens()), w.lamports(&w.alice.pubkey()));
    let (job, alice) = (w.opened(), w.alice.insecure_clone());
    w.send(&[w.cancel(job)], &[&alice]);
    assert_eq!(w.balance(&w.alice_tokens()), tokens);
    assert_eq!(w.lamports(&alice.pubkey()), lamports - w.lamports(&pda::client(&alice.pubkey())));
    assert!(w.is_closed(&job) && w.is_closed(&pda::vault(&job)));
}

#[test]
fn an_accepted_or_delivered_job_cannot_be_cancelled() {
    let mut w = World::new(Kind::Classic);
    let (accepted, delivered, alice) = (w.accepted(), w.delivered(), w.alice.insecure_clone());
    w.refuse(w.cancel(accepted), &[&alice], "WrongState");
    w.refuse(w.cancel(delivered), &[&alice], "WrongState");
}

#[test]
fn only_the_client_cancels() {
    let mut w = World::new(Kind::Classic);
    let (job, mallory) = (w.opened(), Keypair::new());
    let mut cancel = w.cancel(job);
    cancel.accounts[0].pubkey = mallory.pubkey();
    w.refuse(cancel.clone(), &[&mallory], "NotClient");
    cancel.accounts[0].pubkey = w.alice.pubkey();
    cancel.accounts[0].is_signer = false;
    w.refuse(cancel, &[], "MissingRequiredSignature");
}

#[test]
fn wrong_accounts_are_rejected() {
    let mut w = World::new(Kind::Classic);
    let (job, alice, mallory) = (w.opened(), w.alice.insecure_clone(), Keypair::new());
    let thief = w.token_account(&mallory.pubkey());
    let (state, cancel) = (w.job(&job), w.cancel(job));
    w.refuse(swap(cancel.clone(), state.refund, thief), &[&alice], "WrongRefund");
    w.refuse(swap(cancel.clone(), state.vault, thief), &[&alice], "WrongVault");
    assert_eq!(cancel.accounts[4].pubkey, state.rent_payer);
    let mut rent_thief = cancel;
    rent_thief.accounts[4].pubkey = mallory.pubkey();
    w.refuse(rent_thief, &[&alice], "WrongRentPayer");
    assert_eq!(w.balance(&state.vault), BUDGET);
}
