//! Providers: identities and what they state about themselves.

use crate::world;
use joule_sdk::{
    instruction::registry::{register, retire, set_status, update},
    pda,
    registry::state::{Attributes, Profile, Provider, ProviderStatus},
    Keypair, Pubkey, Signer,
};
use joule_tests::{swap, World};

fn registered(w: &mut World) -> (Keypair, Pubkey) {
    let north = w.north.insecure_clone();
    w.send(&[register(north.pubkey(), north.pubkey(), w.profile())], &[&north]);
    let address = pda::provider(&north.pubkey());
    (north, address)
}

#[test]
fn register_records_the_profile_and_is_active() {
    let mut w = world();
    let (north, address) = registered(&mut w);
    let provider: Provider = w.get(&address);
    assert_eq!((provider.authority, provider.rent_payer), (north.pubkey(), north.pubkey()));
    assert_eq!(provider.payout_owner, w.north_payout.pubkey());
    assert_eq!(provider.attributes(), w.profile().attributes);
    assert_eq!((provider.status, provider.capacity.get()), (ProviderStatus::Active as u8, 2));
    assert_eq!((provider.registered_at.get(), provider.updated_at.get()), (w.now(), w.now()));
}

#[test]
fn a_provider_registers_once() {
    let mut w = world();
    let (north, _) = registered(&mut w);
    let again = register(north.pubkey(), north.pubkey(), w.profile());
    assert!(w.attempt(&[again], &[&north]).is_err());
}

#[test]
fn a_profile_that_cannot_be_paid_or_cannot_work_is_rejected() {
    let mut w = world();
    let north = w.north.insecure_clone();
    let unpaid = Profile { payout_owner: Pubkey::default(), ..w.profile() };
    let idle = Profile { capacity: 0, ..w.profile() };
    w.refuse(register(north.pubkey(), north.pubkey(), unpaid), &[&north], "NoPayoutOwner");
    w.refuse(register(north.pubkey(), north.pubkey(), idle), &[&north], "ZeroCapacity");
    registered(&mut w);
    w.refuse(update(north.pubkey(), unpaid), &[&north], "NoPayoutOwner");
    w.refuse(update(north.pubkey(), idle), &[&north], "ZeroCapacity");
}

#[test]
fn register_needs_the_authoritys_own_signature() {
    let mut w = world();
    let (victim, mallory) = (Keypair::new(), Keypair::new());
    w.svm.airdrop(&mallory.pubkey(), 1_000_000_000).unwrap();
    let mut steal = register(mallory.pubkey(), victim.pubkey(), w.profile());
    steal.accounts[1].is_signer = false;
    w.refuse(steal, &[&mallory], "MissingRequiredSignature");
}

#[test]
fn register_at_another_address_is_rejected() {
    let mut w = world();
    let north = w.north.insecure_clone();
    let register = register(north.pubkey(), north.pubkey(), w.profile());
    let other = pda::provider(&w.alice.pubkey());
    w.refuse(swap(register, pda::provider(&north.pubkey()), other), &[&north], "InvalidSeeds");
}

#[test]
fn lamports_sent_ahead_do_not_keep_a_provider_from_registering() {
    let mut w = world();
    let address = pda::provider(&w.north.pubkey());
    w.svm.airdrop(&address, 1_000_000).unwrap();
    registered(&mut w);
}

#[test]
fn update_replaces_the_profile_and_keeps_the_identity() {
    let mut w = world();
    let (north, address) = registered(&mut w);
    w.set_time(w.now() + 10);
    let attributes = Attributes { gpu_count: 8, region: 3, ..Default::default() };
    let profile = Profile { payout_owner: w.alice.pubkey(), capacity: 9, attributes, ..w.profile() };
    w.send(&[update(north.pubkey(), profile)], &[&north]);
    let provider: Provider = w.get(&address);
    assert_eq!((provider.authority, provider.payout_owner), (north.pubkey(), w.alice.pubkey()));
    assert_eq!((provider.attributes(), provider.capacity.get()), (attributes, 9));
    assert_eq!((provider.registered_at.get(), provider.updated_at.get()), (w.now() - 10, w.now()));
}

#[test]
fn set_status_pauses_and_resumes_and_takes_nothing_else() {
    let mut w = world();
    let (north, address) = registered(&mut w);
    for status in [ProviderStatus::Paused, ProviderStatus::Active] {
        w.send(&[set_status(north.pubkey(), status)], &[&north]);
        assert_eq!(w.get::<Provider>(&address).status, status as u8);
    }
    let mut unknown = set_status(north.pubkey(), ProviderStatus::Active);
    for number in [0, 3, 255] {
        *unknown.data.last_mut().unwrap() = number;
        w.refuse(unknown.clone(), &[&north], "UnknownStatus");
    }
}

#[test]
fn retire_closes_the_account_and_returns_the_rent_to_whoever_paid() {
    let mut w = world();
    let (north, sponsor) = (w.north.insecure_clone(), w.alice.insecure_clone());
    let before = w.lamports(&sponsor.pubkey());
    w.send(&[register(sponsor.pubkey(), north.pubkey(), w.profile())], &[&north, &sponsor]);
    assert!(w.lamports(&sponsor.pubkey()) < before);
    w.refuse(retire(north.pubkey(), north.pubkey()), &[&north], "WrongRentPayer");
    w.send(&[retire(north.pubkey(), sponsor.pubkey())], &[&north]);
    assert_eq!(w.lamports(&sponsor.pubkey()), before);
    assert!(w.is_closed(&pda::provider(&north.pubkey())));
}

#[test]
fn a_retired_provider_may_register_again() {
    let mut w = world();
    let (north, address) = registered(&mut w);
    w.send(&[retire(north.pubkey(), north.pubkey())], &[&north]);
    registered(&mut w);
    assert_eq!(w.get::<Provider>(&address).authority, north.pubkey());
}

#[test]
fn only_the_authority_changes_or_retires_a_provider() {
    let mut w = world();
    let (north, address) = registered(&mut w);
    let mallory = Keypair::new();
    let own = pda::provider(&mallory.pubkey());
    for instruction in [
        update(mallory.pubkey(), w.profile()),
        set_status(mallory.pubkey(), ProviderStatus::Paused),
        retire(mallory.pubkey(), north.pubkey()),
    ] {
        w.refuse(swap(instruction, own, address), &[&mallory], "NotAuthority");
    }
    for mut instruction in [
        update(north.pubkey(), w.profile()),
        set_status(north.pubkey(), ProviderStatus::Paused),
        retire(north.pubkey(), north.pubkey()),
    ] {
        instruction.accounts[0].is_signer = false;
        w.refuse(instruction, &[], "MissingRequiredSignature");
    }
}

#[test]
fn accounts_of_other_programs_and_kinds_are_rejected() {
    let mut w = world();
    let (north, address) = registered(&mut w);
    let set = set_status(north.pubkey(), ProviderStatus::Paused);
    w.refuse(swap(set.clone(), address, pda::accepted_mint(&w.mint)), &[&north], "AccountDataTooSmall");
    w.refuse(swap(set.clone(), address, w.mint), &[&north], "AccountDataTooSmall");
    w.refuse(swap(set, address, Pubkey::new_unique()), &[&north], "AccountDataTooSmall");
}
