//! A job whose provider lies, step by step: challenged by a node that runs it again, judged by three others, slashed.

use super::{
    digits::Digits,
    jobs::order,
    people::{Cast, Wealth},
};
use crate::{
    command::{
        dispute::explain,
        job::{plain_terms, post, Order},
    },
    failure::Failure,
    output,
};
use joule_api::{Case, DisputeStatus, Job, JobStatus, Verdict};
use joule_sdk::{
    escrow::{
        math::{self, Stakes},
        state::{Job as OnChain, Pricing, Terms, Verdict as Decided, Verification},
    },
    instruction::escrow::{self, Provider},
    units::{Amount, Bps},
    Pubkey, Signer,
};
use joule_settings::Token;
use std::time::Duration;
use tokio::time::Instant;

/// What the client pays for the truth, in base units; the bond is as much.
const BUDGET: u64 = 5_000_000;
/// Seconds of each step of the dispute.
const VOTE_WINDOW: u32 = 5;
/// Seconds in which the result can be challenged.
const REVIEW_WINDOW: u32 = 30;
/// Votes without which nothing is decided.
const QUORUM: u8 = 3;
/// How long a step may take.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(200);

/// What came of it.
pub struct Ended {
    pub job: Job,
    pub case: Case,
}

pub async fn run(cast: &Cast, digits: &Digits) -> Result<Ended, Failure> {
    let (client, client_key) = &cast.clients[0];
    let (liar, liar_key) = &cast.liar;
    println!("\na lie");
    let terms = Terms {
        review_window: REVIEW_WINDOW,
        vote_window: VOTE_WINDOW,
        verification: Verification::Quorum as u8,
        pricing: Pricing::Fixed as u8,
        jurors: QUORUM,
        ..plain_terms(BUDGET)
    };
    let (job, _) = post(&cast.chain, &cast.store, client_key, Order { terms, ..order(cast, digits) }).await?;
    say(&format!("{client} posts a job for {}: any three bonded providers may judge its result", show(cast, BUDGET)));

    // What no node does: it takes the job, never runs it, and makes something up.
    let state = on_chain(cast, &job).await?;
    let who = liar_key.pubkey();
    let accept = escrow::accept(Provider::new(who, cast.tokens_of(&who)), job, &state, BUDGET);
    cast.chain.send(&[accept], &[liar_key]).await?;
    say(&format!(
        "{liar} takes it, and {} of its bond are locked",
        show(cast, on_chain(cast, &job).await?.exposure.get())
    ));
    let made_up = cast.store.put(&b"{\"predictions\":[]}"[..]).await?;
    cast.chain.send(&[escrow::submit(who, job, *made_up.as_bytes())], &[liar_key]).await?;
    say(&format!("{liar} delivers {}, without having run anything", output::short(&made_up.to_string())));

    let address = job.to_string();
    let case = step(cast, &address, "the result is challenged", |_| true).await?;
    say(&format!(
        "{}'s node has run it again, says {} and puts in {}",
        cast.challenger.0,
        output::short(&case.dispute.counter_result),
        show(cast, case.dispute.deposit)
    ));
    step(cast, &address, "three votes are committed", |case| case.dispute.votes.len() >= QUORUM.into()).await?;
    say(&format!("{} vote under seal, each with as much of its bond behind it", names(cast)));
    step(cast, &address, "three votes are opened", |case| {
        case.dispute.votes.iter().filter(|vote| vote.choice.is_some()).count() >= QUORUM.into()
    })
    .await?;
    say("the votes are opened");
    let case = step(cast, &address, "there is a verdict", |case| case.dispute.verdict.is_some()).await?;
    let verdict = case.dispute.verdict.map(explain).unwrap_or_default();
    say(&format!("verdict: {verdict}; the bond is slashed and {client} has its budget back"));
    let case = step(cast, &address, "the dispute is wound up", |case| {
        case.dispute.status == DisputeStatus::Closed && case.job.closed
    })
    .await?;
    say("the jurors are paid, and nothing is left on the chain");
    if case.dispute.verdict != Some(Verdict::Counter) || case.job.status != JobStatus::Refunded {
        return Err(Failure::Outcome(format!("the lie about job {job} was not found out: {verdict}")));
    }
    Ok(Ended { job: case.job.clone(), case })
}

