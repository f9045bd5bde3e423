//! Whoever may name an account that is paid may name one that has another place in the step that pays it: a bond's own vault,
//! or the job's. An account in two places, of which one is written alone, would make that step fail for ever.

use joule_sdk::{
    escrow::state::{JobStatus, Verdict},
    instruction::{
        self,
        escrow::{Challenger, Provider},
    },
    pda,
    registry::state::Profile,
    staking::state::Bond,
    Keypair, Pubkey, Signer,
};
use joule_tests::{swap, Kind, World, BOND, EXPOSURE, RESULT, TRUTH};

fn bond_vault(w: &World, owner: &Keypair) -> Pubkey {
    pda::bond_vault(&pda::bond(&owner.pubkey(), &w.mint))
}

fn bonded(w: &World, owner: &Keypair) -> u64 {
    w.get::<Bond>(&pda::bond(&owner.pubkey(), &w.mint)).amount.get()
}

#[test]
fn a_liar_that_is_paid_into_its_bonds_vault_is_slashed_like_any_other() {
    let mut w = World::new(Kind::Classic);
    let north = w.north.insecure_clone();
    let profile = Profile { payout_owner: pda::bond(&north.pubkey(), &w.mint), ..w.profile() };
    w.send(&[instruction::registry::update(north.pubkey(), profile)], &[&north]);
    let (id, alice) = (w.next_id(), w.alice.insecure_clone());
    w.send(&[w.open(w.quorum_terms())], &[&alice]);
    let job = pda::job(&alice.pubkey(), id);
    let into_the_bond = Provider::new(north.pubkey(), bond_vault(&w, &north));
    let accept = instruction::escrow::accept(into_the_bond, job, &w.job(&job), EXPOSURE);
    w.send(&[accept], &[&north]);
    w.send(&[w.submit(job)], &[&north]);
    w.challenged(job);
    w.voted(job, &[TRUTH; 3]);
    w.send(&[w.resolve(job)], &[]);
    assert_eq!(w.dispute(&job).verdict, Verdict::Counter as u8);
    assert_eq!(w.job(&job).status, JobStatus::Refunded as u8);
    assert_eq!(bonded(&w, &north), BOND - EXPOSURE);
}

#[test]
fn a_challenger_that_is_paid_into_the_providers_bond_keeps_nobody_waiting() {
    for (truth, left) in [(TRUTH, BOND - EXPOSURE), (RESULT, BOND)] {
        let mut w = World::new(Kind::Token2022);
        let (job, north) = (w.delivered_by(w.quorum_terms()), w.north.insecure_clone());
        let carol = w.challenger();
        let account = bond_vault(&w, &north);
        let who =
            Challenger { challenger: carol.pubkey(), payer: carol.pubkey(), source: w.tokens_of(&carol), account };
        w.send(&[instruction::escrow::challenge(who, job, None, w.token_program, TRUTH)], &[&carol]);
        w.voted(job, &[truth; 3]);
        w.send(&[w.resolve(job)], &[]);
        assert_eq!(bonded(&w, &north), left);
    }
}

#[test]
fn a_job_that_is_refunded_into_the_providers_bond_still_fails() {
    let mut w = World::new(Kind::Classic);
    let (job, alice, north) = (w.accepted(), w.alice.insecure_clone(), w.north.insecure_clone());
    let account = bond_vault(&w, &north);
    w.send(&[instruction::escrow::redirect(alice.pubkey(), job, account)], &[&alice]);
    w.set_time(w.job(&job).deliver_by.get() + 1);
    w.send(&[w.fail(job)], &[]);
    assert!(w.is_closed(&job));
    assert_eq!(bonded(&w, &north), BOND - EXPOSURE);
}

#[test]
fn a_juror_that_is_paid_into_its_bond_is_slashed_like_any_other() {
    let mut w = World::new(Kind::Classic);
    let job = w.delivered_by(w.quorum_terms());
    w.challenged(job);
    let silent = w.provider(2 * EXPOSURE);
    let commit = w.commit(job, &silent, RESULT, EXPOSURE);
    w.send(&[swap(commit, w.tokens_of(&silent), bond_vault(&w, &silent))], &[&silent]);
    w.voted(job, &[TRUTH; 3]);
    w.send(&[w.resolve(job)], &[]);
    w.send(&[w.close_vote(job, 0, &silent)], &[]);
    assert_eq!(bonded(&w, &silent), EXPOSURE);
    assert_eq!(w.get::<Bond>(&pda::bond(&silent.pubkey(), &w.mint)).locked.get(), 0);
}

#[test]
fn a_juror_is_not_paid_into_the_jobs_vault() {
    let mut w = World::new(Kind::Classic);
    let job = w.delivered_by(w.quorum_terms());
    w.challenged(job);
    let juror = w.provider(EXPOSURE);
    let commit = w.commit(job, &juror, TRUTH, EXPOSURE);
    w.refuse(swap(commit, w.tokens_of(&juror), pda::vault(&job)), &[&juror], "PaysItself");

    let mut w = World::new(Kind::Classic);
    let resolvers = w.resolvers(&[EXPOSURE; 10]);
    let job = w.delivered_by(w.panel_terms());
    w.challenged(job);
    let (seat, member) = w.drawn(job, &resolvers).remove(0);
    let commit = w.commit_seat(job, seat, &member, TRUTH);
    w.refuse(swap(commit, w.tokens_of(&member), pda::vault(&job)), &[&member], "PaysItself");
}
