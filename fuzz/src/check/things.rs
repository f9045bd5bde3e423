//! What each account must be, compared with what it is.

use super::{billing, models, Violation};
use crate::{
    chain::{self, find, purse},
    model::{is_decided, Ballot, Credential, Model, Seat, Thing, Trial},
    stage::Stage,
    story::registry::is_needed,
};
use anchor_lang::Discriminator;
use bytemuck::{bytes_of, Pod};
use joule_sdk::{
    account::decode,
    billing::state::Cluster,
    escrow::{
        self,
        state::{Bid, Client, Dispute, Job, Panel, Resolver, Verdict, Vote},
    },
    registry::{
        self,
        state::{Attestation, Attestations, Attestor, Provider, Requirements},
    },
    staking::{
        self,
        state::{Bond, Claim, Pool, Service, Stake, ONE},
    },
    treasury::{
        self,
        state::{AcceptedMint, Protocol},
    },
    Pubkey,
};
use joule_tests::GENESIS;
use litesvm::LiteSVM;
use solana_account::ReadableAccount;
use std::collections::{BTreeMap, BTreeSet};

pub fn check(stage: &mut Stage, thing: &Thing) -> Result<(), Violation> {
    let Stage { svm, model, now, .. } = stage;
    match thing {
        Thing::Job(address) => job(svm, model, address),
        Thing::Bid(address) => bid(svm, model, address),
        Thing::Trial(job) => trial(svm, model, job, *now),
        Thing::Panel(address) => panel(svm, model, address),
        Thing::Bond(address) => bond(svm, model, address),
        Thing::Pool(address) => pool(svm, model, address),
        Thing::Fees(mint) => fees(svm, model, mint),
        Thing::Paper(address) => paper(svm, model, address, *now),
        Thing::Card(address) => models::card(svm, model, address),
        Thing::Wallet(address) => billing::wallet(svm, model, address),
        Thing::Tab(address) => billing::tab(svm, model, address, *now),
    }
}

/// Reads what must be there.
pub(super) fn there<T: Pod + Discriminator>(svm: &LiteSVM, address: &Pubkey, what: &str) -> Result<T, Violation> {
    chain::read(svm, address).ok_or_else(|| Violation::new(format!("{what} {address} is gone, and nobody has said so")))
}

pub(super) fn broken<E: std::fmt::Debug>(address: &Pubkey) -> impl Fn(E) -> Violation + '_ {
    move |e| Violation::new(format!("{address}: invariant() says {e:?}"))
}

pub(super) fn equal<T: PartialEq + std::fmt::Debug>(
    what: &str,
    address: &Pubkey,
    is: T,
    must: T,
) -> Result<(), Violation> {
    match is == must {
        true => Ok(()),
        false => Err(Violation::new(format!("{what} of {address} is {is:?}, and must be {must:?}"))),
    }
}

/// Compares an account with what it must be, byte by byte.
pub(super) fn same<T: Pod>(what: &str, address: &Pubkey, is: &T, must: &T) -> Result<(), Violation> {
    let (is, must) = (bytes_of(is), bytes_of(must));
    match is.iter().zip(must).position(|(a, b)| a != b) {
        None => Ok(()),
        Some(place) => {
            let around = place.saturating_sub(7)..(place + 8).min(is.len());
            let (is, must) = (&is[around.clone()], &must[around]);
            Err(Violation::new(format!("{what} {address} differs at byte {place}: {is:?} and not {must:?}")))
        }
    }
}

/// What a vault holds, if it is one of `mint` and `owner`.
pub(super) fn held(svm: &LiteSVM, vault: &Pubkey, mint: &Pubkey, owner: &Pubkey) -> Result<u128, Violation> {
    let held = purse(svm, vault).filter(|purse| purse.mint == *mint && purse.owner == *owner);
    held.map(|purse| purse.amount as u128).ok_or_else(|| Violation::new(format!("{owner} has no vault")))
}

