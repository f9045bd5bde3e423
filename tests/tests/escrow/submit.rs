use joule_sdk::{escrow::state::JobStatus, instruction, pda, Keypair, Signer};
use joule_tests::{swap, Kind, World, RESULT};

#[test]
fn submit_records_the_result_and_opens_the_review() {
    let mut w = World::new(Kind::Classic);
    let address = w.delivered();
    let job = w.job(&address);
    assert_eq!((job.status, job.result_hash), (JobStatus::Delivered as u8, RESULT));
    assert_eq!(job.settle_after.get(), w.now() + 120);
}

#[test]
fn submit_at_the_last_second_is_in_time_and_a_second_later_is_not() {
    let mut w = World::new(Kind::Classic);
    let north = w.north.insecure_clone();
    let (first, second) = (w.accepted(), w.accepted());
    w.set_time(w.job(&first).deliver_by.get());
    w.send(&[w.submit(first)], &[&north]);
    w.set_time(w.now() + 1);
    w.refuse(w.submit(second), &[&north], "WorkWindowClosed");
}

#[test]
fn a_result_is_submitted_once_and_never_changed() {
    let mut w = World::new(Kind::Classic);
    let (job, north) = (w.delivered(), w.north.insecure_clone());
    w.refuse(instruction::escrow::submit(north.pubkey(), job, [8; 32]), &[&north], "WrongState");
}

#[test]
fn an_open_job_takes_no_result() {
    let mut w = World::new(Kind::Classic);
    let (job, mallory) = (w.opened(), Keypair::new());
    // No provider yet: no signer can match the zero address.
    w.refuse(instruction::escrow::submit(mallory.pubkey(), job, RESULT), &[&mallory], "NotProvider");
}

#[test]
fn an_empty_result_is_rejected() {
    let mut w = World::new(Kind::Classic);
    let (job, north) = (w.accepted(), w.north.insecure_clone());
    w.refuse(instruction::escrow::submit(north.pubkey(), job, [0; 32]), &[&north], "MissingResult");
}

#[test]
fn only_the_provider_that_accepted_submits() {
    let mut w = World::new(Kind::Classic);
    let (job, mallory, alice) = (w.accepted(), Keypair::new(), w.alice.insecure_clone());
    for thief in [&mallory, &alice] {
        w.refuse(instruction::escrow::submit(thief.pubkey(), job, RESULT), &[thief], "NotProvider");
    }
    let mut unsigned = w.submit(job);
    unsigned.accounts[0].is_signer = false;
    w.refuse(unsigned, &[], "MissingRequiredSignature");
}

#[test]
fn wrong_accounts_are_rejected() {
    let mut w = World::new(Kind::Classic);
    let (job, north) = (w.accepted(), w.north.insecure_clone());
    let submit = w.submit(job);
    w.refuse(swap(submit.clone(), job, pda::provider(&north.pubkey())), &[&north], "AccountDataTooSmall");
    w.refuse(swap(submit.clone(), job, pda::client(&w.alice.pubkey())), &[&north], "AccountDataTooSmall");
    w.refuse(swap(submit, pda::event_authority(&joule_sdk::escrow::ID), north.pubkey()), &[&north], "InvalidSeeds");
}

#[test]
fn a_paused_service_still_takes_results() {
    let mut w = World::new(Kind::Classic);
    let (job, north, guardian) = (w.accepted(), w.north.insecure_clone(), w.guardian.insecure_clone());
    w.send(&[instruction::treasury::pause(guardian.pubkey(), 0)], &[&guardian]);
    w.send(&[w.submit(job)], &[&north]);
}
