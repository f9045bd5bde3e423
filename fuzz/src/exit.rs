//! The end of a world: every state has an exit by time, and every debt a way to be paid. Whoever is left gets there: first by
//! cranks alone, which anyone may send, then with the keys of those who are owed something.

mod channels;

use crate::{
    actions::{
        disputes::{absent, punishment},
        tokens,
        votes::closing,
    },
    cast::Token,
    chain,
    check::Violation,
    model::{is_decided, Ballot, Entry, Surety, Trial},
    stage::Stage,
};
use joule_sdk::{
    escrow::state::{JobStatus, Panel},
    instruction::{escrow, staking},
    staking::state::{Bond, Claim, Stake},
    Instruction, Pubkey, Signer,
};

const DAY: i64 = 24 * 60 * 60;
/// Longer than every dispute.
const SOON: i64 = 10 * DAY;
/// Longer than every job, every claim and every lock.
const LONG: i64 = 450 * DAY;
/// Longer than anybody may be late.
const LATE: i64 = 31 * DAY;

pub fn let_out(stage: &mut Stage) -> Result<(), Violation> {
    channels::end(stage)?;
    by_cranks(stage)?;
    pay_everybody(stage)?;
    channels::pay_everybody(stage)?;
    channels::reclaim(stage)?;
    let bonds: Vec<Surety> = stage.model.bonds.values().copied().collect();
    for bond in &bonds {
        if bond.unbonding > 0 {
            must(stage, vec![staking::cancel_unbond(bond.withdrawer, bond.address)])?;
        }
        if bond.amount > 0 {
            must(stage, vec![staking::unbond(bond.withdrawer, bond.address, bond.amount)])?;
        }
    }
    unstake(stage)?;
    stage.set_time(stage.now + LONG);
    for bond in &bonds {
        empty(stage, bond)?;
    }
    withdraw(stage)?;
    let left = stage.model.jobs.len() + stage.model.bonds.len() + stage.model.holds.len();
    let stakes: usize = stage.model.pools.values().map(|pool| pool.stakes.len()).sum();
    Violation::unless(left + stakes == 0, "a job, a bond or a stake has no way out")
}

/// Everything that anyone may do, until nothing is left that waits for a decision. Bonds' vaults stay frozen in some worlds:
/// then claims lapse, and what they were to pay for goes on without them.
fn by_cranks(stage: &mut Stage) -> Result<(), Violation> {
    let jobs: Vec<Pubkey> = stage.model.jobs.values().map(|entry| entry.job.vault).collect();
    let mut vaults: Vec<Pubkey> =
        stage.cast.tokens.iter().flat_map(|token| [token.fee_vault, token.pool_vault]).collect();
    vaults.extend(jobs);
    vaults.extend(stage.model.wallets.values().map(|wallet| wallet.payer.vault));
    let is_prompt = stage.chance(50);
    if is_prompt {
        vaults.extend(stage.model.bonds.values().map(|bond| bond.vault));
    }
    for vault in vaults {
        let frozen = chain::purse(&stage.svm, &vault).filter(|purse| purse.is_frozen);
        if let Some(thaw) = frozen.and_then(|purse| tokens::thaw_one(&stage.cast, &vault, &purse)) {
            must(stage, vec![thaw])?;
        }
    }
    for wait in [SOON, SOON, LONG, LATE, LATE] {
        stage.set_time(stage.now + wait);
        crank(stage)?;
        lapse(stage)?;
        crank(stage)?;
        if is_prompt && wait == SOON {
            prompt(stage)?;
        }
    }
    let is_left = |entry: &Entry| !is_decided(&entry.job) || entry.job.disputed == 1;
    let left = stage.model.jobs.values().filter(|entry| is_left(entry)).count();
    Violation::unless(left == 0, "a job cannot be decided by cranks alone")?;
    Violation::unless(stage.model.trials.is_empty(), "a dispute cannot be wound up by cranks alone")?;
    Violation::unless(stage.model.bids.is_empty(), "a bid cannot be withdrawn by cranks alone")?;
    Violation::unless(stage.model.holds.is_empty(), "a claim outlives its time")?;
    Violation::unless(stage.model.panels.is_empty(), "a panel cannot be closed by cranks alone")?;
    channels::wait_for_payees(stage)
}

