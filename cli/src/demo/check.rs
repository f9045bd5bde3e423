//! Whether the chain and the indexer's store say the same. This can fail, and then the demo does.

use super::Cast;
use crate::failure::Failure;
use joule_api::Job;
use joule_sdk::{pda, Signer};
use std::time::Duration;
use tokio::time::Instant;

/// Totals come from what the cluster has confirmed, which takes a moment; what still differs then, differs.
const PATIENCE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(250);

pub async fn chain_equals_store(
    cast: &Cast,
    before: &[(String, u64)],
    after: &[(String, u64)],
    jobs: &[Job],
) -> Result<(), Failure> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let differences = differences(cast, before, after, jobs).await?;
        if differences.is_empty() {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(Failure::Outcome(format!("chain and store differ:\n  {}", differences.join("\n  "))));
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn differences(
    cast: &Cast,
    before: &[(String, u64)],
    after: &[(String, u64)],
    jobs: &[Job],
) -> Result<Vec<String>, Failure> {
    let mut differences = Vec::new();
    let mut compare = |what: String, chain: u64, store: u64| {
        if chain != store {
            differences.push(format!("{what}: {chain} on the chain, {store} in the store"));
        }
    };
    // What each person's tokens changed by on the chain, against what the store says was paid.
    let change = |name: &str| {
        let of = |balances: &[(String, u64)]| balances.iter().find(|(n, _)| n == name).map_or(0, |(_, b)| *b);
        (of(before), of(after))
    };
    for (name, key) in &cast.clients {
        let own = jobs.iter().filter(|job| job.client == key.pubkey().to_string());
        let spent: u64 = own.map(|job| job.budget - job.paid.client).sum();
        let (old, new) = change(name);
        compare(format!("{name}'s tokens"), new, old - spent);
    }
    for (name, key) in &cast.providers {
        let address = pda::provider(&key.pubkey()).to_string();
        let earned =
            jobs.iter().filter(|j| j.provider.as_ref() == Some(&address)).map(|j| j.paid.provider).sum::<u64>();
        let (old, new) = change(name);
        compare(format!("{name}'s tokens"), new, old + earned);
        compare(format!("{name}'s earnings"), new, cast.index.provider(&address).await?.earned);
    }
    let totals = cast.index.totals().await?;
    let mint = cast.mint.to_string();
    let totals = totals.mints.iter().find(|m| m.mint == mint);
    let totals = totals.ok_or_else(|| Failure::Outcome("the store has no totals for the token".into()))?;
    compare("fees".into(), change("fees").1, totals.paid_in_fees);
    let mut locked = 0;
    for (_, job) in cast.chain.jobs().await? {
        locked += cast.chain.token_balance(&job.vault).await?;
    }
    compare("money in vaults".into(), locked, totals.escrowed);
    compare("settled jobs".into(), jobs.len() as u64, totals.jobs_settled);
    for (n, job) in jobs.iter().enumerate() {
        let sum = job.paid.provider + job.paid.fee + job.paid.client;
        compare(format!("job {}: budget and what was paid", n + 1), job.budget, sum);
    }
    Ok(differences)
}