fn job(svm: &LiteSVM, model: &mut Model, address: &Pubkey) -> Result<(), Violation> {
    let Some(entry) = model.jobs.get_mut(address) else { return Ok(()) };
    let job: Job = there(svm, address, "job")?;
    entry.job.bump = job.bump;
    same("job", address, &job, &entry.job)?;
    job.invariant().map_err(broken(address))?;
    let held = held(svm, &job.vault, &job.mint, address)?;
    if held != entry.liabilities() {
        let what = format!("the vault of job {address} holds {held} units, and owes {}", entry.liabilities());
        return Err(Violation::new(what));
    }
    if is_decided(&job) && entry.received() != entry.entitled() {
        return Err(Violation::new(format!(
            "job {address} has paid and owes {:?}, and due are {:?}",
            entry.received(),
            entry.entitled()
        )));
    }
    Ok(())
}

fn bid(svm: &LiteSVM, model: &mut Model, address: &Pubkey) -> Result<(), Violation> {
    let Some(offer) = model.bids.get_mut(address) else { return Ok(()) };
    let bid: Bid = there(svm, address, "bid")?;
    offer.bid.bump = bid.bump;
    same("bid", address, &bid, &offer.bid)
}

fn trial(svm: &LiteSVM, model: &mut Model, job: &Pubkey, now: i64) -> Result<(), Violation> {
    let Some(of) = model.jobs.get(job).map(|entry| entry.job) else {
        return Err(Violation::new("a dispute outlives its job"));
    };
    let Some(trial) = model.trials.get_mut(job) else { return Ok(()) };
    let dispute: Dispute = there(svm, &trial.address, "dispute")?;
    if trial.is_drawing && trial.draw_by != dispute.draw_by.get() {
        // It waits for somebody who is busy.
        let mut enrolled = model.enrolled.iter().filter(|((panel, _), _)| *panel == trial.panel);
        let is_busy = enrolled.any(|(_, seat)| seat.is_busy(trial.deposit));
        let (step, draw_by) = (of.vote_window.get() as i64, dispute.draw_by.get());
        let may = now <= trial.patient_until && draw_by == trial.patient_until + step && dispute.lot != [0; 32];
        Violation::unless(may && is_busy, "a drawing that waits for nobody, or too long")?;
        trial.draw_by = draw_by;
        model.milestones.entry("drawing waits for a busy member").and_modify(|count| *count += 1).or_insert(1);
    }
    equal("drawn", &trial.address, dispute.drawn, trial.dispute.drawn)?;
    equal("members", &trial.address, dispute.members, trial.dispute.members)?;
    trial.dispute = dispute;
    let Trial { address, .. } = *trial;
    equal("job", &address, dispute.job, *job)?;
    equal("rent payer", &address, dispute.rent_payer, trial.rent_payer)?;
    equal("challenger", &address, dispute.challenger, trial.challenger)?;
    equal("deposit", &address, dispute.deposit.get(), trial.deposit)?;
    equal("appeal", &address, dispute.appeal_deposit.get(), trial.appeal.map_or(0, |(_, deposit)| deposit))?;
    equal("open votes", &address, dispute.votes_open.get() as usize, trial.ballots.len())?;
    equal("round", &address, dispute.round, trial.round)?;
    equal("verdict", &address, dispute.verdict, trial.verdict.map_or(0, |verdict| verdict as u8))?;
    equal("commitments", &address, dispute.committed.get(), trial.committed)?;
    equal("punishments", &address, dispute.punished.get(), trial.punished)?;
    let times = [dispute.commit_by, dispute.reveal_by, dispute.final_at, dispute.resolved_at].map(|time| time.get());
    if !trial.is_drawing {
        let told = [trial.commit_by, trial.reveal_by, trial.final_at, trial.resolved_at];
        equal("times", &address, times, told)?;
    }
    for (place, round) in dispute.rounds.iter().enumerate() {
        equal("tally", &address, round.tally.map(|weight| weight.get() as u128), trial.tally[place])?;
        let votes = (round.committed.get(), round.revealed.get());
        equal("votes", &address, votes, (trial.cast[place], trial.revealed[place]))?;
        equal("weight", &address, round.weight.get() as u128, trial.weight[place])?;
        let thirds: Vec<_> = round.thirds.iter().filter(|third| !third.weight.is_zero()).collect();
        let thirds: Vec<_> = thirds.iter().map(|third| (third.output, third.weight.get() as u128)).collect();
        equal("third outputs", &address, &thirds, &trial.thirds[place])?;
        equal("pot", &address, round.pot.get(), trial.pots[place])?;
    }
    equal("the third output that won", &address, dispute.third, trial.third)?;
    let times = (dispute.opened_at.get(), dispute.patient_until.get());
    if trial.is_panel() {
        equal("opened, and patient until", &address, times, (trial.opened_at, trial.patient_until))?;
    }
    let owed = (trial.verdict.is_some()).then(|| unpaid(trial));
    if let Some(unpaid) = owed {
        Violation::unless(unpaid <= of.owed_jurors.get() as u128, "less is set aside than jurors will be paid")?;
    }
    trial.ballots.iter().try_for_each(|(address, ballot)| vote(svm, address, ballot, trial))
}