/// With no vault frozen, nobody escapes by making a crank fail until its claim lapses: what is late is failed, what has been
/// voted on is resolved, and whoever was wrong or silent is slashed.
fn prompt(stage: &Stage) -> Result<(), Violation> {
    let late = |entry: &Entry| entry.job.status == JobStatus::Accepted as u8 && stage.now > entry.job.deliver_by.get();
    Violation::unless(!stage.model.jobs.values().any(late), "a job that is late cannot be failed")?;
    for trial in stage.model.trials.values() {
        if trial.verdict.is_none() {
            Violation::unless(stage.now <= trial.decided_after(), "a dispute that is over cannot be resolved")?;
            continue;
        }
        let is_wrong = |ballot: &Ballot| !trial.is_right(ballot) && !trial.is_spared(ballot);
        Violation::unless(!trial.ballots.values().any(is_wrong), "a vote that was wrong cannot be slashed")?;
    }
    Ok(())
}

/// Has every job and dispute go on as far as its state and the clock allow. Refusals are normal: not everybody can be paid.
fn crank(stage: &mut Stage) -> Result<(), Violation> {
    let jobs: Vec<Pubkey> = stage.model.jobs.keys().copied().collect();
    for address in &jobs {
        turn(stage, address)?;
        wind_up(stage, address)?;
        pay(stage, address)?;
    }
    let bids: Vec<Pubkey> = stage.model.bids.keys().copied().collect();
    for address in bids {
        let Some(offer) = stage.model.bids.get(&address).copied() else { continue };
        let _ = stage.send(&[escrow::withdraw_bid(address, &offer.bid, offer.mint)])?;
    }
    let panels: Vec<Pubkey> = stage.model.panels.keys().copied().collect();
    for address in panels {
        let Some(panel) = chain::read::<Panel>(&stage.svm, &address) else { continue };
        let _ = stage.send(&[escrow::close_panel(address, &panel)])?;
    }
    channels::crank(stage)
}

/// Has a job settled or refunded, as its state wants it.
fn turn(stage: &mut Stage, address: &Pubkey) -> Result<(), Violation> {
    let Some(entry) = stage.model.jobs.get(address) else { return Ok(()) };
    let (job, program) = (entry.job, stage.program_of(&entry.job));
    let crank = match job.status {
        status if status == JobStatus::Open as u8 => escrow::expire,
        status if status == JobStatus::Accepted as u8 => escrow::fail,
        status if status == JobStatus::Delivered as u8 => escrow::settle,
        status if status == JobStatus::Challenged as u8 => escrow::resolve,
        _ => return Ok(()),
    };
    let _ = stage.send(&[crank(*address, &job, program)])?;
    Ok(())
}

/// Has the votes of a dispute closed, its absent members punished, and then itself closed.
fn wind_up(stage: &mut Stage, address: &Pubkey) -> Result<(), Violation> {
    let trial = |stage: &Stage| -> Option<Trial> {
        stage.model.trials.get(address).filter(|trial| trial.verdict.is_some()).cloned()
    };
    let Some(before) = trial(stage) else { return Ok(()) };
    for vote in before.ballots.keys() {
        if let Some(close) = closing(stage, *address, *vote) {
            let _ = stage.send(&[close])?;
        }
    }
    for member in absent(&before) {
        if let Some(punish) = punishment(stage, *address, member) {
            let _ = stage.send(&[punish])?;
        }
    }
    if let Some(after) = trial(stage) {
        let _ = stage.send(&[escrow::close_dispute(after.address, &after.dispute)])?;
    }
    Ok(())
}

fn pay(stage: &mut Stage, address: &Pubkey) -> Result<(), Violation> {
    let Some(entry) = stage.model.jobs.get(address).filter(|entry| is_decided(&entry.job)) else { return Ok(()) };
    let (job, program) = (entry.job, stage.program_of(&entry.job));
    let _ = stage.send(&[escrow::pay(*address, &job, program)])?;
    Ok(())
}

/// Lets every claim go whose time is over.
fn lapse(stage: &mut Stage) -> Result<(), Violation> {
    let holds: Vec<Pubkey> = stage.model.holds.keys().copied().collect();
    for address in holds {
        let Some(claim) = chain::read::<Claim>(&stage.svm, &address) else { continue };
        let _ = stage.send(&[staking::release_expired(address, &claim)])?;
    }
    Ok(())
}

