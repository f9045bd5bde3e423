//! Jobs: what an account and its events say together.

mod history;

use super::{
    cell::names,
    record::{noun, record},
    AccountRow, EventRow,
};
use crate::{
    decode::{event::job_of, Fact, State},
    types::Address,
};
use joule_api::{Commitment, Job, JobStatus, Payout, Pricing, Verdict, Verification};
use joule_escrow::{event as escrow, state};

/// The job, from its account and its events, in whatever order they came to be known. `None` when neither says what the
/// job is. `authority` finds out who runs a provider, where the account's bytes no longer tell.
///
/// The account is the truth while it lives. It is closed by the instruction that pays the last unit, so the end of a
/// job, and what was paid, are in the events alone.
pub fn rebuild(
    address: &Address,
    account: Option<&AccountRow>,
    events: &[EventRow],
    authority: impl FnOnce(&Address) -> Option<Address>,
) -> Option<Job> {
    let mut facts: Vec<(&EventRow, escrow::AnyEvent)> = events
        .iter()
        .filter_map(|event| match event.fact() {
            // Clients and providers are named by events of jobs, and are no jobs.
            Ok(Fact::Escrow(fact)) if job_of(&fact).is_some_and(|job| Address::from(job) == *address) => {
                Some((event, fact))
            }
            _ => None,
        })
        .collect();
    facts.sort_by_key(|(event, _)| event.order());
    let decoded = account.and_then(AccountRow::state);
    let mut job = match &decoded {
        Some(State::Job(state)) => from_account(address, state)?,
        _ => facts.iter().find_map(|(_, fact)| match fact {
            escrow::AnyEvent::JobOpened(opened) => from_opening(address, opened),
            _ => None,
        })?,
    };
    for (_, fact) in &facts {
        history::happened(&mut job, fact);
    }
    if let Some(account) = account {
        job.slot = account.since;
        job.closed |= account.closed;
        if !account.closed {
            // Alive, so its own word on what is owed is newer than any event's.
            if let Some(State::Job(state)) = &decoded {
                job.owed = owed(state);
                job.disputed = state.disputed == 1;
            }
        }
    }
    job.escrowed = escrowed(&job);
    job.slot = facts.iter().map(|(event, _)| event.slot).max().unwrap_or_default().max(job.slot);
    if job.provider_authority.is_none() {
        if let Some(provider) = job.provider.as_ref().and_then(|provider| provider.parse().ok()) {
            job.provider_authority = authority(&provider).map(|authority| authority.to_string());
        }
    }
    Some(job)
}

pub(super) fn known(address: &anchor_lang::prelude::Address) -> Option<String> {
    let address = Address::from(address);
    (address != Address::SYSTEM).then(|| address.to_string())
}

pub(super) fn known_hash(hash: &[u8; 32]) -> Option<String> {
    (*hash != [0; 32]).then(|| hex::encode(hash))
}

fn owed(state: &state::Job) -> Payout {
    Payout {
        provider: state.owed_provider.get(),
        fee: state.owed_fee.get(),
        challenger: state.owed_challenger.get(),
        jurors: state.owed_jurors.get(),
        client: state.owed_client.get(),
    }
}

/// What its vault holds: what came in less what went out.
fn escrowed(job: &Job) -> u64 {
    if job.closed {
        return 0;
    }
    let is_over = matches!(job.status, JobStatus::Settled | JobStatus::Refunded);
    if is_over && job.dispute.is_none() {
        // Whatever was not paid at the end is owed to somebody.
        return u64::try_from(job.owed.total()).unwrap_or(u64::MAX);
    }
    u64::try_from(came_in(job).saturating_sub(job.paid.total())).unwrap_or(u64::MAX)
}

/// Everything that ever came into a job's vault but gifts: the budget, deposits of a dispute, and what was slashed.
pub fn came_in(job: &Job) -> u128 {
    u128::from(job.budget) + u128::from(job.deposited) + u128::from(job.slashed)
}

pub(super) fn verification(number: u8) -> Option<Verification> {
    match state::Verification::from_number(number).ok()? {
        state::Verification::Review => Some(Verification::Review),
        state::Verification::Quorum => Some(Verification::Quorum),
        state::Verification::Panel => Some(Verification::Panel),
    }
}

fn pricing(number: u8) -> Option<Pricing> {
    match number {
        n if n == state::Pricing::Fixed as u8 => Some(Pricing::Fixed),
        n if n == state::Pricing::PerSecond as u8 => Some(Pricing::PerSecond),
        _ => None,
    }
}

pub(super) fn time(moment: i64) -> Option<i64> {
    (moment != 0).then_some(moment)
}

fn dispute_of(job: &Address) -> String {
    Address::from(&crate::decode::event::dispute(&anchor_lang::prelude::Address::new_from_array(job.0))).to_string()
}

