use joule_sdk::{
    instruction::staking::{admit_service, set_service},
    pda,
    staking::state::Service,
    Keypair, Pubkey, Signer,
};
use joule_tests::{
    staking::{DAY, OUTLAW, RIVAL, SERVICE},
    swap, Kind, World,
};

#[test]
fn the_authority_admits_a_program_and_the_signer_is_derived_on_chain() {
    let w = World::bonded(Kind::Classic);
    let service: Service = w.get(&pda::service(&SERVICE));
    assert_eq!((service.program, service.signer), (SERVICE, pda::claim_signer(&SERVICE)));
    assert_eq!((service.number, service.enabled, service.admitted_at.get()), (0, 1, w.now()));
    let rival: Service = w.get(&pda::service(&RIVAL));
    assert_eq!((rival.signer, rival.number), (pda::claim_signer(&RIVAL), 1));
}

#[test]
fn nobody_else_admits_or_changes_a_service() {
    let mut w = World::bonded(Kind::Classic);
    let (authority, mallory) = (w.authority.insecure_clone(), w.alice.insecure_clone());
    let admit = admit_service(authority.pubkey(), OUTLAW, 0);
    w.refuse(swap(admit.clone(), authority.pubkey(), mallory.pubkey()), &[&mallory], "NotAuthority");
    w.refuse(swap(admit, pda::protocol(), pda::accepted_mint(&w.mint)), &[&authority], "AccountDataTooSmall");
    let set = set_service(authority.pubkey(), SERVICE, false);
    w.refuse(swap(set.clone(), authority.pubkey(), mallory.pubkey()), &[&mallory], "NotAuthority");
    let mut unsigned = set;
    unsigned.accounts[0].is_signer = false;
    w.refuse(unsigned, &[], "MissingRequiredSignature");
}

#[test]
fn a_service_is_admitted_once_and_under_a_number_that_exists() {
    let mut w = World::bonded(Kind::Classic);
    let authority = w.authority.insecure_clone();
    assert!(w.attempt(&[admit_service(authority.pubkey(), SERVICE, 0)], &[&authority]).is_err());
    w.refuse(admit_service(authority.pubkey(), OUTLAW, 200), &[&authority], "UnknownService");
    let other = Keypair::new().pubkey();
    let elsewhere = swap(admit_service(authority.pubkey(), OUTLAW, 0), pda::service(&OUTLAW), pda::service(&other));
    w.refuse(elsewhere, &[&authority], "InvalidSeeds");
}

#[test]
fn a_dismissed_service_locks_nothing_new_and_ends_what_it_has() {
    let mut w = World::bonded(Kind::Classic);
    let (authority, alice) = (w.authority.insecure_clone(), w.alice.insecure_clone());
    let (first, second) = (w.locked(1_000), w.locked(2_000));
    w.send(&[set_service(authority.pubkey(), SERVICE, false)], &[&authority]);
    let subject = Pubkey::new_unique();
    w.refuse(w.lock(subject, 1, w.now() + DAY), &[&alice], "ServiceDisabled");
    w.refuse(w.lock(first, 1, w.now() + DAY), &[&alice], "ServiceDisabled");
    w.send(&[w.release(first, u64::MAX, u64::MAX)], &[]);
    w.send(&[w.slash(second, 500, true)], &[]);
    w.check_bond(&[first, second], 0);
    w.send(&[set_service(authority.pubkey(), SERVICE, true)], &[&authority]);
    w.send(&[w.lock(subject, 1, w.now() + DAY)], &[&alice]);
    w.check_bond(&[subject], 0);
}