/// Thaws what is frozen, and redirects for whoever has lost its account.
fn pay_everybody(stage: &mut Stage) -> Result<(), Violation> {
    let accounts = stage.svm.accounts_db().inner.iter();
    let mut frozen: Vec<(Pubkey, chain::Purse)> =
        accounts.filter_map(|(address, account)| Some((*address, chain::as_purse(account)?))).collect();
    frozen.retain(|(_, purse)| purse.is_frozen);
    frozen.sort_by_key(|(address, _)| *address);
    for (address, purse) in frozen {
        let thaw = tokens::thaw_one(&stage.cast, &address, &purse);
        must(stage, thaw.into_iter().collect())?;
    }
    let jobs: Vec<Entry> = stage.model.jobs.values().cloned().collect();
    for (number, entry) in jobs.iter().enumerate() {
        pay(stage, &entry.address)?;
        if !stage.model.jobs.contains_key(&entry.address) {
            continue;
        }
        // Somebody could not be paid.
        let payees = [entry.job.client, entry.job.payout_owner, entry.job.challenger];
        for (payee, name) in payees.into_iter().zip(["client", "provider", "challenger"]) {
            if payee == Pubkey::default() {
                continue;
            }
            let token = stage.cast.token(&entry.job.mint).ok_or_else(|| Violation::new("a job in no token of ours"))?;
            let address = purse_at_last(stage, &format!("{name} {number}"), payee, token)?;
            // Refused to whoever is owed nothing.
            let _ = stage.send(&[escrow::redirect(payee, entry.address, address)])?;
        }
        pay(stage, &entry.address)?;
    }
    let left = stage.model.jobs.len();
    Violation::unless(left == 0, "a job has no way out")
}

/// A fresh token account.
fn purse_at_last(stage: &mut Stage, name: &str, owner: Pubkey, token: usize) -> Result<Pubkey, Violation> {
    let address = joule_tests::key(&format!("last {name}")).pubkey();
    must(stage, tokens::create_at(&stage.cast, address, owner, token))?;
    Ok(address)
}

/// The withdrawer takes everything out of a bond and closes it.
fn empty(stage: &mut Stage, bond: &Surety) -> Result<(), Violation> {
    let token = stage.cast.token(&bond.mint).ok_or_else(|| Violation::new("a bond in no token of ours"))?;
    let program = stage.cast.tokens[token].program;
    let number = stage.model.bonds.len();
    let to = purse_at_last(stage, &format!("bond {number}"), bond.withdrawer, token)?;
    if bond.amount > 0 {
        must(stage, vec![staking::withdraw_bond(bond.withdrawer, bond.address, to, program)])?;
    }
    let state: Bond = chain::read(&stage.svm, &bond.address).ok_or_else(|| Violation::new("a bond is gone"))?;
    must(stage, vec![staking::close_bond(bond.address, &state, to, program)])
}

/// Every stake: its token, its account and its owner.
fn stakes(stage: &Stage) -> Vec<(Token, Pubkey, Pubkey)> {
    let tokens = stage.cast.tokens.iter();
    let of = |token: &Token| {
        let pool = stage.model.pools.get(&token.pool);
        let stakes = pool.into_iter().flat_map(|pool| pool.stakes.iter());
        stakes.map(|(address, share)| (*token, *address, share.owner)).collect::<Vec<_>>()
    };
    tokens.flat_map(of).collect()
}

/// Every owner lets its stake cool.
fn unstake(stage: &mut Stage) -> Result<(), Violation> {
    for (token, address, owner) in stakes(stage) {
        let state: Stake = chain::read(&stage.svm, &address).ok_or_else(|| Violation::new("a stake is gone"))?;
        if state.amount.get() > 0 {
            must(stage, vec![staking::unstake(owner, token.mint, state.amount.get())])?;
        }
    }
    Ok(())
}

/// Every owner takes out what it has earned and staked.
fn withdraw(stage: &mut Stage) -> Result<(), Violation> {
    for (number, (token, address, owner)) in stakes(stage).into_iter().enumerate() {
        let place = stage.cast.token(&token.mint).unwrap_or(0);
        let to = purse_at_last(stage, &format!("stake {number}"), owner, place)?;
        // Refused to whoever has earned nothing.
        let _ = stage.send(&[staking::claim_rewards(owner, token.mint, to, token.program)])?;
        let state: Stake = chain::read(&stage.svm, &address).ok_or_else(|| Violation::new("a stake is gone"))?;
        must(stage, vec![staking::withdraw_stake(&state, token.mint, to, token.program)])?;
    }
    Ok(())
}

fn must(stage: &mut Stage, instructions: Vec<Instruction>) -> Result<(), Violation> {
    stage.send(&instructions)?.map_err(|name| Violation::new(format!("an exit is closed: {name}")))
}
