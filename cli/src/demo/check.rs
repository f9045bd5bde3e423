//! Whether the chain and the indexer's store say the same. This can fail, and then the demo does.

use super::people::{Cast, Wealth};
use crate::failure::Failure;
use joule_api::{Case, Job, JobStatus};
use joule_sdk::{pda, Signer};
use std::time::Duration;
use tokio::time::Instant;

/// Totals come from what the cluster has confirmed, which takes a moment; what still differs then, differs.
const PATIENCE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(250);

/// `jobs` are all there were, and `case` is the only dispute.
pub async fn chain_equals_store(
    cast: &Cast,
    before: &[Wealth],
    after: &[Wealth],
    jobs: &[Job],
    case: &Case,
) -> Result<(), Failure> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let differences = differences(cast, before, after, jobs, case).await?;
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
    before: &[Wealth],
    after: &[Wealth],
    jobs: &[Job],
    case: &Case,
) -> Result<Vec<String>, Failure> {
    let mut differences = Vec::new();
    let mut compare = |what: String, chain: i128, store: i128| {
        if chain != store {
            differences.push(format!("{what}: {chain} on the chain, {store} in the store"));
        }
    };
    let units = |amount: u64| i128::from(amount);
    let sum = |sum: u128| i128::try_from(sum).unwrap_or(i128::MAX);
    // What each person's tokens and bond changed by on the chain, against what the store says was paid and slashed.
    let change = |name: &str, part: fn(&Wealth) -> u64| {
        let of = |all: &[Wealth]| all.iter().find(|w| w.name == name).map_or(0, |w| i128::from(part(w)));
        of(after) - of(before)
    };
    for (name, key) in &cast.clients {
        let own = jobs.iter().filter(|job| job.client == key.pubkey().to_string());
        let gained: i128 = own.map(|job| units(job.paid.client) - units(job.budget)).sum();
        compare(format!("{name}'s tokens"), change(name, Wealth::tokens), gained);
    }
    for (name, key) in cast.providers.iter().chain([&cast.liar]) {
        let address = pda::provider(&key.pubkey()).to_string();
        let own = || jobs.iter().filter(|job| job.provider.as_ref() == Some(&address));
        let earned: i128 = own().map(|job| units(job.paid.provider)).sum();
        let slashed: i128 = own().map(|job| units(job.slashed)).sum();
        compare(format!("{name}'s tokens"), change(name, Wealth::tokens), earned);
        compare(format!("{name}'s bond"), change(name, Wealth::bond), -slashed);
        compare(format!("{name}'s earnings"), earned, sum(cast.index.provider(&address).await?.earned));
    }
    for (name, key) in &cast.jurors {
        let juror = key.pubkey().to_string();
        let own = || case.dispute.votes.iter().filter(|vote| vote.juror == juror);
        compare(format!("{name}'s tokens"), change(name, Wealth::tokens), own().map(|vote| units(vote.paid)).sum());
        compare(
            format!("{name}'s bond"),
            change(name, Wealth::bond),
            -own().map(|vote| units(vote.slashed)).sum::<i128>(),
        );
    }
    let (challenger, won) = (cast.challenger.0, units(case.job.paid.challenger) - units(case.job.deposited));
    compare(format!("{challenger}'s tokens"), change(challenger, Wealth::tokens), won);
    let totals = cast.index.totals().await?;
    let mint = cast.mint.to_string();
    let totals = totals.mints.iter().find(|m| m.mint == mint);
    let totals = totals.ok_or_else(|| Failure::Outcome("the store has no totals for the token".into()))?;
    compare("fees".into(), change("fees", Wealth::tokens), sum(totals.paid_in_fees));
    let mut locked = 0;
    for (_, job) in cast.chain.jobs().await? {
        locked += units(cast.chain.token_balance(&job.vault).await?);
    }
    compare("money in vaults".into(), locked, sum(totals.escrowed));
    let ended = |status| jobs.iter().filter(|job| job.status == status).count() as i128;
    compare("settled jobs".into(), ended(JobStatus::Settled), units(totals.jobs_settled));
    compare("refunded jobs".into(), ended(JobStatus::Refunded), units(totals.jobs_refunded));
    for (n, job) in jobs.iter().enumerate() {
        let came = units(job.budget) + units(job.deposited) + units(job.slashed);
        compare(format!("job {}: what came in and what was paid", n + 1), came, job.paid.total() as i128);
    }
    Ok(differences)
}
