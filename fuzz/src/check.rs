//! The checks: after every step on all that it touched, and now and then on the whole world.

use crate::{
    chain::{self, as_purse, find, purse},
    model::{is_decided, Entry},
    stage::Stage,
    story::Story,
};
use joule_sdk::{
    account::decode,
    escrow::{
        self,
        state::{Client, Job},
    },
    registry::{self, state::Provider},
    treasury::{self, state::Protocol},
    Pubkey,
};
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
    for entry in &story.closed {
        closed(stage, entry)?;
    }
    for (address, _) in &after.0 {
        touched(stage, address)?;
    }
    Ok(())
}

/// Every unit that moved is in the story, and no other.
fn tokens(story: &Story, before: &Snapshot, after: &Snapshot) -> Result<(), Violation> {
    for ((address, old), (_, new)) in before.0.iter().zip(&after.0) {
        let gained = new.tokens as i128 - old.tokens as i128;
        let told = story.moves.get(address).copied().unwrap_or(0);
        if gained != told {
            return Err(Violation::new(format!("{address} gained {gained} units, and was said to gain {told}")));
        }
        if old.tokens > 0 && new.tokens > 0 && old.mint != new.mint {
            return Err(Violation::new(format!("{address} has become an account of another mint")));
        }
    }
    let known: BTreeSet<&Pubkey> = before.0.iter().map(|(address, _)| address).collect();
    match story.moves.iter().find(|(address, gained)| **gained != 0 && !known.contains(address)) {
        Some((address, _)) => Err(Violation::new(format!("{address} was said to gain, and has no part in it"))),
        None => Ok(()),
    }
}

/// Lamports come from and return to whoever pays for accounts, and to nobody else.
fn lamports(stage: &Stage, story: &Story, before: &Snapshot, after: &Snapshot, fee: u64) -> Result<(), Violation> {
    for ((address, old), (_, new)) in before.0.iter().zip(&after.0) {
        let spent = if *address == stage.cast.crank { fee } else { 0 };
        let came_or_went = old.is_there != new.is_there;
        if old.lamports - spent != new.lamports && !came_or_went && !story.lamports.contains(address) {
            let what = format!("{address} had {} lamports and has {}, for no reason", old.lamports, new.lamports);
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
        Violation::unless(is_theirs, "a provider's part went into an account that is somebody else's")?;
    }
    Ok(())
}

/// A closed job is gone with its vault, and everybody has what was due.
fn closed(stage: &Stage, entry: &Entry) -> Result<(), Violation> {
    for address in [&entry.address, &entry.vault] {
        let is_gone = find(&stage.svm, address).is_none_or(|account| account.data().is_empty());
        Violation::unless(is_gone, "a job was said to be closed, and it or its vault is still there")?;
    }
    let paid = [entry.paid.provider, entry.paid.fee, entry.paid.client].map(u128::from);
    match paid == entry.entitled() {
        true => Ok(()),
        false => Err(Violation::new(format!(
            "job {} closed after paying {paid:?} to provider, protocol and client, who were due {:?}",
            entry.address,
            entry.entitled()
        ))),
    }
}

/// Checks an account by its own rules and, where it belongs to a job, by that job's.
fn touched(stage: &mut Stage, address: &Pubkey) -> Result<(), Violation> {
    if let Some(job) = stage.model.job_of_vault(address) {
        return of_job(stage, &job);
    }
    if stage.model.entry(address).is_some() {
        return of_job(stage, address);
    }
    let Some(account) = find(&stage.svm, address) else { return Ok(()) };
    let (owner, data) = (account.owner(), account.data());
    let broken = |e| Violation::new(format!("{address}: invariant() says {e:?}"));
    if data.is_empty() {
        Ok(())
    } else if *owner == treasury::ID {
        decode::<Protocol>(data).map_or(Ok(()), |protocol| protocol.invariant().map_err(broken))
    } else if *owner == registry::ID {
        let provider = decode::<Provider>(data).map_err(|e| Violation::new(format!("{address}: {e}")))?;
        provider.invariant().map_err(broken)
    } else if *owner == escrow::ID {
        let client = decode::<Client>(data);
        let client = client.map_err(|_| Violation::new(format!("{address} is a job that nobody has opened")))?;
        let counted = stage.model.next_id.get(&client.client).copied().unwrap_or(0);
        Violation::unless(client.next_job.get() == counted, "a client's counter is not the number of its jobs")
    } else {
        Ok(())
    }
}

/// Checks a job and its vault, and takes over what the job says now.
fn of_job(stage: &mut Stage, address: &Pubkey) -> Result<(), Violation> {
    let job: Job = chain::read(&stage.svm, address)
        .ok_or_else(|| Violation::new(format!("job {address} is gone, and nobody has said so")))?;
    let Some(entry) = stage.model.entry_mut(address) else { return Ok(()) };
    entry.job = job;
    let entry = entry.clone();
    job.invariant().map_err(|e| Violation::new(format!("job {address}: invariant() says {e:?}")))?;
    Violation::unless(job.rent_payer == entry.rent_payer, "a job names another rent payer than whoever paid")?;
    let fee_vault = stage.cast.token(&job.mint).map(|token| stage.cast.tokens[token].fee_vault);
    Violation::unless(fee_vault == Some(job.fee_vault), "a job names another fee vault than its token has")?;
    let held = purse(&stage.svm, &entry.vault);
    let held = held.filter(|vault| vault.mint == job.mint && vault.owner == *address);
    let held = held.ok_or_else(|| Violation::new(format!("job {address} has no vault")))?.amount as u128;
    if held != entry.liabilities() {
        let what = format!("the vault of job {address} holds {held} units, and owes {}", entry.liabilities());
        return Err(Violation::new(what));
    }
    if is_decided(&job) {
        let [provider, fee, client] = entry.entitled();
        let paid = entry.paid;
        let (provider_has, fee_has) = (paid.provider + job.owed_provider.get(), paid.fee + job.owed_fee.get());
        let client_has = paid.client as u128 + job.owed_client.get() as u128 + entry.late_gifts as u128;
        let parts = [provider_has as u128, fee_has as u128, client_has];
        if parts != [provider, fee, client] {
            return Err(Violation::new(format!(
                "job {address} has paid and owes {parts:?} to provider, protocol and client, who are due {:?}",
                entry.entitled()
            )));
        }
    }
    Ok(())
}

/// Checks everything there is.
pub fn world(stage: &mut Stage) -> Result<(), Violation> {
    let mut sums: BTreeMap<Pubkey, u128> = BTreeMap::new();
    let mut ours: Vec<Pubkey> = Vec::new();
    for (address, account) in &stage.svm.accounts_db().inner {
        if let Some(purse) = as_purse(account) {
            *sums.entry(purse.mint).or_default() += purse.amount as u128;
        }
        if [escrow::ID, registry::ID, treasury::ID].contains(account.owner()) && account.lamports() > 0 {
            ours.push(*address);
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
    let jobs: Vec<Pubkey> = stage.model.jobs().map(|entry| entry.address).collect();
    ours.extend(jobs);
    ours.sort();
    ours.dedup();
    ours.iter().try_for_each(|address| touched(stage, address))
}