/// Waits until the index shows the dispute at a certain point.
async fn step(cast: &Cast, job: &str, what: &str, reached: impl Fn(&Case) -> bool) -> Result<Case, Failure> {
    let deadline = Instant::now() + PATIENCE;
    let bar = output::spinner(format!("waiting until {what}"));
    loop {
        // The indexer may be a moment behind.
        let found = cast.index.dispute(job).await;
        if let Some(case) = found.ok().filter(|case| reached(case)) {
            bar.finish_and_clear();
            return Ok(case);
        }
        if Instant::now() > deadline {
            return Err(Failure::Outcome(format!("it never happened that {what}: job {job}")));
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn on_chain(cast: &Cast, job: &Pubkey) -> Result<OnChain, Failure> {
    cast.chain.job(job).await?.ok_or_else(|| Failure::NotFound(format!("no job {job} on the chain")))
}

fn names(cast: &Cast) -> String {
    cast.jurors.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

fn show(cast: &Cast, base_units: u64) -> String {
    cast.unit.show(base_units)
}

fn say(line: &str) {
    println!("  {line}");
}

/// Who has gained and lost what, bonds included; an error when it is not what the rules say, or does not add up to zero.
pub fn account_for(
    cast: &Cast,
    before: &[Wealth],
    after: &[Wealth],
    ended: &Ended,
) -> Result<comfy_table::Table, Failure> {
    let mut table = output::table(["who", "gained or lost", "why"]);
    let mut changes = Vec::new();
    for (old, new) in before.iter().zip(after) {
        let change = new.total() - old.total();
        let (expected, why) = expected(cast, &old.name, ended)?;
        changes.push(Change { who: &old.name, real: change, expected });
        if change != 0 || !why.is_empty() {
            table.add_row([old.name.as_str(), &signed(change, &cast.unit), why]);
        }
    }
    table.add_row(["together", &signed(changes.iter().map(|c| c.real).sum(), &cast.unit), ""]);
    let wrong = mistakes(&changes);
    match wrong.is_empty() {
        true => Ok(table),
        false => Err(Failure::Outcome(format!("the money is not where it should be:\n  {}", wrong.join("\n  ")))),
    }
}

/// What somebody has gained, and should have; in base units.
struct Change<'a> {
    who: &'a str,
    real: i128,
    expected: i128,
}

/// What is wrong with who has gained and lost what.
fn mistakes(changes: &[Change]) -> Vec<String> {
    let differing = changes.iter().filter(|c| c.real != c.expected);
    let mut wrong: Vec<_> =
        differing.map(|c| format!("{}: {} instead of {} base units", c.who, c.real, c.expected)).collect();
    let sum: i128 = changes.iter().map(|c| c.real).sum();
    if sum != 0 {
        wrong.push(format!("gains and losses add up to {sum} base units instead of zero"));
    }
    wrong
}

/// By the rules, from what was at stake alone.
fn expected(cast: &Cast, name: &str, ended: &Ended) -> Result<(i128, &'static str), Failure> {
    let slashed = Amount::new(ended.job.exposure);
    let stakes = Stakes {
        price: Amount::new(BUDGET),
        fee: Bps::new(ended.job.fee_bps).unwrap_or_default(),
        deposit: Amount::new(ended.case.dispute.deposit),
        slashed,
        appeal: None,
        is_heard: false,
        is_second_lot: false,
        has_winners: [true, false],
    };
    let awards =
        math::awards(Decided::Counter, &stakes).ok_or_else(|| Failure::Outcome("the stakes are absurd".into()))?;
    let (pot, weight) = (awards.jurors[0], ended.case.dispute.deposit);
    let reward = i128::from(math::reward(pot, weight, weight * cast.jurors.len() as u64).get());
    let gain = i128::from(awards.challenger.get()) - i128::from(stakes.deposit.get());
    let fee = i128::from(awards.fee.get());
    let lost = i128::from(slashed.get());
    Ok(match name {
        name if name == cast.liar.0 => (-lost, "its bond for the job, slashed"),
        name if name == cast.challenger.0 => (gain, "a share of it, for finding out; its deposit came back"),
        name if cast.jurors.iter().any(|(juror, _)| *juror == name) => (reward, "a share of it, for judging"),
        name if name == cast.clients[0].0 => {
            (lost - gain - fee - reward * cast.jurors.len() as i128, "the largest share of it; its budget came back")
        }
        "fees" => (fee, "the protocol's share of it"),
        _ => (0, ""),
    })
}

/// With its sign, in tokens.
pub fn signed(change: i128, unit: &Token) -> String {
    let sign = if change < 0 { "-" } else { "+" };
    let size = u64::try_from(change.unsigned_abs()).unwrap_or(u64::MAX);
    format!("{sign}{}", unit.show(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_that_is_missing_or_in_the_wrong_hands_is_found() {
        let change = |who, real, expected| Change { who, real, expected };
        assert!(mistakes(&[change("east", -5, -5), change("carol", 5, 5)]).is_empty());
        let lost = mistakes(&[change("east", -5, -5), change("carol", 4, 5)]);
        assert!(lost.len() == 2 && lost[0].contains("carol") && lost[1].contains("-1"), "{lost:?}");
        let swapped = mistakes(&[change("east", -5, -5), change("carol", 1, 4), change("uma", 4, 1)]);
        assert_eq!(swapped.len(), 2, "{swapped:?}");
    }
}
