//! Whether the books balance: what the events say against what the accounts say, and both against the tokens.

use super::{revenue, Difference};
use crate::{
    decode::{Program, State},
    query::{Cursor, JobFilter, PageRequest},
    row::{bond, job, AccountRow},
    store::Store,
    types::Address,
};
use joule_api::{Job, JobStatus};
use joule_units::Amount;
use std::collections::BTreeMap;

/// Events of one account that are read.
pub(super) const ALL: usize = 1 << 24;
/// Rows read at a time.
pub(super) const PAGE: usize = 1_000;

/// A token account, and what it must hold at least: anyone may send more to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vault {
    /// Whose it is.
    pub owner: Address,
    pub vault: Address,
    pub least: u64,
}

/// What was found in the store alone.
#[derive(Debug, Default)]
pub struct Books {
    pub differences: Vec<Difference>,
    /// Bonds whose reputation was recomputed.
    pub reputations: usize,
    /// Bonds whose opening the store never saw, so that nothing can be recomputed.
    pub unknown: usize,
    /// Channels of which was counted again what they have earned.
    pub channels: usize,
    /// Channels whose opening the store never saw.
    pub unknown_channels: usize,
    /// What must be compared with the chain.
    pub vaults: Vec<Vault>,
}

pub fn audit(store: &dyn Store) -> anyhow::Result<Books> {
    let mut books = Books::default();
    bonds(store, &mut books)?;
    jobs(store, &mut books)?;
    revenue::audit(store, &mut books)?;
    for row in store.live_accounts(&Program::Treasury.address())? {
        let Some(State::AcceptedMint(mint)) = row.state() else { continue };
        let least = mint.kept.get().saturating_add(mint.owed_rewards.get());
        books.vaults.push(Vault { owner: row.address, vault: (&mint.fee_vault).into(), least });
    }
    Ok(books)
}

/// Bonds and pools: reputations from the beginning, what claims hold, and what the vaults must hold.
fn bonds(store: &dyn Store, books: &mut Books) -> anyhow::Result<()> {
    let rows = store.live_accounts(&Program::Staking.address())?;
    let mut claimed: BTreeMap<Address, (u128, u32)> = BTreeMap::new();
    for row in &rows {
        if let Some(State::Claim(claim)) = row.state() {
            let (total, count) = claimed.entry((&claim.bond).into()).or_default();
            *total += u128::from(claim.total.get());
            *count += 1;
        }
    }
    for row in &rows {
        match row.state() {
            Some(State::Bond(state)) => {
                let (total, count) = claimed.remove(&row.address).unwrap_or_default();
                let (locked, claims) = (state.locked.get(), state.claims.get());
                if (total, count) != (u128::from(locked), claims) {
                    books.differences.push(Difference::Claims { address: row.address, locked, claims, total, count });
                }
                let least = state.amount.get();
                books.vaults.push(Vault { owner: row.address, vault: (&state.vault).into(), least });
                reputation(store, row, &state, books)?;
            }
            Some(State::Pool(state)) => {
                let least = state.liabilities().unwrap_or(u64::MAX);
                books.vaults.push(Vault { owner: row.address, vault: (&state.vault).into(), least });
            }
            _ => {}
        }
    }
    // What is left is claimed of no bond.
    for (address, (total, count)) in claimed {
        books.differences.push(Difference::Claims { address, locked: 0, claims: 0, total, count });
    }
    Ok(())
}

fn reputation(
    store: &dyn Store,
    row: &AccountRow,
    state: &joule_staking::state::Bond,
    books: &mut Books,
) -> anyhow::Result<()> {
    let account = bond::reputation(state);
    match bond::recompute(&row.address, &store.events(&row.address, ALL)?) {
        Some(events) => {
            books.reputations += 1;
            if events != account {
                books.differences.push(Difference::Reputation { address: row.address, account, events });
            }
        }
        None => books.unknown += 1,
    }
    Ok(())
}

/// Jobs: whatever came in went out, or is in the vault.
fn jobs(store: &dyn Store, books: &mut Books) -> anyhow::Result<()> {
    let mut page = PageRequest { after: None, limit: PAGE };
    loop {
        let jobs = store.list(&JobFilter::default(), &page, &[])?;
        for job in &jobs {
            let Ok(address) = job.address.parse() else { continue };
            match job.closed {
                true => books.differences.extend(lost(address, job)),
                false => books.vaults.extend(vault(store, address, job)?),
            }
        }
        let Some(last) = jobs.last() else { return Ok(()) };
        let Ok(address) = last.address.parse() else { return Ok(()) };
        page.after = Some(Cursor { time: last.opened_at, address });
    }
}

/// A job that is over, and has not paid out all that ever came in.
fn lost(address: Address, job: &Job) -> Option<Difference> {
    let is_over = matches!(job.status, JobStatus::Settled | JobStatus::Refunded);
    let (came_in, paid) = (job::came_in(job), job.paid.total());
    (is_over && paid < came_in).then_some(Difference::Lost { address, came_in, paid })
}

fn vault(store: &dyn Store, address: Address, job: &Job) -> anyhow::Result<Option<Vault>> {
    let Some(row) = store.account(&address)? else { return Ok(None) };
    let Some(State::Job(state)) = row.state() else { return Ok(None) };
    // By the program's own sum: no more may be owed than is there.
    let owed = [state.owed_provider, state.owed_fee, state.owed_challenger, state.owed_jurors, state.owed_client];
    let owed = owed.iter().try_fold(Amount::ZERO, |sum, part| sum.checked_add(Amount::new(part.get())));
    let least = owed.map_or(u64::MAX, Amount::get).max(job.escrowed);
    Ok(Some(Vault { owner: address, vault: (&state.vault).into(), least }))
}
