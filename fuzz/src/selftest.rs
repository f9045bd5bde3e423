//! The fuzzer can fail: every kind of theft that it watches for is committed once, behind the programs' backs.

mod billing;
mod guards;

use crate::{
    actions,
    cast::Holder,
    chain,
    check::{self, Snapshot},
    model::{Entry, Model},
    run::{self, Shared},
    stage::Stage,
    story::Story,
};
use joule_sdk::{
    escrow::state::{Bid, Dispute, Job, JobStatus, Panel, Resolver, Round, Vote},
    staking::state::{Bond, Claim, Pool, Stake},
    treasury::state::AcceptedMint,
    Pubkey,
};
use solana_account::Account;
use spl_token_2022_interface::instruction as token;
use std::mem::offset_of;

/// A sound world in which it has come to this.
fn until<T>(wanted: impl Fn(&Model) -> Option<T>) -> (Stage, T) {
    let mut stage = Stage::new(1);
    for _ in 0..60_000 {
        if let Some(found) = wanted(&stage.model) {
            check::world(&mut stage).expect("a sound world");
            return (stage, found);
        }
        actions::time::pass(&mut stage);
        let plan = actions::next(&mut stage);
        let _ = stage.send(&plan.instructions).expect("a sound world");
    }
    panic!("it has not come to this");
}