fn from_account(address: &Address, state: &state::Job) -> Option<Job> {
    let status = match state.status().ok()? {
        state::JobStatus::Open => JobStatus::Open,
        state::JobStatus::Accepted => JobStatus::Accepted,
        state::JobStatus::Delivered => JobStatus::Delivered,
        state::JobStatus::Challenged => JobStatus::Challenged,
        state::JobStatus::Settled => JobStatus::Settled,
        state::JobStatus::Refunded => JobStatus::Refunded,
    };
    let challenger = known(&state.challenger);
    Some(Job {
        address: address.to_string(),
        client: Address::from(&state.client).to_string(),
        id: state.id.get(),
        status,
        provider: known(&state.provider),
        provider_authority: known(&state.provider_authority),
        mint: Address::from(&state.mint).to_string(),
        budget: state.budget.get(),
        pricing: pricing(state.pricing)?,
        price: state.price.get(),
        rate: state.rate.get(),
        max_rate: state.max_rate.get(),
        reported: state.reported.get(),
        fee_bps: state.fee_bps.get(),
        bond_bps: state.bond_bps.get(),
        exposure: state.exposure.get(),
        requirements: known(&state.requirements),
        verification: verification(state.verification)?,
        jurors: state.jurors,
        vote_window: state.vote_window.get(),
        spec_hash: hex::encode(state.spec_hash),
        input_hash: hex::encode(state.input_hash),
        result_hash: known_hash(&state.result_hash),
        opened_at: state.opened_at.get(),
        accept_by: state.accept_by.get(),
        bid_until: time(state.bid_until.get()),
        best_bid: known(&state.best_bid),
        best_price: state.best_price.get(),
        work_window: state.work_window.get(),
        deliver_by: time(state.deliver_by.get()),
        review_window: state.review_window.get(),
        settle_after: time(state.settle_after.get()),
        dispute: challenger.is_some().then(|| dispute_of(address)),
        challenger,
        verdict: None,
        disputed: state.disputed == 1,
        deposited: 0,
        slashed: 0,
        paid: Payout::default(),
        owed: owed(state),
        escrowed: 0,
        closed: false,
        slot: 0,
        commitment: Commitment::Confirmed,
    })
}

fn from_opening(address: &Address, opened: &escrow::JobOpened) -> Option<Job> {
    Some(Job {
        address: address.to_string(),
        client: Address::from(&opened.client).to_string(),
        id: opened.id.get(),
        status: JobStatus::Open,
        provider: None,
        provider_authority: None,
        mint: Address::from(&opened.mint).to_string(),
        budget: opened.budget.get(),
        pricing: pricing(opened.pricing)?,
        price: 0,
        rate: 0,
        max_rate: opened.max_rate.get(),
        reported: 0,
        fee_bps: opened.fee_bps.get(),
        bond_bps: opened.bond_bps.get(),
        exposure: 0,
        requirements: known(&opened.requirements),
        verification: verification(opened.verification)?,
        jurors: opened.jurors,
        vote_window: opened.vote_window.get(),
        spec_hash: hex::encode(opened.spec_hash),
        input_hash: hex::encode(opened.input_hash),
        result_hash: None,
        opened_at: opened.opened_at.get(),
        accept_by: opened.accept_by.get(),
        bid_until: time(opened.bid_until.get()),
        best_bid: None,
        best_price: 0,
        work_window: opened.work_window.get(),
        deliver_by: None,
        review_window: opened.review_window.get(),
        settle_after: None,
        challenger: None,
        dispute: None,
        verdict: None,
        disputed: false,
        deposited: 0,
        slashed: 0,
        paid: Payout::default(),
        owed: Payout::default(),
        escrowed: 0,
        closed: false,
        slot: 0,
        commitment: Commitment::Confirmed,
    })
}

names!(JobStatus;
    Open = "open", Accepted = "accepted", Delivered = "delivered", Challenged = "challenged", Settled = "settled",
    Refunded = "refunded");
names!(Verification; Review = "review", Quorum = "quorum", Panel = "panel");
names!(Pricing; Fixed = "fixed", PerSecond = "per_second");

record! {
    Payout { provider: Amount, fee: Amount, challenger: Amount, jurors: Amount, client: Amount }
}

record! {
    Job {
        address: Address,
        client: Address,
        id: Count,
        status: Name<JobStatus>,
        provider: Maybe<Address>,
        provider_authority: Maybe<Address>,
        mint: Address,
        budget: Amount,
        pricing: Name<Pricing>,
        price: Amount,
        rate: Amount,
        max_rate: Amount,
        reported: Number<u32>,
        fee_bps: Number<u16>,
        bond_bps: Number<u16>,
        exposure: Amount,
        requirements: Maybe<Address>,
        verification: Name<Verification>,
        jurors: Number<u8>,
        vote_window: Number<u32>,
        spec_hash: Hash,
        input_hash: Hash,
        result_hash: Maybe<Hash>,
        opened_at: Time,
        accept_by: Time,
        bid_until: Maybe<Time>,
        best_bid: Maybe<Address>,
        best_price: Amount,
        work_window: Number<u32>,
        deliver_by: Maybe<Time>,
        review_window: Number<u32>,
        settle_after: Maybe<Time>,
        challenger: Maybe<Address>,
        dispute: Maybe<Address>,
        verdict: Maybe<Name<Verdict>>,
        disputed: Flag,
        deposited: Amount,
        slashed: Amount,
        escrowed: Amount,
        closed: Flag,
        slot: Count,
    }
    parts { paid: Payout, owed: Payout }
    rest { commitment: Commitment::Confirmed }
}

// The time of its opening never changes, nor does its address.
noun!(Job in "jobs", opened_at, Newest, of JobStatus);
