//! Following a job through the indexer.

use crate::{context::Options, failure::Failure, output};
use joule_api::{Client, Job, JobStatus};
use joule_artifacts::Hash;
use std::{path::Path, time::Duration};

/// How often the indexer is asked, and how long it may be away, or not know a job that was just posted.
const POLL: Duration = Duration::from_millis(250);
const PATIENCE: Duration = Duration::from_secs(30);
/// The largest result that is fetched, in bytes.
const MAX_RESULT: u64 = joule_artifacts::MAX_OUTPUT_BYTES;

/// Waits until a job has ended, and calls `seen` for every change of its status.
pub async fn final_status(index: &Client, job: &str, mut seen: impl FnMut(&Job)) -> Result<Job, Failure> {
    // When the indexer last answered.
    let mut answered = tokio::time::Instant::now();
    let mut last = None;
    loop {
        match index.job(job).await {
            Ok(found) => {
                answered = tokio::time::Instant::now();
                if last != Some(found.status) {
                    seen(&found);
                    last = Some(found.status);
                }
                if matches!(found.status, JobStatus::Settled | JobStatus::Refunded) {
                    return Ok(found);
                }
            }
            // The indexer may be a moment behind, or be restarting.
            Err(error) if answered.elapsed() < PATIENCE => drop(error),
            Err(error) if error.is_not_found() => return Err(Failure::NotFound(format!("no job {job}: {error}"))),
            Err(error) => return Err(error.into()),
        }
        tokio::time::sleep(POLL).await;
    }
}

pub async fn run(options: &Options, job: &str, file: Option<&Path>) -> Result<(), Failure> {
    let bar = output::spinner("looking for the job");
    let ended = final_status(&options.index(), job, |job| {
        bar.set_message(describe(job));
        if bar.is_hidden() && !options.json {
            eprintln!("{}", describe(job));
        }
    })
    .await?;
    bar.finish_and_clear();
    if let (Some(file), Some(hash)) = (file, &ended.result_hash) {
        let hash: Hash = hash.parse().map_err(|e| Failure::Input(format!("the indexer's result hash: {e}")))?;
        let result = options.store()?.get(hash, MAX_RESULT).await?;
        std::fs::write(file, &result).map_err(|e| Failure::Input(format!("cannot write {}: {e}", file.display())))?;
    }
    if options.json {
        output::json(&ended)?;
    } else {
        println!("{}", describe(&ended));
    }
    match ended.status {
        JobStatus::Settled => Ok(()),
        _ => Err(Failure::Outcome(format!("job {job} was refunded"))),
    }
}

fn describe(job: &Job) -> String {
    let short = |value: &Option<String>| value.as_deref().map(output::short).unwrap_or_default();
    match job.status {
        JobStatus::Open => format!("open, waiting for a provider until {}", output::time(job.accept_by)),
        JobStatus::Accepted => format!(
            "accepted by {} for {}, to be delivered by {}",
            short(&job.provider),
            job.price,
            output::time(job.deliver_by.unwrap_or_default())
        ),
        JobStatus::Delivered => format!(
            "delivered, result {}, pays by itself after {}",
            short(&job.result_hash),
            output::time(job.settle_after.unwrap_or_default())
        ),
        JobStatus::Challenged => {
            format!("challenged by {}: jurors decide, see `joule dispute show`", short(&job.challenger))
        }
        JobStatus::Settled => format!(
            "settled: {} to the provider, {} fee, {} back; result {}",
            job.paid.provider,
            job.paid.fee,
            job.paid.client,
            short(&job.result_hash)
        ),
        JobStatus::Refunded => format!("refunded: {} back to the client so far", job.paid.client),
    }
}
