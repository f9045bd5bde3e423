//! The checks: after every step on all that it touched, and now and then on the whole world.

mod billing;
mod models;
mod things;

pub use billing::parts;

use crate::{
    chain::{self, as_purse, find},
    model::{Entry, Thing},
    stage::Stage,
    story::Story,
};
use joule_sdk::{billing as billing_program, escrow, registry, staking, treasury, Pubkey};
use litesvm::LiteSVM;
use solana_account::ReadableAccount;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// Something that must never happen has happened.
#[derive(Debug)]
pub struct Violation(String);

impl Violation {
    pub fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }

    pub fn unless(holds: bool, what: &str) -> Result<(), Self> {
        match holds {
            true => Ok(()),
            false => Err(Self::new(what)),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an address held at one moment.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Held {
    lamports: u64,
    tokens: u64,
    mint: Option<Pubkey>,
    owner: Option<Pubkey>,
    is_frozen: bool,
    is_there: bool,
}

/// All that a transaction may touch.
pub struct Snapshot(Vec<(Pubkey, Held)>);

impl Snapshot {
    pub fn take(svm: &LiteSVM, addresses: &[Pubkey]) -> Self {
        let held = |address: &Pubkey| {
            let account = find(svm, address);
            let purse = account.and_then(as_purse);
            Held {
                lamports: account.map_or(0, |account| account.lamports()),
                tokens: purse.map_or(0, |purse| purse.amount),
                mint: purse.map(|purse| purse.mint),
                owner: purse.map(|purse| purse.owner),
                is_frozen: purse.is_some_and(|purse| purse.is_frozen),
                is_there: account.is_some_and(|account| !account.data().is_empty()),
            }
        };
        Self(addresses.iter().map(|address| (*address, held(address))).collect())
    }
}

/// Checks a transaction that succeeded.
pub fn step(stage: &mut Stage, story: &Story, before: &Snapshot, after: &Snapshot, fee: u64) -> Result<(), Violation> {
    tokens(story, before, after)?;
    lamports(stage, story, before, after, fee)?;
    payouts(story, before, after)?;
    debts(story, before, after)?;
    for entry in &story.closed {
        closed(stage, entry)?;
    }
    let mut things = BTreeSet::new();
    for (address, _) in &after.0 {
        match stage.model.thing(address) {
            Some(thing) => {
                things.insert(thing);
            }
            None => things::stray(stage, address)?,
        }
    }
    things.iter().try_for_each(|thing| things::check(stage, thing))
}

/// Every unit that moved is in the story, and no other; and none was made or lost.
fn tokens(story: &Story, before: &Snapshot, after: &Snapshot) -> Result<(), Violation> {
    let mut made: BTreeMap<Pubkey, i128> = story.made.iter().map(|(mint, made)| (*mint, -made)).collect();
    for ((address, old), (_, new)) in before.0.iter().zip(&after.0) {
        let gained = new.tokens as i128 - old.tokens as i128;
        let told = story.moves.get(address).copied().unwrap_or(0);
        if gained != told {
            return Err(Violation::new(format!("{address} gained {gained} units, and was said to gain {told}")));
        }
        if old.tokens > 0 && new.tokens > 0 && old.mint != new.mint {
            return Err(Violation::new(format!("{address} has become an account of another mint")));
        }
        if let Some(mint) = new.mint.or(old.mint) {
            *made.entry(mint).or_default() += gained;
        }
    }
    Violation::unless(made.values().all(|made| *made == 0), "units were made or lost on their way")?;
    let known: BTreeSet<&Pubkey> = before.0.iter().map(|(address, _)| address).collect();
    match story.moves.iter().find(|(address, gained)| **gained != 0 && !known.contains(address)) {
        Some((address, _)) => Err(Violation::new(format!("{address} was said to gain, and has no part in it"))),
        None => Ok(()),
    }
}

/// Lamports come from and return to whoever pays for accounts, to the unit, and to nobody else.
fn lamports(stage: &Stage, story: &Story, before: &Snapshot, after: &Snapshot, fee: u64) -> Result<(), Violation> {
    let mut gains: BTreeMap<Pubkey, i128> = BTreeMap::new();
    for ((address, old), (_, new)) in before.0.iter().zip(&after.0) {
        gains.insert(*address, new.lamports as i128 - old.lamports as i128);
    }
    *gains.entry(stage.cast.crank).or_default() += fee as i128;
    let mut loose: BTreeSet<Pubkey> = story.loose.iter().copied().collect();
    let mut payers: BTreeMap<Pubkey, Pubkey> = BTreeMap::new();
    for (account, payer) in &story.rents {
        // Paid for by one and given back to another in one transaction: the sums of both are right, not each one's.
        let first = *payers.entry(*account).or_insert(*payer);
        if first != *payer {
            loose.extend([first, *payer]);
        }
    }
    let mut due: BTreeMap<Pubkey, i128> = BTreeMap::new();
    for (account, payer) in &payers {
        if loose.contains(account) {
            loose.insert(*payer);
        }
        *due.entry(*payer).or_default() -= gains.get(account).copied().unwrap_or(0);
    }
    for ((address, old), (_, new)) in before.0.iter().zip(&after.0) {
        if loose.contains(address) || payers.contains_key(address) {
            continue;
        }
        if old.is_there != new.is_there {
            return Err(Violation::new(format!("{address} came or went, and nobody said who paid for it")));
        }
        let (gained, due) = (gains[address], due.get(address).copied().unwrap_or(0));
        if gained != due {
            let what = format!("{address} gained {gained} lamports for no reason: {due} are accounted for");
            return Err(Violation::new(what));
        }
    }
    Ok(())
}

/// Providers are paid into accounts that are theirs; another instruction of the same transaction may hand one over.
fn payouts(story: &Story, before: &Snapshot, after: &Snapshot) -> Result<(), Violation> {
    for (account, owner) in &story.payouts {
        let mut held = before.0.iter().chain(&after.0).filter(|(address, _)| address == account);
        let is_theirs = held.any(|(_, held)| held.owner == Some(*owner));
        Violation::unless(is_theirs, "somebody's part went into an account that is somebody else's")?;
    }
    Ok(())
}

/// Whoever was not paid could not be: before or after, its account is missing, frozen, or somebody else's.
fn debts(story: &Story, before: &Snapshot, after: &Snapshot) -> Result<(), Violation> {
    for debt in &story.debts {
        let mut held = before.0.iter().chain(&after.0).filter(|(address, _)| *address == debt.account);
        let reaches = |held: &Held| {
            let is_theirs = debt.owner.is_none_or(|owner| held.owner == Some(owner));
            held.mint == Some(debt.mint) && is_theirs && !held.is_frozen
        };
        let is_barred = held.any(|(_, held)| !reaches(held));
        Violation::unless(is_barred, "somebody is owed what could have been paid")?;
    }
    Ok(())
}

/// A closed job is gone with its vault, and everybody has what was due.
fn closed(stage: &Stage, entry: &Entry) -> Result<(), Violation> {
    for address in [&entry.address, &entry.job.vault] {
        let is_gone = find(&stage.svm, address).is_none_or(|account| account.data().is_empty());
        Violation::unless(is_gone, "a job was said to be closed, and it or its vault is still there")?;
    }
    match entry.paid == entry.entitled() && entry.job.owed_jurors.get() == 0 {
        true => Ok(()),
        false => Err(Violation::new(format!(
            "job {} closed after paying {:?}, and due were {:?}",
            entry.address,
            entry.paid,
            entry.entitled()
        ))),
    }
}

/// Checks everything there is.
pub fn world(stage: &mut Stage) -> Result<(), Violation> {
    let mut sums: BTreeMap<Pubkey, u128> = BTreeMap::new();
    let mut strays: Vec<Pubkey> = Vec::new();
    for (address, account) in &stage.svm.accounts_db().inner {
        if let Some(purse) = as_purse(account) {
            *sums.entry(purse.mint).or_default() += purse.amount as u128;
        }
        let is_ours =
            [escrow::ID, registry::ID, treasury::ID, staking::ID, billing_program::ID].contains(account.owner());
        if is_ours && account.lamports() > 0 && stage.model.thing(address).is_none() {
            strays.push(*address);
        }
    }
    for token in &stage.cast.tokens {
        let sum = sums.get(&token.mint).copied().unwrap_or(0);
        let stated = chain::supply(&stage.svm, &token.mint).unwrap_or(0);
        let known = stage.model.supply.get(&token.mint).copied().unwrap_or(0);
        if sum != known as u128 || stated != known {
            let what = format!("{sum} units of {} are held, its mint says {stated}, {known} were made", token.mint);
            return Err(Violation::new(what));
        }
    }
    strays.sort();
    strays.iter().try_for_each(|address| things::stray(stage, address))?;
    let things: BTreeSet<Thing> = stage.model.things().collect();
    things.iter().try_for_each(|thing| things::check(stage, thing))
}
