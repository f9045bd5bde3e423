use joule_sdk::{instruction, pda, Keypair, Signer};
use joule_tests::{swap, Kind, World};

#[test]
fn a_job_that_nobody_accepts_is_refunded_by_anyone() {
    let mut w = World::new(Kind::Classic);
    let tokens = w.balance(&w.alice_tokens());
    let job = w.opened();
    w.set_time(w.job(&job).accept_by.get() + 1);
    w.send(&[w.expire(job)], &[]);
    assert_eq!(w.balance(&w.alice_tokens()), tokens);
    assert!(w.is_closed(&job) && w.is_closed(&pda::vault(&job)));
}

#[test]
fn expire_before_the_deadline_is_rejected() {
    let mut w = World::new(Kind::Classic);
    let (open, accepted) = (w.opened(), w.accepted());
    w.refuse(w.expire(open), &[], "NotExpired");
    w.refuse(w.expire(accepted), &[], "WrongState");
    w.set_time(w.job(&open).accept_by.get());
    w.refuse(w.expire(open), &[], "NotExpired");
}

#[test]
fn a_delivered_job_never_expires() {
    let mut w = World::new(Kind::Classic);
    let job = w.delivered();
    w.set_time(w.now() + 100_000_000);
    w.refuse(w.expire(job), &[], "WrongState");
}

#[test]
fn a_paused_service_still_refunds() {
    let mut w = World::new(Kind::Classic);
    let (job, guardian) = (w.opened(), w.guardian.insecure_clone());
    w.send(&[instruction::treasury::pause(guardian.pubkey(), 0)], &[&guardian]);
    w.set_time(w.now() + 601);
    w.send(&[w.expire(job)], &[]);
    assert!(w.is_closed(&job));
}

#[test]
fn wrong_accounts_are_rejected() {
    let mut w = World::new(Kind::Classic);
    let (job, mallory) = (w.opened(), Keypair::new());
    let thief = w.token_account(&mallory.pubkey());
    w.set_time(w.now() + 601);
    let (state, expire) = (w.job(&job), w.expire(job));
    w.refuse(swap(expire.clone(), state.refund, thief), &[], "WrongRefund");
    w.refuse(swap(expire.clone(), state.vault, thief), &[], "WrongVault");
    w.refuse(swap(expire, state.rent_payer, mallory.pubkey()), &[], "WrongRentPayer");
}