/// What jurors whose votes are not closed are still to receive.
fn unpaid(trial: &Trial) -> u128 {
    let verdict = trial.verdict.unwrap_or(Verdict::Undecided);
    let right = trial.ballots.values().filter(|ballot| trial.is_right(ballot));
    right.map(|ballot| trial.reward(ballot, verdict) as u128).sum()
}

fn vote(svm: &LiteSVM, address: &Pubkey, ballot: &Ballot, trial: &Trial) -> Result<(), Violation> {
    let vote: Vote = there(svm, address, "vote")?;
    equal("dispute", address, vote.dispute, trial.address)?;
    equal("juror", address, vote.juror, ballot.juror)?;
    equal("payout", address, vote.payout, ballot.payout)?;
    equal("claim", address, vote.claim, ballot.claim)?;
    equal("rent payer", address, vote.rent_payer, ballot.rent_payer)?;
    equal("commitment", address, vote.commitment, ballot.commitment)?;
    let numbers = [vote.stake.get(), vote.round as u64, vote.choice as u64];
    equal("output", address, vote.output, ballot.output)?;
    let choice = ballot.choice.map_or(0, |choice| choice as u64);
    equal("numbers", address, numbers, [ballot.stake, ballot.round as u64, choice])
}

fn panel(svm: &LiteSVM, model: &Model, address: &Pubkey) -> Result<(), Violation> {
    let Some(paper) = model.panels.get(address) else { return Ok(()) };
    let panel: Panel = there(svm, address, "panel")?;
    equal("rent payer", address, panel.rent_payer, paper.rent_payer)?;
    equal("mint", address, panel.mint, paper.of)?;
    // Few enough people play that nobody is pushed out.
    let seat =
        |entry: &Resolver| Seat { stake: entry.stake.get(), left: entry.left.get(), engaged: entry.engaged.get() };
    let is: BTreeMap<Pubkey, Seat> = panel.enrolled().iter().map(|entry| (entry.resolver, seat(entry))).collect();
    equal("enrolled", address, is.len(), panel.enrolled().len())?;
    let must = model.enrolled.iter().filter(|((of, _), _)| of == address);
    equal("stakes", address, is, must.map(|((_, who), seat)| (*who, *seat)).collect())
}

