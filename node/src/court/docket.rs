//! Which jobs are to be looked at: others' results that can be challenged, and disputes.
//!
//! The indexer says at every turn, and is only believed in what it adds: every case is read from the chain before anything is
//! done about it, and the chain is asked for all of them where the indexer does not answer, and every 30 seconds anyway,
//! since a dispute that an indexer keeps to itself would cost a juror its stake.

use super::{Court, Duty};
use crate::{
    chain::{Address, ChainError, Job, JobStatus},
    outage::{Outage, Outages},
};
use joule_api::{ApiError, DisputeStatus, Page};
use std::{cmp::Reverse, collections::HashSet, time::Duration};
use tokio::time::Instant;

/// How often the chain is asked, whatever the indexer says.
const SWEEP: Duration = Duration::from_secs(30);
/// Rows asked for at once; the most that the indexer gives.
const PAGE: usize = 500;
/// Pages that are read of one list: an indexer may have no end of them.
const PAGES: usize = 10;
/// Disputes that are taken on its word, until the chain is asked again.
const HINTS: usize = 500;

/// What is known of them, between one look and the next.
pub struct Docket {
    indexer: joule_api::Client,
    swept: Option<Instant>,
    /// Jobs with a dispute that is not wound up; some of them may be since the last sweep.
    cases: HashSet<Address>,
    /// How many of them the chain knew then.
    known: usize,
    outage: Outage,
}

impl Docket {
    pub fn new(indexer: joule_api::Client, outages: &Outages) -> Self {
        Self {
            indexer,
            swept: None,
            cases: HashSet::new(),
            known: 0,
            outage: outages.of("disputes", "the indexer's list of disputes"),
        }
    }

    /// Delivered jobs that this node should run again, those first that have most at stake, and the jobs in dispute, whoever's they
    /// are.
    pub async fn look(&mut self, court: &Court) -> Result<(Vec<Address>, Vec<Address>), ChainError> {
        let (now, me) = (court.chain.now().await?, court.chain.authority());
        let hinted = self.hinted(&court.duty, &me, now).await;
        let is_due = self.swept.is_none_or(|at| at.elapsed() >= SWEEP);
        let mut checks = match hinted {
            Ok((checks, cases)) => {
                self.outage.over();
                for case in cases {
                    if self.cases.len() < self.known + HINTS {
                        self.cases.insert(case);
                    }
                }
                checks
            }
            Err(error) => {
                self.outage.began(&error);
                Vec::new()
            }
        };
        if is_due || self.outage.lasts() {
            self.cases = court.chain.chain().disputes().await?.into_iter().map(|(_, dispute)| dispute.job).collect();
            self.known = self.cases.len();
            checks = swept(court, &me, now).await?;
            self.swept = Some(Instant::now());
        }
        Ok((dearest_first(checks), self.cases.iter().copied().collect()))
    }

    /// Whether the chain was asked for all disputes.
    pub fn has_swept(&self) -> bool {
        self.swept.is_some()
    }

    /// Jobs in dispute.
    pub fn cases(&self) -> impl Iterator<Item = Address> + '_ {
        self.cases.iter().copied()
    }

    /// As the indexer knows it.
    async fn hinted(&self, duty: &Duty, me: &Address, now: i64) -> Result<(Vec<Stake>, Vec<Address>), ApiError> {
        let mut cases = Vec::new();
        for status in [DisputeStatus::Drawing, DisputeStatus::Voting, DisputeStatus::Resolved] {
            let found = pages(async |cursor| self.indexer.disputes(&query(&status, cursor)).await).await?;
            cases.extend(found.iter().filter_map(|case| case.dispute.job.parse::<Address>().ok()));
        }
        let mut checks = Vec::new();
        if duty.verify {
            let delivered = joule_api::JobStatus::Delivered;
            let found = pages(async |cursor| self.indexer.jobs(&query(&delivered, cursor)).await).await?;
            let wanted = found.iter().filter(|job| wants_check(duty, job, me, now));
            checks.extend(wanted.filter_map(|job| Some((job.exposure, job.address.parse::<Address>().ok()?))));
        }
        Ok((checks, cases))
    }
}

/// Base units that are at stake for a job.
type Stake = (u64, Address);

/// Whoever has decoys run in place of a false result locks as much for each.
fn dearest_first(mut checks: Vec<Stake>) -> Vec<Address> {
    checks.sort_by_key(|(exposure, address)| (Reverse(*exposure), *address));
    checks.into_iter().map(|(_, address)| address).collect()
}

/// The rows of a list, as far as it is read.
async fn pages<T>(ask: impl AsyncFn(Option<String>) -> Result<Page<T>, ApiError>) -> Result<Vec<T>, ApiError> {
    let mut rows = Vec::new();
    let mut cursor = None;
    for _ in 0..PAGES {
        let page = ask(cursor).await?;
        rows.extend(page.items.into_iter().take(PAGE));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    Ok(rows)
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
        && duty.is_worth(job.exposure)
        && job.provider_authority.as_deref() != Some(me.to_string().as_str())
}

async fn swept(court: &Court, me: &Address, now: i64) -> Result<Vec<Stake>, ChainError> {
    if !court.duty.verify {
        return Ok(Vec::new());
    }
    let delivered = court.chain.chain().jobs_standing(JobStatus::Delivered).await?;
    let jobs = delivered.iter().filter_map(|(address, state)| Job::from_state(*address, state));
    Ok(jobs.filter(|job| court.duty.wants_check(job, me, now)).map(|job| (job.exposure, job.address)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_most_at_stake_is_run_again_first_however_new_the_decoys_are() {
        let address = |byte| Address::new_from_array([byte; 32]);
        let listed = [(5, 9), (5, 8), (700, 7), (6, 1)].map(|(exposure, byte)| (exposure, address(byte)));
        assert_eq!(dearest_first(listed.to_vec()), [7, 1, 8, 9].map(address));
    }

    #[tokio::test]
    async fn a_list_without_end_is_read_no_further_than_ten_pages() {
        let endless = async |_| Ok(Page { items: vec![0_u8; 10 * PAGE], next_cursor: Some("on".into()) });
        assert_eq!(pages(endless).await.unwrap().len(), PAGES * PAGE);
        let short =
            async |cursor: Option<String>| Ok(Page { items: vec![0_u8], next_cursor: cursor.xor(Some("on".into())) });
        assert_eq!(pages(short).await.unwrap().len(), 2);
    }
}
