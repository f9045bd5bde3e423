//! Which jobs are to be looked at: others' results that can be challenged, and disputes.
//!
//! The indexer says at every turn, and is only believed in what it adds: every case is read from the chain before anything is
//! done about it, and the chain is asked for all of them where the indexer does not answer, and every 30 seconds anyway,
//! since a dispute that an indexer keeps to itself would cost a juror its stake.

use super::{Court, Duty};
use crate::{
    chain::{Address, ChainError, Job, JobStatus},
    outage::Outage,
};
use joule_api::{ApiError, DisputeStatus};
use std::{collections::HashSet, time::Duration};
use tokio::time::Instant;

/// How often the chain is asked, whatever the indexer says.
const SWEEP: Duration = Duration::from_secs(30);
/// Rows asked for at once; the most that the indexer gives.
const PAGE: u32 = 500;

/// What is known of them, between one look and the next.
pub struct Docket {
    indexer: joule_api::Client,
    swept: Option<Instant>,
    /// Jobs with a dispute that is not wound up; some of them may be since the last sweep.
    cases: HashSet<Address>,
    outage: Outage,
}

impl Docket {
    pub fn new(indexer: joule_api::Client) -> Self {
        Self { indexer, swept: None, cases: HashSet::new(), outage: Outage::new("the indexer's list of disputes") }
    }

    /// Delivered jobs that this node should run again, and the jobs in dispute, whoever's they are.
    pub async fn look(&mut self, court: &Court) -> Result<(Vec<Address>, Vec<Address>), ChainError> {
        let (now, me) = (court.chain.now().await?, court.chain.authority());
        let hinted = self.hinted(&court.duty, &me, now).await;
        let is_due = self.swept.is_none_or(|at| at.elapsed() >= SWEEP);
        let mut checks = match hinted {
            Ok((checks, cases)) => {
                self.outage.over();
                self.cases.extend(cases);
                checks
            }
            Err(error) => {
                self.outage.began(&error);
                Vec::new()
            }
        };
        if is_due || self.outage.lasts() {
            self.cases = court.chain.chain().disputes().await?.into_iter().map(|(_, dispute)| dispute.job).collect();
            checks = swept(court, &me, now).await?;
            self.swept = Some(Instant::now());
        }
        Ok((checks, self.cases.iter().copied().collect()))
    }

    /// As the indexer knows it.
    async fn hinted(&self, duty: &Duty, me: &Address, now: i64) -> Result<(Vec<Address>, Vec<Address>), ApiError> {
        let mut cases = Vec::new();
        for status in [DisputeStatus::Drawing, DisputeStatus::Voting, DisputeStatus::Resolved] {
            let mut page = self.indexer.disputes(&query(&status, None)).await?;
            loop {
                cases.extend(page.items.iter().filter_map(|case| case.dispute.job.parse::<Address>().ok()));
                let Some(next) = page.next_cursor else { break };
                page = self.indexer.disputes(&query(&status, Some(next))).await?;
            }
        }
        let mut checks = Vec::new();
        if duty.verify {
            let delivered = joule_api::JobStatus::Delivered;
            let mut page = self.indexer.jobs(&query(&delivered, None)).await?;
            loop {
                let wanted = page.items.iter().filter(|job| wants_check(duty, job, me, now));
                checks.extend(wanted.filter_map(|job| job.address.parse::<Address>().ok()));
                let Some(next) = page.next_cursor else { break };
                page = self.indexer.jobs(&query(&delivered, Some(next))).await?;
            }
        }
        Ok((checks, cases))
    }
}

fn query<T: serde::Serialize>(status: &T, cursor: Option<String>) -> Vec<(&'static str, String)> {
    let word = serde_json::to_value(status).ok().and_then(|word| word.as_str().map(str::to_owned));
    let query = [("status", word), ("limit", Some(PAGE.to_string())), ("cursor", cursor)];
    query.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// [`Duty::wants_check`] of a row; the job on the chain is asked once more.
fn wants_check(duty: &Duty, job: &joule_api::Job, me: &Address, now: i64) -> bool {
    job.verification != joule_api::Verification::Review
        && job.settle_after.is_some_and(|until| now < until)
        && job.mint.parse().is_ok_and(|mint| duty.mints.contains(&mint))
        && job.provider_authority.as_deref() != Some(me.to_string().as_str())
}

async fn swept(court: &Court, me: &Address, now: i64) -> Result<Vec<Address>, ChainError> {
    if !court.duty.verify {
        return Ok(Vec::new());
    }
    let delivered = court.chain.chain().jobs_standing(JobStatus::Delivered).await?;
    let jobs = delivered.iter().filter_map(|(address, state)| Job::from_state(*address, state));
    Ok(jobs.filter(|job| court.duty.wants_check(job, me, now)).map(|job| job.address).collect())
}