fn bond(svm: &LiteSVM, model: &Model, address: &Pubkey) -> Result<(), Violation> {
    let Some(must) = model.bonds.get(address) else { return Ok(()) };
    let bond: Bond = there(svm, address, "bond")?;
    bond.invariant().map_err(broken(address))?;
    equal("owner", address, bond.owner, must.owner)?;
    equal("withdrawer", address, bond.withdrawer, must.withdrawer)?;
    equal("rent payer", address, bond.rent_payer, must.rent_payer)?;
    equal("services", address, bond.services, must.services)?;
    let is = [bond.amount, bond.locked, bond.unbonding].map(|part| part.get());
    equal("amount, locked and unbonding", address, is, [must.amount, must.locked, must.unbonding])?;
    if must.unbonding > 0 {
        equal("end of unbonding", address, bond.unbonds_at.get(), must.unbonds_at)?;
    }
    Violation::unless(must.free().is_some(), "more of a bond is bound than there is")?;
    let held = held(svm, &must.vault, &must.mint, address)?;
    if held != must.amount as u128 + must.gifts as u128 {
        let what = format!("the vault of bond {address} holds {held} units, and owes {} + {}", must.amount, must.gifts);
        return Err(Violation::new(what));
    }
    let (mut locked, mut count) = (0u128, 0);
    for (claim, hold) in model.holds.iter().filter(|(_, hold)| hold.bond == *address) {
        (locked, count) = (locked + hold.amount() as u128, count + 1);
        let is: Claim = there(svm, claim, "claim")?;
        equal("total", claim, is.total.get(), hold.amount())?;
        equal("bond", claim, is.bond, hold.bond)?;
        equal("subject", claim, is.subject, hold.subject)?;
        equal("rent payer", claim, is.rent_payer, hold.rent_payer)?;
        let tranches = is.tranches.iter().take(is.count as usize);
        let tranches: Vec<(u64, i64)> = tranches.map(|part| (part.amount.get(), part.until.get())).collect();
        equal("amounts and ends", claim, &tranches, &hold.tranches)?;
    }
    equal("the sum of all claims", address, locked, must.locked as u128)?;
    equal("claims", address, (bond.claims.get(), must.claims), (count, count))
}

fn pool(svm: &LiteSVM, model: &Model, address: &Pubkey) -> Result<(), Violation> {
    let Some(must) = model.pools.get(address) else { return Ok(()) };
    let pool: Pool = there(svm, address, "pool")?;
    pool.invariant().map_err(broken(address))?;
    let owed = [pool.staked, pool.cooling, pool.pending, pool.owed].map(|part| part.get() as u128);
    let liabilities: u128 = owed.iter().sum();
    equal("liabilities", address, liabilities, must.inside as u128)?;
    equal("rewards", address, owed[2] + owed[3], (must.rewards - must.claimed) as u128)?;
    let held = held(svm, &must.vault, &pool.mint, address)?;
    if held != liabilities + must.gifts as u128 {
        let what = format!("the vault of pool {address} holds {held} units, and owes {liabilities} + {}", must.gifts);
        return Err(Violation::new(what));
    }
    let (mut staked, mut cooling, mut weight, mut claimable) = (0u128, 0u128, 0u128, 0u128);
    for (stake, share) in &must.stakes {
        let is: Stake = there(svm, stake, "stake")?;
        equal("owner", stake, is.owner, share.owner)?;
        equal("rent payer", stake, is.rent_payer, share.rent_payer)?;
        let numbers = [is.amount.get(), is.cooling.get(), is.weight.get(), is.lock_end.get() as u64];
        equal("numbers", stake, numbers, [share.amount, share.cooling, share.weight, share.lock_end as u64])?;
        is.invariant(&pool).map_err(broken(stake))?;
        staked += is.amount.get() as u128;
        cooling += is.cooling.get() as u128;
        weight += is.weight.get() as u128;
        let since = if is.weight.get() == 0 { 0 } else { pool.accumulator.get() - is.accrued.get() };
        claimable += is.earned.get() as u128 * ONE + is.fraction.get() as u128 + since * is.weight.get() as u128;
    }
    let sums = [owed[0], owed[1], pool.total_weight.get() as u128];
    equal("the sum of all stakes", address, [staked, cooling, weight], sums)?;
    equal("what stakes can claim", address, claimable + pool.dust.get() as u128, owed[3] * ONE)
}

