//! The fuzzer can fail: every kind of theft that it watches for is committed once, behind the programs' backs.

use crate::{
    actions,
    cast::Holder,
    chain,
    check::{self, Snapshot},
    model::Entry,
    run::{self, Shared},
    stage::Stage,
    story::Story,
};
use joule_sdk::{escrow::state::JobStatus, Pubkey};
use solana_account::Account;
use spl_token_2022_interface::instruction as token;

/// A world in which some things have happened, with a job in that state.
fn played(state: JobStatus) -> (Stage, Entry) {
    let mut stage = Stage::new(1);
    for _ in 0..20_000 {
        let found =
            stage.model.jobs().find(|entry| entry.job.status == state as u8 && entry.paid.provider == 0).cloned();
        if let Some(entry) = found {
            check::world(&mut stage).expect("a sound world");
            return (stage, entry);
        }
        actions::time::pass(&mut stage);
        let plan = actions::next(&mut stage);
        let _ = stage.send(&plan.instructions).expect("a sound world");
    }
    panic!("no job has become {state:?}");
}

fn change(stage: &mut Stage, address: &Pubkey, how: impl FnOnce(&mut Account)) {
    let mut account = stage.svm.get_account(address).expect("an account");
    how(&mut account);
    stage.svm.set_account(*address, account).expect("a writable account");
}

fn add(data: &mut [u8], place: usize, amount: i64) {
    let number = u64::from_le_bytes(data[place..place + 8].try_into().expect("eight bytes"));
    data[place..place + 8].copy_from_slice(&number.wrapping_add_signed(amount).to_le_bytes());
}

fn complaint(stage: &mut Stage) -> String {
    check::world(stage).expect_err("the theft must be noticed").to_string()
}

/// Where a token account says what it holds.
const AMOUNT: usize = 64;
const DISCRIMINATOR: usize = 8;

#[test]
fn a_job_that_owes_one_unit_too_many_is_noticed() {
    let (mut stage, entry) = played(JobStatus::Settled);
    let place = DISCRIMINATOR + std::mem::offset_of!(joule_sdk::escrow::state::Job, owed_provider);
    change(&mut stage, &entry.address, |account| add(&mut account.data, place, 1));
    assert!(complaint(&mut stage).contains("and owes"));
}

#[test]
fn a_unit_owed_to_the_wrong_party_is_noticed() {
    let (mut stage, entry) = played(JobStatus::Settled);
    let at = |field: usize| DISCRIMINATOR + field;
    change(&mut stage, &entry.address, |account| {
        add(&mut account.data, at(std::mem::offset_of!(joule_sdk::escrow::state::Job, owed_provider)), -1);
        add(&mut account.data, at(std::mem::offset_of!(joule_sdk::escrow::state::Job, owed_client)), 1);
    });
    let complaint = complaint(&mut stage);
    assert!(complaint.contains("who are due"), "{complaint}");
}

#[test]
fn a_unit_out_of_nowhere_is_noticed() {
    let (mut stage, _) = played(JobStatus::Open);
    let account = stage.cast.tokens[0].fee_vault;
    change(&mut stage, &account, |account| add(&mut account.data, AMOUNT, 1));
    assert!(complaint(&mut stage).contains("were made"));
}

#[test]
fn a_unit_that_moves_from_one_vault_to_another_is_noticed() {
    let (mut stage, entry) = played(JobStatus::Open);
    let token = stage.cast.token(&entry.job.mint).expect("a token of ours");
    let fee_vault = stage.cast.tokens[token].fee_vault;
    change(&mut stage, &entry.vault, |account| add(&mut account.data, AMOUNT, -1));
    change(&mut stage, &fee_vault, |account| add(&mut account.data, AMOUNT, 1));
    assert!(complaint(&mut stage).contains("and owes"));
}

#[test]
fn a_job_that_vanishes_is_noticed() {
    let (mut stage, entry) = played(JobStatus::Open);
    stage.svm.set_account(entry.address, Account::default()).expect("an account that is closed");
    assert!(complaint(&mut stage).contains("is gone"));
}

#[test]
fn units_that_move_without_a_word_are_noticed() {
    let (mut stage, _) = played(JobStatus::Open);
    let fits = |holder: &&Holder| {
        let [from, to] = holder.accounts[0].map(|address| chain::purse(&stage.svm, &address));
        from.is_some_and(|purse| purse.owner == holder.key && purse.amount > 0 && !purse.is_frozen)
            && to.is_some_and(|purse| !purse.is_frozen)
    };
    let Holder { key, accounts } = stage.cast.holders.iter().find(fits).expect("a holder with two accounts");
    // The plain transfer, which no action uses, so that the story says nothing about it.
    #[allow(deprecated)]
    let transfer = token::transfer(&stage.cast.tokens[0].program, &accounts[0][0], &accounts[0][1], key, &[], 1);
    let noticed = stage.send(&[transfer.expect("a token program")]).expect_err("the theft must be noticed");
    assert!(noticed.to_string().contains("was said to gain 0"), "{noticed}");
}

#[test]
fn lamports_that_reach_somebody_for_no_reason_are_noticed() {
    let (mut stage, _) = played(JobStatus::Open);
    let addresses = [stage.cast.crank, stage.cast.people[0].hot];
    let before = Snapshot::take(&stage.svm, &addresses);
    change(&mut stage, &addresses[1], |account| account.lamports += 1);
    let after = Snapshot::take(&stage.svm, &addresses);
    let noticed = check::step(&mut stage, &Story::default(), &before, &after, 0).expect_err("it must be noticed");
    assert!(noticed.to_string().contains("for no reason"), "{noticed}");
}

#[test]
fn the_same_seed_is_the_same_run() {
    let play = || {
        let ending = run::world(7, 1_500, &Shared::default());
        assert_eq!(ending.violation, None);
        ending.report.table().to_string()
    };
    assert_eq!(play(), play());
}
