//! Services: admitted for ever under a number, after longer than it takes to leave, and named by the bonds that answer to them.

use joule_sdk::{
    instruction::staking::admit_service,
    pda,
    staking::{
        constants::{ADMISSION_DELAY, FIRST_DAY, UNBOND_DELAY},
        error::StakingError,
        state::Service,
    },
    Keypair, Pubkey, Signer,
};
use joule_tests::{
    named,
    staking::{BOND, DAY, OUTLAW, RIVAL, RIVAL_NUMBER, SERVICE, SERVICE_NUMBER},
    swap, Kind, World,
};

#[test]
fn the_authority_admits_a_program_and_the_signer_is_derived_on_chain() {
    let w = World::bonded(Kind::Classic);
    let service: Service = w.get(&pda::service(SERVICE_NUMBER));
    assert_eq!((service.program, service.signer), (SERVICE, pda::claim_signer(&SERVICE)));
    assert_eq!((service.number, service.admitted_at.get(), service.in_force_at.get()), (2, w.now(), w.now()));
    let rival: Service = w.get(&pda::service(RIVAL_NUMBER));
    assert_eq!((rival.signer, rival.number), (pda::claim_signer(&RIVAL), 3));
}

#[test]
fn nobody_else_admits_a_service() {
    let mut w = World::unbonded(Kind::Classic);
    let (authority, mallory) = (w.authority.insecure_clone(), w.alice.insecure_clone());
    let admit = admit_service(authority.pubkey(), OUTLAW, 2);
    w.refuse(swap(admit.clone(), authority.pubkey(), mallory.pubkey()), &[&mallory], "NotAuthority");
    w.refuse(swap(admit.clone(), pda::protocol(), pda::accepted_mint(&w.mint)), &[&authority], "AccountDataTooSmall");
    let mut unsigned = admit;
    unsigned.accounts[0].is_signer = false;
    w.refuse(unsigned, &[], "MissingRequiredSignature");
}

#[test]
fn a_number_is_one_program_for_ever() {
    let mut w = World::bonded(Kind::Classic);
    let authority = w.authority.insecure_clone();
    for program in [SERVICE, OUTLAW] {
        assert!(w.attempt(&[admit_service(authority.pubkey(), program, SERVICE_NUMBER)], &[&authority]).is_err());
    }
    w.refuse(admit_service(authority.pubkey(), OUTLAW, 200), &[&authority], "UnknownService");
    let mut w = World::unbonded(Kind::Classic);
    let elsewhere = swap(admit_service(authority.pubkey(), OUTLAW, 2), pda::service(2), pda::service(3));
    w.refuse(elsewhere, &[&authority], "InvalidSeeds");
}

/// The outlaw is admitted once the protocol's first day is over. Returns when it will be in force.
fn admitted_late(w: &mut World) -> i64 {
    let authority = w.authority.insecure_clone();
    w.svm.add_program_from_file(SERVICE, joule_tests::deployed("joule_test_service")).unwrap();
    w.set_time(w.now() + FIRST_DAY as i64);
    w.send(&[admit_service(authority.pubkey(), SERVICE, SERVICE_NUMBER)], &[&authority]);
    let service: Service = w.get(&pda::service(SERVICE_NUMBER));
    service.in_force_at.get()
}

#[test]
fn whoever_does_not_like_a_new_service_is_gone_before_it_is_in_force() {
    let mut w = World::unbonded(Kind::Classic);
    let (north, alice) = (w.north.insecure_clone(), w.alice.insecure_clone());
    w.send(&[w.open_bond(&north, w.north_payout.pubkey()), w.deposit_bond(&alice, 10_000)], &[&north, &alice]);
    let in_force_at = admitted_late(&mut w);
    assert_eq!(in_force_at, w.now() + ADMISSION_DELAY as i64);
    let lock = |w: &World| w.lock(Pubkey::new_unique(), 1, w.now() + DAY);
    w.refuse(w.name_service(&north, SERVICE_NUMBER, true), &[&north], "ServiceNotInForce");
    w.refuse(lock(&w), &[&alice], "ServiceNotInForce");
    // Seen at the last moment of the first day, there is time to leave.
    let cold = w.north_payout.insecure_clone();
    w.send(&[w.unbond(10_000)], &[&cold]);
    w.set_time(w.now() + UNBOND_DELAY as i64);
    w.send(&[w.withdraw_bond()], &[&cold]);
    w.set_time(in_force_at - 1);
    w.refuse(lock(&w), &[&alice], "ServiceNotInForce");
    w.set_time(in_force_at);
    w.refuse(lock(&w), &[&alice], "ServiceNotNamed");
}

