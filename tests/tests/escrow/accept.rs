use joule_sdk::{
    escrow::state::JobStatus,
    instruction, pda,
    registry::state::{Profile, ProviderStatus},
    Keypair, Signer,
};
use joule_tests::{swap, Kind, World, BUDGET, PRICE};

#[test]
fn accept_fixes_price_provider_and_deadline() {
    let mut w = World::new(Kind::Classic);
    let address = w.accepted();
    let job = w.job(&address);
    assert_eq!(job.status, JobStatus::Accepted as u8);
    assert_eq!((job.provider, job.provider_authority), (pda::provider(&w.north.pubkey()), w.north.pubkey()));
    assert_eq!((job.payout, job.payout_owner), (w.north_tokens(), w.north_payout.pubkey()));
    assert_eq!((job.price.get(), job.deliver_by.get()), (PRICE, w.now() + 300));
    assert_eq!(w.balance(&job.vault), BUDGET);
}

#[test]
fn accept_at_the_last_second_is_in_time_and_a_second_later_is_not() {
    let mut w = World::new(Kind::Classic);
    let north = w.north.insecure_clone();
    let (first, second) = (w.opened(), w.opened());
    w.set_time(w.job(&first).accept_by.get());
    w.send(&[w.accept(first)], &[&north]);
    w.set_time(w.now() + 1);
    w.refuse(w.accept(second), &[&north], "AcceptWindowClosed");
}

#[test]
fn a_price_of_nothing_or_above_the_budget_is_rejected() {
    let mut w = World::new(Kind::Classic);
    let (job, north) = (w.opened(), w.north.insecure_clone());
    for price in [0, BUDGET + 1, u64::MAX] {
        let accept = w.accept_for(job, price);
        w.refuse(accept, &[&north], "PriceOutOfRange");
    }
}

#[test]
fn a_job_is_accepted_once() {
    let mut w = World::new(Kind::Classic);
    let (job, north) = (w.accepted(), w.north.insecure_clone());
    w.refuse(w.accept(job), &[&north], "WrongState");
    w.send(&[w.submit(job)], &[&north]);
    w.refuse(w.accept(job), &[&north], "WrongState");
}

#[test]
fn only_the_providers_authority_accepts() {
    let mut w = World::new(Kind::Classic);
    let (job, mallory) = (w.opened(), Keypair::new());
    let mut accept = swap(w.accept(job), w.north.pubkey(), mallory.pubkey());
    w.refuse(accept.clone(), &[&mallory], "NotProviderAuthority");
    accept = w.accept(job);
    accept.accounts[0].pubkey = w.alice.pubkey();
    accept.accounts[1].is_signer = false;
    let alice = w.alice.insecure_clone();
    w.refuse(accept, &[&alice], "MissingRequiredSignature");
}

#[test]
fn a_paused_or_retired_provider_accepts_nothing() {
    let mut w = World::new(Kind::Classic);
    let (job, north) = (w.opened(), w.north.insecure_clone());
    w.send(&[instruction::registry::set_status(north.pubkey(), ProviderStatus::Paused)], &[&north]);
    w.refuse(w.accept(job), &[&north], "ProviderNotActive");
    w.send(&[instruction::registry::retire(north.pubkey(), north.pubkey())], &[&north]);
    w.refuse(w.accept(job), &[&north], "UninitializedAccount");
}

#[test]
fn a_paused_service_lets_nobody_accept() {
    let mut w = World::new(Kind::Classic);
    let (job, north, guardian) = (w.opened(), w.north.insecure_clone(), w.guardian.insecure_clone());
    w.send(&[instruction::treasury::pause(guardian.pubkey(), 0)], &[&guardian]);
    w.refuse(w.accept(job), &[&north], "Paused");
}

#[test]
fn the_payout_account_must_be_the_payout_owners_and_able_to_receive() {
    let mut w = World::new(Kind::Classic);
    let (job, north) = (w.opened(), w.north.insecure_clone());
    let (payout, vault) = (w.north_tokens(), w.job(&job).vault);
    let hot = w.token_account(&north.pubkey());
    w.refuse(swap(w.accept(job), payout, hot), &[&north], "WrongPayoutOwner");
    w.refuse(swap(w.accept(job), payout, vault), &[&north], "PaysItself");
    w.refuse(swap(w.accept(job), payout, w.mint), &[&north], "CannotReceive");
    w.refuse(swap(w.accept(job), payout, Keypair::new().pubkey()), &[&north], "CannotReceive");
    let other_mint = w.create_mint(Kind::Classic, &[], &[]);
    let other = w.extra_token_account(&w.north_payout.pubkey(), &other_mint, &[]);
    w.refuse(swap(w.accept(job), payout, other), &[&north], "CannotReceive");
    w.freeze(&payout);
    w.refuse(w.accept(job), &[&north], "CannotReceive");
}

#[test]
fn wrong_accounts_are_rejected() {
    let mut w = World::new(Kind::Classic);
    let (job, north) = (w.opened(), w.north.insecure_clone());
    let (provider, protocol) = (pda::provider(&north.pubkey()), pda::protocol());
    let accept = w.accept(job);
    w.refuse(swap(accept.clone(), provider, protocol), &[&north], "IllegalOwner");
    w.refuse(swap(accept.clone(), provider, w.north_tokens()), &[&north], "IllegalOwner");
    w.refuse(swap(accept.clone(), job, pda::client(&w.alice.pubkey())), &[&north], "AccountDataTooSmall");
    w.refuse(swap(accept.clone(), job, provider), &[&north], "ConstraintDuplicateMutableAccount");
    w.refuse(swap(accept.clone(), protocol, pda::accepted_mint(&w.mint)), &[&north], "AccountDataTooSmall");
    w.refuse(swap(accept, protocol, provider), &[&north], "IllegalOwner");
}

#[test]
fn somebody_elses_provider_account_does_not_help() {
    let mut w = World::new(Kind::Classic);
    let (job, mallory) = (w.opened(), Keypair::new());
    let profile = Profile { payout_owner: mallory.pubkey(), ..w.profile() };
    let stranger = w.stranger.insecure_clone();
    let register = instruction::registry::register(stranger.pubkey(), mallory.pubkey(), profile);
    w.send(&[register], &[&mallory]);
    let accept = swap(w.accept(job), w.north.pubkey(), mallory.pubkey());
    w.refuse(accept, &[&mallory], "NotProviderAuthority");
}
