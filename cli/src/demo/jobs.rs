//! Three jobs by two clients, followed until the last one is paid.

use super::{digits::Digits, people::Cast};
use crate::{
    command::job::{final_status, plain_terms, post, status, Order},
    failure::Failure,
};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use joule_api::{Job, JobStatus};
use joule_sdk::{escrow::state::Terms, instruction::escrow, token_program, Pubkey};

/// Client (an index into the cast), budget in base units, and whether the client approves instead of being silent.
const JOBS: [(usize, u64, bool); 3] = [(0, 3_000_000, true), (0, 2_500_000, false), (1, 4_000_001, false)];
/// Seconds until silence pays.
const REVIEW_WINDOW: u32 = 5;

/// The whole set of digits to be read, without a price yet.
pub fn order(cast: &Cast, digits: &Digits) -> Order {
    Order {
        module: digits.module.clone(),
        input: digits.input(0, 1),
        mint: cast.mint,
        token_program: token_program::CLASSIC,
        fuel: 1_000_000_000,
        memory_bytes: 16 << 20,
        timeout_ms: 60_000,
        requirements: None,
        terms: plain_terms(0),
    }
}

pub async fn run_three(cast: &Cast, digits: &Digits) -> Result<Vec<Job>, Failure> {
    let bars = MultiProgress::new();
    let mut posted = Vec::new();
    for (n, (client, budget, approves)) in JOBS.into_iter().enumerate() {
        let (name, key) = &cast.clients[client];
        let order = Order {
            input: digits.input(n, JOBS.len()),
            terms: Terms { review_window: REVIEW_WINDOW, ..plain_terms(budget) },
            ..order(cast, digits)
        };
        let (job, _) = post(&cast.chain, &cast.store, key, order).await?;
        let bar = bars.add(ProgressBar::new(4).with_prefix(format!("job {} of {name}", n + 1)));
        if let Ok(style) = ProgressStyle::with_template("  {prefix:<15} {bar:24} {msg}") {
            bar.set_style(style);
        }
        if bars.is_hidden() {
            println!("  job {} of {name} posted: {job}", n + 1);
        }
        posted.push((job, client, approves, bar));
    }
    let hidden = bars.is_hidden();
    let following = posted.iter().enumerate().map(|(n, (job, client, approves, bar))| async move {
        let approval = async {
            match approves {
                true => approve_when_delivered(cast, *client, job).await,
                false => Ok(()),
            }
        };
        let address = job.to_string();
        let watching = final_status(&cast.index, &address, |job| {
            bar.set_position(position(job.status));
            bar.set_message(status(job.status));
            if hidden {
                println!("  job {} is {}", n + 1, status(job.status));
            }
        });
        let (ended, approved) = tokio::join!(watching, approval);
        approved?;
        bar.finish();
        ended
    });
    let mut ended = Vec::new();
    for job in futures::future::join_all(following).await {
        let job = job?;
        if job.status != JobStatus::Settled {
            return Err(Failure::Outcome(format!("job {} was {} instead of settled", job.address, status(job.status))));
        }
        ended.push(job);
    }
    for (n, (client, _, approves)) in JOBS.into_iter().enumerate() {
        let name = cast.clients[client].0;
        println!(
            "  {}",
            match approves {
                true => format!("job {}: {name} looked at the result and approved it", n + 1),
                false => format!("job {}: {name} said nothing, and after {REVIEW_WINDOW} s it paid by itself", n + 1),
            }
        );
    }
    Ok(ended)
}

/// The client looks at the result as soon as it is there, and pays.
async fn approve_when_delivered(cast: &Cast, client: usize, address: &Pubkey) -> Result<(), Failure> {
    loop {
        // Gone from the chain: somebody was quicker, which the review window allows.
        let Some(job) = cast.chain.job(address).await? else { return Ok(()) };
        if job.status().is_ok_and(|s| s == joule_sdk::escrow::state::JobStatus::Delivered) {
            let approve = escrow::approve(*address, &job, token_program::CLASSIC, job.result_hash);
            return match cast.chain.send(&[approve], &[&cast.clients[client].1]).await {
                Ok(_) => Ok(()),
                Err(_) if cast.chain.job(address).await?.is_none() => Ok(()),
                Err(error) => Err(error.into()),
            };
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
}

fn position(status: JobStatus) -> u64 {
    match status {
        JobStatus::Open => 1,
        JobStatus::Accepted => 2,
        JobStatus::Delivered => 3,
        JobStatus::Challenged | JobStatus::Settled | JobStatus::Refunded => 4,
    }
}