#[test]
fn a_bond_answers_only_to_services_that_its_own_people_have_named() {
    let mut w = World::unbonded(Kind::Classic);
    let (north, alice, cold) = (w.north.insecure_clone(), w.alice.insecure_clone(), w.north_payout.insecure_clone());
    w.svm.add_program_from_file(SERVICE, joule_tests::deployed("joule_test_service")).unwrap();
    let authority = w.authority.insecure_clone();
    w.send(&[admit_service(authority.pubkey(), SERVICE, SERVICE_NUMBER)], &[&authority]);
    w.send(&[w.open_bond(&north, cold.pubkey()), w.deposit_bond(&alice, 10_000)], &[&north, &alice]);
    assert_eq!(w.bond().services, 0);
    let lock = |w: &World| w.lock(Pubkey::new_unique(), 1, w.now() + DAY);
    w.refuse(lock(&w), &[&alice], "ServiceNotNamed");
    for stranger in [&alice, &authority] {
        w.refuse(w.name_service(stranger, SERVICE_NUMBER, true), &[stranger], "NotBondsOwn");
    }
    let mut unsigned = w.name_service(&north, SERVICE_NUMBER, true);
    unsigned.accounts[0].is_signer = false;
    w.refuse(unsigned, &[], "MissingRequiredSignature");
    // Either of the two may, and each takes back what the other has named. Escrow and billing are others.
    for (namer, other) in [(&north, &cold), (&cold, &north)] {
        w.send(&[w.name_service(namer, SERVICE_NUMBER, true)], &[namer]);
        assert_eq!(w.bond().services, 1 << SERVICE_NUMBER);
        w.send(&[lock(&w)], &[&alice]);
        w.send(&[w.name_service(other, SERVICE_NUMBER, false)], &[other]);
        w.refuse(lock(&w), &[&alice], "ServiceNotNamed");
    }
    w.send(&[w.name_service(&north, 0, true)], &[&north]);
    w.refuse(lock(&w), &[&alice], "ServiceNotNamed");
}

#[test]
fn taking_a_name_back_ends_nothing_that_is_locked() {
    let mut w = World::bonded(Kind::Classic);
    let (north, alice) = (w.north.insecure_clone(), w.alice.insecure_clone());
    let (first, second) = (w.locked(1_000), w.locked(2_000));
    w.send(&[w.name_service(&north, SERVICE_NUMBER, false)], &[&north]);
    w.refuse(w.lock(first, 1, w.now() + DAY), &[&alice], "ServiceNotNamed");
    w.send(&[w.release(first, u64::MAX, u64::MAX)], &[]);
    w.send(&[w.slash(second, 500, true)], &[]);
    w.check_bond(&[first, second], 0);
}

#[test]
fn a_bond_that_was_closed_and_opened_again_answers_to_nobody_and_takes_no_deposit_that_was_meant_for_it() {
    let mut w = World::bonded(Kind::Classic);
    let (north, alice, cold) = (w.north.insecure_clone(), w.alice.insecure_clone(), w.north_payout.insecure_clone());
    // What alice has looked at, and is about to add to.
    let deposit = w.deposit_bond(&alice, 5_000);
    w.send(&[w.unbond(joule_tests::staking::BOND)], &[&cold]);
    w.set_time(w.now() + UNBOND_DELAY as i64);
    w.send(&[w.withdraw_bond(), w.close_bond()], &[&cold]);
    // Whoever has stolen the owner's hot key opens it for a withdrawer of its own.
    let thief = Keypair::new();
    w.send(&[w.open_bond(&north, thief.pubkey())], &[&north]);
    assert_eq!(w.bond().services, 0);
    w.refuse(deposit, &[&alice], "WrongWithdrawer");
}

/// Clients take the program that was called last and has not returned for the one that the line is about.
#[test]
fn what_a_called_program_refuses_is_named_once_and_as_its_own() {
    let mut w = World::bonded(Kind::Classic);
    let alice = w.alice.insecure_clone();
    let refused = w.attempt(&[w.lock(Pubkey::new_unique(), BOND + 1, w.now() + DAY)], &[&alice]).unwrap_err();
    assert_eq!(named(&refused.logs), [(&*refused.name, 6300 + StakingError::BondTooSmall as u32)]);
    let line = refused.logs.iter().position(|line| line.contains("AnchorError")).expect("a line");
    let mut called = Vec::new();
    for line in &refused.logs[..line] {
        match line.split_once(" invoke [") {
            Some((program, _)) => called.push(program.trim_start_matches("Program ").to_owned()),
            None if line.ends_with(" success") => drop(called.pop()),
            None => {}
        }
    }
    assert_eq!(called, [SERVICE, joule_sdk::staking::ID].map(|program| program.to_string()), "{:#?}", refused.logs);
    let failed = refused.logs[line..].iter().find(|line| line.contains(" failed: ")).expect("a line");
    assert!(failed.contains(&joule_sdk::staking::ID.to_string()), "{:#?}", refused.logs);
}