fn fees(svm: &LiteSVM, model: &Model, mint: &Pubkey) -> Result<(), Violation> {
    let Some(must) = model.fees.get(mint) else { return Ok(()) };
    let accepted: AcceptedMint = there(svm, &must.accepted, "mint")?;
    let is = [accepted.kept.get() as u128, accepted.owed_rewards.get() as u128, accepted.reward_bps.get() as u128];
    equal("kept, owed and share", mint, is, [must.kept, must.owed, must.share_bps as u128])?;
    let breaker = (accepted.outflow_limit.get(), accepted.outflow_window.get());
    equal("breaker", mint, breaker, (must.limit, must.window))?;
    let held = held(svm, &must.vault, mint, &model.protocol)?;
    equal("fees", mint, held, must.balance)?;
    Violation::unless(held >= must.kept + must.owed, "a fee vault holds less than treasury and stakers have")
}

fn paper(svm: &LiteSVM, model: &Model, address: &Pubkey, now: i64) -> Result<(), Violation> {
    let Some(paper) = model.papers.get(address) else { return Ok(()) };
    let rent_payer = chain::read::<Attestations>(svm, address)
        .map(|found| (found.subject, found.rent_payer))
        .or_else(|| chain::read::<Requirements>(svm, address).map(|found| (found.client, found.rent_payer)));
    equal("whose, and rent payer", address, rent_payer, Some((paper.of, paper.rent_payer)))?;
    if let Some(requirements) = chain::read::<Requirements>(svm, address) {
        let retired = model.retired.get(address).copied().unwrap_or(0);
        return equal("retired", address, requirements.retired_at.get(), retired);
    }
    let places = chain::read::<Attestations>(svm, address).map(|found| found.places);
    let credential = |place: &Attestation| Credential {
        attestor: place.attestor,
        schema: place.schema.get(),
        since: place.since.get(),
        expires_at: place.expires_at.get(),
    };
    // What nobody can ask for any more may have been written over.
    let needed = |credential: &Credential| credential.expires_at > 0 && is_needed(credential, now);
    let is: BTreeSet<Credential> = places.iter().flatten().map(credential).filter(needed).collect();
    let must = model.credentials.get(address).into_iter().flatten().copied().filter(needed);
    equal("credentials", address, is, must.collect())
}

/// Checks an account that the model does not know by name: there are few that may be.
pub fn stray(stage: &Stage, address: &Pubkey) -> Result<(), Violation> {
    let Some(account) = find(&stage.svm, address) else { return Ok(()) };
    let (owner, data, model) = (account.owner(), account.data(), &stage.model);
    let unknown = || Err(Violation::new(format!("{address} is an account of ours that nobody has opened")));
    if data.is_empty() {
        return Ok(());
    }
    if *owner == treasury::ID {
        let Ok(protocol) = decode::<Protocol>(data) else { return unknown() };
        equal("authority", address, protocol.authority, model.governed.authority)?;
        for (fee, service) in protocol.fee_bps.iter().zip(&model.governed.services) {
            equal("fee", address, fee.get(), service.fee_bps)?;
        }
        protocol.invariant().map_err(broken(address))
    } else if *owner == registry::ID {
        if let Ok(provider) = decode::<Provider>(data) {
            let Some(must) = model.providers.get(address) else { return unknown() };
            equal("payout owner", address, provider.payout_owner, must.payout_owner)?;
            equal("stated", address, provider.stated_at.get(), must.stated_at)?;
            return provider.invariant().map_err(broken(address));
        }
        match decode::<Attestor>(data).is_ok() && model.attestors.contains_key(address) {
            true => Ok(()),
            false => unknown(),
        }
    } else if *owner == escrow::ID {
        let Ok(client) = decode::<Client>(data) else { return unknown() };
        let counted = model.next_id.get(&client.client).copied().unwrap_or(0);
        Violation::unless(client.next_job.get() == counted, "a client's counter is not the number of its jobs")
    } else if *owner == staking::ID {
        match decode::<Service>(data) {
            Ok(_) => Ok(()),
            Err(_) => unknown(),
        }
    } else if *owner == joule_sdk::billing::ID {
        let Ok(cluster) = decode::<Cluster>(data) else { return unknown() };
        equal("genesis", address, cluster.genesis_hash, GENESIS)
    } else {
        Ok(())
    }
}