/// A world with a job in that state, undisputed and not paid yet.
fn played(state: JobStatus) -> (Stage, Entry) {
    until(|model| {
        let fits = |entry: &&Entry| {
            entry.job.status == state as u8 && entry.paid.provider == 0 && entry.job.challenger == Pubkey::default()
        };
        model.jobs.values().find(fits).cloned()
    })
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

/// Adds to a number in one of our accounts.
fn add_to(stage: &mut Stage, address: &Pubkey, field: usize, amount: i64) {
    change(stage, address, |account| add(&mut account.data, DISCRIMINATOR + field, amount));
}

/// Adds to what a token account holds.
fn pour(stage: &mut Stage, address: &Pubkey, amount: i64) {
    change(stage, address, |account| add(&mut account.data, AMOUNT, amount));
}

#[track_caller]
fn noticed(stage: &mut Stage, what: &str) {
    let complaint = check::world(stage).expect_err("the theft must be noticed").to_string();
    assert!(complaint.contains(what), "{complaint}");
}

/// Where a token account says what it holds.
const AMOUNT: usize = 64;
const DISCRIMINATOR: usize = 8;

#[test]
fn a_job_that_owes_one_unit_too_many_is_noticed() {
    let (mut stage, entry) = played(JobStatus::Settled);
    add_to(&mut stage, &entry.address, offset_of!(Job, owed_provider), 1);
    noticed(&mut stage, "differs at byte");
}

#[test]
fn a_unit_owed_to_the_wrong_party_is_noticed_even_if_the_events_say_so() {
    let is_owed = |entry: &&Entry| entry.job.owed_provider.get() > 0;
    let (mut stage, entry) = until(|model| model.jobs.values().find(is_owed).cloned());
    add_to(&mut stage, &entry.address, offset_of!(Job, owed_provider), -1);
    add_to(&mut stage, &entry.address, offset_of!(Job, owed_client), 1);
    let job = &mut stage.model.jobs.get_mut(&entry.address).expect("a job").job;
    job.owed_provider = (job.owed_provider.get() - 1).into();
    job.owed_client = (job.owed_client.get() + 1).into();
    noticed(&mut stage, "and due are");
}

#[test]
fn work_taken_with_a_smaller_bond_than_is_demanded_is_noticed() {
    let demands =
        |model: &Model| model.jobs.values().any(|entry| model.min_bonds.contains_key(&entry.job.requirements));
    let (mut stage, ()) = until(|model| demands(model).then_some(()));
    for _ in 0..60_000 {
        // As if the program had asked for less.
        stage.model.min_bonds.values_mut().for_each(|least| *least = u64::MAX);
        actions::time::pass(&mut stage);
        let plan = actions::next(&mut stage);
        if let Err(complaint) = stage.send(&plan.instructions) {
            assert!(complaint.to_string().contains("smaller bond than is demanded"), "{complaint}");
            return;
        }
    }
    panic!("nobody took such a job");
}

#[test]
fn a_unit_out_of_nowhere_is_noticed() {
    let (mut stage, _) = played(JobStatus::Open);
    let account = stage.cast.tokens[0].fee_vault;
    pour(&mut stage, &account, 1);
    noticed(&mut stage, "were made");
}

#[test]
fn a_unit_that_moves_from_one_vault_to_another_is_noticed() {
    let (mut stage, entry) = played(JobStatus::Open);
    let token = stage.cast.token(&entry.job.mint).expect("a token of ours");
    let fee_vault = stage.cast.tokens[token].fee_vault;
    pour(&mut stage, &entry.job.vault, -1);
    pour(&mut stage, &fee_vault, 1);
    noticed(&mut stage, "and owes");
}

#[test]
fn a_deposit_that_leaves_a_challenged_jobs_vault_is_noticed() {
    let (mut stage, entry) = until(|model| model.jobs.values().find(|entry| entry.job.status == 6).cloned());
    let token = stage.cast.token(&entry.job.mint).expect("a token of ours");
    let of_thief = stage.cast.holders[0].accounts[token];
    let account = of_thief.into_iter().find(|address| chain::purse(&stage.svm, address).is_some());
    pour(&mut stage, &entry.job.vault, -1);
    pour(&mut stage, &account.expect("a token account"), 1);
    noticed(&mut stage, "and owes");
}

#[test]
fn a_unit_taken_from_the_jurors_pot_is_noticed() {
    let has_pot = |entry: &&Entry| entry.job.owed_jurors.get() > 0;
    let (mut stage, entry) = until(|model| model.jobs.values().find(has_pot).cloned());
    add_to(&mut stage, &entry.address, offset_of!(Job, owed_jurors), -1);
    add_to(&mut stage, &entry.address, offset_of!(Job, owed_client), 1);
    noticed(&mut stage, "differs at byte");
}

#[test]
fn a_bond_that_claims_to_hold_more_is_noticed() {
    let (mut stage, bond) = until(|model| model.bonds.values().find(|bond| bond.locked > 0).copied());
    add_to(&mut stage, &bond.address, offset_of!(Bond, amount), 1);
    noticed(&mut stage, "amount, locked and unbonding");
}

#[test]
fn a_unit_that_leaves_a_bonds_vault_for_another_bonds_is_noticed() {
    let (mut stage, [one, other]) = until(|model| {
        let mut bonds = model.bonds.values().filter(|bond| bond.amount > 0);
        let one = *bonds.next()?;
        Some([one, *bonds.find(|bond| bond.mint == one.mint)?])
    });
    pour(&mut stage, &one.vault, -1);
    pour(&mut stage, &other.vault, 1);
    noticed(&mut stage, "the vault of bond");
}

#[test]
fn a_claim_that_shrinks_or_vanishes_is_noticed() {
    let (mut stage, claim) = until(|model| model.holds.keys().next().copied());
    add_to(&mut stage, &claim, offset_of!(Claim, total), -1);
    noticed(&mut stage, "total of");
    stage.svm.set_account(claim, Account::default()).expect("an account that is closed");
    noticed(&mut stage, "is gone");
}

#[test]
fn a_stake_or_a_pool_that_counts_something_else_is_noticed() {
    let (mut stage, (pool, stake)) = until(|model| {
        let staked = model.pools.iter().find(|(_, pool)| !pool.stakes.is_empty());
        staked.and_then(|(address, pool)| Some((*address, *pool.stakes.keys().next()?)))
    });
    let invariant = "invariant() says";
    for (address, field, what) in [
        (stake, offset_of!(Stake, amount), "numbers of"),
        (stake, offset_of!(Stake, earned), "what stakes can claim"),
        (stake, offset_of!(Stake, weight), "numbers of"),
        (pool, offset_of!(Pool, staked), "liabilities"),
        (pool, offset_of!(Pool, owed), "liabilities"),
        (pool, offset_of!(Pool, total_weight), "the sum of all stakes"),
    ] {
        add_to(&mut stage, &address, field, 1);
        let complaint = check::world(&mut stage).expect_err("the theft must be noticed").to_string();
        assert!(complaint.contains(what) || complaint.contains(invariant), "{complaint}");
        add_to(&mut stage, &address, field, -1);
    }
    check::world(&mut stage).expect("everything as before");
}

#[test]
fn a_unit_of_the_stakers_that_the_treasury_keeps_is_noticed() {
    let (mut stage, accepted) = until(|model| model.fees.values().find(|fees| fees.owed > 0).map(|fees| fees.accepted));
    add_to(&mut stage, &accepted, offset_of!(AcceptedMint, owed_rewards), -1);
    add_to(&mut stage, &accepted, offset_of!(AcceptedMint, kept), 1);
    noticed(&mut stage, "kept, owed and share");
}

#[test]
fn a_bid_a_vote_or_a_verdict_that_changes_is_noticed() {
    let (mut stage, bid) = until(|model| model.bids.keys().next().copied());
    add_to(&mut stage, &bid, offset_of!(Bid, price), -1);
    noticed(&mut stage, "differs at byte");

    let (mut stage, (dispute, vote)) = until(|model| {
        let voted = model.trials.values().find(|trial| !trial.ballots.is_empty());
        voted.and_then(|trial| Some((trial.address, *trial.ballots.keys().next()?)))
    });
    add_to(&mut stage, &vote, offset_of!(Vote, stake), 1);
    noticed(&mut stage, "numbers of");
    add_to(&mut stage, &vote, offset_of!(Vote, stake), -1);
    add_to(&mut stage, &dispute, offset_of!(Dispute, rounds), 1);
    noticed(&mut stage, "tally of");
}

#[test]
fn a_resolver_that_counts_for_more_or_a_quorum_that_grows_is_noticed() {
    let (mut stage, panel) = until(|model| model.enrolled.keys().next().map(|(panel, _)| *panel));
    let stake = offset_of!(Panel, resolvers) + offset_of!(Resolver, stake);
    add_to(&mut stage, &panel, stake, 1);
    noticed(&mut stage, "stakes of");

    let (mut stage, dispute) = until(|model| model.trials.values().next().map(|trial| trial.address));
    let committed = offset_of!(Dispute, rounds) + offset_of!(Round, committed);
    add_to(&mut stage, &dispute, committed, 1);
    noticed(&mut stage, "votes of");
}

#[test]
fn a_job_that_vanishes_is_noticed() {
    let (mut stage, entry) = played(JobStatus::Open);
    stage.svm.set_account(entry.address, Account::default()).expect("an account that is closed");
    noticed(&mut stage, "is gone");
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
fn rent_that_reaches_somebody_else_than_its_payer_is_noticed() {
    let (mut stage, entry) = played(JobStatus::Open);
    let others = stage.cast.people.iter().map(|person| person.hot);
    let thief = others.into_iter().find(|key| *key != entry.job.rent_payer).expect("somebody else");
    let addresses = [entry.address, entry.job.rent_payer, thief];
    let before = Snapshot::take(&stage.svm, &addresses);
    let rent = stage.svm.get_account(&entry.address).expect("a job").lamports;
    stage.svm.set_account(entry.address, Account::default()).expect("an account that is closed");
    change(&mut stage, &thief, |account| account.lamports += rent);
    let after = Snapshot::take(&stage.svm, &addresses);
    let mut story = Story::default();
    story.rents.push((entry.address, entry.job.rent_payer));
    let noticed = check::step(&mut stage, &story, &before, &after, 0).expect_err("it must be noticed");
    assert!(noticed.to_string().contains("accounted for"), "{noticed}");
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
